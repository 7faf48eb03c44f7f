//! What an address holds on both chains.

use super::{decode_amount, decode_u64};
use alloy_primitives::Address;
use sqlx::postgres::PgConnection;

/// What an address was given on the sidechain and holds on the EVM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// Released, ever; what the EVM may mint.
    pub released: u64,
    /// Minted to it on the EVM, ever.
    pub minted: u64,
    /// Minted in blocks that can no longer be replaced.
    pub minted_final: u64,
    /// Held on the EVM now.
    pub balance: u64,
}

/// One address; all zero when it is unknown.
pub async fn find_account(
    connection: &mut PgConnection,
    account: Address,
) -> sqlx::Result<AccountFacts> {
    let row = sqlx::query!(
        r#"SELECT
            COALESCE((SELECT sum(units) FROM chain.release WHERE account = $1), 0)::bigint AS "released!",
            COALESCE((SELECT sum(value) FROM chain.payout WHERE account = $1), 0)::text AS "minted!",
            COALESCE((SELECT sum(value) FROM chain.payout WHERE account = $1 AND block_number <=
                (SELECT finalized FROM chain.cursor WHERE stream = 'evm')), 0)::text AS "minted_final!",
            COALESCE((SELECT sum(value) FROM chain.balance WHERE holder = $1), 0)::text AS "balance!""#,
        account.as_slice()
    )
    .fetch_one(connection)
    .await?;

    Ok(AccountFacts {
        released: decode_u64(row.released)?,
        minted: decode_amount(&row.minted)?,
        minted_final: decode_amount(&row.minted_final)?,
        balance: decode_amount(&row.balance)?,
    })
}
