//! What became of every reserved nonce.

use super::context::Context;
use crate::core::slot::{Outcome, Sighting, Slot, SlotStage, View, judge_slot};
use crate::error::Error;
use crate::io::evm::Evm;

/// The open slots as they stand now; final ones are left out.
pub(crate) async fn step(context: &mut Context, view: &View) -> Result<Vec<Slot>, Error> {
    reopen_unused(context, view).await?;

    let mut slots = context.store.open_slots().await?;
    for slot in &mut slots {
        let stage = judge_slot(slot, view, find_sighting(&context.evm, slot).await?);
        if stage != slot.stage {
            write_stage(context, view, slot, stage).await?;
            slot.stage = stage;
        }
    }
    slots.retain(|slot| !matches!(slot.stage, SlotStage::Final(..)));
    Ok(slots)
}

/// A nonce that was used for ever and is not used any more, since the chain went back beyond what it had called final:
/// without a transaction for it, none of a higher nonce would ever be mined.
async fn reopen_unused(context: &mut Context, view: &View) -> Result<(), Error> {
    let reopened = context
        .store
        .reopen_slots(view.confirmed, view.head.number)
        .await?;
    if reopened > 0 {
        tracing::warn!(
            reopened,
            from = view.confirmed,
            "nonces that were final are unused again"
        );
    }
    Ok(())
}

async fn write_stage(
    context: &mut Context,
    view: &View,
    slot: &Slot,
    stage: SlotStage,
) -> Result<(), Error> {
    let was_used = matches!(slot.stage, SlotStage::Included(..));
    if was_used && stage.is_pending() {
        tracing::warn!(intent = %slot.key, nonce = slot.nonce, "the block of a transaction has vanished");
        context
            .store
            .restart_wait(slot.id, view.head.number)
            .await?;
    }

    if let SlotStage::Included(_, outcome) | SlotStage::Final(_, outcome) = stage
        && !was_used
    {
        tracing::info!(intent = %slot.key, nonce = slot.nonce, ?outcome, "a nonce is used");
        if outcome == Outcome::Reverted {
            crate::metrics::reverted();
            context.store.fail_intent(slot.intent_id).await?;
        }
    }

    context.store.set_slot_stage(slot.id, stage).await
}

/// The receipt of whichever variant was mined; the newest is the likeliest.
async fn find_sighting(evm: &Evm, slot: &Slot) -> Result<Option<Sighting>, Error> {
    for variant in slot.variants.iter().rev() {
        if let Some(mined) = evm.mined(variant.hash).await? {
            let cancels = variant.cancels;
            return Ok(Some(Sighting {
                block: mined.block,
                success: mined.success,
                cancels,
            }));
        }
    }
    Ok(None)
}
