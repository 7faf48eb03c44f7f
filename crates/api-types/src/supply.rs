//! Where all units are.

use crate::AsOf;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where all units are, in units of 0.01 FRT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupplyAnswer {
    /// The height that the figures are of.
    pub height: u64,
    /// Ever issued, genesis' 100 included.
    pub issued: u64,
    /// Taken back by refunds.
    pub reversed: u64,
    /// Released to accounts: what the EVM may mint.
    pub released: u64,
    /// Waiting for maturity and an epoch's end.
    pub pending: u64,
    /// On receipts that nobody has claimed.
    pub unclaimed: u64,
    /// In the pool of all holders.
    pub pool: u64,
    /// Owed by outlets' owners from refunds.
    /// released + pending + unclaimed + pool + bonded + slashed − debt = issued − reversed.
    pub debt: u64,
    /// Bonded by accounts, unbonding units included.
    pub bonded: u64,
    /// Lost by offences of validators.
    pub slashed: u64,
    /// Sales that were ever recorded.
    pub sales: u64,
}

/// Where all units are on both chains, in units of 0.01 FRT.
/// released + pending + unclaimed + pool + bonded + slashed − debt = issued − reversed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Supply {
    /// Ever issued, genesis' included.
    pub issued: u64,
    /// Taken back by refunds.
    pub reversed: u64,
    /// Released to accounts: what the EVM may mint.
    pub released: u64,
    /// Waiting for maturity and an epoch's end.
    pub pending: u64,
    /// On receipts that nobody has claimed.
    pub unclaimed: u64,
    /// In the pool of all holders.
    pub pool: u64,
    /// Owed by outlets' owners from refunds.
    pub debt: u64,
    /// Bonded by accounts, unbonding units included.
    pub bonded: u64,
    /// Lost by offences of validators.
    pub slashed: u64,
    /// Sales that were ever recorded.
    pub sales: u64,
    /// Minted on the EVM.
    pub minted: u64,
    /// Minted in blocks that can no longer be replaced.
    pub minted_final: u64,
    /// Addresses that hold the token.
    pub holders: u64,
}

/// The supply at one moment of the read model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SupplyOverview {
    /// Where all units are.
    #[serde(flatten)]
    pub supply: Supply,
    /// The last sidechain block that the figures hold.
    pub height: u64,
    /// Released and not minted yet.
    pub to_mint: u64,
    /// How far the read model was.
    pub as_of: AsOf,
}
