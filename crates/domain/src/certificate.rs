//! Commit certificates: more than two thirds of the power precommitted one block.

use crate::crypto::Signature;
#[cfg(feature = "schema")]
use crate::schema::{AddressText, HashText};
use crate::validators::ValidatorSet;
use alloy_primitives::{Address, B256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// What a vote is for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum VoteStep {
    /// First vote of a round.
    Prevote = 1,
    /// Second vote of a round; a quorum of these is a commit.
    Precommit = 2,
}

/// What a validator signs to vote; fixed width, the same for every validator.
/// `round` is -1 or more; `block_hash` is `None` for nil.
pub fn vote_preimage(
    sidechain_id: B256,
    step: VoteStep,
    height: u64,
    round: i64,
    block_hash: Option<B256>,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    bytes.extend_from_slice(b"HotPot vote 1");

    bytes.extend_from_slice(sidechain_id.as_slice());
    bytes.push(step as u8);
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(&round.to_be_bytes());
    bytes.push(u8::from(block_hash.is_some()));
    bytes.extend_from_slice(block_hash.unwrap_or_default().as_slice());

    bytes
}

/// What a validator signs to propose. `pol_round` is the round of an earlier polka for the block, or -1.
pub fn proposal_preimage(
    sidechain_id: B256,
    height: u64,
    round: i64,
    pol_round: i64,
    block_hash: B256,
) -> Vec<u8> {
    let mut bytes = b"HotPot proposal 1".to_vec();

    bytes.extend_from_slice(sidechain_id.as_slice());
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(&round.to_be_bytes());
    bytes.extend_from_slice(&pol_round.to_be_bytes());
    bytes.extend_from_slice(block_hash.as_slice());

    bytes
}

/// One validator's precommit.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CommitSignature {
    /// The validator that precommitted.
    pub validator: Address,
    /// Over keccak256 of [`vote_preimage`].
    pub signature: Signature,
}

/// The precommits that made a block final.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CommitCertificate {
    /// Of the block.
    pub height: u64,
    /// In which it was decided.
    pub round: u32,
    /// What was decided.
    pub block_hash: B256,
    /// Ascending by validator.
    pub signatures: Vec<CommitSignature>,
}

/// Why a certificate proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum CertificateError {
    #[error("certificate is for height {found}, expected {expected}")]
    Height { expected: u64, found: u64 },
    #[error("certificate is for block {found}, expected {expected}")]
    Block { expected: B256, found: B256 },
    #[error("signatures must ascend by validator: {found} is out of order")]
    Order { found: Address },
    #[error("{found} is not in the validator set")]
    UnknownValidator { found: Address },
    #[error("the signature of {validator} does not verify")]
    BadSignature { validator: Address },
    #[error("signed power {found} of {total} is not more than two thirds")]
    NoQuorum { found: u64, total: u64 },
}

impl CommitCertificate {
    /// Checks everything that a stranger would: height, block, each signature, the quorum.
    pub fn verify(
        &self,
        sidechain_id: B256,
        height: u64,
        block_hash: B256,
        validators: &ValidatorSet,
    ) -> Result<(), CertificateError> {
        if self.height != height {
            return Err(CertificateError::Height {
                expected: height,
                found: self.height,
            });
        }
        if self.block_hash != block_hash {
            return Err(CertificateError::Block {
                expected: block_hash,
                found: self.block_hash,
            });
        }

        let power = self.signed_power(sidechain_id, validators)?;
        if !validators.is_quorum(power) {
            return Err(CertificateError::NoQuorum {
                found: power,
                total: validators.total_power(),
            });
        }

        Ok(())
    }

    fn signed_power(
        &self,
        sidechain_id: B256,
        validators: &ValidatorSet,
    ) -> Result<u64, CertificateError> {
        let round = i64::from(self.round);
        let preimage = vote_preimage(
            sidechain_id,
            VoteStep::Precommit,
            self.height,
            round,
            Some(self.block_hash),
        );
        let digest = keccak256(preimage);

        let mut last = None;
        let mut power = 0;
        for CommitSignature {
            validator,
            signature,
        } in &self.signatures
        {
            if last.is_some_and(|last| *validator <= last) {
                return Err(CertificateError::Order { found: *validator });
            }

            let known = validators
                .get(*validator)
                .ok_or(CertificateError::UnknownValidator { found: *validator })?;
            if signature.recover(digest) != Ok(*validator) {
                return Err(CertificateError::BadSignature {
                    validator: *validator,
                });
            }

            power += known.power;
            last = Some(*validator);
        }

        Ok(power)
    }
}
