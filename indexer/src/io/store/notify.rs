//! One message for what each transaction did; kept in `chain.event`, so that a reader who was away can continue.

use crate::core::rows::to_bigint;
use crate::error::Error;
use crate::io::store::Stream;
use sqlx::postgres::PgConnection;

/// What happened to blocks.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// They are here.
    Apply,
    /// They are gone.
    Revert,
}

/// Kept and sent when the transaction commits, never otherwise. `from` greater than `to`: no block came, but the last
/// final one moved.
pub async fn notify_readers(
    connection: &mut PgConnection,
    stream: Stream,
    from: u64,
    to: u64,
    kind: Kind,
) -> Result<(), Error> {
    let kind = match kind {
        Kind::Apply => "apply",
        Kind::Revert => "revert",
    };
    let (from, to) = (to_bigint("number", from)?, to_bigint("number", to)?);

    sqlx::query!(
        "SELECT chain.tell($1, $2, $3, $4)",
        stream.name(),
        from,
        to,
        kind
    )
    .fetch_one(connection)
    .await
    .map_err(Error::store("notify"))?;

    Ok(())
}
