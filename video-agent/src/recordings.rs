//! Wiring of what is kept: vault, backends, ledger, and what works on them.

use crate::config::{Config, IpfsConfig, VaultConfig, read_secret};
use crate::io::genesis;
use crate::io::ledger::{NodeLedger, node_clients};
use crate::io::vault::VaultSink;
use crate::sink::SegmentSink;
use crate::tasks::{erasures, gauges};
use anyhow::{Context, Result};
use ipfs::{Backend, BlockStore, Kubo, Pinata, PinningService};
use recording_vault::{Agent, Backends, MasterSecret, Settings, Vault, Worker};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wallet::SecretKey;

/// An agent's vault with the network behind it.
pub struct Recordings {
    vault: Arc<Vault>,
    sink: Arc<VaultSink>,
    ledger: NodeLedger,
    backends: Backends,
    dir: PathBuf,
}

impl Recordings {
    /// Opens the vault that is configured, if there is one. The first time a node has to be there, which says what
    /// chain it is; afterwards the vault knows.
    pub async fn open(config: &Config) -> Result<Option<Self>> {
        config.check()?;
        let Some(vault) = &config.vault else {
            return Ok(None);
        };
        let clients = node_clients(&config.node.urls)?;
        let genesis = genesis::of_chain(&clients, &vault.dir.join("genesis.json")).await?;
        let backends = open_backends(&config.ipfs)?;
        let (config, settings) = (config.clone(), vault.clone());
        // Keystore and vault are made to be slow to open.
        tokio::task::spawn_blocking(move || {
            let key = agent_key(&config)?;
            let ledger = NodeLedger::new(clients, &genesis, config.outlet, key);
            let agent = Agent { outlet: config.outlet, key, domain: genesis.domain() };
            let vault = Arc::new(open_vault(&settings, agent)?);
            tracing::info!(agent = %vault.agent_address(), dir = %settings.dir.display(), "recordings are kept");
            let sink = Arc::new(VaultSink::new(Arc::clone(&vault), settings.guest_keep_days));
            Ok(Some(Self { vault, sink, ledger, backends, dir: settings.dir }))
        })
        .await?
    }

    /// Takes what cameras record.
    pub fn sink(&self) -> Arc<dyn SegmentSink> {
        Arc::<VaultSink>::clone(&self.sink)
    }

    pub(crate) fn vault(&self) -> Arc<Vault> {
        Arc::clone(&self.vault)
    }

    /// Brings recordings away and takes them back, until `stop`.
    pub(crate) fn start(self, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        let Self {
            vault,
            sink: _,
            ledger,
            backends,
            dir,
        } = self;
        let worker = Worker::new(Arc::clone(&vault), backends, ledger.clone());
        let until = stop.clone();
        tasks.spawn(async move {
            // Every step is durable and may be done twice, so that it can be left anywhere.
            let _ = until.run_until_cancelled(worker.run(until.clone())).await;
        });
        tasks.spawn(erasures::run(
            Arc::new(ledger),
            Arc::clone(&vault),
            stop.clone(),
        ));
        tasks.spawn(gauges::run(vault, dir, stop.clone()));
    }
}

fn agent_key(config: &Config) -> Result<SecretKey> {
    let keystore = config
        .agent
        .keystore_file
        .as_ref()
        .context("agent.keystore_file: is missing")?;
    let passphrase = config
        .agent
        .passphrase_file
        .as_ref()
        .context("agent.passphrase_file: is missing")?;
    let passphrase = std::fs::read_to_string(passphrase)
        .with_context(|| format!("read {}", passphrase.display()))?;
    Ok(wallet::load_key(keystore, wallet::first_line(&passphrase))?)
}

fn open_vault(config: &VaultConfig, agent: Agent) -> Result<Vault> {
    let VaultConfig {
        dir,
        keys_dir,
        spool_bytes_max,
        ..
    } = config.clone();

    let key = agent.key;
    let settings = Settings {
        dir,
        keys_dir,
        spool_bytes_max,
    };

    Vault::open(&settings, &MasterSecret::Keystore(&key), agent).context("open the vault")
}

fn open_backends(config: &IpfsConfig) -> Result<Backends> {
    let mut others = Vec::new();

    for service in &config.pinning_services {
        let token = read_secret(&service.token_file)?;
        others.push(Backend::PinningService(PinningService::new(
            &service.url,
            token,
            service.origins.clone(),
        )?));
    }

    if let Some(pinata) = &config.pinata {
        let jwt = read_secret(&pinata.jwt_file)?;
        others.push(Backend::Pinata(Pinata::new(
            &pinata.api_url,
            &pinata.uploads_url,
            jwt,
        )?));
    }

    Ok(Backends::new(first_backend(config)?, others)?)
}

/// Who is given the content.
fn first_backend(config: &IpfsConfig) -> Result<Backend> {
    if let Some(url) = &config.kubo_url {
        let token = config
            .kubo_token_file
            .as_deref()
            .map(read_secret)
            .transpose()?;
        return Ok(Backend::Kubo(Kubo::new(url, token)?));
    }

    let dir = config
        .block_store_dir
        .as_ref()
        .context("ipfs.kubo_url, ipfs.block_store_dir: give exactly one")?;
    let store =
        BlockStore::open(dir, config.block_store_bytes_max).context("open the block store")?;

    Ok(Backend::BuiltIn(Arc::new(store)))
}
