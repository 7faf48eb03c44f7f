//! Wires a node together.

use crate::config::{NodeConfig, ValidatorConfig};
use crate::consensus::{self, Voter};
use crate::http::{self, Api};
use crate::io::guard_file::GuardFile;
use crate::io::peers::Peers;
use crate::io::snapshots::Snapshots;
use crate::io::store::Store;
use crate::node::Node;
use crate::tasks::join::join_from_snapshot;
use crate::tasks::{checkpoints, duties, pruning};
use anyhow::{Context, Result, anyhow};
use client::NodeClient;
use domain::Genesis;
use domain::crypto::address_of_secret;
use secp256k1::SecretKey;
use service_kit::doors::Doors;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Offences that wait to be reported; a validator that commits more is reported for these.
const REPORTS_MAX: usize = 64;

/// Reads a genesis file.
pub fn read_genesis(path: &Path) -> Result<Genesis> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("read the genesis {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("the genesis {} is not valid", path.display()))
}

/// The key that votes whenever its validator has a seat; none at a node that only follows.
fn voting_key(config: &ValidatorConfig) -> Result<Option<SecretKey>> {
    let Some(keystore_file) = &config.keystore_file else {
        return Ok(None);
    };
    let missing =
        "validator.passphrase_file is missing: a validator needs it beside validator.keystore_file";
    let passphrase_file = config.passphrase_file.as_ref().context(missing)?;
    let passphrase = std::fs::read_to_string(passphrase_file)
        .with_context(|| format!("read {}", passphrase_file.display()))?;
    Ok(Some(wallet::load_key(
        keystore_file,
        wallet::first_line(&passphrase),
    )?))
}

/// What the validator's key has signed.
fn open_guard(config: &NodeConfig, node: &Node) -> Result<GuardFile> {
    let path = config
        .validator
        .guard_file
        .clone()
        .unwrap_or_else(|| config.data_dir.join("guard"));
    let ledger = node.ledger();
    Ok(GuardFile::open(
        &path,
        ledger.next_height(),
        ledger.is_fresh(),
    )?)
}

/// What the node does in consensus.
enum Duty {
    Vote(Voter),
    /// Up to a height, or for ever.
    Follow(Option<u64>),
}

/// A validator whose guard knows of signatures beyond the store has lost its store, or its guard; one that was refused
/// at this height has lost some of its engine's log. It follows until whatever it signed is decided without it: the
/// engine ends when it is refused, and would be refused at every start.
fn choose_duty(key: Option<SecretKey>, config: &NodeConfig, node: &Node) -> Result<Duty> {
    let Some(key) = key else {
        return Ok(Duty::Follow(None));
    };

    let guard = open_guard(config, node)?;
    let next_height = node.ledger().next_height();
    let refused = guard.take_refusal().filter(|height| *height == next_height);
    let Some(to) = guard.follows_to(next_height).or(refused) else {
        return Ok(Duty::Vote(Voter { key, guard }));
    };

    tracing::warn!(
        next_height,
        to,
        "this validator may have signed beyond its store: it follows until then"
    );
    Ok(Duty::Follow(Some(to)))
}

/// Ends once the ledger has reached a height; never without one.
async fn wait_for_height(node: &Node, height: Option<u64>) {
    let mut now = node.height.subscribe();
    match height {
        Some(height) if now.wait_for(|now| *now >= height).await.is_ok() => {}
        _ => std::future::pending().await,
    }
}

/// A node that only follows and has nothing takes over a state, if there is one that enough validators signed.
async fn begin_with_a_state(config: &NodeConfig, genesis: &Genesis, store: &Store) -> Result<()> {
    let peers: Vec<NodeClient> = config
        .http
        .peers
        .iter()
        .map(|url| NodeClient::new(url))
        .collect();
    let snapshots = Snapshots::open(config.snapshots_dir())?;

    match join_from_snapshot(genesis, &peers, store, &snapshots).await {
        Ok(height) => tracing::info!(height, "a state that the validators signed is taken over"),
        Err(error) => {
            let error = format!("{:#}", anyhow!(error));
            tracing::info!(
                error,
                "no state is taken over: the chain is executed from its genesis on"
            );
        }
    }

    Ok(())
}

/// Runs a validator, or a node that only follows, until `stop` or a fatal error.
pub async fn run(config: NodeConfig, stop: CancellationToken) -> Result<()> {
    config.check()?;
    std::fs::create_dir_all(&config.data_dir)?;
    let metrics = service_kit::telemetry::init_metrics();
    let genesis = read_genesis(&config.genesis_file)?;
    let key = voting_key(&config.validator)?;
    let store = Store::open(&config.data_dir.join("store.redb"))?;
    if config.snapshots.join
        && config.validator.keystore_file.is_none()
        && store.last_height()?.is_none()
    {
        begin_with_a_state(&config, &genesis, &store).await?;
    }
    let mut node = Node::open(genesis, store, config.clone())?;
    let (voter, follow_to) = match choose_duty(key, &config, &node)? {
        Duty::Vote(voter) => (Some(voter), None),
        Duty::Follow(to) => (None, to),
    };
    node.follows_to = follow_to;
    let key = voter.as_ref().map(|voter| voter.key);
    node.validator = key.as_ref().map(address_of_secret);
    let node = Arc::new(node);
    let peers = Peers::start(&config.http.peers, &stop);

    let doors = Doors::open(&config.http.listen, config.http.limits)
        .await?
        .with_metrics_at(config.http.metrics_listen)
        .await?;
    let api = Api::new(Arc::clone(&node), peers.clone(), key);
    let measured = Arc::clone(&node);
    let render = move || {
        crate::metrics::set_gauges(&measured);
        metrics.render() + &consensus::engine_metrics()
    };
    let doors = doors.showing(render);
    let router = http::router(api);
    let height = node.ledger().height();
    let validator = node.validator.map(tracing::field::display);
    tracing::info!(validator, listen = %config.http.listen, height, "node starts");

    let (reporter, reports) = tokio::sync::mpsc::channel(REPORTS_MAX);
    let tasks = stop.child_token();
    let result = tokio::select! {
        result = consensus::start(Arc::clone(&node), voter, reporter.clone(), tasks.clone()) => result.context("consensus"),
        () = wait_for_height(&node, follow_to) => {
            Err(anyhow!("height {} is decided: start again to vote", node.ledger().height()))
        }
        result = checkpoints::run(Arc::clone(&node), key, peers.clone(), reporter, tasks.clone()) => result.context("checkpoints"),
        result = pruning::run(Arc::clone(&node), tasks.clone()) => result.context("pruning"),
        () = duties::run(Arc::clone(&node), key, peers, reports, tasks.clone()) => Ok(()),
        result = doors.serve(router, tasks.clone()) => result.context("http"),
    };
    tasks.cancel();
    result
}
