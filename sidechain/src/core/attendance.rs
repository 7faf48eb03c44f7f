//! Who signed the last blocks, by the certificates that decided blocks carry: the same at every node.

use domain::{Address, CommitCertificate, Validator, ValidatorSet};
use std::collections::VecDeque;

/// Blocks that are looked back on.
pub const BLOCKS_MAX: usize = 100;

/// Who was there for one block.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Roll {
    signed: Vec<Address>,
    missed: Vec<Address>,
    power: Power,
}

/// Power of the validators of one block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// Of those who signed.
    pub online: u64,
    /// Of all validators of the set.
    pub total: u64,
}

/// How many of the last blocks a validator signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// These have its signature.
    pub signed: usize,
    /// Of so many, for which it was in the set.
    pub blocks: usize,
}

/// The last [`BLOCKS_MAX`] blocks, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Attendance {
    rolls: VecDeque<Roll>,
}

impl Attendance {
    /// Takes down the certificate of the next block, given the set that it was decided by. Gives who missed it.
    pub fn note(
        &mut self,
        certificate: &CommitCertificate,
        validators: &ValidatorSet,
    ) -> &[Address] {
        if self.rolls.len() == BLOCKS_MAX {
            self.rolls.pop_front();
        }
        self.rolls.push_back(Roll::of(certificate, validators));
        self.rolls.back().map_or(&[], |roll| &roll.missed)
    }

    /// The power behind the last certificate; nothing before the first.
    pub fn power(&self) -> Power {
        self.rolls.back().map(|roll| roll.power).unwrap_or_default()
    }

    /// How many of the last blocks a validator signed.
    pub fn signed_by(&self, validator: Address) -> Signed {
        let count = |of: fn(&Roll) -> &Vec<Address>| {
            self.rolls
                .iter()
                .filter(|r| of(r).contains(&validator))
                .count()
        };
        let (signed, missed) = (count(|roll| &roll.signed), count(|roll| &roll.missed));
        Signed {
            signed,
            blocks: signed + missed,
        }
    }
}

impl Roll {
    fn of(certificate: &CommitCertificate, validators: &ValidatorSet) -> Self {
        let is_there = |own: Address| {
            certificate
                .signatures
                .iter()
                .any(|signed| signed.validator == own)
        };

        let (signed, missed): (Vec<Validator>, Vec<Validator>) = validators
            .as_slice()
            .iter()
            .partition(|validator| is_there(validator.address));

        let online = signed.iter().map(|validator| validator.power).sum();
        let addresses =
            |of: Vec<Validator>| of.into_iter().map(|validator| validator.address).collect();
        let power = Power {
            online,
            total: validators.total_power(),
        };

        Self {
            signed: addresses(signed),
            missed: addresses(missed),
            power,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::certificate::CommitSignature;
    use domain::crypto::address_of_secret;
    use domain::{B256, Signature};
    use secp256k1::{SECP256K1, SecretKey};

    fn validators(powers: &[u64]) -> ValidatorSet {
        let validator = |(number, power): (u8, &u64)| {
            let key = SecretKey::from_byte_array([number; 32]).unwrap();
            let public_key = key.public_key(SECP256K1).serialize().into();
            Validator {
                address: address_of_secret(&key),
                power: *power,
                public_key,
            }
        };
        let mut all: Vec<Validator> = (1..).zip(powers).map(validator).collect();
        all.sort_by_key(|validator| validator.address);
        all.try_into().unwrap()
    }

    fn signed_by(signers: &[Address]) -> CommitCertificate {
        let signature = |validator: &Address| CommitSignature {
            validator: *validator,
            signature: Signature([0; 65]),
        };
        let signatures = signers.iter().map(signature).collect();
        CommitCertificate {
            height: 1,
            round: 0,
            block_hash: B256::ZERO,
            signatures,
        }
    }

    fn addresses(set: &ValidatorSet) -> Vec<Address> {
        set.as_slice()
            .iter()
            .map(|validator| validator.address)
            .collect()
    }

    #[test]
    fn who_is_in_no_certificate_missed_the_block() {
        let set = validators(&[1, 1, 1, 1]);
        let all = addresses(&set);
        let mut attendance = Attendance::default();
        assert!(attendance.note(&signed_by(&all), &set).is_empty());
        assert_eq!(attendance.note(&signed_by(&all[1..]), &set), &all[..1]);
        assert_eq!(
            attendance.power(),
            Power {
                online: 3,
                total: 4
            }
        );
        assert_eq!(
            attendance.signed_by(all[0]),
            Signed {
                signed: 1,
                blocks: 2
            }
        );
        assert_eq!(
            attendance.signed_by(all[3]),
            Signed {
                signed: 2,
                blocks: 2
            }
        );
    }

    #[test]
    fn blocks_without_a_seat_do_not_count_and_strangers_signed_nothing() {
        let (four, three) = (validators(&[1, 1, 1, 1]), validators(&[1, 1, 1]));
        let newcomer = addresses(&four)
            .into_iter()
            .find(|address| three.get(*address).is_none())
            .unwrap();
        let mut attendance = Attendance::default();
        attendance.note(&signed_by(&addresses(&three)), &three);
        assert_eq!(attendance.signed_by(newcomer), Signed::default());
        attendance.note(&signed_by(&addresses(&four)), &four);
        assert_eq!(
            attendance.signed_by(newcomer),
            Signed {
                signed: 1,
                blocks: 1
            }
        );
        assert_eq!(attendance.signed_by(Address::ZERO), Signed::default());
    }

    #[test]
    fn only_the_last_blocks_count() {
        let set = validators(&[1]);
        let own = addresses(&set)[0];
        let mut attendance = Attendance::default();
        attendance.note(&signed_by(&[]), &set);
        for _ in 0..BLOCKS_MAX {
            attendance.note(&signed_by(&[own]), &set);
        }
        assert_eq!(
            attendance.signed_by(own),
            Signed {
                signed: BLOCKS_MAX,
                blocks: BLOCKS_MAX
            }
        );
    }
}
