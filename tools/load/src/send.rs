//! One sale, from its first sending to its answer.

use crate::journal::Entry;
use crate::sales::SignedSale;
use client::{ClientError, NodeClient, SaleAnswer, SaleState};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// With retries, a node that does not answer within this is passed over.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// With retries, the pause before the next node is asked.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// How long a sale is tried.
const RETRY_TIMEOUT: Duration = Duration::from_secs(300);

/// Why a sale was not acknowledged: the problem's code, or what happened instead of an answer.
pub type Failure = String;

/// Sends a sale once to the node whose turn it is.
pub async fn once(nodes: &[NodeClient], number: usize, sale: &SignedSale) -> Result<Entry, Failure> {
    let answer = nodes[number % nodes.len()].post_sale(&sale.request).await;
    acknowledged(sale, answer.map_err(|error| failure(&error))?.1)
}

/// Sends a sale, the same bytes to one node after the other, until it is acknowledged or refused for good.
pub async fn until_acknowledged(nodes: &[NodeClient], number: usize, sale: &SignedSale) -> Result<Entry, Failure> {
    let deadline = Instant::now() + RETRY_TIMEOUT;
    let mut node = nodes.iter().cycle().skip(number % nodes.len());
    while let Some(node) = node.next().filter(|_| Instant::now() < deadline) {
        match timeout(ATTEMPT_TIMEOUT, node.post_sale(&sale.request)).await {
            Ok(Ok((_, answer))) => return acknowledged(sale, answer),
            Ok(Err(error)) if !error.is_retryable() => return Err(failure(&error)),
            Ok(Err(_)) | Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
        }
    }
    Err(format!("not_acknowledged_in_{}_s", RETRY_TIMEOUT.as_secs()))
}

/// An answer counts only if it speaks of this sale and says that it is final.
fn acknowledged(sale: &SignedSale, answer: SaleAnswer) -> Result<Entry, Failure> {
    match answer.height {
        _ if answer.transaction_id != sale.transaction_id => Err("other_transaction_id".into()),
        Some(height) if answer.status == SaleState::Final => {
            Ok(Entry { outlet: answer.outlet, sale_id: answer.sale_id, transaction_id: answer.transaction_id, height })
        }
        _ => Err("acknowledged_without_being_final".into()),
    }
}

fn failure(error: &ClientError) -> Failure {
    match error {
        ClientError::Problem(problem) => problem.kind.rsplit(':').next().unwrap_or_default().to_owned(),
        ClientError::Transport { source, .. } if source.is_timeout() => "timeout".into(),
        ClientError::Transport { source, .. } => format!("no_answer ({})", root_cause(source)),
        ClientError::Malformed { .. } => "malformed_answer".into(),
    }
}

/// The innermost error says whether it was the network or a bound of this machine, such as that of open files.
fn root_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), root_cause)
}
