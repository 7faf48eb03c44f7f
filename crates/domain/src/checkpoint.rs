//! Checkpoints: what the validators of an epoch sign and the contract accepts.

use crate::crypto::Signature;
use crate::merkle;
#[cfg(feature = "schema")]
use crate::schema::{AddressText, HashText};
use crate::validators::ValidatorSet;
use alloy_primitives::{Address, B256, U256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// One epoch, summed up for the EVM.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Checkpoint {
    /// The sidechain's name: hash of its genesis.
    pub sidechain_id: B256,
    /// One more than the last checkpoint's.
    pub epoch: u64,
    /// The height after the last checkpoint's `last_height`.
    pub first_height: u64,
    /// The epoch's last block.
    pub last_height: u64,
    /// Merkle root over the hashes of the blocks from `first_height` to `last_height`.
    pub blocks_root: B256,
    /// Merkle root over accounts, outlets, terminals, validators and parameters.
    pub state_root: B256,
    /// Root of the settlement's chunks; the empty tree's when the epoch settles nothing.
    pub payout_root: B256,
    /// Merkle root over the recordings and erasures since the last checkpoint.
    pub recordings_root: B256,
    /// Units released to all accounts, ever.
    pub total_released: u128,
    /// Hash of the set that signs the next checkpoint.
    pub next_validators_hash: B256,
}

impl Checkpoint {
    /// Hash of all fields but the payout root: the last element of a payout proof.
    pub fn rest_hash(&self) -> B256 {
        let number = |value: u64| U256::from(value).to_be_bytes::<32>();

        let words: [[u8; 32]; 9] = [
            self.sidechain_id.0,
            number(self.epoch),
            number(self.first_height),
            number(self.last_height),
            self.blocks_root.0,
            self.state_root.0,
            self.recordings_root.0,
            U256::from(self.total_released).to_be_bytes::<32>(),
            self.next_validators_hash.0,
        ];

        keccak256(words.concat())
    }
}

/// The leaf of a block in the blocks root.
pub fn block_leaf(block_hash: B256) -> B256 {
    merkle::leaf(block_hash.as_slice())
}

/// A validator's signature under a checkpoint.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CheckpointSignature {
    /// The validator that signed.
    pub validator: Address,
    /// Over the EIP-712 digest for the anchor.
    pub signature: Signature,
}

/// A checkpoint with the signatures gathered so far.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The contract that the signatures are for.
    pub anchor: Address,
    /// The set that has to sign.
    pub validators: ValidatorSet,
    /// The set that signs the next one.
    pub next_validators: ValidatorSet,
    /// Ascending by validator.
    pub signatures: Vec<CheckpointSignature>,
}

impl SignedCheckpoint {
    /// Whether the signatures make a quorum. They are checked when they are added.
    pub fn has_quorum(&self) -> bool {
        let power = |signature: &CheckpointSignature| {
            self.validators.get(signature.validator).map(|v| v.power)
        };
        self.validators
            .is_quorum(self.signatures.iter().filter_map(power).sum())
    }

    /// Adds one signature if it is a new, valid one of the set; says whether it did.
    pub fn add(&mut self, digest: B256, new: CheckpointSignature) -> bool {
        let place = self
            .signatures
            .binary_search_by_key(&new.validator, |signature| signature.validator);
        let known = self.validators.get(new.validator).is_some();
        let Err(place) = place else { return false };
        if !known || new.signature.recover(digest) != Ok(new.validator) {
            return false;
        }
        self.signatures.insert(place, new);
        true
    }
}

/// What the contract remembers of the checkpoint before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorHead {
    /// The epoch that it summed up.
    pub epoch: u64,
    /// Its last height.
    pub last_height: u64,
    /// Units that it released to all accounts, ever.
    pub total_released: u128,
}

/// Why the contract would refuse a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum NotAnchorable {
    #[error("epoch must be {expected}, found {found}")]
    Epoch { expected: u64, found: u64 },
    #[error("first height must be {expected}, found {found}")]
    FirstHeight { expected: u64, found: u64 },
    #[error("last height {last} is before the first, {first}")]
    Heights { first: u64, last: u64 },
    #[error("total released went from {before} down to {found}")]
    TotalReleased { before: u128, found: u128 },
    #[error("{field} is zero")]
    ZeroRoot { field: &'static str },
}

/// Mirrors the contract's checks of shape and continuity (not of signatures).
pub fn check_anchorable(head: AnchorHead, checkpoint: &Checkpoint) -> Result<(), NotAnchorable> {
    let c = checkpoint;

    if c.epoch != head.epoch + 1 {
        return Err(NotAnchorable::Epoch {
            expected: head.epoch + 1,
            found: c.epoch,
        });
    }
    if c.first_height != head.last_height + 1 {
        return Err(NotAnchorable::FirstHeight {
            expected: head.last_height + 1,
            found: c.first_height,
        });
    }

    if c.last_height < c.first_height {
        return Err(NotAnchorable::Heights {
            first: c.first_height,
            last: c.last_height,
        });
    }
    if c.total_released < head.total_released {
        return Err(NotAnchorable::TotalReleased {
            before: head.total_released,
            found: c.total_released,
        });
    }

    let roots = [
        ("sidechain_id", c.sidechain_id),
        ("blocks_root", c.blocks_root),
        ("state_root", c.state_root),
        ("payout_root", c.payout_root),
        ("recordings_root", c.recordings_root),
        ("next_validators_hash", c.next_validators_hash),
    ];

    match roots.iter().find(|(_, root)| root.is_zero()) {
        Some((field, _)) => Err(NotAnchorable::ZeroRoot { field }),
        None => Ok(()),
    }
}
