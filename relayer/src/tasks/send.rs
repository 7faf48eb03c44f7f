//! Sends what is signed and not mined, lowest nonce first, and raises the fee of the lowest when it is stuck.

use super::context::Context;
use super::submit::IntentIds;
use crate::core::fees::{self, Fees};
use crate::core::reply::Reply;
use crate::core::slot::{Drive, Slot, SlotStage, Variant, View, decide_drive};
use crate::error::Error;
use crate::io::signer::{Action, Draft};
use crate::metrics;

/// Whether the signer could pay for what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Funds {
    Suffice,
    Lacking,
}

/// Sends the newest transaction of every pending nonce. Endpoints forget transactions, and a reorganisation drops
/// them, so this is done in every step; an endpoint that has one already says so.
pub(crate) async fn step(
    context: &mut Context,
    view: &View,
    wanted: &IntentIds,
) -> Result<Funds, Error> {
    let slots = context.store.open_slots().await?;
    let pending = slots.iter().filter(|slot| slot.stage.is_pending());
    let mut funds = Funds::Suffice;

    for (position, slot) in pending.enumerate() {
        let is_wanted = wanted.contains(&slot.intent_id);
        let lowest = position == 0;
        let decision = decide_drive(
            slot,
            view,
            lowest,
            is_wanted,
            context.config.bump_after_blocks,
        );

        let reply = match sign_replacement(context, view, slot, decision, None).await? {
            Some(variant) => send_variant(context, slot, &variant).await?,
            None => send_newest(context, slot).await?,
        };

        if reply == Reply::NoFunds {
            funds = Funds::Lacking;
        }
        if let Reply::Underpriced { tip_min } = reply
            && lowest
            && decision == Drive::Resend
        {
            raise_offer(context, view, slot, is_wanted, tip_min).await?;
        }
    }

    Ok(funds)
}

/// An offer that was refused is raised at once, but once a block: each poll would be once a second or more.
async fn raise_offer(
    context: &mut Context,
    view: &View,
    slot: &Slot,
    is_wanted: bool,
    tip_min: Option<u128>,
) -> Result<(), Error> {
    let Some(newest) = slot.variants.last() else {
        return Ok(());
    };
    if newest.head_number >= view.head.number {
        return Ok(());
    }

    let decision = if is_wanted {
        Drive::Bump
    } else {
        Drive::Cancel
    };
    // An endpoint that does not say how much it wants: twice as much is there in a few blocks.
    let tip_min = tip_min.unwrap_or(newest.fees.max_priority_fee.saturating_mul(2));
    if let Some(variant) = sign_replacement(context, view, slot, decision, Some(tip_min)).await? {
        send_variant(context, slot, &variant).await?;
    }
    Ok(())
}

async fn send_newest(context: &mut Context, slot: &Slot) -> Result<Reply, Error> {
    match slot.variants.last() {
        Some(newest) => send_variant(context, slot, newest).await,
        None => Err(Error::Damaged {
            field: "variants",
            found: format!("none for nonce {}", slot.nonce),
        }),
    }
}

/// The transaction that takes the place of the newest, written down; `None` when it stays.
async fn sign_replacement(
    context: &mut Context,
    view: &View,
    slot: &Slot,
    decision: Drive,
    tip_min: Option<u128>,
) -> Result<Option<Variant>, Error> {
    let action = match decision {
        Drive::Resend => return Ok(None),
        Drive::Bump => Action::Call {
            anchor: context.config.anchor,
            calldata: slot.calldata.clone(),
        },
        Drive::Cancel => Action::Cancel,
    };

    let Some(newest) = slot.variants.last() else {
        return Ok(None);
    };

    let estimate = context.evm.fees(view.base_fee).await?;
    let Some(fees) = raised_fees(context, newest.fees, estimate, view.base_fee, tip_min) else {
        tracing::warn!(
            intent = %slot.key,
            nonce = slot.nonce,
            max_fee = newest.fees.max_fee,
            "the fee stands at its cap, or at twice what the chain asks for: the transaction waits"
        );
        return Ok(None);
    };

    let draft = Draft {
        action,
        nonce: slot.nonce,
        gas_limit: slot.gas_limit,
        head_number: view.head.number,
    };
    let variant = context.signer.sign(&draft, fees)?;
    context.store.add_variant(slot.id, &variant).await?;

    metrics::bumped();
    tracing::info!(intent = %slot.key, nonce = slot.nonce, hash = %variant.hash, ?decision, "replaced");
    Ok(Some(variant))
}

fn raised_fees(
    context: &Context,
    old: Fees,
    estimate: Fees,
    base_fee: u128,
    tip_min: Option<u128>,
) -> Option<Fees> {
    let estimate = fees::with_tip_of(estimate, tip_min.unwrap_or(0), base_fee);
    fees::bump(
        old,
        estimate,
        fees::ceiling(estimate, context.config.max_fee_cap()),
    )
}

async fn send_variant(
    context: &mut Context,
    slot: &Slot,
    variant: &Variant,
) -> Result<Reply, Error> {
    let reply = context.evm.send(&variant.raw).await?;
    match reply {
        Reply::Sent if slot.stage == SlotStage::Signed => {
            context
                .store
                .set_slot_stage(slot.id, SlotStage::Sent)
                .await?;
        }
        // Mined in the meantime, by us or with our key by somebody else: the next step looks.
        Reply::Sent | Reply::NonceTooLow => {}
        Reply::Underpriced { .. } | Reply::NoFunds | Reply::Refused => {
            tracing::warn!(intent = %slot.key, nonce = slot.nonce, ?reply, "not taken");
        }
    }
    Ok(reply)
}
