//! A running network: its nodes, and the keys that lie beside `network.json`.

use anyhow::{Context, Result};
use client::{NodeClient, StatusAnswer};
use futures::future::join_all;
use local_network::{Keys, NetworkFile};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A node that takes longer to say how it is counts as down.
const STATUS_TIMEOUT: Duration = Duration::from_secs(2);

/// The nodes of a running network.
pub struct Network {
    /// Clients, in the file's order.
    pub nodes: Vec<NodeClient>,
    folder: PathBuf,
}

impl Network {
    /// Reads the `network.json` that `hotpot up` writes.
    pub fn read(file: &Path) -> Result<Self> {
        let nodes: Vec<NodeClient> = NetworkFile::read_nodes(file)?
            .iter()
            .map(|node| NodeClient::new(&node.http))
            .collect();
        anyhow::ensure!(!nodes.is_empty(), "{} names no node", file.display());
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        Ok(Self { nodes, folder })
    }

    /// What each node says of itself, if it says it soon.
    pub async fn statuses(&self) -> Vec<Option<StatusAnswer>> {
        let ask = |node| async move {
            tokio::time::timeout(STATUS_TIMEOUT, NodeClient::status(node))
                .await
                .ok()?
                .ok()
        };
        join_all(self.nodes.iter().map(ask)).await
    }

    /// The height of the node that is furthest.
    pub async fn height(&self) -> Result<u64> {
        let heights = self
            .statuses()
            .await
            .into_iter()
            .flatten()
            .map(|status| status.height);
        heights
            .max()
            .context("no node answers: is hotpot up running on this folder?")
    }

    /// The keys of this network.
    pub fn keys(&self) -> Result<Keys> {
        Keys::open(&self.folder)
    }
}
