//! Starts the engine.

use super::codec::Wire;
use super::context::{Address, EngineKey, HotPot};
use super::handler::Handler;
use super::signer::{GuardedSigner, VoteVerifier};
use crate::config::NodeConfig as OurConfig;
use crate::io::guard_file::GuardFile;
use crate::node::Node;
use crate::tasks::duties::Report;
use anyhow::{Context, Result, anyhow};
use arc_malachitebft_app_channel::app::config::{
    ConsensusConfig, DiscoveryConfig, NodeConfig, P2pConfig, PubSubProtocol, ValuePayload,
    ValueSyncConfig,
};
use arc_malachitebft_app_channel::app::metrics::export;
use arc_malachitebft_app_channel::app::types::Keypair;
use arc_malachitebft_app_channel::app::types::codec::Codec;
use arc_malachitebft_app_channel::{
    Channels, ConsensusContext, EngineHandle, NetworkContext, NetworkIdentity, RequestContext,
    Signer, SyncContext, WalContext, start_engine,
};
use secp256k1::SecretKey;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often a node tells its height; a restarted one learns the tip from it.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// Connections that are taken from one IP address beside those of the peers: nodes that only follow.
const CONNECTIONS_OF_OTHERS: usize = 8;
/// Requests to the engine that may wait.
const REQUESTS_MAX: usize = 100;

/// A validator's key, and the guard that keeps it from signing twice.
pub struct Voter {
    /// The validator's key.
    pub key: SecretKey,
    /// The file that remembers what it signed.
    pub guard: GuardFile,
}

#[derive(Clone)]
struct EngineSettings {
    moniker: String,
    consensus: ConsensusConfig,
    sync: ValueSyncConfig,
}

impl NodeConfig for EngineSettings {
    fn moniker(&self) -> &str {
        &self.moniker
    }

    fn consensus(&self) -> &ConsensusConfig {
        &self.consensus
    }

    fn consensus_mut(&mut self) -> &mut ConsensusConfig {
        &mut self.consensus
    }

    fn value_sync(&self) -> &ValueSyncConfig {
        &self.sync
    }

    fn value_sync_mut(&mut self) -> &mut ValueSyncConfig {
        &mut self.sync
    }
}

fn engine_settings(config: &OurConfig, moniker: String) -> Result<EngineSettings> {
    let multiaddr = |text: &String| {
        text.parse()
            .with_context(|| format!("p2p: {text:?} is not a multiaddress"))
    };
    let p2p = P2pConfig {
        listen_addr: multiaddr(&config.p2p.listen)?,
        persistent_peers: config
            .p2p
            .peers
            .iter()
            .map(multiaddr)
            .collect::<Result<_>>()?,
        // A full mesh of a few validators: a third faster than gossip (docs/adr/0001-malachite.md).
        protocol: PubSubProtocol::Broadcast,
        discovery: DiscoveryConfig {
            max_connections_per_ip: connections_per_ip(config.p2p.peers.len()),
            ..Default::default()
        },
        ..Default::default()
    };
    Ok(EngineSettings {
        moniker,
        consensus: ConsensusConfig {
            value_payload: ValuePayload::ProposalAndParts,
            p2p,
            ..Default::default()
        },
        sync: ValueSyncConfig {
            status_update_interval: STATUS_INTERVAL,
            ..Default::default()
        },
    })
}

/// Connections that are taken from one IP address. All peers may share one, at one site or behind one router, and two
/// peers may have dialled each other at once.
fn connections_per_ip(peers: usize) -> usize {
    2 * peers + CONNECTIONS_OF_OTHERS
}

/// The address of a multiaddress such as `/ip4/127.0.0.1/tcp/7100`; none of one in another form.
fn socket_address(multiaddress: &str) -> Option<SocketAddr> {
    match multiaddress.split('/').collect::<Vec<_>>()[..] {
        ["", "ip4" | "ip6", ip, "tcp", port] => {
            Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
        }
        _ => None,
    }
}

/// The engine only logs that it cannot listen, and then stays alone for ever: a node has to end, so that it is noticed.
fn check_listen(multiaddress: &str) -> Result<()> {
    let Some(address) = socket_address(multiaddress) else {
        return Ok(());
    };
    TcpListener::bind(address)
        .map(drop)
        .with_context(|| format!("p2p.listen: listen on {multiaddress}"))
}

/// The libp2p identity: its own key, kept in the data folder, so that the validator's signs nothing for the network.
fn network_key(path: &Path) -> Result<Keypair> {
    let secret = match std::fs::read(path) {
        Ok(bytes) => <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| anyhow!("{} has no 32 bytes", path.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => new_network_key(path)?,
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    };
    Ok(Keypair::ed25519_from_bytes(secret)?)
}

/// There as a whole or not at all, also after a crash: a node does not start with half a key.
fn new_network_key(path: &Path) -> Result<[u8; 32]> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let secret = secp256k1::SecretKey::new(&mut secp256k1::rand::rng()).secret_bytes();
    let unfinished = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)?;

    file.write_all(&secret)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;

    Ok(secret)
}

/// The engine's own metrics, as Prometheus reads them.
pub fn engine_metrics() -> String {
    let mut text = String::new();
    export(&mut text);
    text
}

/// Whether the engine stopped for good because it could not make a vote durable: an operator has to look.
pub fn safety_failed() -> bool {
    let failed = |line: &str| {
        line.contains("node_safety_failure") && !line.starts_with('#') && !line.ends_with(" 0")
    };
    engine_metrics().lines().any(failed)
}

/// A validator proves to its peers that the network identity is its own.
async fn validator_identity(signer: &GuardedSigner, keypair: Keypair) -> Result<NetworkIdentity> {
    let public_key = EngineKey::new(signer.public_key()).to_vec();
    let proof = signer
        .sign_validator_proof(public_key, keypair.public().to_peer_id().to_bytes())
        .await
        .map_err(|error| anyhow!("sign the validator proof: {error}"))?;
    let name = signer.address().to_string();
    Ok(NetworkIdentity::new_validator(
        name.clone(),
        keypair,
        name,
        Wire.encode(&proof)?,
    ))
}

/// The engine at work, for the node's side of it.
pub(super) struct Engine {
    pub channels: Channels<HotPot>,
    /// None at a node that only follows.
    pub signer: Option<GuardedSigner>,
    pub handle: EngineHandle,
}

/// Starts the engine. Without a voter it only follows.
pub(super) async fn launch_engine(node: &Node, voter: Option<Voter>) -> Result<Engine> {
    check_listen(&node.config.p2p.listen)?;

    let sidechain_id = node.ledger().sidechain_id();
    let signer = voter.map(|voter| {
        GuardedSigner::new(
            voter.key,
            sidechain_id,
            voter.guard,
            node.guard_refusal.clone(),
        )
    });
    let verifier = Box::new(VoteVerifier { sidechain_id });
    let keypair = network_key(&node.config.data_dir.join("network.key"))?;

    let (identity, consensus) = match &signer {
        Some(signer) => {
            let consensus = ConsensusContext::new_validator(
                Address(signer.address()),
                verifier,
                Box::new(signer.clone()),
            );
            (validator_identity(signer, keypair).await?, consensus)
        }
        None => {
            let name = keypair.public().to_peer_id().to_string();
            let nobody = Address(domain::Address::ZERO);
            (
                NetworkIdentity::new(name, keypair, None),
                ConsensusContext::new_full_node(nobody, verifier),
            )
        }
    };

    let settings = engine_settings(&node.config, identity.moniker.clone())?;
    let wal = node.config.data_dir.join("consensus.wal");
    let (channels, handle) = start_engine(
        HotPot,
        settings,
        WalContext::new(wal, Wire),
        NetworkContext::new(identity, Wire),
        consensus,
        SyncContext::new(Wire),
        RequestContext::new(REQUESTS_MAX),
    )
    .await
    .map_err(|error| anyhow!("start the consensus engine: {error:#}"))?;

    Ok(Engine {
        channels,
        signer,
        handle,
    })
}

/// Starts the engine and runs the node's side of it until `stop` or a fatal error. Without a voter it only follows.
/// What it sees of other validators' offences goes to `reporter`.
pub async fn start(
    node: Arc<Node>,
    voter: Option<Voter>,
    reporter: mpsc::Sender<Report>,
    stop: CancellationToken,
) -> Result<()> {
    let Engine {
        channels,
        signer,
        handle,
    } = launch_engine(&node, voter).await?;

    let result = Handler::new(node, signer, reporter)
        .run(channels, stop)
        .await;
    handle.actor.stop(None);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_somebody_else_has_is_refused_by_name() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let multiaddress = format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port());
        let error = format!("{:#}", check_listen(&multiaddress).unwrap_err());
        assert!(
            error.starts_with(&format!(
                "p2p.listen: listen on {multiaddress}: Address already in use"
            )),
            "{error}"
        );
        drop(taken);
        check_listen(&multiaddress).unwrap();
        assert_eq!(
            socket_address("/ip6/::1/tcp/7100"),
            Some("[::1]:7100".parse().unwrap())
        );
        // Looked up by the engine alone.
        assert_eq!(socket_address("/dns4/node-1/tcp/7100"), None);
    }

    #[test]
    fn all_peers_and_some_followers_may_share_one_address() {
        let mut config = OurConfig::default();
        config.p2p.peers = (1..7)
            .map(|number| format!("/ip4/127.0.0.1/tcp/710{number}"))
            .collect();
        let settings = engine_settings(&config, "node".into()).unwrap();
        assert_eq!(settings.consensus.p2p.discovery.max_connections_per_ip, 20);
    }

    #[test]
    fn a_crash_while_the_network_key_was_made_leaves_nothing_that_hinders_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.key");
        std::fs::write(path.with_extension("new"), b"half").unwrap();
        let first = network_key(&path).unwrap().public();
        assert_eq!(network_key(&path).unwrap().public(), first, "it stays");
        assert!(!path.with_extension("new").exists());
    }
}
