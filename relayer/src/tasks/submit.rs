//! Compares what is wanted with what the contract holds, and signs for what is missing.

use super::context::Context;
use crate::core::chunk::{Need, chunk_need, decode_claims};
use crate::core::fees::{self, Fees};
use crate::core::intent::{Intent, IntentStage, Kind};
use crate::core::nonce;
use crate::core::plan::{Candidate, choose_intents, stage_of};
use crate::core::slot::{Slot, View};
use crate::error::{Error, RpcFailure};
use crate::io::evm::Contracts;
use crate::io::signer::{Action, Draft};
use crate::io::store::Reservation;
use alloy::primitives::Address;
use std::collections::BTreeSet;

/// The most intents whose state is read in one step.
const REVIEWS_MAX: usize = 64;
/// How long a chunk that nothing can be done for is left alone.
const WAIT_S: i64 = 5;

/// Ids of the intents that the contract does not hold yet.
pub(crate) type Wanted = BTreeSet<i64>;

/// Reviews the open intents, then signs and writes down what is missing. Nothing is sent here.
pub(crate) async fn step(
    context: &mut Context,
    view: &View,
    contracts: &Contracts,
    slots: &[Slot],
) -> Result<Wanted, Error> {
    let mut missing = Vec::new();
    for intent in context.store.open_intents().await? {
        if !is_held(context, view, &intent).await? {
            missing.push(intent);
        }
    }

    let mut wanted: Wanted = missing.iter().map(|intent| intent.id).collect();
    missing.sort_by_key(|intent| (!intent.may_retry, intent.key));
    missing.truncate(REVIEWS_MAX);

    let candidates = review_intents(context, view, contracts, slots, &missing).await?;
    for candidate in candidates
        .iter()
        .filter(|candidate| candidate.need == Need::Done)
    {
        wanted.remove(&candidate.id);
    }

    sign_ready(context, view, slots, &missing, &candidates).await?;
    Ok(wanted)
}

/// Whether the block that held the intent is still part of the chain. Closes the intent when that block is final.
async fn is_held(context: &mut Context, view: &View, intent: &Intent) -> Result<bool, Error> {
    let IntentStage::Included(block) = intent.stage else {
        return Ok(false);
    };
    if !context.evm.is_canonical(block).await? {
        tracing::warn!(intent = %intent.key, block = block.number, "the block that held an intent has vanished");
        return Ok(false);
    }
    if block.number <= view.final_number {
        context.store.close_intent(intent.id).await?;
        tracing::info!(intent = %intent.key, "final");
    }
    Ok(true)
}

async fn review_intents(
    context: &mut Context,
    view: &View,
    contracts: &Contracts,
    slots: &[Slot],
    intents: &[Intent],
) -> Result<Vec<Candidate>, Error> {
    let mut candidates = Vec::with_capacity(intents.len());
    for intent in intents {
        let need = need_of(context, view, contracts, intent).await?;
        let pending = slots
            .iter()
            .find(|slot| slot.intent_id == intent.id && slot.stage.is_pending());
        let pending = pending.map(|slot| slot.stage);
        let candidate = Candidate {
            id: intent.id,
            key: intent.key,
            need,
            pending,
            may_retry: intent.may_retry,
        };

        let stage = stage_of(&candidate, view.head);
        if stage != intent.stage {
            context.store.set_intent_stage(intent.id, stage).await?;
        }
        if need == Need::Waits && intent.key.kind == Kind::Chunk && intent.may_retry {
            context.store.postpone_intent(intent.id, WAIT_S).await?;
        }

        candidates.push(candidate);
    }

    Ok(candidates)
}

async fn need_of(
    context: &Context,
    view: &View,
    contracts: &Contracts,
    intent: &Intent,
) -> Result<Need, Error> {
    let (epoch, head) = (intent.key.epoch, contracts.head.epoch);

    match intent.key.kind {
        Kind::Checkpoint if epoch <= head => Ok(Need::Done),
        Kind::Checkpoint if epoch == head + 1 => Ok(Need::Ready),
        Kind::Checkpoint => Ok(Need::Waits),
        Kind::Chunk if epoch > head => Ok(Need::Waits),
        Kind::Chunk => read_chunk_need(context, view, contracts, intent).await,
    }
}

async fn read_chunk_need(
    context: &Context,
    view: &View,
    contracts: &Contracts,
    intent: &Intent,
) -> Result<Need, Error> {
    let at = view.head.hash;
    let commitments = context.evm.commitments(&[intent.key.epoch], at).await?;
    if commitments.iter().all(|commitment| commitment.is_zero()) {
        tracing::warn!(intent = %intent.key, "its root was revoked");
        return Ok(Need::Done);
    }

    let claims = decode_claims(&intent.calldata, &context.evm.never_paid()).map_err(|source| {
        Error::Answer {
            contract: context.config.anchor,
            source,
        }
    })?;
    let accounts: Vec<Address> = claims.iter().map(|claim| claim.account).collect();
    let issued = context.evm.issued(&accounts, at).await?;

    match chunk_need(&claims, &issued, contracts.allowance) {
        Need::Ready if contracts.issuing_paused => Ok(Need::Waits),
        need => Ok(need),
    }
}

async fn sign_ready(
    context: &mut Context,
    view: &View,
    slots: &[Slot],
    intents: &[Intent],
    candidates: &[Candidate],
) -> Result<(), Error> {
    let in_flight = slots.iter().filter(|slot| slot.stage.is_pending()).count();
    let room = context.config.in_flight_max.saturating_sub(in_flight);
    if choose_intents(candidates, room, true).is_empty() {
        return Ok(());
    }

    let estimate = context.evm.fees().await?;
    let Some(fees) = fees::first(estimate, view.base_fee, context.config.max_fee_cap()) else {
        tracing::warn!(
            base_fee = view.base_fee,
            "gas costs more than the cap: transactions wait"
        );
        return Ok(());
    };

    let mut nonce = nonce::next(view.confirmed, slots.iter().map(|slot| slot.nonce).max());
    for id in choose_intents(
        candidates,
        room,
        estimate.max_fee <= context.config.payout_fee_cap(),
    ) {
        if let Some(intent) = intents.iter().find(|intent| intent.id == id)
            && sign_intent(context, view, intent, nonce, fees).await?
        {
            nonce += 1;
        }
    }

    Ok(())
}

/// Writes down a signed transaction; false when the call would revert and nothing was signed.
async fn sign_intent(
    context: &mut Context,
    view: &View,
    intent: &Intent,
    nonce: u64,
    fees: Fees,
) -> Result<bool, Error> {
    let estimate = match context
        .evm
        .estimate(context.signer.address(), intent.calldata.clone())
        .await
    {
        Ok(gas) => gas,
        Err(Error::Rpc {
            source: RpcFailure::Refused { code, message },
            ..
        }) => {
            tracing::warn!(intent = %intent.key, code, message, "the call would fail: nothing is sent");
            context.store.fail_intent(intent.id).await?;
            return Ok(false);
        }
        Err(error) => return Err(error),
    };

    let draft = Draft {
        action: Action::Call {
            anchor: context.config.anchor,
            calldata: intent.calldata.clone(),
        },
        nonce,
        gas_limit: fees::gas_limit(estimate),
        head_number: view.head.number,
    };
    let variant = context.signer.sign(&draft, fees)?;

    let reservation = Reservation {
        intent_id: intent.id,
        nonce,
        gas_limit: draft.gas_limit,
        variant: &variant,
    };
    context.store.reserve(&reservation).await?;

    tracing::info!(intent = %intent.key, nonce, hash = %variant.hash, "signed");
    Ok(true)
}
