//! Checkpoints with their signatures, and what they pay.

use domain::checkpoint::{Checkpoint, CheckpointSignature};
use domain::payout::Payout;
use domain::schema::{AddressText, HashText};
use domain::{Address, B256, Validator};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A checkpoint with what the contract needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckpointAnswer {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The contract it is for.
    pub anchor: Address,
    /// The EIP-712 digest.
    pub digest: B256,
    /// Whether the signatures are more than two thirds of the power.
    pub quorum: bool,
    /// Whose signatures it needs, addresses ascending.
    pub validators: Vec<Validator>,
    /// Who signs the next one.
    pub next_validators: Vec<Validator>,
    /// Those gathered so far, validators ascending.
    pub signatures: Vec<CheckpointSignature>,
    /// How many accounts its settlement pays.
    pub payouts: usize,
}

/// One account's payout in a settlement, with the chunk that the contract takes and a proof for it alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PayoutAnswer {
    /// The settling epoch.
    pub epoch: u64,
    /// Who, and how much ever.
    pub payout: Payout,
    /// The word for `issueOne`.
    pub word: B256,
    /// The proof for `issueOne`: siblings up to the payout root, then the rest hash.
    pub proof: Vec<B256>,
    /// The words for `issueChunk`.
    pub chunk_words: Vec<B256>,
    /// The proof for `issueChunk`: siblings up to the payout root, then the rest hash.
    pub chunk_proof: Vec<B256>,
}
