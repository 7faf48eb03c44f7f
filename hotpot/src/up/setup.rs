//! What a new network needs once: folder, ports, genesis, contracts.

use super::candidates;
use super::evm::Evm;
use super::network::Contracts;
use super::status::Display;
use crate::cli::{NewNetworkArgs, UpArgs};
use crate::import::run::{furthest, is_outdated, submit};
use crate::keys::Keys;
use anyhow::{Context, Result, anyhow, bail};
use client::NodeClient;
use domain::crypto::address_of_secret;
use domain::genesis::EpochLength;
use domain::transaction::SetAnchor;
use domain::{B256, Genesis, Parameters, Payload, Validator, ValidatorSet};
use secp256k1::SECP256K1;
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

/// Validators of a new network.
const VALIDATORS: u32 = 4;
/// Blocks in an epoch of a new network.
const EPOCH_BLOCKS: u64 = 32;
/// Every validator of a local network has the same power.
const POWER: u64 = 100;
/// Units that an outlet's owner may owe before its sales stop issuing: those of 100 sales.
const OWNER_DEBT_MAX: u64 = 10_000;
/// How long the validators may take to start.
const READY_TIMEOUT: Duration = Duration::from_secs(300);

/// The folder of a network; held by one `up` at a time.
#[derive(Debug)]
pub struct Layout {
    /// The folder, absolute.
    pub dir: PathBuf,
    _lock: File,
}

impl Layout {
    /// Opens or makes the folder; refuses while another `up` runs on it.
    pub fn open(dir: &Path) -> Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
        let dir = dir
            .canonicalize()
            .with_context(|| format!("open {}", dir.display()))?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("lock"))?;
        lock.try_lock()
            .map_err(|_| anyhow!("another hotpot up runs on {}", dir.display()))?;
        std::fs::create_dir_all(dir.join("logs"))?;
        Ok(Self { dir, _lock: lock })
    }

    /// The folder of a validator.
    pub fn node(&self, number: usize) -> PathBuf {
        self.dir.join(format!("node-{number}"))
    }

    /// The double-sign guard of a validator.
    pub fn guard(&self, number: usize) -> Result<PathBuf> {
        let folder = self.dir.join("guards");
        std::fs::create_dir_all(&folder)?;
        Ok(folder.join(format!("node-{number}")))
    }

    /// A service's configuration.
    pub fn config(&self, service: &str) -> PathBuf {
        self.dir.join(format!("{service}.toml"))
    }

    /// A service's log.
    pub fn log(&self, service: &str) -> PathBuf {
        self.dir.join("logs").join(format!("{service}.log"))
    }

    /// Holds the database's URL.
    pub fn database_url_file(&self) -> PathBuf {
        self.dir.join("database-url")
    }

    /// The genesis.
    pub fn genesis(&self) -> PathBuf {
        self.dir.join("genesis.json")
    }
}

/// The ports of this run.
#[derive(Clone, Debug)]
pub struct Ports {
    /// HTTP of each validator that there may be.
    pub nodes: Vec<u16>,
    /// libp2p of each.
    pub p2p: Vec<u16>,
    /// The relayer's HTTP.
    pub relayer: u16,
    /// The indexer's HTTP.
    pub indexer: u16,
    /// anvil's JSON-RPC.
    pub anvil: u16,
    /// Kubo's RPC.
    pub kubo: u16,
    /// The video agent.
    pub video: u16,
    /// The RTSP server that plays a film.
    pub cameras: u16,
    /// The gateway.
    pub gateway: SocketAddr,
}

/// Where the gateway listens unless told otherwise.
const GATEWAY_PORT: u16 = 8080;

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// The most validators of a local network.
const VALIDATORS_MAX: u16 = 16;

impl Ports {
    /// Those that were asked for, or free ones.
    pub fn choose(args: &UpArgs) -> Result<Self> {
        if !args.free_ports {
            return Ok(Self {
                nodes: range(args.node_port, "--node-port")?,
                p2p: range(args.p2p_port, "--p2p-port")?,
                relayer: args.relayer_port,
                indexer: args.indexer_port,
                anvil: args.anvil_port,
                kubo: args.kubo_port,
                video: args.video_port,
                cameras: args.camera_port,
                gateway: args.http.unwrap_or(loopback(GATEWAY_PORT)),
            });
        }
        let count = usize::from(VALIDATORS_MAX);
        let free = (0..2 * count + 7)
            .map(|_| local_services::free_port())
            .collect::<std::io::Result<Vec<u16>>>()?;
        Ok(Self {
            nodes: free[..count].to_vec(),
            p2p: free[count..2 * count].to_vec(),
            relayer: free[2 * count],
            indexer: free[2 * count + 1],
            anvil: free[2 * count + 2],
            kubo: free[2 * count + 4],
            video: free[2 * count + 5],
            cameras: free[2 * count + 6],
            gateway: args.http.unwrap_or(loopback(free[2 * count + 3])),
        })
    }
}

impl Ports {
    /// A port that somebody else has would only show as a service that starts again and again.
    pub fn check_free(&self, validators: usize, with_video: bool) -> Result<()> {
        let ours = self.nodes[..validators]
            .iter()
            .chain(&self.p2p[..validators])
            .chain([&self.relayer, &self.indexer]);
        let video = [&self.video, &self.cameras]
            .into_iter()
            .filter(|_| with_video);
        for address in ours
            .chain(video)
            .map(|port| loopback(*port))
            .chain([self.gateway])
        {
            let port = address.port();
            std::net::TcpListener::bind(address).with_context(|| {
                format!("port {port} is taken: stop who has it, or use --free-ports")
            })?;
        }
        Ok(())
    }
}

fn range(first: u16, flag: &str) -> Result<Vec<u16>> {
    let last = first.checked_add(VALIDATORS_MAX - 1);
    let last = last.with_context(|| {
        format!(
            "{flag}: at most {}, found {first}",
            u16::MAX - VALIDATORS_MAX + 1
        )
    })?;
    Ok((first..=last).collect())
}

/// The genesis of this folder, made on first use.
pub fn genesis(
    layout: &Layout,
    keys: &Keys,
    args: &NewNetworkArgs,
    evm_chain_id: u64,
) -> Result<Genesis> {
    let path = layout.genesis();
    if path.exists() {
        let genesis = sidechain::read_genesis(&path)?;
        check_same(&genesis, args, evm_chain_id)?;
        return Ok(genesis);
    }
    let genesis = new_genesis(keys, args, evm_chain_id)?;
    crate::files::write_atomically(&path, &serde_json::to_vec_pretty(&genesis)?)?;
    Ok(genesis)
}

fn check_same(genesis: &Genesis, args: &NewNetworkArgs, evm_chain_id: u64) -> Result<()> {
    let validators = genesis.validators.as_slice().len();
    if let Some(asked) = args
        .validators
        .filter(|asked| *asked as usize != validators)
    {
        bail!(
            "this network has {validators} validators, --validators says {asked}; use another --data-dir"
        );
    }
    if let Some(asked) = args
        .epoch_blocks
        .filter(|asked| genesis.epoch_length != EpochLength::Blocks(*asked))
    {
        bail!(
            "this network has epochs of {:?}, --epoch-blocks says {asked}; use another --data-dir",
            genesis.epoch_length
        );
    }
    let elects = genesis.parameters.election_epochs;
    if let Some(asked) = args.election_epochs.filter(|asked| *asked != elects) {
        bail!(
            "this network elects every {elects} epochs, --election-epochs says {asked}; use another --data-dir"
        );
    }
    if genesis.evm_chain_id != evm_chain_id {
        bail!(
            "this network belongs to EVM chain {}, the node is of {evm_chain_id}",
            genesis.evm_chain_id
        );
    }
    Ok(())
}

fn new_genesis(keys: &Keys, args: &NewNetworkArgs, evm_chain_id: u64) -> Result<Genesis> {
    let count = args.validators.unwrap_or(VALIDATORS);
    let mut validators = Vec::new();
    for number in 0..count as usize {
        let key = keys.validator(number)?;
        let public_key = key.public_key(SECP256K1).serialize().into();
        validators.push(Validator {
            address: address_of_secret(&key),
            power: POWER,
            public_key,
        });
    }
    validators.sort_by_key(|validator| validator.address);
    Ok(Genesis {
        name: "hotpot local network".into(),
        evm_chain_id,
        time_ms: sidechain::node::now_ms(),
        first_height: 1,
        parent_hash: B256::ZERO,
        founder: address_of_secret(&keys.founder()?),
        guardian: address_of_secret(&keys.get("guardian")?),
        registrar: address_of_secret(&keys.registrar()?),
        epoch_length: EpochLength::Blocks(args.epoch_blocks.unwrap_or(EPOCH_BLOCKS)),
        settlement_epochs: 1,
        maturity_ms: 0,
        change_delay_ms: 0,
        parameters: Parameters {
            owner_debt_max: OWNER_DEBT_MAX,
            election_epochs: args.election_epochs.unwrap_or(0),
            ..Parameters::DEFAULT
        },
        election: candidates::rules(),
        validators: ValidatorSet::try_from(validators)?,
    })
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

/// The contracts in force; deploys and binds them when there are none.
pub async fn contracts(
    layout: &Layout,
    keys: &Keys,
    genesis: &Genesis,
    nodes: &[NodeClient],
    evm: &Evm,
    display: &Display,
) -> Result<Contracts> {
    let path = layout.dir.join("contracts.json");
    let deployed: Option<Contracts> = match std::fs::read(&path) {
        Ok(bytes) => Some(
            serde_json::from_slice(&bytes)
                .with_context(|| format!("{} is damaged", path.display()))?,
        ),
        Err(_) => None,
    };
    loop {
        let status = any_status(nodes).await?;
        if let (Some(token), Some(anchor)) = (status.token, status.anchor) {
            return in_force(evm, deployed, token, anchor).await;
        }
        if status.proposed_anchor.is_some() {
            // An earlier run bound the ledger and was stopped: its contracts come into force with the next epoch.
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        }
        display.say("deploying the contracts and waiting until they are final");
        evm.fund_local(&[address_of_secret(&keys.founder()?)])
            .await?;
        let from_epoch = status.epoch + 1;
        let contracts = evm.deploy(genesis, from_epoch).await?;
        crate::files::write_atomically(&path, &serde_json::to_vec_pretty(&contracts)?)?;
        match bind(keys, genesis, nodes, contracts, from_epoch).await {
            Ok(true) => return Ok(contracts),
            Ok(false) => {}
            Err(error) if is_outdated(&error) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What the ledger names must be what was deployed, and still be there.
async fn in_force(
    evm: &Evm,
    deployed: Option<Contracts>,
    token: domain::Address,
    anchor: domain::Address,
) -> Result<Contracts> {
    let contracts = deployed.unwrap_or(Contracts {
        token,
        anchor,
        start_block: 0,
    });
    if (contracts.token, contracts.anchor) != (token, anchor) {
        bail!(
            "contracts.json names {}, the ledger is bound to {anchor}",
            contracts.anchor
        );
    }
    if !evm.has_code(anchor).await? {
        bail!(
            "the EVM node has no contract at {anchor}: its state was lost or it is another chain; use another --data-dir"
        );
    }
    Ok(contracts)
}

/// Binds the ledger to the contracts; false when the epoch passed meanwhile.
async fn bind(
    keys: &Keys,
    genesis: &Genesis,
    nodes: &[NodeClient],
    contracts: Contracts,
    from_epoch: u64,
) -> Result<bool> {
    let founder = keys.founder()?;
    let node = furthest(nodes).await?;
    let nonce = node
        .account(address_of_secret(&founder))
        .await?
        .map_or(0, |account| account.nonce)
        + 1;
    let payload = Payload::SetAnchor(SetAnchor {
        token: contracts.token,
        anchor: contracts.anchor,
        from_epoch,
        validators_hash: genesis.validators.hash(),
        nonce,
    });
    submit(&node, &genesis.domain(), payload, &founder)
        .await
        .context("bind the ledger to the contracts")?;
    let deadline = Instant::now() + READY_TIMEOUT;
    loop {
        let status = any_status(nodes).await?;
        if status.anchor == Some(contracts.anchor) {
            return Ok(true);
        }
        if status.epoch > from_epoch {
            return Ok(false);
        }
        if Instant::now() > deadline {
            bail!("the ledger did not reach epoch {from_epoch} within {READY_TIMEOUT:?}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn any_status(nodes: &[NodeClient]) -> Result<client::StatusAnswer> {
    Ok(furthest(nodes).await?.status().await?)
}
