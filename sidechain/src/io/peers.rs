//! The other validators' HTTP APIs: new transactions go there, checkpoint signatures come from there.

use borsh::{BorshDeserialize, BorshSerialize};
use client::NodeClient;
use domain::{B256, Line, SignedTransaction};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Transactions that may wait for a peer; more are left to the peer's own senders.
const QUEUE_MAX: usize = 20_000;
/// Transactions in one request.
const BATCH_MAX: usize = 1_000;
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
    pub lines: Option<(B256, Vec<Line>)>,
}

/// All peers.
#[derive(Clone, Debug)]
pub struct Peers {
    queues: Vec<mpsc::Sender<Relayed>>,
    clients: Vec<NodeClient>,
}

impl Peers {
    /// Starts a sender for each peer.
    pub fn start(urls: &[String], stop: &CancellationToken) -> Self {
        let start = |url: &String| {
            let (sender, receiver) = mpsc::channel(QUEUE_MAX);
            tokio::spawn(send_loop(format!("{}{EXCHANGE_PATH}", url.trim_end_matches('/')), receiver, stop.clone()));
            sender
        };
        Self { queues: urls.iter().map(start).collect(), clients: urls.iter().map(|url| NodeClient::new(url)).collect() }
    }

    /// Passes a transaction on to everybody.
    pub fn announce(&self, relayed: &Relayed) {
        for queue in &self.queues {
            if queue.try_send(relayed.clone()).is_err() {
                metrics::counter!("hotpot_node_announcements_dropped_total").increment(1);
            }
        }
    }

    /// Typed clients of the peers.
    pub fn clients(&self) -> &[NodeClient] {
        &self.clients
    }
}

async fn send_loop(url: String, mut queue: mpsc::Receiver<Relayed>, stop: CancellationToken) {
    let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build().unwrap_or_default();
    let mut batch = Vec::new();
    loop {
        batch.clear();
        tokio::select! {
            () = stop.cancelled() => return,
            received = queue.recv_many(&mut batch, BATCH_MAX) => if received == 0 { return },
        }
        let body = borsh::to_vec(&batch).unwrap_or_default();
        for _ in 0..ATTEMPTS {
            let sent = http.post(&url).body(body.clone()).send().await;
            if sent.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }
}
