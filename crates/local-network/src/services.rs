//! Our services with their configuration.

use crate::keys::Keys;
use crate::layout::Layout;
use crate::network_file::{Contracts, Entry};
use crate::ports::Ports;
use crate::supervisor::{Service, Supervisor};
use anyhow::{Result, bail};
use clap::Args;
use client::NodeClient;
use domain::{B256, OutletId};
use serde::Serialize;
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::Instant;

/// How often the relayer looks at the local chain.
const RELAYER_POLL_MS: u64 = 500;

/// How long the validators may take to start.
const READY_TIMEOUT: Duration = Duration::from_secs(300);

/// What validators keep.
#[derive(Clone, Debug, Args)]
pub struct NodeArgs {
    /// Validators copy their state for the next start at every height that this divides; 0 never.
    #[arg(long, default_value_t = 5000)]
    pub snapshot_blocks: u64,
    /// Validators forget blocks older than so many, as far as a start and the next checkpoint allow; 0 keeps all.
    #[arg(long, default_value_t = 0)]
    pub keep_blocks: u64,
}

fn loopback_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn loopback_multiaddr(port: u16) -> String {
    format!("/ip4/127.0.0.1/tcp/{port}")
}

/// The entry of a service in `network.json`; its pid follows when it runs.
pub fn service_entry(port: u16) -> Entry {
    Entry {
        http: loopback_url(port),
        port,
        ..Entry::default()
    }
}

/// The entries of all validators.
pub fn node_entries(ports: &Ports, count: usize) -> Vec<Entry> {
    let node = |number: usize| Entry {
        p2p: Some(loopback_multiaddr(ports.p2p[number])),
        ..service_entry(ports.nodes[number])
    };
    (0..count).map(node).collect()
}

/// Writes what a service is told.
pub fn write_config(layout: &Layout, service: &str, config: &serde_json::Value) -> Result<PathBuf> {
    let path = layout.config(service);
    service_kit::files::write_atomically(&path, toml::to_string(config)?.as_bytes())?;
    Ok(path)
}

fn start_service(
    supervisor: &Supervisor,
    layout: &Layout,
    name: &str,
    command: &'static str,
    config: PathBuf,
) {
    let arguments = vec![command.into(), "--config".into(), config.into()];
    supervisor.start(Service {
        name: name.to_owned(),
        program: None,
        arguments,
        log: layout.log(name),
    });
}

/// Starts all validators; gives clients of them.
pub fn start_nodes(
    supervisor: &Supervisor,
    layout: &Layout,
    keys: &Keys,
    count: usize,
    ports: &Ports,
    args: &NodeArgs,
) -> Result<Vec<NodeClient>> {
    for number in 0..count {
        let others = || (0..count).filter(move |other| *other != number);
        let validator = format!("validator-{number}");
        keys.get(&validator)?;
        let config = json!({
            "data_dir": layout.node(number),
            "genesis_file": layout.genesis(),
            "validator": {
                "keystore_file": keys.file(&validator),
                "passphrase_file": keys.passphrase_file(),
                // Beside the node's folder: restoring that from a backup must not bring back an old guard.
                "guard_file": layout.guard(number)?,
            },
            "http": {
                "listen": format!("127.0.0.1:{}", ports.nodes[number]),
                "peers": others().map(|other| loopback_url(ports.nodes[other])).collect::<Vec<_>>(),
            },
            "p2p": {
                "listen": loopback_multiaddr(ports.p2p[number]),
                "peers": others().map(|other| loopback_multiaddr(ports.p2p[other])).collect::<Vec<_>>(),
            },
            "snapshots": { "every_blocks": args.snapshot_blocks },
            "storage": { "keep_blocks": args.keep_blocks },
        });
        let name = format!("node-{number}");
        start_service(
            supervisor,
            layout,
            &name,
            "node",
            write_config(layout, &name, &config)?,
        );
    }
    Ok((0..count)
        .map(|number| NodeClient::new(&loopback_url(ports.nodes[number])))
        .collect())
}

/// Waits until more than two thirds of the validators take part.
pub async fn wait_until_ready(nodes: &[NodeClient], sidechain_id: B256) -> Result<()> {
    let deadline = Instant::now() + READY_TIMEOUT;
    loop {
        let mut ready = 0;
        for node in nodes {
            if let Ok(status) = node.status().await {
                if status.sidechain_id != sidechain_id {
                    bail!(
                        "{} is a node of another network; stop it or choose other ports",
                        node.base()
                    );
                }
                ready += usize::from(status.ready && status.height > 0);
            }
        }

        if ready * 3 > nodes.len() * 2 {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!(
                "{ready} of {} validators came up within {READY_TIMEOUT:?}; see logs/node-*.log",
                nodes.len()
            );
        }

        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// An outlet's video agent, as the gateway is told of it.
#[derive(Serialize)]
pub struct VideoAgent {
    /// The outlet whose cameras it has.
    pub outlet: OutletId,
    /// Base URL of its HTTP API.
    pub url: String,
}

impl VideoAgent {
    /// One on this machine.
    pub fn local(outlet: OutletId, port: u16) -> Self {
        Self {
            outlet,
            url: loopback_url(port),
        }
    }
}

/// What relayer and indexer connect to.
pub struct Chains<'a> {
    /// The validators, any of which may be asked.
    pub nodes: &'a [NodeClient],
    /// The EVM node.
    pub evm_url: &'a str,
    /// The EVM chain's id.
    pub chain_id: u64,
    /// The contracts on it.
    pub contracts: Contracts,
}

impl Chains<'_> {
    /// The part of the configuration that both have.
    fn config(&self, layout: &Layout, port: u16) -> serde_json::Value {
        json!({
            "database": { "url_file": layout.database_url_file() },
            "blockchain": {
                "rpc_url": self.evm_url,
                "chain_id": self.chain_id,
                "anchor": self.contracts.anchor,
                "token": self.contracts.token,
            },
            "node": { "urls": self.nodes.iter().map(NodeClient::base).collect::<Vec<_>>() },
            "http": { "listen": format!("127.0.0.1:{port}") },
        })
    }
}

/// Starts the relayer.
pub fn start_relayer(
    supervisor: &Supervisor,
    layout: &Layout,
    keys: &Keys,
    port: u16,
    chains: &Chains<'_>,
) -> Result<()> {
    let mut config = chains.config(layout, port);
    config["blockchain"]["poll_interval_ms"] = json!(RELAYER_POLL_MS);
    config["signer"] =
        json!({ "keystore_file": keys.file("relayer"), "passphrase_file": keys.passphrase_file() });

    start_service(
        supervisor,
        layout,
        "relayer",
        "relayer",
        write_config(layout, "relayer", &config)?,
    );
    Ok(())
}

/// Starts the indexer.
pub fn start_indexer(
    supervisor: &Supervisor,
    layout: &Layout,
    port: u16,
    chains: &Chains<'_>,
) -> Result<()> {
    let mut config = chains.config(layout, port);
    config["blockchain"]["start_block"] = json!(chains.contracts.start_block);

    start_service(
        supervisor,
        layout,
        "indexer",
        "indexer",
        write_config(layout, "indexer", &config)?,
    );
    Ok(())
}

/// Starts the gateway.
pub fn start_gateway(
    supervisor: &Supervisor,
    layout: &Layout,
    listen: SocketAddr,
    nodes: &[NodeClient],
    agents: &[VideoAgent],
) -> Result<()> {
    let config = json!({
        "database": { "url_file": layout.database_url_file() },
        "node": { "urls": nodes.iter().map(NodeClient::base).collect::<Vec<_>>() },
        "http": { "listen": listen.to_string() },
        "video": { "agents": agents },
    });

    start_service(
        supervisor,
        layout,
        "gateway",
        "gateway",
        write_config(layout, "gateway", &config)?,
    );
    Ok(())
}

/// The gateway's entry in `network.json`. Who listens everywhere is reached on loopback.
pub fn gateway_entry(listen: SocketAddr) -> Entry {
    let host = if listen.ip().is_unspecified() {
        IpAddr::from([127, 0, 0, 1])
    } else {
        listen.ip()
    };
    let http = format!("http://{}", SocketAddr::new(host, listen.port()));
    Entry {
        http,
        port: listen.port(),
        ..Entry::default()
    }
}
