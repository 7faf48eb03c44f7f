//! Checkpoints with their signatures, and what they pay.

use super::Api;
use super::answer::{Path, Refusal};
use crate::tasks::checkpoints::checkpoint_digest;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use client::{CheckpointAnswer, PayoutAnswer};
use domain::checkpoint::SignedCheckpoint;
use domain::payout::{Chunk, Settlement};
use domain::{Address, B256};

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/checkpoints/{epoch}", get(show_checkpoint))
        .route("/api/v1/checkpoints/{epoch}/payouts", get(list_payouts))
        .route(
            "/api/v1/checkpoints/{epoch}/payouts/{account}",
            get(show_payout),
        )
}

fn find_checkpoint(api: &Api, epoch: &str) -> Result<SignedCheckpoint, Refusal> {
    if epoch == "latest" {
        return latest(api)?.ok_or_else(|| Refusal::not_found("no checkpoint has a quorum yet"));
    }
    let epoch: u64 = epoch.parse().map_err(|_| {
        Refusal::bad_field(
            "epoch",
            format!("an epoch is a number or latest, found {epoch:?}"),
        )
    })?;
    let missing = || Refusal::not_found(format!("epoch {epoch} has no checkpoint"));
    api.node.store.checkpoint(epoch)?.ok_or_else(missing)
}

/// The newest checkpoint with a quorum.
pub fn latest(api: &Api) -> Result<Option<SignedCheckpoint>, Refusal> {
    Ok(api.node.store.latest_checkpoint_with_quorum()?)
}

async fn show_checkpoint(
    State(api): State<Api>,
    Path(epoch): Path<String>,
) -> Result<Json<CheckpointAnswer>, Refusal> {
    let signed = find_checkpoint(&api, &epoch)?;
    let settlement = read_settlement(&api, signed.checkpoint.epoch)?;

    Ok(Json(CheckpointAnswer {
        checkpoint: signed.checkpoint,
        anchor: signed.anchor,
        digest: checkpoint_digest(&api.node, &signed),
        quorum: signed.has_quorum(),
        payouts: settlement.payouts().len(),
        validators: signed.validators.into(),
        next_validators: signed.next_validators.into(),
        signatures: signed.signatures,
    }))
}

fn read_settlement(api: &Api, epoch: u64) -> Result<Settlement, Refusal> {
    Ok(api.node.store.settlement(epoch)?.unwrap_or_default())
}

async fn list_payouts(
    State(api): State<Api>,
    Path(epoch): Path<String>,
) -> Result<Json<Vec<Chunk>>, Refusal> {
    let signed = find_checkpoint(&api, &epoch)?;
    Ok(Json(
        read_settlement(&api, signed.checkpoint.epoch)?.chunks(),
    ))
}

async fn show_payout(
    State(api): State<Api>,
    Path((epoch, account)): Path<(String, String)>,
) -> Result<Json<PayoutAnswer>, Refusal> {
    let account: Address = account.parse().map_err(|_| {
        Refusal::bad_field(
            "account",
            format!("an account is an address, found {account:?}"),
        )
    })?;

    let signed = find_checkpoint(&api, &epoch)?;
    let epoch = signed.checkpoint.epoch;
    let settlement = read_settlement(&api, epoch)?;

    let missing = || Refusal::not_found(format!("epoch {epoch} does not pay {account}"));
    let (payout, siblings) = settlement.proof_of(account).ok_or_else(missing)?;
    let rest = signed.checkpoint.rest_hash();
    let with_rest = |mut siblings: Vec<B256>| {
        siblings.push(rest);
        siblings
    };

    let word = payout.word();
    let chunk = settlement
        .chunks()
        .into_iter()
        .find(|chunk| chunk.words.contains(&word))
        .ok_or_else(missing)?;

    Ok(Json(PayoutAnswer {
        epoch,
        payout,
        word,
        proof: with_rest(siblings),
        chunk_words: chunk.words,
        chunk_proof: with_rest(chunk.proof),
    }))
}
