//! What the node says of itself.

use super::answer::Refusal;
use super::{Api, checkpoints};
use crate::consensus;
use crate::core::readiness::{self, Facts};
use crate::node::Node;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use client::{SignedAnswer, StatusAnswer, format_time};
use domain::{Address, Genesis};
use service_kit::clock::now_ms;
use std::sync::atomic::Ordering;

/// Routes of this resource; the aliases are the names that operators know.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(show_status))
        .route("/health", get(show_status))
        .route("/api/status", get(show_status))
        .route("/api/v1/genesis", get(show_genesis))
}

async fn show_genesis(State(api): State<Api>) -> Json<Genesis> {
    Json(api.node.ledger().genesis().clone())
}

/// Why the node does not do its work.
pub fn why_not_ready(node: &Node) -> Option<String> {
    readiness::why_not_ready(&readiness_facts(node))
}

/// Why the node's state is an old one, which says little of what is true now.
pub fn why_late(node: &Node) -> Option<String> {
    readiness::why_late(&readiness_facts(node))
}

fn readiness_facts(node: &Node) -> Facts {
    let (height, head_time_ms) = {
        let ledger = node.ledger();
        (ledger.height(), ledger.head_time_ms())
    };

    Facts {
        safety_failed: consensus::safety_failed(),
        has_started: node.is_ready(),
        is_validator: node.validator.is_some(),
        follows_to: node.follows_to,
        guard_refusal: node.guard_refusal.borrow().clone(),
        height,
        age_ms: now_ms().saturating_sub(head_time_ms),
        heartbeat_ms: node.config.consensus.heartbeat_ms,
    }
}

fn signed_by(node: &Node, validator: Address) -> SignedAnswer {
    let attended = node.attendance().signed_by(validator);
    SignedAnswer {
        signed: attended.signed,
        blocks: attended.blocks,
    }
}

async fn show_status(State(api): State<Api>) -> Result<(StatusCode, Json<StatusAnswer>), Refusal> {
    let checkpointed_epoch = checkpoints::latest(&api)?.map_or(0, |signed| signed.checkpoint.epoch);
    let node = &api.node;
    let reason = why_not_ready(node);
    let status = if reason.is_none() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Ok((
        status,
        Json(status_answer(node, reason, checkpointed_epoch)),
    ))
}

fn status_answer(node: &Node, reason: Option<String>, checkpointed_epoch: u64) -> StatusAnswer {
    let last = node.attendance().power();
    let signed = node.validator.map(|own| signed_by(node, own));
    let mempool = node.mempool_len();
    let ledger = node.ledger();
    let seat = node.validator.and_then(|own| ledger.validators().get(own));

    StatusAnswer {
        ready: reason.is_none(),
        reason,
        validator: node.validator,
        sidechain_id: ledger.sidechain_id(),
        height: ledger.height(),
        time: format_time(ledger.head_time_ms()),
        round: node.round.load(Ordering::Relaxed),
        power: seat.map_or(0, |validator| validator.power),
        power_online: last.online,
        power_total: last.total,
        signed,
        epoch: ledger.epoch(),
        checkpointed_epoch,
        mempool,
        anchor: ledger.anchor().map(|binding| binding.anchor),
        token: ledger.anchor().map(|binding| binding.token),
        proposed_anchor: ledger.proposed_anchor().map(|binding| binding.anchor),
        busy: ledger.wants_blocks(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
