//! Transactions from other nodes. Each is checked like one from a stranger; nothing is passed on.

use super::Api;
use super::answer::Refusal;
use crate::io::peers::{EXCHANGE_PATH, Relayed};
use crate::node::AdmissionError;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use client::Problem;
use domain::sale::check_lines;
use domain::transaction::VerifiedTransaction;
use domain::{Payload, Rejection};

/// The largest batch of a peer.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new().route(EXCHANGE_PATH, post(take)).layer(DefaultBodyLimit::max(BATCH_BYTES_MAX))
}

async fn take(State(api): State<Api>, body: Bytes) -> Result<StatusCode, Refusal> {
    let batch: Vec<Relayed> = borsh::from_slice(&body)
        .map_err(|error| Refusal::from(Problem::new(422, "malformed_batch", error.to_string())))?;
    // Signature checks of a whole batch would hold up the votes on this thread.
    let checked = tokio::task::spawn_blocking(move || batch.into_iter().for_each(|relayed| admit(&api, relayed)));
    checked.await.map_err(|error| Refusal::from(Problem::new(500, "internal", error.to_string())))?;
    Ok(StatusCode::NO_CONTENT)
}

/// A transaction that is refused here was refused or outdated at its sender too: nobody waits for an answer.
fn admit(api: &Api, relayed: Relayed) {
    let domain = *api.node.ledger().domain();
    let Ok(verified) = VerifiedTransaction::verify(relayed.transaction, &domain) else { return };
    let sale = match (&verified.transaction.payload, &relayed.lines) {
        (Payload::Sale(sale), Some((salt, lines))) if check_lines(sale, *salt, lines).is_ok() => Some(sale.key()),
        (Payload::Sale(_), _) => return,
        _ => None,
    };
    let id = verified.id;
    match (api.node.admit(verified, relayed.lines.clone()), sale, relayed.lines) {
        (Ok(_), ..) => {}
        (Err(AdmissionError::Rejected(Rejection::AlreadyIncluded { .. })), Some(key), Some(lines)) => {
            if let Err(error) = api.node.keep_lines(key, &lines) {
                tracing::error!(%error, "cannot keep the lines of a final sale");
            }
        }
        (Err(error), ..) => tracing::debug!(%id, %error, "a peer's transaction is not admitted"),
    }
}
