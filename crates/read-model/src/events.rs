//! What readers are told, in order and without a gap.

use super::{decode_hash, decode_u64, to_bigint};
use api_types::AnchoredCheckpoint;
use sqlx::postgres::PgConnection;

/// The channel on which Postgres announces new events (`LISTEN`).
pub const CHANNEL: &str = "chain_events";

/// One message of the indexer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Greater than that of every event before.
    pub id: u64,
    /// Which blocks came or went.
    pub what: What,
    /// The first block that came or went.
    pub from: u64,
    /// The last one; less than `from` when only the finalized EVM block moved.
    pub to: u64,
}

/// What the indexer did with blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Sidechain blocks are here.
    Blocks,
    /// EVM blocks are here.
    Evm,
    /// EVM blocks are gone.
    Reverted,
}

/// The ids that are kept: the first and the last; zero when there is none.
pub async fn kept(connection: &mut PgConnection) -> sqlx::Result<(u64, u64)> {
    let row =
        sqlx::query!(r#"SELECT COALESCE(min(id), 0) AS "first!", COALESCE(max(id), 0) AS "last!" FROM chain.event"#)
            .fetch_one(connection)
            .await?;
    Ok((decode_u64(row.first)?, decode_u64(row.last)?))
}

/// Events after an id, ascending, at most `limit`.
pub async fn after(connection: &mut PgConnection, id: u64, limit: i64) -> sqlx::Result<Vec<Event>> {
    let rows = sqlx::query!(
        "SELECT id, stream, first, last, kind FROM chain.event WHERE id > $1 ORDER BY id LIMIT $2",
        to_bigint(id),
        limit
    )
    .fetch_all(connection)
    .await?;

    let events = rows.into_iter().map(|row| {
        let what = match (row.stream.as_str(), row.kind.as_str()) {
            ("sidechain", _) => What::Blocks,
            (_, "revert") => What::Reverted,
            _ => What::Evm,
        };

        Ok(Event {
            id: decode_u64(row.id)?,
            what,
            from: decode_u64(row.first)?,
            to: decode_u64(row.last)?,
        })
    });

    events.collect()
}

/// How many sales and transactions sidechain blocks hold.
pub async fn block_counts(
    connection: &mut PgConnection,
    from: u64,
    to: u64,
) -> sqlx::Result<(u64, u64)> {
    let row = sqlx::query!(
        r#"SELECT (SELECT count(*) FROM chain.sale WHERE height BETWEEN $1 AND $2) AS "sales!",
                  COALESCE((SELECT sum(transactions) FROM chain.sidechain_block WHERE height BETWEEN $1 AND $2), 0)
                      ::bigint AS "transactions!""#,
        to_bigint(from),
        to_bigint(to)
    )
    .fetch_one(connection)
    .await?;

    Ok((decode_u64(row.sales)?, decode_u64(row.transactions)?))
}

/// Checkpoints and how many payouts EVM blocks hold.
pub async fn evm_counts(
    connection: &mut PgConnection,
    from: u64,
    to: u64,
) -> sqlx::Result<(Vec<AnchoredCheckpoint>, u64)> {
    let rows = sqlx::query!(
        "SELECT epoch, tx_hash, block_number FROM chain.checkpoint_anchored
         WHERE block_number BETWEEN $1 AND $2 ORDER BY block_number, log_index",
        to_bigint(from),
        to_bigint(to)
    )
    .fetch_all(&mut *connection)
    .await?;

    let payouts = sqlx::query_scalar!(
        r#"SELECT count(*) AS "payouts!" FROM chain.payout WHERE block_number BETWEEN $1 AND $2"#,
        to_bigint(from),
        to_bigint(to)
    )
    .fetch_one(connection)
    .await?;

    let anchored = rows.into_iter().map(|row| {
        Ok(AnchoredCheckpoint {
            epoch: decode_u64(row.epoch)?,
            tx_hash: decode_hash(&row.tx_hash)?,
            evm_block: decode_u64(row.block_number)?,
        })
    });

    Ok((anchored.collect::<sqlx::Result<_>>()?, decode_u64(payouts)?))
}
