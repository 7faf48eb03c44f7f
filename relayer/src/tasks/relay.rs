//! The loop, and the order of a step: what became of our nonces, what does the contract hold, what is new at the
//! nodes, what is missing on the chain.

use super::context::Context;
use super::send::Funds;
use super::{collect, confirm, send, submit};
use crate::core::slot::{Slot, SlotStage, View};
use crate::error::Error;
use crate::metrics;
use service_kit::error::in_full;
use service_kit::http::Readiness;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// After failures the pause doubles up to this many times the poll interval.
const RETRY_INTERVALS_MAX: u32 = 16;
/// Far more than a step ever needs: every request has a limit of its own, only Postgres has none.
const STEP_LIMIT: Duration = Duration::from_secs(600);

/// Repeats the step until `stop`. An error means that only a restart can help.
pub(crate) async fn run(
    mut context: Context,
    readiness: &Readiness,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let interval = context.config.poll_interval();
    let mut wait = interval;

    loop {
        let outcome = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            outcome = tokio::time::timeout(STEP_LIMIT, run_step(&mut context)) => {
                outcome.unwrap_or(Err(Error::Stalled { limit: STEP_LIMIT }))
            }
        };

        match outcome {
            Ok(state) => {
                wait = interval;
                readiness.set(state);
            }
            Err(error) if error.is_retryable() => {
                wait = (wait * 2).min(interval * RETRY_INTERVALS_MAX);
                note_failure(&mut context, readiness, &error);
            }
            Err(error) => return Err(error),
        }

        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

fn note_failure(context: &mut Context, readiness: &Readiness, error: &Error) {
    let reason = in_full(error);
    tracing::warn!(error = reason, "a step failed and is repeated");
    readiness.set(Err(reason));
    if error.is_disconnect() {
        context.evm.forget_check();
    }
}

/// One look at everything, and what follows from it. The answer is the readiness.
pub(crate) async fn run_step(context: &mut Context) -> Result<Result<(), String>, Error> {
    context.store.check_lock().await?;
    context.evm.check().await?;

    let view = context.evm.view(context.signer.address()).await?;
    let slots = confirm::step(context, &view).await?;

    let (mut funds, mut trouble) = (Funds::Suffice, None);
    if !slots.iter().any(|slot| is_ahead(slot, &view)) {
        let contracts = context
            .evm
            .contracts(view.head.hash, view.timestamp)
            .await?;
        metrics::anchored_epoch(contracts.head.epoch);
        collect::step(context, &view, &contracts).await?;
        let wanted = submit::step(context, &view, &contracts, &slots).await?;
        funds = send::step(context, &view, &wanted.intents).await?;
        trouble = wanted.trouble;
    }

    let state = check_funds(context, funds).await?;
    Ok(trouble.map_or(state, Err))
}

/// A transaction was mined after the view was taken: what the contract held then says nothing about it.
fn is_ahead(slot: &Slot, view: &View) -> bool {
    matches!(slot.stage, SlotStage::Included(block, _) if block.number > view.head.number)
}

async fn check_funds(context: &mut Context, funds: Funds) -> Result<Result<(), String>, Error> {
    let summary = context.store.summary().await?;
    metrics::intents(&summary.stages, summary.oldest_s);

    let signer = context.signer.address();
    let balance = context.evm.balance(signer).await?;
    metrics::balance(balance);

    let is_poor = balance.is_zero() || funds == Funds::Lacking;
    Ok(if is_poor {
        Err(format!(
            "{signer} cannot pay for gas: its balance is {balance} wei"
        ))
    } else {
        Ok(())
    })
}
