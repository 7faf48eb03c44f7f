//! What the node says of itself.

use super::answer::Refusal;
use super::{Api, checkpoints};
use crate::consensus;
use crate::node::{Node, now_ms};
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

/// A node that only follows is ready while it keeps up; what it serves later than this is old.
const HEARTBEATS_LATE_MAX: u64 = 2;

fn why_not_ready(node: &Node) -> Option<String> {
    if consensus::safety_failed() {
        let reason =
            "the consensus engine stopped because it could not write its log: see the log, then docs/OPERATING.md";
        return Some(reason.to_owned());
    }
    if !node.is_ready() {
        return Some("consensus has not started".to_owned());
    }
    let age_ms = now_ms().saturating_sub(node.ledger().head_time_ms());
    let late = age_ms > HEARTBEATS_LATE_MAX * node.config.consensus.heartbeat_ms;
    let reason =
        || format!("the last block here is {} s old: still catching up, or no new blocks come", age_ms / 1_000);
    (node.validator.is_none() && late).then(reason)
}

async fn ready(State(api): State<Api>) -> Result<(StatusCode, Json<StatusAnswer>), Refusal> {
    let checkpointed_epoch = checkpoints::latest(&api)?.map_or(0, |signed| signed.checkpoint.epoch);
    let node = &api.node;
    // Before the ledger is held, see `Node::ledger`.
    let reason = why_not_ready(node);
    let ledger = node.ledger();
    let ready = reason.is_none();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let answer = StatusAnswer {
        ready,
        reason,
        validator: node.validator,
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
