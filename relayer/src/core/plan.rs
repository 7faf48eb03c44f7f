//! Which intents get a transaction now, and how far each one has come.

use super::chunk::Need;
use super::intent::{BlockId, IntentStage, Key, Kind};
use super::slot::SlotStage;

/// An intent as the planner sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: i64,
    pub(crate) key: Key,
    pub(crate) need: Need,
    /// The stage of a pending slot of it.
    pub(crate) pending: Option<SlotStage>,
    pub(crate) may_retry: bool,
}

/// The intents to sign for, in the order of their nonces: checkpoints first, then payouts, old epochs first.
pub(crate) fn choose_intents(
    candidates: &[Candidate],
    room: usize,
    payouts_may_start: bool,
) -> Vec<i64> {
    let is_ready = |c: &&Candidate| {
        let affordable = payouts_may_start || c.key.kind == Kind::Checkpoint;
        c.need == Need::Ready && c.pending.is_none() && c.may_retry && affordable
    };
    let mut ready: Vec<&Candidate> = candidates.iter().filter(is_ready).collect();
    ready.sort_by_key(|candidate| candidate.key);
    ready
        .iter()
        .take(room)
        .map(|candidate| candidate.id)
        .collect()
}

/// How far a candidate has come, seen at `head`.
pub(crate) fn stage_of(candidate: &Candidate, head: BlockId) -> IntentStage {
    match (candidate.need, candidate.pending) {
        (Need::Done, _) => IntentStage::Included(head),
        (_, Some(SlotStage::Signed)) => IntentStage::Signed,
        (_, Some(SlotStage::Sent)) => IntentStage::Sent,
        (_, Some(SlotStage::Included(..) | SlotStage::Final(..)) | None) => IntentStage::Intended,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::primitives::B256;

    fn candidate(id: i64, kind: Kind, epoch: u64, chunk: u64) -> Candidate {
        Candidate {
            id,
            key: Key { kind, epoch, chunk },
            need: Need::Ready,
            pending: None,
            may_retry: true,
        }
    }

    #[test]
    fn checkpoints_come_first_then_old_epochs_up_to_the_room_left() {
        let candidates = [
            candidate(1, Kind::Chunk, 2, 0),
            candidate(2, Kind::Chunk, 1, 1),
            candidate(3, Kind::Checkpoint, 3, 0),
            candidate(4, Kind::Chunk, 1, 0),
        ];
        assert_eq!(choose_intents(&candidates, 3, true), [3, 4, 2]);
        assert_eq!(choose_intents(&candidates, 4, false), [3]);
        assert_eq!(choose_intents(&candidates, 0, true), [] as [i64; 0]);
    }

    #[test]
    fn what_is_done_waiting_or_under_way_gets_no_second_transaction() {
        let ready = candidate(1, Kind::Chunk, 1, 0);
        let candidates = [
            Candidate {
                need: Need::Done,
                ..ready
            },
            Candidate {
                need: Need::Waits,
                ..ready
            },
            Candidate {
                pending: Some(SlotStage::Signed),
                ..ready
            },
            Candidate {
                may_retry: false,
                ..ready
            },
        ];
        assert_eq!(choose_intents(&candidates, 4, true), [] as [i64; 0]);
    }

    #[test]
    fn the_contract_decides_the_stage_before_any_transaction_does() {
        let head = BlockId {
            number: 1,
            hash: B256::ZERO,
        };
        let ready = candidate(1, Kind::Chunk, 1, 0);
        let done = Candidate {
            need: Need::Done,
            pending: Some(SlotStage::Sent),
            ..ready
        };
        assert_eq!(stage_of(&done, head), IntentStage::Included(head));
        assert_eq!(stage_of(&ready, head), IntentStage::Intended);
        assert_eq!(
            stage_of(
                &Candidate {
                    pending: Some(SlotStage::Sent),
                    ..ready
                },
                head
            ),
            IntentStage::Sent
        );
    }
}
