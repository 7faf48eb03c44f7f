//! Who signed two checkpoints of one epoch. The engine sees two votes and two proposals; checkpoints are signed after it.

use client::CheckpointAnswer;
use domain::Address;
use domain::checkpoint::SignedCheckpoint;
use domain::eip712::DomainSeparator;
use domain::evidence::{Offence, SignedSummary};

/// Offences of those who signed the checkpoint of this node and another one that a peer shows, for the same contract
/// and epoch. What a peer only claims proves nothing: both signatures are checked.
pub fn double_checkpoints(
    own: &SignedCheckpoint,
    shown: &CheckpointAnswer,
    evm_chain_id: u64,
) -> Vec<(Address, Offence)> {
    let is_other = shown.checkpoint != own.checkpoint;
    if !is_other || shown.anchor != own.anchor {
        return Vec::new();
    }

    let digest =
        DomainSeparator::checkpoints(evm_chain_id, own.anchor).checkpoint_digest(&shown.checkpoint);
    let signed_other = shown
        .signatures
        .iter()
        .filter(|other| other.signature.recover(digest) == Ok(other.validator));

    let both = signed_other.filter_map(|other| {
        let first = own
            .signatures
            .iter()
            .find(|signature| signature.validator == other.validator)?;
        let first = SignedSummary {
            checkpoint: own.checkpoint,
            signature: first.signature,
        };
        let second = SignedSummary {
            checkpoint: shown.checkpoint,
            signature: other.signature,
        };

        Some((
            other.validator,
            Offence::DoubleCheckpoint {
                anchor: own.anchor,
                first,
                second,
            },
        ))
    });

    both.filter(|(offender, offence)| {
        offence
            .verify(own.checkpoint.sidechain_id, evm_chain_id, *offender)
            .is_ok()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::checkpoint::{Checkpoint, CheckpointSignature};
    use domain::crypto::address_of_secret;
    use domain::{B256, Signature, Validator, ValidatorSet};
    use secp256k1::{SECP256K1, SecretKey};

    const CHAIN: u64 = 31337;
    const ANCHOR: Address = Address::repeat_byte(5);

    fn key(number: u8) -> SecretKey {
        SecretKey::from_byte_array([number; 32]).unwrap()
    }

    fn set() -> ValidatorSet {
        let validator = |number| Validator {
            address: address_of_secret(&key(number)),
            power: 10,
            public_key: key(number).public_key(SECP256K1).serialize().into(),
        };
        let mut all: Vec<Validator> = (1..5).map(validator).collect();
        all.sort_by_key(|validator| validator.address);
        all.try_into().unwrap()
    }

    fn checkpoint(epoch: u64, root: u8) -> Checkpoint {
        Checkpoint {
            sidechain_id: B256::repeat_byte(1),
            epoch,
            first_height: epoch * 10 - 9,
            last_height: epoch * 10,
            blocks_root: B256::ZERO,
            state_root: B256::repeat_byte(root),
            payout_root: B256::ZERO,
            recordings_root: B256::ZERO,
            total_released: 0,
            next_validators_hash: set().hash(),
        }
    }

    fn signature(checkpoint: &Checkpoint, number: u8, claimed: u8) -> CheckpointSignature {
        let digest = DomainSeparator::checkpoints(CHAIN, ANCHOR).checkpoint_digest(checkpoint);
        CheckpointSignature {
            validator: address_of_secret(&key(claimed)),
            signature: Signature::sign(digest, &key(number)),
        }
    }

    fn own() -> SignedCheckpoint {
        let checkpoint = checkpoint(3, 1);
        let signatures = [1, 2, 3]
            .map(|number| signature(&checkpoint, number, number))
            .to_vec();
        SignedCheckpoint {
            checkpoint,
            anchor: ANCHOR,
            validators: set(),
            next_validators: set(),
            signatures,
        }
    }

    /// Signers, and who they say that they are.
    fn shown(checkpoint: Checkpoint, anchor: Address, signers: &[(u8, u8)]) -> CheckpointAnswer {
        let signatures = signers
            .iter()
            .map(|(number, claimed)| signature(&checkpoint, *number, *claimed))
            .collect();
        CheckpointAnswer {
            checkpoint,
            anchor,
            digest: DomainSeparator::checkpoints(CHAIN, anchor).checkpoint_digest(&checkpoint),
            quorum: false,
            validators: set().into(),
            next_validators: set().into(),
            signatures,
            payouts: 0,
        }
    }

    fn offenders(shown: &CheckpointAnswer) -> Vec<Address> {
        double_checkpoints(&own(), shown, CHAIN)
            .into_iter()
            .map(|(offender, _)| offender)
            .collect()
    }

    #[test]
    fn whoever_signed_both_is_named_and_the_ledger_takes_the_proof() {
        let found = double_checkpoints(
            &own(),
            &shown(checkpoint(3, 2), ANCHOR, &[(2, 2), (4, 4)]),
            CHAIN,
        );
        let [(offender, offence)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            *offender,
            address_of_secret(&key(2)),
            "the fourth has not signed ours"
        );
        assert_eq!(
            offence.verify(B256::repeat_byte(1), CHAIN, *offender),
            Ok(())
        );
        assert_eq!(offence.height(), 30);
    }

    #[test]
    fn the_same_another_epoch_another_contract_and_what_is_only_claimed_are_none() {
        for (shown, why) in [
            (
                shown(checkpoint(3, 1), ANCHOR, &[(1, 1), (2, 2)]),
                "the same",
            ),
            (shown(checkpoint(4, 2), ANCHOR, &[(1, 1)]), "another epoch"),
            (
                shown(checkpoint(3, 2), Address::repeat_byte(6), &[(1, 1)]),
                "another contract",
            ),
            (
                shown(checkpoint(3, 2), ANCHOR, &[(9, 1)]),
                "a stranger in the name of the first",
            ),
        ] {
            assert_eq!(offenders(&shown), Vec::<Address>::new(), "{why}");
        }
    }
}
