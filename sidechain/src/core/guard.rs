//! What a validator has signed lately, and whether it may sign one more thing.
//!
//! The rule: never two different messages for one (height, round, step), never anything below what was signed last.
//! The same message may be signed again, which the engine does after a restart.

use borsh::{BorshDeserialize, BorshSerialize};
use domain::B256;

/// Signatures remembered; a height with more rounds than fit drops its oldest, which are then refused as too old.
const SIGNED_MAX: usize = 60;

/// A round beyond all others: who signed there signs nothing else at this height.
pub const SAT_OUT: i64 = i64::MAX;

/// The steps of a round, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Step {
    /// The proposer signs its block.
    Propose,
    /// The first vote.
    Prevote,
    /// The second vote.
    Precommit,
}

/// A place in consensus that takes one signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Slot {
    /// Of the block.
    pub height: u64,
    /// Within the height.
    pub round: i64,
    /// Within the round.
    pub step: Step,
}

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Something else was signed for this very slot.
    #[error("another message was signed at {slot:?} (digest {signed}, now {wanted})")]
    Conflict {
        /// Height, round and step of both.
        slot: Slot,
        /// Digest of what was signed.
        signed: B256,
        /// What is asked for now.
        wanted: B256,
    },
    /// A later slot was signed already.
    #[error("{wanted:?} is before {last:?}, which was signed already")]
    TooOld {
        /// The last slot signed.
        last: Slot,
        /// The slot asked for.
        wanted: Slot,
    },
}

/// Signed slots of the last height, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Guard {
    signed: Vec<(Slot, B256)>,
}

impl Guard {
    /// The last slot signed.
    pub fn last(&self) -> Option<Slot> {
        self.signed.last().map(|(slot, _)| *slot)
    }

    /// Up to which height a validator must follow before it votes; `None` when it may vote at once. Beyond its store
    /// that is everything that it signed for: what it proposed there went with the store, and cannot be said again.
    pub fn follows_to(&self, next_height: u64) -> Option<u64> {
        let last = self.last()?;
        let is_sat_out = last.round == SAT_OUT && last.height == next_height;
        (last.height > next_height || is_sat_out).then_some(last.height)
    }

    /// The record after signing `digest` at `slot`; `None` when it stands there already.
    pub fn after(&self, slot: Slot, digest: B256) -> Result<Option<Self>, Refusal> {
        if let Some((_, signed)) = self.signed.iter().find(|(known, _)| *known == slot) {
            let conflict = Refusal::Conflict {
                slot,
                signed: *signed,
                wanted: digest,
            };

            return if *signed == digest {
                Ok(None)
            } else {
                Err(conflict)
            };
        }

        if let Some(last) = self.last().filter(|last| slot < *last) {
            return Err(Refusal::TooOld { last, wanted: slot });
        }

        let same_height = self
            .signed
            .iter()
            .filter(|(known, _)| known.height == slot.height);
        let mut signed: Vec<(Slot, B256)> = same_height.copied().collect();
        signed.push((slot, digest));
        let surplus = signed.len().saturating_sub(SIGNED_MAX);
        signed.drain(..surplus);

        Ok(Some(Self { signed }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(height: u64, round: i64, step: Step) -> Slot {
        Slot {
            height,
            round,
            step,
        }
    }

    fn signed(guard: &Guard, slot: Slot, digest: u8) -> Guard {
        guard
            .after(slot, B256::repeat_byte(digest))
            .unwrap()
            .unwrap_or_else(|| guard.clone())
    }

    #[test]
    fn a_slot_takes_one_message_which_may_be_signed_again() {
        let guard = signed(&Guard::default(), slot(5, 0, Step::Prevote), 1);
        assert_eq!(
            guard.after(slot(5, 0, Step::Prevote), B256::repeat_byte(1)),
            Ok(None)
        );
        let refused = guard.after(slot(5, 0, Step::Prevote), B256::repeat_byte(2));
        assert!(matches!(refused, Err(Refusal::Conflict { .. })));
    }

    #[test]
    fn nothing_below_the_last_signature_is_signed() {
        let guard = signed(&Guard::default(), slot(5, 1, Step::Prevote), 1);
        for old in [
            slot(4, 9, Step::Precommit),
            slot(5, 0, Step::Precommit),
            slot(5, 1, Step::Propose),
        ] {
            assert!(matches!(
                guard.after(old, B256::ZERO),
                Err(Refusal::TooOld { .. })
            ));
        }
    }

    #[test]
    fn the_engine_may_replay_a_whole_height_after_a_restart() {
        let mut guard = Guard::default();
        let slots = [
            slot(5, 0, Step::Propose),
            slot(5, 0, Step::Prevote),
            slot(5, 0, Step::Precommit),
        ];
        for (digest, slot) in (1..).zip(slots) {
            guard = signed(&guard, slot, digest);
        }
        for (digest, slot) in (1..).zip(slots) {
            assert_eq!(guard.after(slot, B256::repeat_byte(digest)), Ok(None));
        }
    }

    #[test]
    fn who_signed_beyond_its_store_or_sits_out_follows_until_that_height_is_decided() {
        let guard = signed(&Guard::default(), slot(5, 1, Step::Propose), 1);
        assert_eq!(Guard::default().follows_to(1), None);
        assert_eq!(
            [guard.follows_to(1), guard.follows_to(4)],
            [Some(5), Some(5)],
            "the proposal is lost"
        );
        assert_eq!(
            [guard.follows_to(5), guard.follows_to(6)],
            [None, None],
            "a restart in the midst of a height"
        );
        let sat_out = signed(&guard, slot(5, SAT_OUT, Step::Precommit), 0);
        assert_eq!(
            [sat_out.follows_to(5), sat_out.follows_to(6)],
            [Some(5), None]
        );
    }

    #[test]
    fn the_record_stays_bounded_over_many_rounds() {
        let mut guard = Guard::default();
        for round in 0..500 {
            guard = signed(&guard, slot(5, round, Step::Prevote), 1);
        }
        assert!(guard.signed.len() <= SIGNED_MAX);
        assert!(matches!(
            guard.after(slot(5, 0, Step::Prevote), B256::ZERO),
            Err(Refusal::TooOld { .. })
        ));
    }
}
