//! What the node says of itself.

use super::answer::Refusal;
use super::{Api, checkpoints};
use crate::consensus;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use client::StatusAnswer;
use domain::Genesis;

/// Routes of this resource; the aliases are the names that operators know.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/health", get(ready))
        .route("/api/status", get(ready))
        .route("/api/v1/genesis", get(genesis))
}

async fn genesis(State(api): State<Api>) -> Json<Genesis> {
    Json(api.node.ledger().genesis().clone())
}

async fn ready(State(api): State<Api>) -> Result<(StatusCode, Json<StatusAnswer>), Refusal> {
    let checkpointed_epoch = checkpoints::latest(&api)?.map_or(0, |signed| signed.checkpoint.epoch);
    let node = &api.node;
    let ledger = node.ledger();
    let reason = if consensus::safety_failed() {
        Some("the consensus engine stopped because it could not write its log: see the log, then docs/OPERATING.md")
    } else {
        (!node.is_ready()).then_some("consensus has not started")
    };
    let ready = reason.is_none();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let answer = StatusAnswer {
        ready,
        reason: reason.map(str::to_owned),
        validator: node.address,
        sidechain_id: ledger.sidechain_id(),
        height: ledger.height(),
        epoch: ledger.epoch(),
        checkpointed_epoch,
        mempool: node.mempool_len(),
        anchor: ledger.anchor().map(|binding| binding.anchor),
        token: ledger.anchor().map(|binding| binding.token),
        proposed_anchor: ledger.proposed_anchor().map(|binding| binding.anchor),
        busy: ledger.wants_blocks(),
    };
    Ok((status, Json(answer)))
}
