//! A reserved nonce and what became of it.

use super::fees::Fees;
use super::intent::{BlockId, Key};
use alloy::primitives::{B256, Bytes};

/// A transaction signed for a slot.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) hash: B256,
    pub(crate) raw: Bytes,
    pub(crate) fees: Fees,
    /// A self-transfer of nothing.
    pub(crate) cancels: bool,
    /// The chain's head when it was signed, or when its block vanished.
    pub(crate) head_number: u64,
}

/// How a used nonce was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The call went through.
    Executed,
    /// The call was mined and failed.
    Reverted,
    /// The self-transfer was mined.
    Cancelled,
    /// A transaction that is not ours used the nonce.
    Taken,
}

/// How far a slot has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SlotStage {
    /// Its newest variant may or may not have been sent.
    Signed,
    /// An endpoint has taken a variant.
    Sent,
    /// The nonce is used as of this block.
    Included(BlockId, Outcome),
    /// It is used for ever.
    Final(BlockId, Outcome),
}

impl SlotStage {
    /// Whether a transaction is still wanted for the nonce.
    pub(crate) fn is_pending(self) -> bool {
        matches!(self, Self::Signed | Self::Sent)
    }
}

/// A nonce reserved for an intent.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) id: i64,
    pub(crate) intent_id: i64,
    pub(crate) key: Key,
    pub(crate) calldata: Bytes,
    pub(crate) nonce: u64,
    pub(crate) gas_limit: u64,
    pub(crate) stage: SlotStage,
    /// Oldest first; never empty.
    pub(crate) variants: Vec<Variant>,
}

/// A receipt of one of our variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) block: BlockId,
    pub(crate) success: bool,
    pub(crate) cancels: bool,
}

/// The chain as seen at the beginning of a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) head: BlockId,
    pub(crate) base_fee: u128,
    /// Seconds since the Unix epoch.
    pub(crate) timestamp: u64,
    /// The last block that the chain does not take back.
    pub(crate) finalized: BlockId,
    /// The signer's transaction count at the head.
    pub(crate) confirmed: u64,
    /// The same at the final block.
    pub(crate) confirmed_final: u64,
}

/// Where a slot stands now, given a receipt of any of its variants. A slot that had been included and whose block
/// has vanished is pending again.
///
/// A receipt alone closes nothing: the count of transactions must agree, at the head and then at the final block, or one
/// wrong receipt would leave a gap that no later nonce can pass.
pub(crate) fn judge_slot(slot: &Slot, view: &View, sighting: Option<Sighting>) -> SlotStage {
    let is_used = view.confirmed > slot.nonce;
    let sighting = sighting.filter(|seen| is_used || seen.block.number > view.head.number);

    if let Some(Sighting {
        block,
        success,
        cancels,
    }) = sighting
    {
        let outcome = match (success, cancels) {
            (true, false) => Outcome::Executed,
            (true, true) => Outcome::Cancelled,
            (false, _) => Outcome::Reverted,
        };
        return final_or_included(slot, block, outcome, view);
    }
    if is_used {
        // The head is canonical: seen first at an earlier block of it, or now.
        let block = match slot.stage {
            SlotStage::Included(block, Outcome::Taken) => block,
            _ => view.head,
        };
        return final_or_included(slot, block, Outcome::Taken, view);
    }
    match slot.stage {
        SlotStage::Signed => SlotStage::Signed,
        SlotStage::Sent | SlotStage::Included(..) | SlotStage::Final(..) => SlotStage::Sent,
    }
}

fn final_or_included(slot: &Slot, block: BlockId, outcome: Outcome, view: &View) -> SlotStage {
    let is_final = block.number <= view.finalized.number && view.confirmed_final > slot.nonce;
    if is_final {
        SlotStage::Final(block, outcome)
    } else {
        SlotStage::Included(block, outcome)
    }
}

/// What to do for a pending slot besides sending its newest variant again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drive {
    /// Nothing besides: the newest variant is good as it is.
    Resend,
    /// Sign the same call with a higher fee.
    Bump,
    /// Sign a self-transfer: the nonce must be used up, but nobody needs the call any more.
    Cancel,
}

/// `lowest`: no lower nonce is unconfirmed. `wanted`: the contract does not hold the intent yet.
pub(crate) fn decide_drive(
    slot: &Slot,
    view: &View,
    lowest: bool,
    wanted: bool,
    bump_after_blocks: u64,
) -> Drive {
    let Some(newest) = slot.variants.last() else {
        return Drive::Resend;
    };
    if !wanted && slot.stage == SlotStage::Signed && !newest.cancels {
        return Drive::Cancel;
    }

    let waited = view.head.number.saturating_sub(newest.head_number);
    if !lowest || waited < bump_after_blocks {
        return Drive::Resend;
    }

    if wanted && !newest.cancels {
        Drive::Bump
    } else {
        Drive::Cancel
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::intent::Kind;

    fn block(number: u64) -> BlockId {
        BlockId {
            number,
            hash: B256::with_last_byte(u8::try_from(number).unwrap()),
        }
    }

    fn view(head: u64, final_number: u64, confirmed: u64) -> View {
        View {
            head: block(head),
            base_fee: 1,
            timestamp: 0,
            finalized: block(final_number),
            confirmed,
            confirmed_final: confirmed,
        }
    }

    fn slot(stage: SlotStage) -> Slot {
        let fees = Fees {
            max_fee: 10,
            max_priority_fee: 1,
        };
        let variant = Variant {
            hash: B256::ZERO,
            raw: Bytes::new(),
            fees,
            cancels: false,
            head_number: 10,
        };
        let key = Key {
            kind: Kind::Checkpoint,
            epoch: 1,
            chunk: 0,
        };
        let calldata = Bytes::new();
        Slot {
            id: 1,
            intent_id: 1,
            key,
            calldata,
            nonce: 5,
            gas_limit: 21_000,
            stage,
            variants: vec![variant],
        }
    }

    fn sighting(number: u64, success: bool) -> Option<Sighting> {
        Some(Sighting {
            block: block(number),
            success,
            cancels: false,
        })
    }

    #[test]
    fn a_receipt_counts_until_it_is_final() {
        let (sent, executed) = (slot(SlotStage::Sent), Outcome::Executed);
        assert_eq!(
            judge_slot(&sent, &view(20, 12, 6), sighting(15, true)),
            SlotStage::Included(block(15), executed)
        );
        assert_eq!(
            judge_slot(&sent, &view(20, 15, 6), sighting(15, true)),
            SlotStage::Final(block(15), executed)
        );
    }

    #[test]
    fn a_receipt_that_the_count_contradicts_closes_nothing() {
        let sent = slot(SlotStage::Sent);
        let unused = view(20, 15, 5);
        assert_eq!(
            judge_slot(&sent, &unused, sighting(15, true)),
            SlotStage::Sent
        );

        let used_at_the_head = View {
            confirmed_final: 5,
            ..view(20, 15, 6)
        };
        assert_eq!(
            judge_slot(&sent, &used_at_the_head, sighting(15, true)),
            SlotStage::Included(block(15), Outcome::Executed)
        );
    }

    #[test]
    fn a_receipt_of_a_block_after_the_view_is_believed() {
        assert_eq!(
            judge_slot(&slot(SlotStage::Sent), &view(20, 15, 5), sighting(21, true)),
            SlotStage::Included(block(21), Outcome::Executed)
        );
    }

    #[test]
    fn a_failed_call_uses_the_nonce() {
        let stage = judge_slot(
            &slot(SlotStage::Sent),
            &view(20, 12, 6),
            sighting(15, false),
        );
        assert_eq!(stage, SlotStage::Included(block(15), Outcome::Reverted));
    }

    #[test]
    fn a_vanished_block_makes_the_slot_pending_again() {
        let included = slot(SlotStage::Included(block(15), Outcome::Executed));
        assert_eq!(
            judge_slot(&included, &view(20, 12, 5), None),
            SlotStage::Sent
        );
    }

    #[test]
    fn a_nonce_used_without_a_receipt_of_ours_is_taken_from_when_that_was_first_seen() {
        let taken = judge_slot(&slot(SlotStage::Sent), &view(20, 12, 6), None);
        assert_eq!(taken, SlotStage::Included(block(20), Outcome::Taken));
        assert_eq!(judge_slot(&slot(taken), &view(30, 19, 6), None), taken);
        assert_eq!(
            judge_slot(&slot(taken), &view(30, 20, 6), None),
            SlotStage::Final(block(20), Outcome::Taken)
        );
        assert_eq!(
            judge_slot(&slot(taken), &view(30, 19, 5), None),
            SlotStage::Sent
        );
    }

    #[test]
    fn a_signed_slot_stays_signed_until_an_endpoint_has_it() {
        assert_eq!(
            judge_slot(&slot(SlotStage::Signed), &view(20, 12, 5), None),
            SlotStage::Signed
        );
    }

    #[test]
    fn only_the_lowest_nonce_is_bumped_and_only_after_enough_blocks() {
        let sent = slot(SlotStage::Sent);
        assert_eq!(
            decide_drive(&sent, &view(13, 1, 5), true, true, 4),
            Drive::Resend
        );
        assert_eq!(
            decide_drive(&sent, &view(14, 1, 5), false, true, 4),
            Drive::Resend
        );
        assert_eq!(
            decide_drive(&sent, &view(14, 1, 5), true, true, 4),
            Drive::Bump
        );
    }

    #[test]
    fn a_nonce_whose_intent_is_done_is_used_up() {
        assert_eq!(
            decide_drive(&slot(SlotStage::Signed), &view(10, 1, 5), false, false, 4),
            Drive::Cancel
        );
        assert_eq!(
            decide_drive(&slot(SlotStage::Sent), &view(10, 1, 5), true, false, 4),
            Drive::Resend
        );
        assert_eq!(
            decide_drive(&slot(SlotStage::Sent), &view(14, 1, 5), true, false, 4),
            Drive::Cancel
        );
    }
}
