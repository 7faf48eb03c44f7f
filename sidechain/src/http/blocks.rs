//! Final blocks.

use super::Api;
use super::answer::Refusal;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use client::BlockAnswer;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new().route("/api/v1/blocks/{height}", get(show))
}

async fn show(State(api): State<Api>, Path(height): Path<String>) -> Result<Json<BlockAnswer>, Refusal> {
    let height = match height.as_str() {
        "latest" => api.node.ledger().height(),
        text => text
            .parse()
            .map_err(|_| Refusal::bad_field("height", format!("a height is a number or latest, found {text:?}")))?,
    };
    let (Some(block), Some(certificate)) = (api.node.store.block(height)?, api.node.store.certificate(height)?) else {
        return Err(Refusal::not_found(format!("no final block at height {height}")));
    };
    let raw = format!("0x{}", hex::encode(block.encode()));
    let hash = block.header.hash();
    Ok(Json(BlockAnswer { hash, header: block.header, certificate, transactions: block.transactions, raw }))
}
