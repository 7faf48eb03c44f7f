//! Messages of `/api/v1/events`.

use crate::{AsOf, SaleRow};
use domain::B256;
use domain::schema::HashText;
use serde::Serialize;
use utoipa::ToSchema;

/// Event `blocks`: sidechain blocks came to the read model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BlocksEvent {
    /// The first of them.
    pub from: u64,
    /// The last of them.
    pub to: u64,
    /// Sales that they hold.
    pub sales: u64,
    /// Transactions that they hold, sales included.
    pub transactions: u64,
    /// The newest of the sales, at most 20, newest first.
    pub latest: Vec<SaleRow>,
    /// How far the read model is.
    pub as_of: AsOf,
}

/// Event `evm`: EVM blocks came to the read model, or the finalized one moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EvmEvent {
    /// The first of them.
    pub from: u64,
    /// The last of them; less than `from` when only the finalized block moved.
    pub to: u64,
    /// The last block that can no longer be replaced.
    pub finalized: u64,
    /// Checkpoints that the anchor accepted in them.
    pub checkpoints: Vec<AnchoredCheckpoint>,
    /// How many payouts they hold.
    pub payouts: u64,
    /// How far the read model is.
    pub as_of: AsOf,
}

/// A checkpoint that the anchor accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AnchoredCheckpoint {
    /// The epoch that it sums up.
    pub epoch: u64,
    /// The transaction that anchored it.
    pub tx_hash: B256,
    /// The EVM block of that transaction.
    pub evm_block: u64,
}

/// Event `reverted`: a reorganisation took EVM blocks away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RevertedEvent {
    /// The first of them.
    pub from: u64,
    /// The last of them.
    pub to: u64,
    /// How far the read model is.
    pub as_of: AsOf,
}

/// Event `reset`: what was missed is not kept any more; everything has to be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ResetEvent {
    /// The id after which messages were asked for.
    pub after: u64,
}
