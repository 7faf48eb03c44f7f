//! Compares what is wanted with what the contract holds, and signs for what is missing.

use super::context::Context;
use crate::core::chunk::{Need, chunk_need, decode_claims};
use crate::core::fees::{self, Fees};
use crate::core::intent::{Intent, IntentStage, Kind};
use crate::core::nonce::free_nonces;
use crate::core::plan::{Candidate, choose_intents, stage_of};
use crate::core::reply::is_revert;
use crate::core::slot::{Slot, View};
use crate::error::{Error, RpcFailure};
use crate::io::evm::Contracts;
use crate::io::signer::{Action, Draft};
use crate::io::store::Reservation;
use alloy::primitives::{Address, B256};
use std::collections::BTreeSet;

/// The most intents whose state is read in one step.
const REVIEWS_MAX: usize = 64;
/// How long a chunk that nothing can be done for is left alone.
const WAIT_S: i64 = 5;

/// Ids of the intents that the contract does not hold yet.
pub(crate) type IntentIds = BTreeSet<i64>;

/// What is missing on the chain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) intents: IntentIds,
    /// Why nothing could be signed for some of them, for whoever asks whether the relayer does its work.
    pub(crate) trouble: Option<String>,
}

/// The signer's nonces as a step finds them.
struct Nonces {
    reserved: BTreeSet<u64>,
    /// The lowest free one. Below a reserved one it is a gap, which nothing above it can pass.
    first_free: u64,
}

impl Nonces {
    fn new(view: &View, slots: &[Slot]) -> Self {
        let reserved: BTreeSet<u64> = slots.iter().map(|slot| slot.nonce).collect();
        let first_free = free_nonces(view.confirmed, &reserved)
            .next()
            .unwrap_or(view.confirmed);
        Self {
            reserved,
            first_free,
        }
    }

    /// Whether a transaction for the slot can be mined, and is still to be.
    fn is_under_way(&self, slot: &Slot) -> bool {
        slot.stage.is_pending() && slot.nonce < self.first_free
    }
}

/// Reviews the open intents, then signs and writes down what is missing. Nothing is sent here.
pub(crate) async fn step(
    context: &mut Context,
    view: &View,
    contracts: &Contracts,
    slots: &[Slot],
) -> Result<Wanted, Error> {
    let mut missing = missing_intents(context, view).await?;
    let mut intents: IntentIds = missing.iter().map(|intent| intent.id).collect();
    missing.sort_by_key(|intent| (!intent.may_retry, intent.key));
    missing.truncate(REVIEWS_MAX);

    let nonces = Nonces::new(view, slots);
    let candidates = review_intents(context, view, contracts, (slots, &nonces), &missing).await?;
    for candidate in candidates
        .iter()
        .filter(|candidate| candidate.need == Need::Done)
    {
        intents.remove(&candidate.id);
    }

    let trouble = sign_ready(context, view, (slots, &nonces), &missing, &candidates).await?;
    Ok(Wanted { intents, trouble })
}

/// The open intents that no block of the chain is known to hold.
async fn missing_intents(context: &mut Context, view: &View) -> Result<Vec<Intent>, Error> {
    let mut at_final = None;
    let mut missing = Vec::new();
    for intent in context.store.open_intents().await? {
        if !is_held(context, view, &mut at_final, &intent).await? {
            missing.push(intent);
        }
    }
    Ok(missing)
}

/// Whether the block that held the intent is still part of the chain. Closes the intent when that block is final and
/// the contract, asked again at the final block, holds it there: what one answer said at the head proves nothing.
async fn is_held(
    context: &mut Context,
    view: &View,
    at_final: &mut Option<Contracts>,
    intent: &Intent,
) -> Result<bool, Error> {
    let IntentStage::Included(block) = intent.stage else {
        return Ok(false);
    };
    if !context.evm.is_canonical(block).await? {
        tracing::warn!(intent = %intent.key, block = block.number, "the block that held an intent has vanished");
        return Ok(false);
    }
    if block.number > view.finalized.number {
        return Ok(true);
    }

    let contracts = match at_final {
        Some(contracts) => *contracts,
        None => *at_final.insert(
            context
                .evm
                .contracts(view.finalized.hash, view.timestamp)
                .await?,
        ),
    };
    if need_of(context, view.finalized.hash, &contracts, intent).await? != Need::Done {
        tracing::warn!(intent = %intent.key, "the final block does not hold what the head seemed to hold");
        return Ok(false);
    }
    context.store.close_intent(intent.id).await?;
    tracing::info!(intent = %intent.key, "final");
    Ok(true)
}

async fn review_intents(
    context: &mut Context,
    view: &View,
    contracts: &Contracts,
    (slots, nonces): (&[Slot], &Nonces),
    intents: &[Intent],
) -> Result<Vec<Candidate>, Error> {
    let mut candidates = Vec::with_capacity(intents.len());
    for intent in intents {
        let need = need_of(context, view.head.hash, contracts, intent).await?;
        let pending = slots
            .iter()
            .find(|slot| slot.intent_id == intent.id && nonces.is_under_way(slot));
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

/// What an intent needs, by what the contracts hold at one block.
async fn need_of(
    context: &Context,
    at: B256,
    contracts: &Contracts,
    intent: &Intent,
) -> Result<Need, Error> {
    let (epoch, head) = (intent.key.epoch, contracts.head.epoch);

    match intent.key.kind {
        Kind::Checkpoint if epoch <= head => Ok(Need::Done),
        Kind::Checkpoint if epoch == head + 1 => Ok(Need::Ready),
        Kind::Checkpoint => Ok(Need::Waits),
        Kind::Chunk if epoch > head => Ok(Need::Waits),
        Kind::Chunk => read_chunk_need(context, at, contracts, intent).await,
    }
}

async fn read_chunk_need(
    context: &Context,
    at: B256,
    contracts: &Contracts,
    intent: &Intent,
) -> Result<Need, Error> {
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

/// Signs for what is ready, as far as there is room; says what the endpoint could not tell.
async fn sign_ready(
    context: &mut Context,
    view: &View,
    (slots, nonces): (&[Slot], &Nonces),
    intents: &[Intent],
    candidates: &[Candidate],
) -> Result<Option<String>, Error> {
    let in_flight = slots
        .iter()
        .filter(|slot| nonces.is_under_way(slot))
        .count();
    let room = context.config.in_flight_max.saturating_sub(in_flight);
    if choose_intents(candidates, room, true).is_empty() {
        return Ok(None);
    }

    let estimate = context.evm.fees(view.base_fee).await?;
    let Some(fees) = fees::first(estimate, view.base_fee, context.config.max_fee_cap()) else {
        tracing::warn!(
            base_fee = view.base_fee,
            "gas costs more than the cap: transactions wait"
        );
        return Ok(None);
    };

    let mut trouble = None;
    let mut free = free_nonces(view.confirmed, &nonces.reserved).peekable();
    for id in choose_intents(
        candidates,
        room,
        estimate.max_fee <= context.config.payout_fee_cap(),
    ) {
        let (Some(intent), Some(nonce)) =
            (intents.iter().find(|intent| intent.id == id), free.peek())
        else {
            continue;
        };
        match sign_intent(context, view, intent, *nonce, fees).await? {
            Signing::Signed => _ = free.next(),
            Signing::WouldFail => {}
            Signing::Unknown(reason) => trouble = Some(reason),
        }
    }

    Ok(trouble)
}

/// What came of signing for an intent.
enum Signing {
    Signed,
    /// The call would revert: nothing was signed, and the wait before the next try grows.
    WouldFail,
    /// The endpoint could not tell what the call costs; it is asked again soon.
    Unknown(String),
}

/// Writes down a signed transaction, unless the call would revert or nobody can tell.
async fn sign_intent(
    context: &mut Context,
    view: &View,
    intent: &Intent,
    nonce: u64,
    fees: Fees,
) -> Result<Signing, Error> {
    let estimate = match context
        .evm
        .estimate(context.signer.address(), intent.calldata.clone())
        .await
    {
        Ok(gas) => gas,
        Err(Error::Rpc {
            source: RpcFailure::Refused { code, message },
            ..
        }) if is_revert(code, &message) => {
            tracing::warn!(intent = %intent.key, code, message, "the call would fail: nothing is sent");
            context.store.fail_intent(intent.id).await?;
            return Ok(Signing::WouldFail);
        }
        Err(Error::Rpc {
            source: RpcFailure::Refused { code, message },
            ..
        }) => {
            let reason = format!("eth_estimateGas for {}: {message} ({code})", intent.key);
            tracing::warn!(intent = %intent.key, code, message, "what a call costs is not known: it waits");
            return Ok(Signing::Unknown(reason));
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
    Ok(Signing::Signed)
}
