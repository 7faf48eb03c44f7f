//! Opens what is to be checked: a folder of a running or a stopped network, or single parts of one.

use crate::args::VerifyArgs;
use crate::evm::Scope;
use crate::nodes::{Copy, Found, Node};
use crate::report::Report;
use anyhow::{Context, Result, bail};
use client::NodeClient;
use domain::Genesis;
use domain::checkpoint::SignedCheckpoint;
use domain::payout::Chunk;
use local_network::external::{ANVIL_SLOTS_IN_AN_EPOCH, DATABASE, LOCAL_CHAIN_ID, tool_folders};
use local_network::{Contracts, NetworkFile};
use local_services::{Anvil, AnvilOptions, Postgres};
use std::fs::File;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The file of a node that holds its blocks.
const STORE_FILE: &str = "store.redb";

/// What is to be checked, open.
pub struct Network {
    /// The first facts.
    pub genesis: Genesis,
    /// Copies of the chain.
    pub nodes: Vec<Node>,
    /// The EVM node and the contracts, if they are to be checked.
    pub evm: Option<(String, Scope)>,
    /// The mirror, if it is to be checked.
    pub database_url: Option<String>,
    started: Started,
}

/// What was started for it; the lock keeps `hotpot up` away meanwhile.
#[derive(Default)]
struct Started {
    postgres: Option<Postgres>,
    anvil: Option<Anvil>,
    copies: Option<TempDir>,
    lock: Option<File>,
}

impl Network {
    /// Opens what the command line names.
    pub async fn open(args: &VerifyArgs, report: &mut Report) -> Result<Self> {
        match (&args.blocks, args.node.as_slice()) {
            (Some(file), _) => Self::from_export(args, file),
            (None, []) => Self::from_folder(args, report).await,
            (None, urls) => Self::from_parts(args, urls).await,
        }
    }

    /// Stops what was started.
    pub async fn close(self) -> Result<()> {
        drop(self.nodes);
        if let Some(anvil) = self.started.anvil {
            anvil.stop().await?;
        }
        if let Some(postgres) = self.started.postgres {
            postgres.stop().await?;
        }
        drop((self.started.copies, self.started.lock));
        Ok(())
    }

    fn from_export(args: &VerifyArgs, file: &Path) -> Result<Self> {
        let (genesis, node) = Node::read_export(file)?;
        let (evm, database_url) = (given_evm(args)?, given_database(args)?);
        Ok(Self {
            genesis,
            nodes: vec![node],
            evm,
            database_url,
            started: Started::default(),
        })
    }

    async fn from_parts(args: &VerifyArgs, urls: &[String]) -> Result<Self> {
        let genesis = NodeClient::new(&urls[0])
            .genesis()
            .await
            .with_context(|| format!("ask {}", urls[0]))?;

        let named = urls.iter().map(|url| (url.clone(), url.clone())).collect();
        let nodes = connect_nodes(named, &genesis).await?;
        let (evm, database_url) = (given_evm(args)?, given_database(args)?);

        Ok(Self {
            genesis,
            nodes,
            evm,
            database_url,
            started: Started::default(),
        })
    }

    async fn from_folder(args: &VerifyArgs, report: &mut Report) -> Result<Self> {
        let folder = Folder::open(&args.data_dir)?;
        let lock = folder.lock()?;
        match lock.try_lock() {
            Ok(()) => folder.stopped(args, lock, report).await,
            Err(_) => folder.running(args, report).await,
        }
    }
}

/// Copies of a chain alone.
pub struct Copies {
    /// The first facts.
    pub genesis: Genesis,
    nodes: Vec<Node>,
    _started: Started,
}

impl Copies {
    /// Those of one node's API.
    pub async fn of_node(url: &str) -> Result<Self> {
        let genesis = NodeClient::new(url).genesis().await?;
        let nodes = connect_nodes(vec![(url.to_owned(), url.to_owned())], &genesis).await?;
        Ok(Self {
            genesis,
            nodes,
            _started: Started::default(),
        })
    }

    /// Those of a folder's nodes, running or stopped.
    pub async fn of_folder(dir: &Path) -> Result<Self> {
        let folder = Folder::open(dir)?;
        let lock = folder.lock()?;
        if lock.try_lock().is_err() {
            let nodes = folder.connect().await?.1;
            return Ok(Self {
                genesis: folder.genesis,
                nodes,
                _started: Started::default(),
            });
        }

        let copies = tempfile::tempdir().context("make a temporary folder")?;
        let nodes = folder.copy_stores(copies.path(), &mut Report::default())?;
        let started = Started {
            lock: Some(lock),
            copies: Some(copies),
            ..Started::default()
        };

        Ok(Self {
            genesis: folder.genesis,
            nodes,
            _started: started,
        })
    }

    /// The last block that any of them has.
    pub fn last_height(&self) -> u64 {
        self.nodes
            .iter()
            .map(|node| node.last_height)
            .max()
            .unwrap_or(0)
    }

    /// No copy has a checkpoint of a later epoch.
    pub fn last_epoch(&self) -> u64 {
        self.nodes
            .iter()
            .map(|node| node.last_epoch)
            .max()
            .unwrap_or(0)
    }

    /// The checkpoint of an epoch with the signatures gathered so far and what it pays, if there is one.
    pub async fn checkpoint(&self, epoch: u64) -> Result<Option<(SignedCheckpoint, Vec<Chunk>)>> {
        for node in &self.nodes {
            let Some(Found::There(signed)) = node.checkpoint(epoch).await? else {
                continue;
            };
            if let Some(Found::There(chunks)) = node.chunks(epoch).await? {
                return Ok(Some((signed, chunks)));
            }
        }
        Ok(None)
    }

    /// A block of the first that can read it.
    pub async fn block(&self, height: u64) -> Result<Copy> {
        for node in &self.nodes {
            if let Found::There(copy) = node.block(height).await? {
                return Ok(copy);
            }
        }
        bail!("no node has a readable block {height}")
    }
}

/// A network's folder.
struct Folder {
    dir: PathBuf,
    genesis: Genesis,
    contracts: Contracts,
}

impl Folder {
    fn open(dir: &Path) -> Result<Self> {
        let missing = || {
            format!(
                "{} holds no network: start one with hotpot up",
                dir.display()
            )
        };

        let dir = dir.canonicalize().with_context(missing)?;
        let genesis =
            local_network::genesis::read(&dir.join("genesis.json")).with_context(missing)?;

        let path = dir.join("contracts.json");
        let text = std::fs::read(&path).with_context(|| {
            format!(
                "{} is missing: this network never came to its contracts",
                path.display()
            )
        })?;
        let contracts = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;

        Ok(Self {
            dir,
            genesis,
            contracts,
        })
    }

    /// Held while `hotpot up` runs.
    fn lock(&self) -> Result<File> {
        File::open(self.dir.join("lock"))
            .with_context(|| format!("open the lock of {}", self.dir.display()))
    }

    /// The nodes that run.
    async fn connect(&self) -> Result<(NetworkFile, Vec<Node>)> {
        let network = NetworkFile::read(&self.dir)
            .context("the folder is in use, but no network runs on it yet")?;
        let named = network
            .nodes
            .iter()
            .enumerate()
            .map(|(number, node)| (format!("node-{number}"), node.http.clone()));
        let nodes = connect_nodes(named.collect(), &self.genesis).await.context(
            "the folder is in use, but not all of its network answers: wait until it does, or stop it and try again",
        )?;
        Ok((network, nodes))
    }

    /// The indexer's own rule: block 0 holds no logs.
    fn scope(&self) -> Scope {
        let Contracts {
            token,
            anchor,
            start_block,
        } = self.contracts;
        Scope {
            token,
            anchor,
            first_block: start_block.max(1),
        }
    }

    fn database_url(&self, args: &VerifyArgs) -> Result<String> {
        let file = args
            .database_url_file
            .clone()
            .unwrap_or_else(|| self.dir.join("database-url"));
        read_url(&file)
    }

    /// Asks what runs; another program holds the folder.
    async fn running(self, args: &VerifyArgs, report: &mut Report) -> Result<Network> {
        let (network, nodes) = self.connect().await?;
        report
            .notes
            .push("the network runs: its nodes, EVM node and database were asked".to_owned());

        let evm = Some((
            args.evm_rpc.clone().unwrap_or(network.evm_rpc),
            self.scope(),
        ));
        let database_url = Some(self.database_url(args)?);

        Ok(Network {
            genesis: self.genesis,
            nodes,
            evm,
            database_url,
            started: Started::default(),
        })
    }

    /// Starts what is needed on what the network left behind.
    async fn stopped(self, args: &VerifyArgs, lock: File, report: &mut Report) -> Result<Network> {
        report.notes.push(
            "the network is stopped: its stores, its database and its EVM state were read"
                .to_owned(),
        );
        let copies = tempfile::tempdir().context("make a temporary folder")?;
        let mut started = Started {
            lock: Some(lock),
            ..Started::default()
        };
        let nodes = self.copy_stores(copies.path(), report)?;
        let url = self.start_evm(args, copies.path(), &mut started).await?;
        // Last: a PostgreSQL that is dropped for a later mistake would be killed rather than stopped.
        let database_url = Some(self.start_database(args, &mut started).await?);
        let evm = Some((url, self.scope()));
        started.copies = Some(copies);
        Ok(Network {
            genesis: self.genesis,
            nodes,
            evm,
            database_url,
            started,
        })
    }

    /// Opening a store may repair it, so copies are opened.
    fn copy_stores(&self, copies: &Path, report: &mut Report) -> Result<Vec<Node>> {
        let mut nodes = Vec::new();
        for number in 0..self.genesis.validators.as_slice().len() {
            let name = format!("node-{number} store");
            let (from, to) = (
                self.dir.join(format!("node-{number}")).join(STORE_FILE),
                copies.join(format!("{number}.redb")),
            );

            if !from.exists() {
                report.fact(name, format!("{} is missing", from.display()));
                continue;
            }

            std::fs::copy(&from, &to)
                .with_context(|| format!("copy {}: TMPDIR says where to", from.display()))?;
            match Node::open_store(name.clone(), &to) {
                Ok(node) => nodes.push(node),
                Err(what) => report.fact(name, what),
            }
        }

        Ok(nodes)
    }

    async fn start_database(&self, args: &VerifyArgs, started: &mut Started) -> Result<String> {
        let cluster = self.dir.join("postgres");
        if args.database_url_file.is_some() || !cluster.join("data/PG_VERSION").exists() {
            return self.database_url(args);
        }
        let postgres = Postgres::start(&cluster)
            .await
            .context("start the network's PostgreSQL")?;
        let url = postgres.url(DATABASE);
        started.postgres = Some(postgres);
        Ok(url)
    }

    /// anvil on a copy of its state; without a time between blocks it makes none of its own.
    async fn start_evm(
        &self,
        args: &VerifyArgs,
        copies: &Path,
        started: &mut Started,
    ) -> Result<String> {
        if let Some(url) = &args.evm_rpc {
            return Ok(url.clone());
        }

        let state = self.dir.join("anvil/state.json");
        if !state.exists() {
            bail!(
                "{} is missing: name the network's EVM node with --evm-rpc",
                state.display()
            );
        }

        let dir = copies.join("anvil");
        std::fs::create_dir_all(&dir)?;
        std::fs::copy(&state, dir.join("state.json"))
            .with_context(|| format!("copy {}", state.display()))?;

        let options = AnvilOptions {
            dir,
            port: local_services::free_port()?,
            chain_id: LOCAL_CHAIN_ID,
            block_time: None,
            slots_in_an_epoch: ANVIL_SLOTS_IN_AN_EPOCH,
            programs: tool_folders(),
        };
        let anvil = Anvil::start(&options)
            .await
            .context("start anvil on a copy of the network's EVM state")?;

        let url = anvil.url();
        started.anvil = Some(anvil);
        Ok(url)
    }
}

async fn connect_nodes(named: Vec<(String, String)>, genesis: &Genesis) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    for (name, url) in named {
        nodes.push(Node::connect(name, &url, genesis.sidechain_id()).await?);
    }
    Ok(nodes)
}

fn given_evm(args: &VerifyArgs) -> Result<Option<(String, Scope)>> {
    match (&args.evm_rpc, args.token, args.anchor) {
        (None, None, None) => Ok(None),
        (Some(url), Some(token), Some(anchor)) => Ok(Some((
            url.clone(),
            Scope {
                token,
                anchor,
                first_block: args.start_block.max(1),
            },
        ))),
        _ => bail!("--evm-rpc, --token and --anchor go together"),
    }
}

fn given_database(args: &VerifyArgs) -> Result<Option<String>> {
    match &args.database_url_file {
        Some(_) if args.evm_rpc.is_none() => {
            bail!("the database mirrors the EVM too: --evm-rpc is needed")
        }
        file => file.as_deref().map(read_url).transpose(),
    }
}

fn read_url(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    Ok(text.trim().to_owned())
}
