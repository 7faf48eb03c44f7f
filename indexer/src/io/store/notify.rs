//! One message for each transaction; listeners fan it out.

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

/// Sent when the transaction commits, never otherwise.
pub async fn notify(
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
    let message = serde_json::json!({ "stream": stream.name(), "from": from, "to": to, "kind": kind }).to_string();
    sqlx::query!("SELECT pg_notify('chain_events', $1)", message)
        .fetch_one(connection)
        .await
        .map_err(Error::store("notify"))?;
    Ok(())
}
