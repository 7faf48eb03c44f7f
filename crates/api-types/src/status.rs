//! What a node says of itself.

use domain::schema::{AddressText, HashText};
use domain::{Address, B256};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a node says of itself; the body of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StatusAnswer {
    /// Whether it takes part in consensus and can sign; of a node that only follows, whether it keeps up.
    pub ready: bool,
    /// Why it is not ready; absent while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The validator's address; null at a node that only follows.
    #[schema(required)]
    pub validator: Option<Address>,
    /// The chain's name.
    pub sidechain_id: B256,
    /// Height of the last final block.
    pub height: u64,
    /// The time of that block, RFC 3339.
    #[serde(default)]
    pub time: String,
    /// The round of the height that is being decided; 0 is the first.
    #[serde(default)]
    pub round: u32,
    /// This validator's voting power for the next block; 0 at a node that only follows.
    #[serde(default)]
    pub power: u64,
    /// Power behind the last certificate that a block carries: that of the block before it.
    #[serde(default)]
    pub power_online: u64,
    /// The power of all who could have signed that one.
    #[serde(default)]
    pub power_total: u64,
    /// How many of the last blocks this validator signed; absent at a node that only follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub signed: Option<SignedAnswer>,
    /// The epoch that the next block belongs to.
    pub epoch: u64,
    /// The last epoch whose checkpoint has a quorum; 0 before the first.
    pub checkpointed_epoch: u64,
    /// Transactions that wait for a block.
    pub mempool: usize,
    /// The contracts in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub anchor: Option<Address>,
    /// The token in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub token: Option<Address>,
    /// The contract that is proposed for a later epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub proposed_anchor: Option<Address>,
    /// Whether blocks follow each other at once because units or recordings wait for an epoch's end.
    pub busy: bool,
    /// The version of the program.
    #[serde(default)]
    pub version: String,
}

/// How many of the last blocks a validator signed, by the certificates that blocks carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignedAnswer {
    /// These have its signature.
    pub signed: usize,
    /// Of so many, at most the last 100, for which it was in the set.
    pub blocks: usize,
}
