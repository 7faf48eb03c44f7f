//! What runs: our services with their configuration, and the programs that are not ours.

use super::network::{Contracts, Entry};
use super::setup::{Layout, Ports};
use super::supervisor::{Service, Supervisor};
use crate::cli::UpArgs;
use crate::keys::Keys;
use anyhow::{Context, Result};
use client::NodeClient;
use domain::OutletId;
use local_services::{Anvil, AnvilOptions, Kubo, KuboOptions, Postgres};
use serde::Serialize;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// anvil's own chain id.
pub const LOCAL_CHAIN_ID: u64 = 31_337;
/// How often the relayer looks at the local chain.
const RELAYER_POLL_MS: u64 = 500;
/// `finalized` stands two of these behind the head.
pub const ANVIL_SLOTS_IN_AN_EPOCH: u64 = 4;
/// How often it is looked whether PostgreSQL and anvil still run.
const REVIVE_INTERVAL: Duration = Duration::from_millis(500);
/// The database of a local network.
pub const DATABASE: &str = "hotpot";

fn loopback(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn multiaddr(port: u16) -> String {
    format!("/ip4/127.0.0.1/tcp/{port}")
}

/// The entry of a service in `network.json`; its pid follows when it runs.
pub fn entry(port: u16) -> Entry {
    Entry {
        http: loopback(port),
        port,
        ..Entry::default()
    }
}

/// The entries of all validators.
pub fn node_entries(ports: &Ports, count: usize) -> Vec<Entry> {
    let node = |number: usize| Entry {
        p2p: Some(multiaddr(ports.p2p[number])),
        ..entry(ports.nodes[number])
    };
    (0..count).map(node).collect()
}

/// Writes what a service is told.
pub fn write_config(layout: &Layout, service: &str, config: &serde_json::Value) -> Result<PathBuf> {
    let path = layout.config(service);
    crate::files::write_atomically(&path, toml::to_string(config)?.as_bytes())?;
    Ok(path)
}

fn start(
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
    args: &UpArgs,
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
                "peers": others().map(|other| loopback(ports.nodes[other])).collect::<Vec<_>>(),
            },
            "p2p": {
                "listen": multiaddr(ports.p2p[number]),
                "peers": others().map(|other| multiaddr(ports.p2p[other])).collect::<Vec<_>>(),
            },
            "snapshots": { "every_blocks": args.snapshot_blocks },
            "storage": { "keep_blocks": args.keep_blocks },
        });
        let name = format!("node-{number}");
        start(
            supervisor,
            layout,
            &name,
            "node",
            write_config(layout, &name, &config)?,
        );
    }
    Ok((0..count)
        .map(|number| NodeClient::new(&loopback(ports.nodes[number])))
        .collect())
}

/// An outlet's video agent, as the gateway is told of it.
#[derive(Serialize)]
pub struct VideoAgent {
    /// Its outlet.
    pub outlet: OutletId,
    /// Its HTTP.
    pub url: String,
}

impl VideoAgent {
    /// One on this machine.
    pub fn local(outlet: OutletId, port: u16) -> Self {
        Self {
            outlet,
            url: loopback(port),
        }
    }
}

/// What relayer and indexer connect to.
pub struct Chains<'a> {
    /// Validators.
    pub nodes: &'a [NodeClient],
    /// The EVM node.
    pub evm_url: &'a str,
    /// Its chain.
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
    start(
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
    start(
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
    start(
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

/// Programs that are not ours.
#[derive(Default)]
pub struct External {
    postgres: Option<(Postgres, PathBuf)>,
    anvil: Option<(Anvil, AnvilOptions)>,
    kubo: Option<(Kubo, KuboOptions)>,
}

/// What `--ipfs` takes instead of a URL: a Kubo of our own, or none.
const OWN: &str = "own";
const BUILT_IN: &str = "built-in";

impl External {
    /// The database to use: a given one, or a cluster of our own.
    pub async fn start_database(&mut self, args: &UpArgs, layout: &Layout) -> Result<String> {
        let given = match (&args.database_url, &args.database_url_file) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(file)) => Some(std::fs::read_to_string(file)?.trim().to_owned()),
            (None, None) => None,
        };
        let url = match given {
            Some(url) => url,
            None => self.start_postgres(&layout.dir.join("postgres")).await?,
        };
        crate::files::write_atomically(&layout.database_url_file(), url.as_bytes())?;
        Ok(url)
    }

    async fn start_postgres(&mut self, dir: &Path) -> Result<String> {
        let postgres = Postgres::start(dir).await?;
        create_database(&postgres.url("postgres")).await?;
        let url = postgres.url(DATABASE);
        self.postgres = Some((postgres, dir.to_owned()));
        Ok(url)
    }

    /// The EVM node to use: a given one, or anvil.
    pub async fn start_evm(&mut self, args: &UpArgs, layout: &Layout, port: u16) -> Result<String> {
        if let Some(url) = &args.evm_rpc {
            return Ok(url.clone());
        }
        let options = AnvilOptions {
            dir: layout.dir.join("anvil"),
            port,
            chain_id: LOCAL_CHAIN_ID,
            block_time: Some(Duration::from_millis(args.anvil_block_ms)),
            slots_in_an_epoch: ANVIL_SLOTS_IN_AN_EPOCH,
            programs: tool_folders(),
        };
        let anvil = Anvil::start(&options).await?;
        let url = anvil.url();
        self.anvil = Some((anvil, options));
        Ok(url)
    }

    /// The Kubo node to use: a given one, or our own; none where the built-in block store keeps recordings.
    pub async fn start_ipfs(
        &mut self,
        args: &UpArgs,
        layout: &Layout,
        port: u16,
    ) -> Result<Option<String>> {
        let options = KuboOptions {
            dir: layout.dir.join("kubo"),
            port,
            programs: kubo_folders(),
        };
        match args.ipfs.as_deref() {
            Some(OWN) => {}
            // Only recordings need it.
            None if args.with_video.is_some() && options.program().is_some() => {}
            None | Some(BUILT_IN) => return Ok(None),
            Some(url) => return Ok(Some(url.to_owned())),
        }
        options
            .program()
            .context("--ipfs own: the program ipfs is not here; scripts/test builds it with Go")?;
        let kubo = Kubo::start(&options).await?;
        let url = kubo.url();
        self.kubo = Some((kubo, options));
        Ok(Some(url))
    }

    /// Starts again what has ended by itself, for ever; what does not start is tried again.
    pub async fn keep_running(&mut self, supervisor: &Supervisor) -> Infallible {
        loop {
            tokio::time::sleep(REVIVE_INTERVAL).await;
            if let Err(error) = self.revive(supervisor).await {
                tracing::error!(error = format!("{error:#}"), "trying again");
            }
        }
    }

    async fn revive(&mut self, supervisor: &Supervisor) -> Result<()> {
        if let Some((postgres, dir)) = &mut self.postgres
            && postgres.has_ended()
        {
            *postgres = Postgres::start(dir)
                .await
                .context("start PostgreSQL again")?;
            supervisor.note_pid("postgres", postgres.pid().unwrap_or(0));
        }
        if let Some((anvil, options)) = &mut self.anvil
            && anvil.has_ended()
        {
            *anvil = Anvil::start(options).await.context("start anvil again")?;
            supervisor.note_pid("anvil", anvil.pid().unwrap_or(0));
        }
        if let Some((kubo, options)) = &mut self.kubo
            && kubo.has_ended()
        {
            *kubo = Kubo::start(options).await.context("start Kubo again")?;
            supervisor.note_pid("kubo", kubo.pid().unwrap_or(0));
        }
        Ok(())
    }

    /// Stops what was started.
    pub async fn stop(self) -> Result<()> {
        if let Some((kubo, _)) = self.kubo {
            kubo.stop().await?;
        }
        if let Some((anvil, _)) = self.anvil {
            anvil.stop().await?;
        }
        if let Some((postgres, _)) = self.postgres {
            postgres.stop().await?;
        }
        Ok(())
    }

    /// anvil's entry in `network.json`.
    pub fn anvil_entry(&self) -> Option<Entry> {
        let (anvil, options) = self.anvil.as_ref()?;
        Some(Entry {
            pid: anvil.pid().unwrap_or(0),
            ..entry(options.port)
        })
    }

    /// Our own Kubo's entry in `network.json`.
    pub fn kubo_entry(&self) -> Option<Entry> {
        let (kubo, options) = self.kubo.as_ref()?;
        Some(Entry {
            pid: kubo.pid().unwrap_or(0),
            ..entry(options.port)
        })
    }

    /// PostgreSQL's entry in `network.json`.
    pub fn postgres_entry(&self) -> Option<Entry> {
        let (postgres, _) = self.postgres.as_ref()?;
        Some(Entry {
            pid: postgres.pid().unwrap_or(0),
            ..Entry::default()
        })
    }
}

async fn create_database(url: &str) -> Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut connection)
            .await?;
    if !exists {
        sqlx::query("CREATE DATABASE hotpot")
            .execute(&mut connection)
            .await?;
    }
    Ok(())
}

/// Where `setup_kubo` of scripts/lib puts Kubo.
fn kubo_folders() -> Vec<PathBuf> {
    let home = service_kit::config::environment("HOME");
    home.map(|home| Path::new(&home).join(".cache/hotpot/bin"))
        .into_iter()
        .collect()
}

/// Where npm puts Foundry's programs: beside the contracts, looked for from here and from the program upwards.
pub fn tool_folders() -> Vec<PathBuf> {
    let here = std::env::current_dir().unwrap_or_default();
    let program = std::env::current_exe().unwrap_or_default();
    let roots = here.ancestors().chain(program.ancestors());
    roots
        .map(|root| root.join("contracts/node_modules/.bin"))
        .filter(|folder| folder.is_dir())
        .collect()
}
