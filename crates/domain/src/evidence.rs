//! Evidence that a validator signed two different things where it may sign one. Two signatures are the whole proof.

use crate::certificate::{VoteStep, proposal_preimage, vote_preimage};
use crate::checkpoint::Checkpoint;
use crate::crypto::Signature;
use crate::eip712::DomainSeparator;
#[cfg(feature = "schema")]
use crate::schema::{AddressText, HashText};
use alloy_primitives::{Address, B256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// One of two votes of the same height, round and step.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignedVote {
    /// What it is for; `None` is nil.
    pub block_hash: Option<B256>,
    /// Over keccak256 of [`vote_preimage`].
    pub signature: Signature,
}

/// One of two proposals of the same height and round.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignedProposal {
    /// The round of an earlier polka for it, or -1.
    pub pol_round: i64,
    /// What it proposes.
    pub block_hash: B256,
    /// Over keccak256 of [`proposal_preimage`].
    pub signature: Signature,
}

/// One of two checkpoints of the same anchor and epoch.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SignedSummary {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// Over its EIP-712 digest for the anchor.
    pub signature: Signature,
}

/// What a validator did wrong, with both signatures.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[allow(
    missing_docs,
    reason = "each field is that of a vote, a proposal or a checkpoint"
)]
#[allow(
    clippy::large_enum_variant,
    reason = "rare, and kept behind a box where it is one of many"
)]
pub enum Offence {
    /// Two votes of one step that differ.
    DoubleVote {
        step: VoteStep,
        height: u64,
        round: i64,
        first: SignedVote,
        second: SignedVote,
    },
    /// Two proposals of one round that differ.
    DoubleProposal {
        height: u64,
        round: i64,
        first: SignedProposal,
        second: SignedProposal,
    },
    /// Two checkpoints of one epoch that differ.
    DoubleCheckpoint {
        anchor: Address,
        first: SignedSummary,
        second: SignedSummary,
    },
}

/// Why evidence proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Both say the same.
    #[error("both signatures are for the same")]
    Same,
    /// The two are of different places, which is allowed.
    #[error("the two checkpoints are not of this sidechain and one epoch")]
    Places,
    /// A signature is somebody else's.
    #[error("the {which} signature is not the offender's")]
    Signature {
        /// `first` or `second`.
        which: &'static str,
    },
}

impl Offence {
    /// The height that it is about.
    pub fn height(&self) -> u64 {
        match self {
            Self::DoubleVote { height, .. } | Self::DoubleProposal { height, .. } => *height,
            Self::DoubleCheckpoint { first, .. } => first.checkpoint.last_height,
        }
    }

    /// A short name, as in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::DoubleVote { .. } => "double_vote",
            Self::DoubleProposal { .. } => "double_proposal",
            Self::DoubleCheckpoint { .. } => "double_checkpoint",
        }
    }

    /// Checks that `offender` signed both, and that they differ where they must not.
    pub fn verify(
        &self,
        sidechain_id: B256,
        evm_chain_id: u64,
        offender: Address,
    ) -> Result<(), EvidenceError> {
        let [first, second] = self.signed_digests(sidechain_id, evm_chain_id)?;
        for (which, (digest, signature)) in [("first", first), ("second", second)] {
            if signature.recover(digest) != Ok(offender) {
                return Err(EvidenceError::Signature { which });
            }
        }
        Ok(())
    }

    /// What was signed twice: each digest with its signature. Refused when both are the same, or not of one place.
    fn signed_digests(
        &self,
        id: B256,
        evm_chain_id: u64,
    ) -> Result<[(B256, Signature); 2], EvidenceError> {
        match self {
            Self::DoubleVote { first, second, .. } if first.block_hash == second.block_hash => {
                Err(EvidenceError::Same)
            }
            Self::DoubleProposal { first, second, .. } if first.block_hash == second.block_hash => {
                Err(EvidenceError::Same)
            }
            Self::DoubleCheckpoint { first, second, .. }
                if first.checkpoint == second.checkpoint =>
            {
                Err(EvidenceError::Same)
            }
            Self::DoubleVote {
                step,
                height,
                round,
                first,
                second,
            } => Ok([*first, *second].map(|vote| {
                (
                    keccak256(vote_preimage(id, *step, *height, *round, vote.block_hash)),
                    vote.signature,
                )
            })),
            Self::DoubleProposal {
                height,
                round,
                first,
                second,
            } => Ok([*first, *second].map(|proposal| {
                let preimage =
                    proposal_preimage(id, *height, *round, proposal.pol_round, proposal.block_hash);
                (keccak256(preimage), proposal.signature)
            })),
            Self::DoubleCheckpoint {
                anchor,
                first,
                second,
            } => {
                let is_of_this_chain =
                    |signed: &SignedSummary| signed.checkpoint.sidechain_id == id;
                if first.checkpoint.epoch != second.checkpoint.epoch
                    || !is_of_this_chain(first)
                    || !is_of_this_chain(second)
                {
                    return Err(EvidenceError::Places);
                }

                let domain = DomainSeparator::checkpoints(evm_chain_id, *anchor);
                Ok([*first, *second].map(|signed| {
                    (
                        domain.checkpoint_digest(&signed.checkpoint),
                        signed.signature,
                    )
                }))
            }
        }
    }
}
