//! `network.json`: where everything is, for tools and tests.

use anyhow::{Context, Result};
use domain::{Address, B256};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The contracts of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contracts {
    /// The ERC-20 token.
    pub token: Address,
    /// The contract that takes checkpoints.
    pub anchor: Address,
    /// The block before their deployment.
    pub start_block: u64,
}

/// A process of the network, and where it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Base URL of its HTTP API; empty if it has none.
    pub http: String,
    /// Its HTTP port; 0 if it has none.
    #[serde(default)]
    pub port: u16,
    /// Its process id; 0 while it restarts and after the network was stopped. Programs that are not ours keep theirs until `up` restarts them.
    #[serde(default)]
    pub pid: u32,
    /// The validator's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<Address>,
    /// Its libp2p address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p2p: Option<String>,
}

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkFile {
    /// The chain's name.
    pub sidechain_id: B256,
    /// The EVM chain.
    pub evm_chain_id: u64,
    /// JSON-RPC of a node of that chain.
    pub evm_rpc: String,
    /// Where the contracts stand on it.
    pub contracts: Contracts,
    /// Validators, in order.
    pub nodes: Vec<Entry>,
    /// Where the relayer answers.
    pub relayer: Entry,
    /// Where the indexer answers.
    pub indexer: Entry,
    /// Where the gateway serves the web page and the API.
    pub gateway: Entry,
    /// The video agent; absent without --with-video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_agent: Option<Entry>,
    /// The RTSP server that plays a film as cameras do; absent without --with-video FILE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cameras: Option<Entry>,
    /// anvil; absent with --evm-rpc.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anvil: Option<Entry>,
    /// Kubo's RPC; absent where the built-in block store keeps recordings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipfs: Option<String>,
    /// Our own Kubo; absent with --ipfs, and where it is not installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubo: Option<Entry>,
    /// The PostgreSQL server; absent with --database-url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postgres: Option<Entry>,
    /// Holds the database's URL.
    pub database_url_file: PathBuf,
}

fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let text = std::fs::read_to_string(file).with_context(|| {
        format!(
            "{} is missing: is hotpot up running on this folder?",
            file.display()
        )
    })?;

    serde_json::from_str(&text).with_context(|| format!("{} is damaged", file.display()))
}

impl NetworkFile {
    /// Where the file lies in a network's folder.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("network.json")
    }

    /// Reads the file of a running network.
    pub fn read(data_dir: &Path) -> Result<Self> {
        read_json(&Self::path(data_dir))
    }

    /// Where the nodes are, out of such a file. That of a network of validators alone says nothing else.
    pub fn read_nodes(file: &Path) -> Result<Vec<Entry>> {
        #[derive(Deserialize)]
        struct Nodes {
            nodes: Vec<Entry>,
        }

        let Nodes { nodes } = read_json(file)?;
        Ok(nodes)
    }

    /// Sets the process id of one of the processes.
    pub fn set_pid(&mut self, service: &str, pid: u32) {
        let node = service
            .strip_prefix("node-")
            .and_then(|number| number.parse::<usize>().ok());

        let entry = match (service, node) {
            (_, Some(number)) => self.nodes.get_mut(number),
            ("relayer", _) => Some(&mut self.relayer),
            ("indexer", _) => Some(&mut self.indexer),
            ("gateway", _) => Some(&mut self.gateway),
            ("video-agent", _) => self.video_agent.as_mut(),
            ("cameras", _) => self.cameras.as_mut(),
            ("anvil", _) => self.anvil.as_mut(),
            ("kubo", _) => self.kubo.as_mut(),
            ("postgres", _) => self.postgres.as_mut(),
            _ => None,
        };

        if let Some(entry) = entry {
            entry.pid = pid;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_validators_alone_says_where_its_nodes_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = NetworkFile::path(folder.path());
        let text =
            r#"{"nodes": [{"http": "http://127.0.0.1:7000"}, {"http": "http://127.0.0.1:7001"}]}"#;
        std::fs::write(&file, text).unwrap();

        let nodes = NetworkFile::read_nodes(&file).unwrap();
        assert_eq!(nodes[1].http, "http://127.0.0.1:7001");
        assert!(NetworkFile::read(folder.path()).is_err());
    }
}
