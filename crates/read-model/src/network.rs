//! How far the mirror is, and what the network holds altogether.

use super::{decode_amount, decode_u64};
use api_types::{AsOf, Supply};
use domain::Genesis;
use sqlx::postgres::PgConnection;

/// How far the mirror is.
pub async fn as_of(connection: &mut PgConnection) -> sqlx::Result<AsOf> {
    let row = sqlx::query!(
        r#"SELECT clock_timestamp() AS "at!", b.height AS "height?", b.time AS "block_time?",
                  e.number AS "evm_block?", e.time AS "evm_block_time?", c.finalized AS "finalized?"
           FROM (VALUES (true)) AS one (row)
           LEFT JOIN chain.cursor AS s ON s.stream = 'sidechain'
           LEFT JOIN chain.sidechain_block AS b ON b.height = s.position
           LEFT JOIN chain.cursor AS c ON c.stream = 'evm'
           LEFT JOIN chain.evm_block AS e ON e.number = c.position"#
    )
    .fetch_one(connection)
    .await?;

    Ok(AsOf {
        at: row.at,
        height: decode_u64(row.height.unwrap_or(0))?,
        block_time: row.block_time,
        evm_block: decode_u64(row.evm_block.unwrap_or(0))?,
        evm_block_time: row.evm_block_time,
        evm_finalized_block: decode_u64(row.finalized.unwrap_or(0))?,
    })
}

/// The genesis of the mirrored sidechain; `None` before the indexer first saw it.
pub async fn read_genesis(connection: &mut PgConnection) -> sqlx::Result<Option<Genesis>> {
    let row = sqlx::query!("SELECT genesis FROM chain.sidechain")
        .fetch_optional(connection)
        .await?;
    row.map(|row| borsh::from_slice(&row.genesis).map_err(super::decode_error))
        .transpose()
}

/// What the network holds beside its units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The last epoch whose checkpoint the anchor accepted; 0 before the first.
    pub anchored: u64,
    /// The last of these in a block that can no longer be replaced; 0 before the first.
    pub anchored_final: u64,
    /// Anchored checkpoints that the blocks do not lead to; must be 0.
    pub disagreements: u64,
    /// Outlets that the founder registered.
    pub outlets: u64,
    /// Accounts to which units were ever released.
    pub accounts: u64,
}

/// What the network holds beside its units.
pub async fn read_extent(connection: &mut PgConnection) -> sqlx::Result<Extent> {
    let row = sqlx::query!(
        r#"SELECT
            COALESCE((SELECT max(epoch) FROM chain.checkpoint_anchored), 0) AS "anchored!",
            COALESCE((SELECT max(epoch) FROM chain.checkpoint_anchored WHERE block_number <=
                (SELECT finalized FROM chain.cursor WHERE stream = 'evm')), 0) AS "anchored_final!",
            (SELECT count(*) FROM chain.checkpoint_disagreement) AS "disagreements!",
            (SELECT count(*) FROM chain.outlet) AS "outlets!",
            (SELECT count(DISTINCT account) FROM chain.release) AS "accounts!""#
    )
    .fetch_one(connection)
    .await?;

    Ok(Extent {
        anchored: decode_u64(row.anchored)?,
        anchored_final: decode_u64(row.anchored_final)?,
        disagreements: decode_u64(row.disagreements)?,
        outlets: decode_u64(row.outlets)?,
        accounts: decode_u64(row.accounts)?,
    })
}

/// Where all units are, on both chains.
pub async fn read_supply(connection: &mut PgConnection) -> sqlx::Result<Supply> {
    let row = sqlx::query!(
        r#"WITH payout AS (SELECT COALESCE(sum(p.value), 0) AS minted,
                                  COALESCE(sum(p.value) FILTER (WHERE p.block_number <= e.finalized), 0) AS minted_final
                           FROM chain.payout AS p JOIN chain.cursor AS e ON e.stream = 'evm')
           SELECT COALESCE(s.sales, 0) AS "sales!", COALESCE(s.issued, 0) AS "issued!",
                  COALESCE(s.reversed, 0) AS "reversed!", COALESCE(s.released, 0) AS "released!",
                  COALESCE(s.pending, 0) AS "pending!", COALESCE(s.receipts, 0) AS "unclaimed!",
                  COALESCE(s.pool, 0) AS "pool!", COALESCE(s.debt, 0) AS "debt!", COALESCE(s.bonded, 0) AS "bonded!",
                  COALESCE(s.slashed, 0) AS "slashed!",
                  payout.minted::text AS "minted!", payout.minted_final::text AS "minted_final!",
                  (SELECT count(*) FROM chain.balance) AS "holders!"
           FROM payout LEFT JOIN chain.supply AS s ON true"#
    )
    .fetch_one(connection)
    .await?;

    Ok(Supply {
        issued: decode_u64(row.issued)?,
        reversed: decode_u64(row.reversed)?,
        released: decode_u64(row.released)?,
        pending: decode_u64(row.pending)?,
        unclaimed: decode_u64(row.unclaimed)?,
        pool: decode_u64(row.pool)?,
        debt: decode_u64(row.debt)?,
        bonded: decode_u64(row.bonded)?,
        slashed: decode_u64(row.slashed)?,
        sales: decode_u64(row.sales)?,
        minted: decode_amount(&row.minted)?,
        minted_final: decode_amount(&row.minted_final)?,
        holders: decode_u64(row.holders)?,
    })
}
