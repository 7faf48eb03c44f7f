//! A running network: its nodes, and the keys that lie beside `network.json`.

use anyhow::{Context, Result};
use client::{NodeClient, StatusAnswer};
use futures::future::join_all;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wallet::SecretKey;

/// A node that takes longer to say how it is counts as down.
const STATUS_TIMEOUT: Duration = Duration::from_secs(2);

/// What of `network.json` is needed here.
#[derive(Deserialize)]
struct NetworkFile {
    nodes: Vec<NodeEntry>,
}

#[derive(Deserialize)]
struct NodeEntry {
    http: String,
}

/// The nodes of a running network.
pub struct Network {
    /// Clients, in the file's order.
    pub nodes: Vec<NodeClient>,
    folder: PathBuf,
}

impl Network {
    /// Reads `network.json`.
    pub fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| {
            format!(
                "{} is missing: is hotpot up running on this folder?",
                file.display()
            )
        })?;
        let network: NetworkFile = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged", file.display()))?;
        let nodes: Vec<NodeClient> = network
            .nodes
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
        let folder = self.folder.join("keys");
        let file = folder.join("passphrase");
        let passphrase =
            std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        Ok(Keys {
            folder,
            passphrase: passphrase.trim().to_owned(),
        })
    }
}

/// The folder `keys/`.
pub struct Keys {
    folder: PathBuf,
    passphrase: String,
}

impl Keys {
    /// An actor's key, made on first use.
    pub fn get(&self, actor: &str) -> Result<SecretKey> {
        Ok(wallet::load_or_create(
            &self.folder.join(format!("{actor}.json")),
            &self.passphrase,
        )?)
    }
}
