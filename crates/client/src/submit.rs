//! Transactions from a payload to a final block.

use crate::heights::believable_height;
use crate::node::{ClientError, NodeClient};
use domain::eip712::DomainSeparator;
use domain::{Address, Payload, Signature, SignedTransaction};
use futures::future::join_all;
use secp256k1::SecretKey;
use std::time::Duration;
use tokio::time::Instant;

/// How long a transaction is tried while no node answers; nodes may be restarting.
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(300);
/// Pause before it is sent again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// A node that takes longer to say how it is is passed over.
const STATUS_TIMEOUT: Duration = Duration::from_secs(2);

impl ClientError {
    /// Whether the ledger has moved on since a transaction was made: it, or another one of the same signer, is in it.
    pub fn is_outdated(&self) -> bool {
        match self {
            Self::Problem(problem) => {
                problem.status == 409 || problem.kind.ends_with(":stale_nonce")
            }
            Self::Transport { .. } | Self::TooLarge { .. } | Self::Malformed { .. } => false,
        }
    }
}

/// The node with the highest final block among those that answer soon and claim nothing that no other node comes near.
pub async fn furthest_node(nodes: &[NodeClient]) -> Option<NodeClient> {
    let ask = |node: &NodeClient| {
        let node = node.clone();
        async move {
            let status = tokio::time::timeout(STATUS_TIMEOUT, node.status()).await;
            Some((status.ok()?.ok()?.height, node))
        }
    };
    let answers: Vec<(u64, NodeClient)> = join_all(nodes.iter().map(ask))
        .await
        .into_iter()
        .flatten()
        .collect();

    let claims: Vec<u64> = answers.iter().map(|(height, _)| *height).collect();
    let believable = believable_height(&claims);
    let best = answers
        .into_iter()
        .filter(|(height, _)| *height <= believable)
        .max_by_key(|(height, _)| *height);
    best.map(|(_, node)| node)
}

/// The nonce after an account's last one.
pub async fn next_nonce(node: &NodeClient, address: Address) -> Result<u64, ClientError> {
    let known = node.account(address).await?;
    Ok(known.map_or(0, |account| account.nonce).saturating_add(1))
}

/// Signs a transaction, sends it and waits until it is final.
pub async fn submit_and_wait(
    node: &NodeClient,
    domain: &DomainSeparator,
    payload: Payload,
    key: &SecretKey,
) -> Result<(), ClientError> {
    let signature = Signature::sign(domain.transaction_digest(&payload), key);
    let transaction = SignedTransaction { payload, signature };
    let deadline = Instant::now() + SUBMIT_TIMEOUT;

    loop {
        match node.post_transaction(&transaction).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() && Instant::now() < deadline => {
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}
