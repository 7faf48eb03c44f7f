//! What an address holds.

use crate::AsOf;
use domain::Address;
use domain::schema::AddressText;
use domain::staking::Unbonding;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an address holds on the ledger, in units of 0.01 FRT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountAnswer {
    /// Whose account this is.
    pub address: Address,
    /// The last nonce used.
    pub nonce: u64,
    /// Accrued and not yet released.
    pub pending: u64,
    /// Released, ever; what the EVM may mint.
    pub released: u64,
    /// Owed from refunds; paid from what matures next.
    pub debt: u64,
    /// Share of what matures that it bonds, parts per million.
    #[serde(default)]
    pub bonding_ppm: u32,
    /// Units that back its validators.
    #[serde(default)]
    pub bonded: u64,
    /// Bonded units on their way out.
    #[serde(default)]
    pub unbonding: Vec<Unbonding>,
}

/// What an address holds on both chains, in units of 0.01 FRT. What only the ledger knows is null while no node answers:
/// no answer is not zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountOverview {
    /// Whose account this is.
    pub address: Address,
    /// The last nonce used.
    #[schema(required)]
    pub nonce: Option<u64>,
    /// Accrued and not yet released.
    #[schema(required)]
    pub pending: Option<u64>,
    /// Owed from refunds; paid from what matures next.
    #[schema(required)]
    pub debt: Option<u64>,
    /// Released, ever; what the EVM may mint.
    pub released: u64,
    /// Minted to it on the EVM, ever.
    pub minted: u64,
    /// Minted in blocks that can no longer be replaced.
    pub minted_final: u64,
    /// Held on the EVM now.
    pub balance: u64,
    /// How far the read model was.
    pub as_of: AsOf,
}
