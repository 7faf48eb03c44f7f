//! From a node's answer to the call that the anchor takes.

use alloy::primitives::{Address, B256, Bytes, U256};
use alloy::sol_types::SolCall;
use client::CheckpointAnswer;
use contract_bindings::CheckpointAnchor::submitCall;
use contract_bindings::{ICheckpointAnchor, ValidatorSets};
use domain::checkpoint::{AnchorHead, CheckpointSignature, NotAnchorable, check_anchorable};
use domain::validators::{Validator, ValidatorSetError};
use domain::{Checkpoint, ValidatorSet};

/// What the anchor expects of the next checkpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) anchor: Address,
    pub(crate) sidechain_id: B256,
    pub(crate) head: AnchorHead,
    pub(crate) validators_hash: B256,
}

/// Why a node's answer cannot be submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub(crate) enum NotSubmittable {
    #[error("it is for anchor {found}, expected {expected}")]
    Anchor { expected: Address, found: Address },
    #[error("it is of sidechain {found}, expected {expected}")]
    Sidechain { expected: B256, found: B256 },
    #[error("the contract would refuse it")]
    Shape(#[source] NotAnchorable),
    #[error("its validators are no set")]
    Set(#[source] ValidatorSetError),
    #[error("its validators hash to {found}, expected {expected}")]
    Validators { expected: B256, found: B256 },
    #[error("valid signatures have power {found} of {total}, which is no quorum")]
    Quorum { found: u64, total: u64 },
}

/// The call that submits a checkpoint, with as few signatures as make a quorum. `digest` is what they sign; it is
/// computed by us, and signatures that do not fit are left out, so a node cannot make us send a bad one.
pub(crate) fn call(
    answer: &CheckpointAnswer,
    expected: &Expected,
    digest: B256,
) -> Result<Bytes, NotSubmittable> {
    check_binding(answer, expected)?;
    check_anchorable(expected.head, &answer.checkpoint).map_err(NotSubmittable::Shape)?;

    let set = checked_set(&answer.validators, expected.validators_hash)?;
    let next_hash = answer.checkpoint.next_validators_hash;
    let next = if next_hash == expected.validators_hash {
        Vec::new()
    } else {
        checked_set(&answer.next_validators, next_hash)?.into()
    };

    let signers = fewest_signers(&set, &answer.signatures, digest)?;
    Ok(encode_submit_call(
        &answer.checkpoint,
        &set,
        &signers,
        &next,
    ))
}

fn check_binding(answer: &CheckpointAnswer, expected: &Expected) -> Result<(), NotSubmittable> {
    if answer.anchor != expected.anchor {
        return Err(NotSubmittable::Anchor {
            expected: expected.anchor,
            found: answer.anchor,
        });
    }

    let found = answer.checkpoint.sidechain_id;
    if found != expected.sidechain_id {
        return Err(NotSubmittable::Sidechain {
            expected: expected.sidechain_id,
            found,
        });
    }

    Ok(())
}

fn checked_set(validators: &[Validator], expected: B256) -> Result<ValidatorSet, NotSubmittable> {
    let set = ValidatorSet::try_from(validators.to_vec()).map_err(NotSubmittable::Set)?;
    let found = set.hash();
    if found != expected {
        return Err(NotSubmittable::Validators { expected, found });
    }
    Ok(set)
}

/// A signature with its signer's place in the set.
type Signer<'a> = (usize, &'a CheckpointSignature);

/// Valid signatures, the most powerful first until there is a quorum; then in the set's order.
fn fewest_signers<'a>(
    set: &ValidatorSet,
    signatures: &'a [CheckpointSignature],
    digest: B256,
) -> Result<Vec<Signer<'a>>, NotSubmittable> {
    let power = |index: usize| set.as_slice()[index].power;
    let mut valid: Vec<Signer<'_>> = signatures
        .iter()
        .filter_map(|s| Some((signer_index(set, s, digest)?, s)))
        .collect();
    valid.sort_by_key(|(index, _)| *index);
    valid.dedup_by_key(|(index, _)| *index);
    valid.sort_by_key(|(index, _)| std::cmp::Reverse(power(*index)));

    let mut gathered = 0;
    for count in 1..=valid.len() {
        gathered += power(valid[count - 1].0);
        if set.is_quorum(gathered) {
            valid.truncate(count);
            valid.sort_by_key(|(index, _)| *index);
            return Ok(valid);
        }
    }

    Err(NotSubmittable::Quorum {
        found: gathered,
        total: set.total_power(),
    })
}

fn signer_index(
    set: &ValidatorSet,
    signature: &CheckpointSignature,
    digest: B256,
) -> Option<usize> {
    let index = set
        .as_slice()
        .binary_search_by_key(&signature.validator, |validator| validator.address)
        .ok()?;
    (signature.signature.recover(digest) == Ok(signature.validator)).then_some(index)
}

fn encode_submit_call(
    checkpoint: &Checkpoint,
    set: &ValidatorSet,
    signers: &[Signer<'_>],
    next: &[Validator],
) -> Bytes {
    let bitmap = signers.iter().fold(U256::ZERO, |bitmap, (index, _)| {
        bitmap | (U256::ONE << *index)
    });
    let signature = |(_, s): &Signer<'_>| {
        let (r, vs) = s.signature.to_compact();
        ValidatorSets::Signature { r, vs }
    };

    let call = submitCall {
        checkpoint: to_abi(checkpoint),
        validators: set.as_slice().iter().map(validator_to_abi).collect(),
        signerBitmap: bitmap,
        signatures: signers.iter().map(signature).collect(),
        nextValidators: next.iter().map(validator_to_abi).collect(),
    };
    call.abi_encode().into()
}

fn validator_to_abi(validator: &Validator) -> ValidatorSets::Validator {
    ValidatorSets::Validator {
        account: validator.address,
        power: validator.power,
    }
}

fn to_abi(c: &Checkpoint) -> ICheckpointAnchor::Checkpoint {
    ICheckpointAnchor::Checkpoint {
        sidechainId: c.sidechain_id,
        epoch: c.epoch,
        firstHeight: c.first_height,
        lastHeight: c.last_height,
        blocksRoot: c.blocks_root,
        stateRoot: c.state_root,
        payoutRoot: c.payout_root,
        recordingsRoot: c.recordings_root,
        totalReleased: c.total_released,
        nextValidatorsHash: c.next_validators_hash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::signers::local::PrivateKeySigner;
    use domain::Signature;
    use wallet::SecretKey;

    const DIGEST: B256 = B256::repeat_byte(7);

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_byte_array([seed; 32]).unwrap()
    }

    fn validator(seed: u8, power: u64) -> Validator {
        let signer = PrivateKeySigner::from_bytes(&B256::from(key(seed).secret_bytes())).unwrap();
        let public_key = signer.credential().verifying_key().to_encoded_point(true);
        Validator {
            address: signer.address(),
            power,
            public_key: public_key.as_bytes().try_into().unwrap(),
        }
    }

    fn set(powers: &[(u8, u64)]) -> ValidatorSet {
        let mut validators: Vec<Validator> = powers
            .iter()
            .map(|(seed, power)| validator(*seed, *power))
            .collect();
        validators.sort_by_key(|validator| validator.address);
        validators.try_into().unwrap()
    }

    fn signature(seed: u8, digest: B256) -> CheckpointSignature {
        CheckpointSignature {
            validator: validator(seed, 1).address,
            signature: Signature::sign(digest, &key(seed)),
        }
    }

    #[test]
    fn as_few_signatures_as_make_a_quorum_are_taken_in_the_sets_order() {
        let set = set(&[(1, 10), (2, 10), (3, 10), (4, 10)]);
        let signatures = [4, 3, 2, 1].map(|seed| signature(seed, DIGEST));
        let signers = fewest_signers(&set, &signatures, DIGEST).unwrap();
        assert_eq!(signers.len(), 3);
        assert!(signers.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn powerful_signers_are_taken_first() {
        let set = set(&[(1, 10), (2, 1), (3, 1), (4, 30)]);
        let signatures = [1, 2, 3, 4].map(|seed| signature(seed, DIGEST));
        let signers = fewest_signers(&set, &signatures, DIGEST).unwrap();
        assert_eq!(
            signers
                .iter()
                .map(|(index, _)| set.as_slice()[*index].power)
                .max(),
            Some(30)
        );
        assert_eq!(signers.len(), 1 + usize::from(!set.is_quorum(30)));
    }

    #[test]
    fn signatures_over_something_else_of_strangers_and_repeated_ones_do_not_count() {
        let set = set(&[(1, 10), (2, 10), (3, 10), (4, 10)]);
        let good = [signature(1, DIGEST), signature(2, DIGEST)];
        let bad = [
            signature(3, B256::ZERO),
            signature(9, DIGEST),
            signature(1, DIGEST),
        ];
        let signatures: Vec<_> = good.into_iter().chain(bad).collect();
        let refused = fewest_signers(&set, &signatures, DIGEST);
        assert_eq!(
            refused.unwrap_err(),
            NotSubmittable::Quorum {
                found: 20,
                total: 40
            }
        );
    }
}
