//! Wires a node together.

use crate::config::NodeConfig;
use crate::consensus::{self, EngineConfig};
use crate::http::{self, Api};
use crate::io::guard_file::GuardFile;
use crate::io::peers::Peers;
use crate::io::store::Store;
use crate::node::Node;
use crate::tasks::checkpoints;
use anyhow::{Context, Result};
use domain::Genesis;
use domain::crypto::address_of_secret;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Reads a genesis file.
pub fn read_genesis(path: &Path) -> Result<Genesis> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read the genesis {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("the genesis {} is not valid", path.display()))
}

/// Runs a validator until `stop` or a fatal error.
pub async fn run(config: NodeConfig, stop: CancellationToken) -> Result<()> {
    std::fs::create_dir_all(&config.data_dir)?;
    let metrics = service_kit::telemetry::init_metrics();
    let genesis = read_genesis(&config.genesis_file)?;
    let passphrase = std::fs::read_to_string(&config.validator.passphrase_file)
        .with_context(|| format!("read {}", config.validator.passphrase_file.display()))?;
    let key = wallet::load(&config.validator.keystore_file, passphrase.trim())?;
    let store = Store::open(&config.data_dir.join("store.redb"))?;
    let node = Arc::new(Node::open(address_of_secret(&key), genesis, store, config.clone())?);
    let guard_file = config.validator.guard_file.clone().unwrap_or_else(|| config.data_dir.join("guard"));
    let (next_height, is_fresh) = (node.ledger().next_height(), node.ledger().is_fresh());
    let guard = GuardFile::open(&guard_file, next_height, is_fresh)?;
    let peers = Peers::start(&config.http.peers, &stop);

    let listener =
        TcpListener::bind(&config.http.listen).await.with_context(|| format!("listen on {}", config.http.listen))?;
    let api = Api { node: Arc::clone(&node), peers: peers.clone() };
    let router =
        http::router(api).merge(service_kit::http::metrics_router(move || metrics.render() + &consensus::metrics()));
    tracing::info!(validator = %node.address, listen = %config.http.listen, height = node.ledger().height(), "node starts");

    let tasks = stop.child_token();
    let result = tokio::select! {
        result = consensus::start(Arc::clone(&node), EngineConfig { key, guard }, tasks.clone()) => result.context("consensus"),
        result = checkpoints::run(node, key, peers, tasks.clone()) => result.context("checkpoints"),
        result = service_kit::http::serve(listener, router, tasks.clone()) => result.context("http"),
    };
    tasks.cancel();
    result
}
