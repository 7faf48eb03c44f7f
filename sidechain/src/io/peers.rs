//! The other validators' HTTP APIs: new transactions go there, checkpoint signatures come from there.

use crate::core::mempool::SaleLines;
use borsh::{BorshDeserialize, BorshSerialize};
use bytes::Bytes;
use client::{NodeClient, POOL_IDLE_TIMEOUT};
use domain::SignedTransaction;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The least time between two requests to a peer: what comes meanwhile goes together, because a request costs more
/// than a transaction.
const GATHER: Duration = Duration::from_millis(10);
/// Transactions that may wait for a peer; more are left to the peer's own senders.
const QUEUE_MAX: usize = 20_000;
/// Transactions in one request.
const BATCH_MAX: usize = 1_000;
/// Bytes of one request; a single sale is well below.
const BODY_BYTES: usize = 4 * 1024 * 1024;
/// How long a peer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Pause after a failed request.
const RETRY_PAUSE: Duration = Duration::from_millis(300);
/// How often a batch is tried; a peer that stays away gets its transactions in blocks.
const ATTEMPTS: usize = 3;
/// Where a node takes transactions from its peers.
pub const EXCHANGE_PATH: &str = "/internal/v1/transactions";

/// A transaction as nodes pass it on: signed, with the lines of a sale beside it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Relayed {
    /// What is signed.
    pub transaction: SignedTransaction,
    /// Salt and lines of a sale.
    pub lines: Option<Arc<SaleLines>>,
}

/// The other validators' nodes: transactions are pushed to all of them, and each can be asked.
#[derive(Clone, Debug)]
pub struct Peers {
    /// Of encoded transactions.
    queues: Vec<mpsc::Sender<Bytes>>,
    clients: Vec<NodeClient>,
}

impl Peers {
    /// Starts a sender for each peer.
    pub fn start(urls: &[String], stop: &CancellationToken) -> Self {
        let start = |url: &String| {
            let (sender, receiver) = mpsc::channel(QUEUE_MAX);
            tokio::spawn(send_loop(
                format!("{}{EXCHANGE_PATH}", url.trim_end_matches('/')),
                receiver,
                stop.clone(),
            ));
            sender
        };

        Self {
            queues: urls.iter().map(start).collect(),
            clients: urls.iter().map(|url| NodeClient::new(url)).collect(),
        }
    }

    /// Passes a transaction on to everybody.
    pub fn announce(&self, relayed: &Relayed) {
        // Writing to a vector cannot fail.
        let bytes = Bytes::from(borsh::to_vec(relayed).unwrap_or_default());
        for queue in &self.queues {
            if queue.try_send(bytes.clone()).is_err() {
                metrics::counter!("hotpot_node_announcements_dropped_total").increment(1);
            }
        }
    }

    /// Typed clients of the peers.
    pub fn clients(&self) -> &[NodeClient] {
        &self.clients
    }
}

async fn send_loop(url: String, mut queue: mpsc::Receiver<Bytes>, stop: CancellationToken) {
    let http = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .no_proxy()
        .build()
        .unwrap_or_default();

    let mut batch = Vec::new();
    loop {
        batch.clear();
        tokio::select! {
            () = stop.cancelled() => return,
            received = queue.recv_many(&mut batch, BATCH_MAX) => if received == 0 { return },
        }

        for body in split_into_bodies(&batch) {
            post_with_retries(&http, &url, body).await;
        }
        tokio::time::sleep(GATHER).await;
    }
}

async fn post_with_retries(http: &reqwest::Client, url: &str, body: Bytes) {
    for _ in 0..ATTEMPTS {
        let sent = http.post(url).body(body.clone()).send().await;
        if sent.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// A batch cut into request bodies of borsh lists, none much longer than [`BODY_BYTES`].
fn split_into_bodies(batch: &[Bytes]) -> Vec<Bytes> {
    let mut bodies: Vec<(u32, Vec<u8>)> = Vec::new();
    for bytes in batch {
        match bodies
            .last_mut()
            .filter(|(_, body)| body.len() + bytes.len() <= BODY_BYTES)
        {
            Some((count, body)) => {
                *count += 1;
                body.extend_from_slice(bytes);
            }
            // The count goes in front once it is known.
            None => bodies.push((1, [&[0; 4], bytes.as_ref()].concat())),
        }
    }
    let with_count = |(count, mut body): (u32, Vec<u8>)| {
        body[..4].copy_from_slice(&count.to_le_bytes());
        Bytes::from(body)
    };
    bodies.into_iter().map(with_count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::transaction::FullSettlement;
    use domain::{B256, Line, Payload, Signature};

    #[test]
    fn a_batch_is_cut_into_bodies_that_hold_everything_in_order() {
        let line = Line {
            sku: "s".repeat(64),
            name: "n".repeat(256),
            quantity: 1,
            unit_price: 1,
        };
        let relayed = |nonce| {
            let payload = Payload::FullSettlement(FullSettlement { nonce });
            let transaction = SignedTransaction {
                payload,
                signature: Signature([0; 65]),
            };
            Relayed {
                transaction,
                lines: Some(Arc::new((B256::ZERO, vec![line.clone(); 400]))),
            }
        };
        let batch: Vec<Relayed> = (0..60).map(relayed).collect();
        let encoded: Vec<Bytes> = batch
            .iter()
            .map(|relayed| borsh::to_vec(relayed).unwrap().into())
            .collect();
        let bodies = split_into_bodies(&encoded);
        assert!(bodies.len() > 1 && bodies.iter().all(|body| body.len() <= BODY_BYTES + 4));
        let decode = |body: &Bytes| borsh::from_slice::<Vec<Relayed>>(body).unwrap();
        assert_eq!(bodies.iter().flat_map(decode).collect::<Vec<_>>(), batch);
    }
}
