//! When a stranger's copy of the state may be believed: more than two thirds of the validators' power signed its hash,
//! and each set of validators follows from the genesis through signed checkpoints.

use client::{CheckpointAnswer, SnapshotOffer};
use domain::checkpoint::SignedCheckpoint;
use domain::eip712::DomainSeparator;
use domain::{Address, B256, Genesis, ValidatorSet, keccak256};
use std::collections::BTreeSet;

/// The state after a height, as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Copied {
    /// Of the last block in it.
    pub height: u64,
    /// keccak256 of the bytes.
    pub hash: B256,
    /// How many bytes they are.
    pub bytes: u64,
}

impl From<&SnapshotOffer> for Copied {
    fn from(offer: &SnapshotOffer) -> Self {
        Self {
            height: offer.height,
            hash: offer.hash,
            bytes: offer.bytes,
        }
    }
}

impl Copied {
    /// What a validator signs for it.
    pub fn digest(&self, sidechain_id: B256) -> B256 {
        let mut bytes = b"HotPot state 1".to_vec();
        bytes.extend_from_slice(sidechain_id.as_slice());
        bytes.extend_from_slice(&self.height.to_be_bytes());
        bytes.extend_from_slice(self.hash.as_slice());
        bytes.extend_from_slice(&self.bytes.to_be_bytes());
        keccak256(bytes)
    }
}

/// Whether a quorum of a set signed this state. Each validator counts once, strangers and forgeries never.
pub fn is_vouched(
    offers: &[SnapshotOffer],
    copied: Copied,
    sidechain_id: B256,
    set: &ValidatorSet,
) -> bool {
    let digest = copied.digest(sidechain_id);
    let signed = |offer: &&SnapshotOffer| {
        Copied::from(*offer) == copied && offer.signature.recover(digest) == Ok(offer.validator)
    };

    let signers: BTreeSet<Address> = offers
        .iter()
        .filter(signed)
        .map(|offer| offer.validator)
        .collect();

    set.is_quorum(
        signers
            .iter()
            .filter_map(|signer| set.get(*signer))
            .map(|validator| validator.power)
            .sum(),
    )
}

/// Whether a quorum of a set that is believed signed a checkpoint: then the next set is to be believed as well.
pub fn is_signed_by(set: &ValidatorSet, answer: &CheckpointAnswer, genesis: &Genesis) -> bool {
    let Ok(next) = ValidatorSet::try_from(answer.next_validators.clone()) else {
        return false;
    };
    if next.hash() != answer.checkpoint.next_validators_hash {
        return false;
    }

    let digest = DomainSeparator::checkpoints(genesis.evm_chain_id, answer.anchor)
        .checkpoint_digest(&answer.checkpoint);
    let mut signed = SignedCheckpoint {
        checkpoint: answer.checkpoint,
        anchor: answer.anchor,
        validators: set.clone(),
        next_validators: next,
        signatures: Vec::new(),
    };
    for signature in &answer.signatures {
        signed.add(digest, *signature);
    }

    answer.checkpoint.sidechain_id == genesis.sidechain_id() && signed.has_quorum()
}

/// The validators after a height, by checkpoints that ascend and begin with one that the genesis' own set signed.
/// `None` when one of them is not signed by the set before.
pub fn set_after(
    height: u64,
    ascending: &[CheckpointAnswer],
    genesis: &Genesis,
) -> Option<ValidatorSet> {
    let mut set = genesis.validators.clone();
    for answer in ascending
        .iter()
        .take_while(|answer| answer.checkpoint.last_height <= height)
    {
        if !is_signed_by(&set, answer, genesis) {
            return None;
        }
        set = answer.next_validators.clone().try_into().ok()?;
    }

    Some(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::checkpoint::{Checkpoint, CheckpointSignature};
    use domain::crypto::address_of_secret;
    use domain::genesis::EpochLength;
    use domain::parameters::{ElectionRules, Parameters};
    use domain::{Signature, Validator};
    use secp256k1::{SECP256K1, SecretKey};

    const COPIED: Copied = Copied {
        height: 40,
        hash: B256::repeat_byte(7),
        bytes: 900,
    };

    fn key(number: u8) -> SecretKey {
        SecretKey::from_byte_array([number; 32]).unwrap()
    }

    fn set(numbers: std::ops::Range<u8>) -> ValidatorSet {
        let validator = |number| Validator {
            address: address_of_secret(&key(number)),
            power: 10,
            public_key: key(number).public_key(SECP256K1).serialize().into(),
        };
        let mut all: Vec<Validator> = numbers.map(validator).collect();
        all.sort_by_key(|validator| validator.address);
        all.try_into().unwrap()
    }

    fn genesis() -> Genesis {
        Genesis {
            name: "test".into(),
            evm_chain_id: 31337,
            time_ms: 0,
            first_height: 1,
            parent_hash: B256::ZERO,
            founder: address_of_secret(&key(1)),
            guardian: address_of_secret(&key(1)),
            registrar: address_of_secret(&key(1)),
            epoch_length: EpochLength::Blocks(10),
            settlement_epochs: 1,
            maturity_ms: 0,
            change_delay_ms: 0,
            parameters: Parameters::DEFAULT,
            election: ElectionRules::default(),
            validators: set(1..5),
        }
    }

    fn offer(number: u8, copied: Copied, claimed: Copied) -> SnapshotOffer {
        let Copied {
            height,
            hash,
            bytes,
        } = claimed;
        let signature = Signature::sign(copied.digest(genesis().sidechain_id()), &key(number));
        SnapshotOffer {
            height,
            hash,
            bytes,
            validator: address_of_secret(&key(number)),
            signature,
        }
    }

    fn vouched(offers: &[SnapshotOffer]) -> bool {
        is_vouched(offers, COPIED, genesis().sidechain_id(), &set(1..5))
    }

    #[test]
    fn three_of_four_validators_vouch_for_a_state_and_nobody_counts_twice() {
        let by = |numbers: &[u8]| {
            vouched(
                &numbers
                    .iter()
                    .map(|n| offer(*n, COPIED, COPIED))
                    .collect::<Vec<_>>(),
            )
        };
        assert!(by(&[1, 2, 3]) && by(&[4, 3, 2, 1]));
        assert!(
            !by(&[1, 2]) && !by(&[1, 2, 2, 2]) && !by(&[1, 2, 8, 9]),
            "two, one of them often, two strangers"
        );
    }

    #[test]
    fn a_signature_counts_for_the_very_state_that_was_signed() {
        let others = [
            Copied {
                height: 41,
                ..COPIED
            },
            Copied {
                hash: B256::ZERO,
                ..COPIED
            },
            Copied {
                bytes: u64::MAX,
                ..COPIED
            },
        ];
        for other in others {
            let third = [
                offer(1, COPIED, COPIED),
                offer(2, COPIED, COPIED),
                offer(3, other, COPIED),
            ];
            assert!(!vouched(&third), "signed {other:?}, claimed {COPIED:?}");
            let third = [
                offer(1, COPIED, COPIED),
                offer(2, COPIED, COPIED),
                offer(3, COPIED, other),
            ];
            assert!(!vouched(&third), "claimed {other:?}");
        }
    }

    fn checkpoint(
        epoch: u64,
        signers: std::ops::Range<u8>,
        next: std::ops::Range<u8>,
    ) -> CheckpointAnswer {
        let anchor = Address::repeat_byte(5);
        let checkpoint = Checkpoint {
            sidechain_id: genesis().sidechain_id(),
            epoch,
            first_height: epoch * 10 - 9,
            last_height: epoch * 10,
            blocks_root: B256::ZERO,
            state_root: B256::ZERO,
            payout_root: B256::ZERO,
            recordings_root: B256::ZERO,
            total_released: 0,
            next_validators_hash: set(next.clone()).hash(),
        };
        let digest = DomainSeparator::checkpoints(31337, anchor).checkpoint_digest(&checkpoint);
        let signature = |number| CheckpointSignature {
            validator: address_of_secret(&key(number)),
            signature: Signature::sign(digest, &key(number)),
        };
        CheckpointAnswer {
            checkpoint,
            anchor,
            digest,
            quorum: true,
            validators: set(signers.clone()).into(),
            next_validators: set(next).into(),
            signatures: signers.map(signature).collect(),
            payouts: 0,
        }
    }

    #[test]
    fn a_set_follows_from_the_genesis_through_checkpoints_that_the_set_before_signed() {
        let chain = [
            checkpoint(1, 1..5, 2..6),
            checkpoint(2, 2..6, 3..7),
            checkpoint(3, 3..7, 3..7),
        ];
        let after = |height| set_after(height, &chain, &genesis());
        assert_eq!(
            [after(9), after(10), after(19), after(20), after(35)].map(Option::unwrap),
            [set(1..5), set(2..6), set(2..6), set(3..7), set(3..7)]
        );
    }

    #[test]
    fn a_set_that_nobody_named_is_not_believed() {
        let usurped = [checkpoint(1, 1..5, 2..6), checkpoint(2, 10..14, 10..14)];
        assert_eq!(set_after(25, &usurped, &genesis()), None);
        assert_eq!(
            set_after(15, &usurped, &genesis()),
            Some(set(2..6)),
            "before it the chain is good"
        );
        let mut swapped = checkpoint(1, 1..5, 2..6);
        swapped.next_validators = set(10..14).into();
        assert_eq!(set_after(15, &[swapped], &genesis()), None);
        let mut few = checkpoint(1, 1..5, 2..6);
        few.signatures.truncate(2);
        assert_eq!(set_after(15, &[few], &genesis()), None);
    }
}
