//! The network as a whole.

use domain::schema::{AddressText, HashText};
use domain::{Address, B256};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// How far the read model was when it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AsOf {
    /// By the database's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The last sidechain block mirrored; 0 before the first.
    pub height: u64,
    /// The time of that block; null before the first.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub block_time: Option<OffsetDateTime>,
    /// The last EVM block mirrored; 0 before the first.
    pub evm_block: u64,
    /// The time of that EVM block; null before the first.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub evm_block_time: Option<OffsetDateTime>,
    /// The last EVM block mirrored that can no longer be replaced; 0 before the first.
    pub evm_finalized_block: u64,
}

/// The network as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct NetworkOverview {
    /// The sidechain's name: hash of its genesis.
    pub sidechain_id: B256,
    /// The chain that its tokens are minted on.
    pub evm_chain_id: u64,
    /// The token there; null while no node answers, and until the chain is bound to its contracts.
    #[schema(required)]
    pub token: Option<Address>,
    /// The contract that takes checkpoints; null for the same reasons.
    #[schema(required)]
    pub anchor: Option<Address>,
    /// A block explorer's address of a transaction, with `{tx}` in its place.
    #[schema(required)]
    pub explorer: Option<String>,
    /// What the nodes agree on; null while none answers.
    #[schema(required)]
    pub sidechain: Option<SidechainOverview>,
    /// How far the EVM chain is mirrored.
    pub evm: EvmOverview,
    /// The last epochs that reached the EVM.
    pub epochs: EpochsOverview,
    /// Anchored checkpoints that the blocks do not lead to; must be 0.
    pub disagreements: u64,
    /// Outlets that the founder registered.
    pub outlets: u64,
    /// Accounts to which units were ever released.
    pub accounts: u64,
    /// How fresh is what comes along each way.
    pub arrows: Vec<ArrowOverview>,
    /// Parts that do not answer now; empty when all do.
    pub away: Vec<SystemPart>,
    /// How far the read model was.
    pub as_of: AsOf,
}

/// The sidechain as its nodes agree on it: no claim of one of them decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SidechainOverview {
    /// Height of the last final block that two thirds of the nodes that answer have.
    pub height: u64,
    /// The epoch that the next block belongs to.
    pub epoch: u64,
    /// Validators of the set that the last mirrored checkpoint elects; before the first, genesis'.
    pub validators: usize,
    /// Whether two thirds of the nodes that answer do their work.
    pub ready: bool,
}

/// How far the EVM chain is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EvmOverview {
    /// The last block.
    pub block: u64,
    /// The last one that can no longer be replaced.
    pub finalized_block: u64,
}

/// The last epochs that reached the EVM; 0 before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EpochsOverview {
    /// Its checkpoint is in the contract.
    pub anchored: u64,
    /// In a block that can no longer be replaced.
    #[serde(rename = "final")]
    pub anchored_final: u64,
}

/// A way along which the parts of the system learn from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArrowName {
    /// What nodes say of themselves.
    NodesToGateway,
    /// The read model's answers.
    DatabaseToGateway,
    /// The sidechain's blocks.
    SidechainToIndexer,
    /// The EVM chain's blocks.
    EvmToIndexer,
    /// Checkpoints, from the block that closes an epoch until the mirror sees them in the contract.
    RelayerToEvm,
}

/// How fresh is what comes along an arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArrowState {
    /// The one end has what the other end has.
    InStep,
    /// Both ends answer, and the one lacks something for longer than usual.
    Late,
    /// Nothing comes.
    Away,
}

/// One arrow and how fresh is what comes along it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ArrowOverview {
    /// Which one.
    pub arrow: ArrowName,
    /// How fresh it is.
    pub state: ArrowState,
    /// Seconds since the one end last had everything of the other; null when it is not known to have had it ever.
    #[schema(required)]
    pub age_s: Option<u64>,
}

/// A part of the system that may be away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SystemPart {
    /// The database that holds the read model.
    Postgresql,
    /// All nodes of the sidechain.
    Nodes,
    /// The indexer.
    Indexer,
    /// The node of the EVM chain that the indexer asks.
    EvmNode,
}
