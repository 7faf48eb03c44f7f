//! What a node can be told.

use crate::core::mempool::MempoolLimits;
use serde::{Deserialize, Serialize};
use service_kit::doors::DoorLimits;
use service_kit::mistakes::{ConfigMistakes, refuse_mistakes};
use std::net::SocketAddr;
use std::path::PathBuf;

/// The whole configuration; see each section.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// Holds the store, the consensus log and the network key. Default `node`.
    pub data_dir: PathBuf,
    /// The genesis file (JSON) that all nodes share. Default `genesis.json`.
    pub genesis_file: PathBuf,
    /// Who this validator is; left out, the node only follows.
    pub validator: ValidatorConfig,
    /// The public API.
    pub http: HttpConfig,
    /// Consensus messages between validators.
    pub p2p: P2pConfig,
    /// How fast blocks follow each other.
    pub consensus: ConsensusConfig,
    /// Bounds of the mempool.
    pub mempool: MempoolLimits,
    /// Copies of the state for the next start.
    pub snapshots: SnapshotConfig,
    /// What is kept for how long.
    pub storage: StorageConfig,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            data_dir: "node".into(),
            genesis_file: "genesis.json".into(),
            validator: ValidatorConfig::default(),
            http: HttpConfig::default(),
            p2p: P2pConfig::default(),
            consensus: ConsensusConfig::default(),
            mempool: MempoolLimits::default(),
            snapshots: SnapshotConfig::default(),
            storage: StorageConfig::default(),
        }
    }
}

impl NodeConfig {
    /// Checks what can be checked without asking anybody.
    pub fn check(&self) -> Result<(), ConfigMistakes> {
        refuse_mistakes(self.http.limits.mistakes())
    }

    /// Where copies of the state are.
    pub fn snapshots_dir(&self) -> PathBuf {
        self.data_dir.join("snapshots")
    }
}

/// The validator's key. Without one, or with one outside of the set, the node follows: it checks and serves every
/// block, and signs nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidatorConfig {
    /// Encrypted keystore, mode 0600.
    pub keystore_file: Option<PathBuf>,
    /// File with its passphrase, mode 0600; needed with a keystore.
    pub passphrase_file: Option<PathBuf>,
    /// The double-sign guard. Keep it outside of what backups restore: an old one allows old signatures again.
    /// Default: `guard` in the data folder.
    pub guard_file: Option<PathBuf>,
}

/// The public API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Address and port. Default `127.0.0.1:7000`.
    pub listen: String,
    /// Where `/metrics` is served instead of there. Without it, it is shown at `listen` if that is on loopback, and else
    /// nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// What strangers may take.
    pub limits: DoorLimits,
    /// Base URLs of the other validators' APIs: transactions go there, checkpoint signatures come from there.
    pub peers: Vec<String>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7000".into(),
            metrics_listen: None,
            limits: DoorLimits::default(),
            peers: Vec::new(),
        }
    }
}

/// Consensus messages between validators (libp2p over TCP).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct P2pConfig {
    /// Multiaddress. Default `/ip4/127.0.0.1/tcp/7100`.
    pub listen: String,
    /// Multiaddresses of all other validators: votes are broadcast, not passed on.
    pub peers: Vec<String>,
}

impl Default for P2pConfig {
    fn default() -> Self {
        Self {
            listen: "/ip4/127.0.0.1/tcp/7100".into(),
            peers: Vec::new(),
        }
    }
}

/// How fast blocks follow each other, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsensusConfig {
    /// The least time of a height: late precommits still enter its certificate. Default 100.
    pub target_time_ms: u64,
    /// The same while much waits: fewer and larger blocks cost less. Default 250.
    pub busy_target_time_ms: u64,
    /// Without transactions a block follows after this. Default 5000.
    pub heartbeat_ms: u64,
    /// How long a proposal is waited for; an absent proposer costs this much. Default 600.
    pub propose_timeout_ms: u64,
    /// How long votes are waited for once more than two thirds are there but differ. Default 300.
    pub vote_timeout_ms: u64,
    /// How much each timeout grows with each round. Default 200.
    pub timeout_delta_ms: u64,
}

impl Default for ConsensusConfig {
    fn default() -> Self {
        Self {
            target_time_ms: 100,
            busy_target_time_ms: 250,
            heartbeat_ms: 5_000,
            propose_timeout_ms: 600,
            vote_timeout_ms: 300,
            timeout_delta_ms: 200,
        }
    }
}

/// Copies of the state for the next start, in `snapshots` in the data folder.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnapshotConfig {
    /// One is made at every height that this divides; 0 makes none. A start executes at most about so many blocks.
    /// Default 5000.
    pub every_blocks: u64,
    /// A node that only follows, with an empty folder, begins with a state that the validators signed, rather than
    /// executing the whole chain. Default true.
    pub join: bool,
}

impl Default for SnapshotConfig {
    fn default() -> Self {
        Self {
            every_blocks: 5_000,
            join: true,
        }
    }
}

/// What the store keeps for how long.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageConfig {
    /// So many of the last blocks are kept, as far as a start and the next checkpoint allow to forget the others; 0 keeps
    /// all. What a node has forgotten it can neither prove nor give to others. Checkpoints, and with them the proofs of
    /// payouts, are kept for ever. Default 0.
    pub keep_blocks: u64,
    /// Lines of sales are erased when their block is so many days old; 0 keeps them. Default 0.
    pub keep_lines_days: u32,
}
