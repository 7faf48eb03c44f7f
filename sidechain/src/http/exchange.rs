//! Transactions from other nodes. Each is checked like one from a stranger; nothing is passed on.

use super::Api;
use super::answer::Refusal;
use crate::core::mempool::{SaleLines, Source};
use crate::io::peers::{EXCHANGE_PATH, Relayed};
use crate::node::AdmissionError;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use client::Problem;
use domain::sale::check_lines;
use domain::transaction::VerifiedTransaction;
use domain::{Payload, Rejection, SaleKey};
use service_kit::doors::bound_body;
use std::sync::Arc;

/// The largest batch of a peer.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new()
        .route(EXCHANGE_PATH, post(take_batch))
        .layer(DefaultBodyLimit::max(BATCH_BYTES_MAX))
        .layer(from_fn_with_state(BATCH_BYTES_MAX, bound_body))
}

async fn take_batch(State(api): State<Api>, body: Bytes) -> Result<StatusCode, Refusal> {
    let batch: Vec<Relayed> = borsh::from_slice(&body)
        .map_err(|error| Refusal::from(Problem::new(422, "malformed_batch", error.to_string())))?;
    let checker = api.clone();
    api.check(move || {
        let late: Vec<_> = batch
            .into_iter()
            .filter_map(|relayed| admit_relayed(&checker, relayed))
            .collect();
        // In one write: under load whole batches come after their block, and every write is fsynced.
        if let Err(error) = checker.node.keep_lines(late) {
            tracing::error!(%error, "cannot keep the lines of final sales");
        }
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A transaction that is refused here was refused or outdated at its sender too: nobody waits for an answer.
/// Gives the lines of a sale that is final already.
fn admit_relayed(api: &Api, relayed: Relayed) -> Option<(SaleKey, Arc<SaleLines>)> {
    let Relayed { transaction, lines } = relayed;
    // Its signature was checked when it came in, or with its block.
    if api.node.is_waiting(&transaction) {
        return None;
    }
    let sale = match (&transaction.payload, &lines) {
        (Payload::Sale(sale), Some(sold)) if check_lines(sale, sold.0, &sold.1).is_ok() => {
            Some(sale.key())
        }
        (Payload::Sale(_), _) => return None,
        _ => None,
    };
    let domain = *api.node.ledger().domain();
    let recorded = sale.and_then(|key| api.node.ledger().sale(key));
    if let Some(entry) = recorded {
        return sale
            .zip(lines)
            .filter(|_| entry.tx_id == transaction.id(&domain));
    }
    let verified = VerifiedTransaction::verify(transaction, &domain).ok()?;
    let id = verified.id;
    match api.node.admit(verified, lines.clone(), Source::Peer) {
        Ok(_) => None,
        Err(AdmissionError::Rejected(Rejection::AlreadyIncluded { .. })) => sale.zip(lines),
        Err(error) => {
            tracing::debug!(%id, %error, "a peer's transaction is not admitted");
            None
        }
    }
}
