//! The sidechain's nodes.

use crate::core::choice::{Candidate, choose_node};
use crate::core::replica::RawBlock;
use crate::error::Error;
use alloy::hex;
use client::{ClientError, NodeClient};
use domain::Genesis;
use futures::future::join_all;
use futures::{StreamExt, TryStreamExt, stream};
use std::time::Duration;

/// Blocks fetched at once.
const BLOCKS_AT_ONCE: usize = 8;
/// How long a node may take to say how far it is; a silent one must not hold up the others.
const STATUS_TIMEOUT: Duration = Duration::from_secs(2);

/// Several nodes of one sidechain, none of them trusted; one is asked for blocks at a time.
#[derive(Debug)]
pub struct Nodes {
    clients: Vec<NodeClient>,
    failures: Vec<u32>,
    current: usize,
}

impl Nodes {
    /// Nodes by their base URLs.
    pub fn new(urls: &[String]) -> Self {
        let clients: Vec<NodeClient> = urls.iter().map(|url| NodeClient::new(url)).collect();
        Self {
            failures: vec![0; clients.len()],
            clients,
            current: 0,
        }
    }

    /// The URL of the one that is asked.
    pub fn url(&self) -> String {
        self.clients
            .get(self.current)
            .map_or_else(String::new, |client| client.base().to_owned())
    }

    /// The one that is asked gave good blocks.
    pub fn succeeded(&mut self) {
        self.count(|_| 0);
    }

    /// The one that is asked gave nothing, or nothing good: the next one is asked.
    pub fn failed(&mut self) {
        self.count(|failures| failures.saturating_add(1));
        self.current = (self.current + 1) % self.clients.len().max(1);
    }

    fn count(&mut self, change: impl Fn(u32) -> u32) {
        if let Some(failures) = self.failures.get_mut(self.current) {
            *failures = change(*failures);
        }
    }

    /// Asks all how far they are and turns to the one to ask for block `next`; its height.
    pub async fn turn_to_best(&mut self, next: u64) -> Result<u64, Error> {
        let heights = join_all(self.clients.iter().map(ask_height)).await;
        let candidate = |(height, failures): (Option<u64>, &u32)| Candidate {
            height,
            failures: *failures,
        };
        let candidates: Vec<Candidate> = heights
            .into_iter()
            .zip(&self.failures)
            .map(candidate)
            .collect();

        let (best, height) =
            choose_node(&candidates, next).ok_or_else(|| Error::NoNode { url: self.url() })?;

        self.current = best;
        Ok(height)
    }

    /// The first facts of the chain.
    pub async fn genesis(&self) -> Result<Genesis, Error> {
        self.client()?.genesis().await.map_err(self.error())
    }

    /// Consecutive blocks, all of which the node must have.
    pub async fn blocks(&self, from: u64, to: u64) -> Result<Vec<RawBlock>, Error> {
        stream::iter(from..=to)
            .map(|height| self.block(height))
            .buffered(BLOCKS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn block(&self, height: u64) -> Result<RawBlock, Error> {
        let missing = || Error::NoBlock {
            url: self.url(),
            height,
        };

        let answer = self
            .client()?
            .block(height)
            .await
            .map_err(self.error())?
            .ok_or_else(missing)?;
        let raw = hex::decode(&answer.raw).map_err(|_| missing())?;

        Ok(RawBlock {
            raw,
            certificate: answer.certificate,
        })
    }

    fn client(&self) -> Result<&NodeClient, Error> {
        self.clients
            .get(self.current)
            .ok_or_else(|| Error::NoNode { url: String::new() })
    }

    fn error(&self) -> impl Fn(ClientError) -> Error {
        let url = self.url();
        move |source| Error::Node {
            url: url.clone(),
            source,
        }
    }
}

async fn ask_height(client: &NodeClient) -> Option<u64> {
    let status = tokio::time::timeout(STATUS_TIMEOUT, client.status()).await;
    status.ok()?.ok().map(|status| status.height)
}
