//! Transactions from other nodes. Each is checked like one from a stranger; nothing is passed on.

use super::Api;
use super::answer::Refusal;
use crate::io::peers::{EXCHANGE_PATH, Relayed};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use client::Problem;
use domain::Payload;
use domain::sale::check_lines;
use domain::transaction::VerifiedTransaction;

/// The largest batch of a peer.
const BATCH_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new().route(EXCHANGE_PATH, post(take)).layer(DefaultBodyLimit::max(BATCH_BYTES_MAX))
}

async fn take(State(api): State<Api>, body: Bytes) -> Result<StatusCode, Refusal> {
    let batch: Vec<Relayed> = borsh::from_slice(&body)
        .map_err(|error| Refusal(Problem::new(422, "malformed_batch", error.to_string())))?;
    for relayed in batch {
        admit(&api, relayed);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A transaction that is refused here was refused or outdated at its sender too: nobody waits for an answer.
fn admit(api: &Api, relayed: Relayed) {
    let domain = *api.node.ledger().domain();
    let Ok(verified) = VerifiedTransaction::verify(relayed.transaction, &domain) else { return };
    if let (Payload::Sale(sale), Some((salt, lines))) = (&verified.transaction.payload, &relayed.lines)
        && check_lines(sale, *salt, lines).is_err()
    {
        return;
    }
    let id = verified.id;
    if let Err(error) = api.node.admit(verified, relayed.lines) {
        tracing::debug!(%id, %error, "a peer's transaction is not admitted");
    }
}
