//! The sidechain's nodes: any of them answers any question, so another one is asked when one does not, and several where
//! the answer decides something.

mod send;

pub use send::is_plain;

use crate::core::breaker::{Breaker, Circuit};
use crate::core::choice::{Candidate, Choice, Rank, in_step, order_nodes};
use crate::core::claims::{Agreed, Claim, believed_height, find_agreement, rank_claim};
use alloy_primitives::Address;
use client::{AccountAnswer, ClientError, NodeClient, OutletAnswer, StatusAnswer};
use futures::future::{join_all, select_ok};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longer than a node waits for finality.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A node that takes longer to accept a connection is down.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(700);
/// Nodes that take longer to answer a question of our own count as silent.
const ASK_TIMEOUT: Duration = Duration::from_secs(1);
/// What a node said of itself is believed for so long; it is asked every second.
const REPORT_AGE_MAX: Duration = Duration::from_secs(4);

/// Clients of the configured nodes.
#[derive(Debug)]
pub struct Nodes {
    http: reqwest::Client,
    nodes: Vec<Node>,
    choice: Choice,
    /// One more with each request.
    turn: AtomicUsize,
    started: Instant,
}

#[derive(Debug)]
struct Node {
    client: NodeClient,
    weight: u32,
    in_flight: AtomicUsize,
    seen: Mutex<Seen>,
}

/// What is remembered of one node.
#[derive(Debug, Default)]
struct Seen {
    breaker: Breaker,
    report: Option<Report>,
}

/// What a node said of itself, and when.
#[derive(Clone, Debug)]
struct Report {
    status: StatusAnswer,
    at: Duration,
}

/// A request under way, until this is dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Node {
    fn note_success(&self, now: Duration) {
        self.with_seen(|seen| seen.breaker.note_success(now));
    }

    fn note_failure(&self, now: Duration) {
        self.with_seen(|seen| seen.breaker.note_failure(now));
    }

    fn note_report(&self, status: StatusAnswer, at: Duration) {
        self.with_seen(|seen| {
            seen.breaker.note_success(at);
            seen.report = Some(Report { status, at });
        });
    }

    /// What it said lately.
    fn report(&self, now: Duration) -> Option<Report> {
        let report = self.with_seen(|seen| seen.report.clone());
        report.filter(|report| now.saturating_sub(report.at) <= REPORT_AGE_MAX)
    }

    fn is_closed(&self, now: Duration) -> bool {
        self.with_seen(|seen| seen.breaker.circuit(now)) == Circuit::Closed
    }

    fn with_seen<T>(&self, work: impl FnOnce(&mut Seen) -> T) -> T {
        work(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What it claimed lately.
    fn claim(&self, now: Duration) -> Option<Claim> {
        let is_late = |at: Duration| now.saturating_sub(at) > REPORT_AGE_MAX;
        self.with_seen(|seen| match &seen.report {
            Some(report) if !is_late(report.at) => Some(Claim::of(&report.status)),
            _ => None,
        })
    }

    /// `agreed` is the nodes' height; until one is known every node that answers is as good as another.
    fn candidate(&self, now: Duration, claim: Option<Claim>, agreed: Option<u64>) -> Candidate {
        let rank = match (self.is_closed(now), agreed, claim) {
            (false, ..) => Rank::Silent,
            (true, None, _) => Rank::InStep,
            (true, Some(_), None) => Rank::OutOfStep,
            (true, Some(agreed), Some(claim)) => rank_claim(claim.height, agreed),
        };

        Candidate {
            rank,
            in_flight: self.in_flight.load(Ordering::Relaxed),
            weight: self.weight,
        }
    }
}

impl Nodes {
    /// Clients of all nodes; `weights` are in the order of `urls`, and 1 where there is none.
    pub fn new(urls: &[String], choice: Choice, weights: &[u32]) -> Self {
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(client::POOL_IDLE_TIMEOUT)
            .no_proxy();
        let http = http.build().unwrap_or_default();

        let weights = weights.iter().copied().chain(std::iter::repeat(1));
        let node = |(url, weight): (&String, u32)| Node {
            client: NodeClient::over(http.clone(), url),
            weight,
            in_flight: AtomicUsize::new(0),
            seen: Mutex::default(),
        };
        let nodes = urls.iter().zip(weights).map(node).collect();

        Self {
            http,
            nodes,
            choice,
            turn: AtomicUsize::new(0),
            started: Instant::now(),
        }
    }

    /// How many there are.
    pub fn configured(&self) -> usize {
        self.nodes.len()
    }

    /// Asks every node how it is, once, and remembers who answered what.
    pub async fn look(&self) {
        let ask = |node: &Node| {
            let asked = node.client.clone();
            async move { tokio::time::timeout(ASK_TIMEOUT, asked.status()).await }
        };
        let answers = join_all(self.nodes.iter().map(ask)).await;

        let now = self.now();
        for (node, answer) in self.nodes.iter().zip(answers) {
            match answer {
                Ok(Ok(status)) => node.note_report(status, now),
                _ => node.note_failure(now),
            }
        }
    }

    /// What the nodes agree on, by what each said lately; `None` when none answers.
    pub fn agreed(&self) -> Option<Agreed> {
        let statuses: Vec<StatusAnswer> = self.reports().map(|report| report.status).collect();
        find_agreement(&statuses)
    }

    /// How long ago a node last said how it is; `None` when none did lately.
    pub fn last_answer_age(&self) -> Option<Duration> {
        let last = self.reports().map(|report| report.at).max()?;
        Some(self.now().saturating_sub(last))
    }

    /// What the ledger says of an account, by the first node in step that answers; `None` when none does.
    pub async fn account(&self, address: Address) -> Option<Option<AccountAnswer>> {
        let nodes = self.clients_in_step();
        if nodes.is_empty() {
            return None;
        }

        let asked = nodes.iter().map(|node| Box::pin(node.account(address)));
        let first = tokio::time::timeout(ASK_TIMEOUT, select_ok(asked)).await;
        first.ok()?.ok().map(|(account, _)| account)
    }

    /// All outlets, by each node in step that answers. What they say decides who may look at cameras, so one alone is
    /// not enough.
    pub async fn outlets(&self) -> Vec<Vec<OutletAnswer>> {
        self.ask_in_step(|node| async move { node.outlets().await })
            .await
    }

    /// What every node in step answers in time.
    async fn ask_in_step<T, F>(&self, ask: impl Fn(NodeClient) -> F) -> Vec<T>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let asked = self
            .clients_in_step()
            .into_iter()
            .map(|node| tokio::time::timeout(ASK_TIMEOUT, ask(node)));
        let answers = join_all(asked).await;
        answers
            .into_iter()
            .filter_map(|one| one.ok()?.ok())
            .collect()
    }

    fn clients_in_step(&self) -> Vec<NodeClient> {
        in_step(&self.candidates())
            .into_iter()
            .map(|place| self.nodes[place].client.clone())
            .collect()
    }

    /// Places of all nodes, the first to ask first.
    fn order(&self) -> Vec<usize> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        order_nodes(self.choice, turn, &self.candidates())
    }

    fn candidates(&self) -> Vec<Candidate> {
        let now = self.now();
        let claims: Vec<Option<Claim>> = self.nodes.iter().map(|node| node.claim(now)).collect();
        let answered: Vec<Claim> = claims.iter().copied().flatten().collect();
        let agreed = believed_height(&answered);

        self.nodes
            .iter()
            .zip(claims)
            .map(|(node, claim)| node.candidate(now, claim, agreed))
            .collect()
    }

    fn reports(&self) -> impl Iterator<Item = Report> + '_ {
        let now = self.now();
        self.nodes.iter().filter_map(move |node| node.report(now))
    }

    /// Since this was made.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }
}
