//! The whole mirror in figures, for whoever compares it with the other books.

use super::{decode_address, decode_u64, decode_units};
use alloy_primitives::Address;
use serde::Serialize;
use sqlx::PgPool;

/// The whole mirror in figures, all of one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Sales that are mirrored.
    pub sales: u64,
    /// Payouts minted: transfers from the zero address.
    pub payouts: u64,
    /// Transfers of the token, payouts included.
    pub transfers: u64,
    /// Units issued on the sidechain, genesis' included.
    pub issued: u64,
    /// Units that refunds took back.
    pub reversed: u64,
    /// Units that outlets' owners owe.
    pub debt: u64,
    /// Units released on the sidechain, genesis' included: what the EVM may mint.
    pub released: u64,
    /// Units minted on the EVM.
    pub minted: u128,
    /// Receipts that were claimed.
    pub claims: u64,
    /// The last sidechain block mirrored; 0 before the first.
    pub sidechain_height: u64,
    /// The last EVM block mirrored; 0 before the first.
    pub evm_block: u64,
    /// The last EVM block mirrored that can no longer be replaced; 0 before the first.
    pub evm_finalized_block: u64,
    /// The last epoch whose checkpoint the anchor accepted; 0 before the first.
    pub last_anchored_epoch: u64,
    /// The last of these in a block that can no longer be replaced; 0 before the first.
    pub last_final_epoch: u64,
    /// Anchored checkpoints that the blocks do not lead to; must be 0.
    pub checkpoint_disagreements: u64,
}

/// What an address holds on the EVM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Address of the holder.
    pub holder: Address,
    /// Units of the token.
    pub units: u128,
}

/// What was ever minted to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AccountPayouts {
    /// Who was paid.
    pub account: Address,
    /// In how many payouts.
    pub payouts: u64,
    /// How much altogether.
    pub minted: u128,
    /// How much of it in blocks that can no longer be replaced.
    pub minted_final: u128,
    /// The newest epoch that paid.
    pub last_epoch: Option<u64>,
}

/// What was ever released to an account on the sidechain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AccountReleases {
    /// Who holds them.
    pub account: Address,
    /// How much altogether: what the EVM may mint.
    pub released: u64,
}

/// The whole mirror in figures.
pub async fn read_totals(pool: &PgPool) -> sqlx::Result<Totals> {
    let row = sqlx::query!(
        r#"SELECT
            (SELECT count(*) FROM chain.sale) AS "sales!",
            (SELECT count(*) FROM chain.payout) AS "payouts!",
            (SELECT count(*) FROM chain.token_transfer) AS "transfers!",
            (SELECT count(*) FROM chain.receipt_claim) AS "claims!",
            (COALESCE((SELECT genesis_units FROM chain.sidechain), 0)
                + COALESCE((SELECT sum(issued) FROM chain.sale), 0))::bigint AS "issued!",
            COALESCE((SELECT sum(units) FROM chain.release), 0)::bigint AS "released!",
            COALESCE((SELECT sum(reversed) FROM chain.refund), 0)::bigint AS "reversed!",
            (COALESCE((SELECT sum(debt) FROM chain.refund), 0)
                - COALESCE((SELECT sum(debt_paid) FROM chain.release), 0))::bigint AS "debt!",
            COALESCE((SELECT sum(value) FROM chain.payout), 0)::text AS "minted!",
            COALESCE((SELECT position FROM chain.cursor WHERE stream = 'sidechain'), 0) AS "sidechain_height!",
            COALESCE((SELECT position FROM chain.cursor WHERE stream = 'evm'), 0) AS "evm_block!",
            COALESCE((SELECT finalized FROM chain.cursor WHERE stream = 'evm'), 0) AS "evm_finalized_block!",
            COALESCE((SELECT max(epoch) FROM chain.checkpoint_anchored), 0) AS "last_anchored_epoch!",
            COALESCE((SELECT max(epoch) FROM chain.checkpoint_anchored WHERE block_number <=
                (SELECT finalized FROM chain.cursor WHERE stream = 'evm')), 0) AS "last_final_epoch!",
            (SELECT count(*) FROM chain.checkpoint_disagreement) AS "checkpoint_disagreements!""#
    )
    .fetch_one(pool)
    .await?;

    Ok(Totals {
        sales: decode_u64(row.sales)?,
        payouts: decode_u64(row.payouts)?,
        transfers: decode_u64(row.transfers)?,
        claims: decode_u64(row.claims)?,
        issued: decode_u64(row.issued)?,
        released: decode_u64(row.released)?,
        reversed: decode_u64(row.reversed)?,
        debt: decode_u64(row.debt)?,
        minted: decode_units(&row.minted)?,
        sidechain_height: decode_u64(row.sidechain_height)?,
        evm_block: decode_u64(row.evm_block)?,
        evm_finalized_block: decode_u64(row.evm_finalized_block)?,
        last_anchored_epoch: decode_u64(row.last_anchored_epoch)?,
        last_final_epoch: decode_u64(row.last_final_epoch)?,
        checkpoint_disagreements: decode_u64(row.checkpoint_disagreements)?,
    })
}

/// Everybody who holds the token, addresses ascending.
pub async fn token_balances(pool: &PgPool) -> sqlx::Result<Vec<Balance>> {
    let rows = sqlx::query!(
        r#"SELECT holder, value::text AS "value!" FROM chain.balance ORDER BY holder"#
    )
    .fetch_all(pool)
    .await?;

    rows.iter()
        .map(|row| {
            Ok(Balance {
                holder: decode_address(&row.holder)?,
                units: decode_units(&row.value)?,
            })
        })
        .collect()
}

/// Everybody who was ever paid, addresses ascending.
pub async fn payouts_by_account(pool: &PgPool) -> sqlx::Result<Vec<AccountPayouts>> {
    let rows = sqlx::query!(
        r#"SELECT p.account, count(*) AS "payouts!", sum(p.value)::text AS "minted!",
                  COALESCE(sum(p.value) FILTER (WHERE p.block_number <= c.finalized), 0)::text AS "minted_final!",
                  max(p.epoch) AS last_epoch
           FROM chain.payout AS p
           JOIN chain.cursor AS c ON c.stream = 'evm'
           GROUP BY p.account
           ORDER BY p.account"#
    )
    .fetch_all(pool)
    .await?;

    let payouts = rows.iter().map(|row| {
        Ok(AccountPayouts {
            account: decode_address(&row.account)?,
            payouts: decode_u64(row.payouts)?,
            minted: decode_units(&row.minted)?,
            minted_final: decode_units(&row.minted_final)?,
            last_epoch: row.last_epoch.map(decode_u64).transpose()?,
        })
    });

    payouts.collect()
}

/// Everybody to whom units were ever released, addresses ascending.
pub async fn releases_by_account(pool: &PgPool) -> sqlx::Result<Vec<AccountReleases>> {
    let rows = sqlx::query!(
        r#"SELECT account, sum(units)::bigint AS "released!" FROM chain.release GROUP BY account ORDER BY account"#
    )
    .fetch_all(pool)
    .await?;
    let releases = rows.iter().map(|row| {
        Ok(AccountReleases {
            account: decode_address(&row.account)?,
            released: decode_u64(row.released)?,
        })
    });
    releases.collect()
}
