//! What has to stand on the chain.

use alloy::primitives::{B256, Bytes};

/// What an intent brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A checkpoint: comes before all chunks.
    Checkpoint,
    /// A chunk of an epoch's payouts.
    Chunk,
}

/// Which intent; the same on every relayer of this anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    pub(crate) epoch: u64,
    /// 0 for a checkpoint.
    pub(crate) chunk: u64,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            Kind::Checkpoint => write!(f, "checkpoint {}", self.epoch),
            Kind::Chunk => write!(f, "chunk {} of epoch {}", self.chunk, self.epoch),
        }
    }
}

/// A block by number and hash: the number alone does not survive a reorganisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockId {
    pub(crate) number: u64,
    pub(crate) hash: B256,
}

/// How far an open intent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntentStage {
    /// Nothing is under way.
    Intended,
    /// A transaction is signed and may or may not have been sent.
    Signed,
    /// An endpoint has taken it.
    Sent,
    /// The contract holds it at this block.
    Included(BlockId),
}

/// An intent that is not final yet.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) id: i64,
    pub(crate) key: Key,
    /// The call of the anchor.
    pub(crate) calldata: Bytes,
    pub(crate) stage: IntentStage,
    /// False while it waits after a failure.
    pub(crate) may_retry: bool,
}
