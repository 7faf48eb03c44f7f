//! The sidechain's nodes: asked in order, believed only as far as `core` can check.

use crate::error::Error;
use client::{CheckpointAnswer, ClientError, NodeClient};
use domain::payout::Chunk;
use std::time::Duration;

/// A client of one sidechain node; each request is given up after `timeout`.
pub(crate) struct Node {
    client: NodeClient,
    timeout: Duration,
}

impl Node {
    pub(crate) fn new(url: &str, timeout: Duration) -> Self {
        Self {
            client: NodeClient::new(url),
            timeout,
        }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        self.client.base()
    }

    /// The checkpoint of an epoch; `None` while the node has none with a quorum.
    pub(crate) async fn checkpoint(&self, epoch: u64) -> Result<Option<CheckpointAnswer>, Error> {
        Ok(self
            .ask(self.client.checkpoint(epoch))
            .await?
            .filter(|answer| answer.quorum))
    }

    /// All chunks of an epoch's settlement.
    pub(crate) async fn chunks(&self, epoch: u64) -> Result<Vec<Chunk>, Error> {
        self.ask(self.client.payout_chunks(epoch)).await
    }

    /// The last epoch with a quorum; 0 before the first.
    pub(crate) async fn latest_epoch(&self) -> Result<u64, Error> {
        let latest = self.ask(self.client.latest_checkpoint()).await?;
        Ok(latest.map_or(0, |answer| answer.checkpoint.epoch))
    }

    async fn ask<T>(
        &self,
        request: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, Error> {
        let url = || self.url().to_owned();
        let answer = tokio::time::timeout(self.timeout, request).await;
        let answer = answer.map_err(|_| Error::NodeTimeout {
            url: url(),
            limit: self.timeout,
        })?;
        answer.map_err(|source| Error::Node { url: url(), source })
    }
}
