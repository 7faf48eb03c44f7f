//! What an operator may set.

use alloy::primitives::Address;
use serde::{Deserialize, Serialize};
use service_kit::SecretUrl;
use service_kit::database::DatabaseConfig;
use service_kit::doors::DoorLimits;
use service_kit::mistakes::{ConfigMistakes, refuse_mistakes};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

const WEI_PER_GWEI: u128 = 1_000_000_000;

/// The relayer's configuration, by section.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the journal of intents, slots and variants is kept.
    pub database: DatabaseConfig,
    /// The EVM chain.
    pub blockchain: BlockchainConfig,
    /// The sidechain's nodes, which give checkpoints and chunks.
    pub node: NodeConfig,
    /// The key that pays for gas.
    pub signer: SignerConfig,
    /// Health and metrics.
    pub http: HttpConfig,
}

/// Section `[blockchain]`: the EVM chain, the contracts on it, fees and pace.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BlockchainConfig {
    /// JSON-RPC over HTTP; may hold a provider's key, so only its scheme, host and port are shown.
    pub rpc_url: SecretUrl,
    /// What `eth_chainId` must answer; the relayer sends nothing to another chain.
    pub chain_id: u64,
    /// Address of the CheckpointAnchor contract.
    pub anchor: Address,
    /// The FranchiseToken; must be the anchor's.
    pub token: Address,
    /// Blocks until a block counts as final, where the chain knows neither `finalized` nor `safe`. Default 12.
    pub finality_depth_fallback: u64,
    /// The most gwei per gas that is ever offered; above it transactions wait. Default 200.
    pub max_fee_gwei_cap: u64,
    /// Payouts are not begun while the estimated fee is above this; they lose nothing by waiting. Default 100.
    pub payout_fee_gwei_cap: u64,
    /// Blocks without inclusion after which the fee is raised by an eighth. Default 4.
    pub bump_after_blocks: u64,
    /// The most unconfirmed transactions. Default 4.
    pub in_flight_max: usize,
    /// Milliseconds between two looks at the chain. Default 2000; about half a block's time is right.
    pub poll_interval_ms: u64,
    /// Milliseconds after which a request counts as failed. Default 10000.
    pub request_timeout_ms: u64,
}

impl Default for BlockchainConfig {
    fn default() -> Self {
        Self {
            rpc_url: SecretUrl::default(),
            chain_id: 0,
            anchor: Address::ZERO,
            token: Address::ZERO,
            finality_depth_fallback: 12,
            max_fee_gwei_cap: 200,
            payout_fee_gwei_cap: 100,
            bump_after_blocks: 4,
            in_flight_max: 4,
            poll_interval_ms: 2_000,
            request_timeout_ms: 10_000,
        }
    }
}

impl BlockchainConfig {
    pub(crate) fn max_fee_cap(&self) -> u128 {
        u128::from(self.max_fee_gwei_cap) * WEI_PER_GWEI
    }

    pub(crate) fn payout_fee_cap(&self) -> u128 {
        u128::from(self.payout_fee_gwei_cap) * WEI_PER_GWEI
    }

    pub(crate) fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.poll_interval_ms)
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}

/// Section `[node]`: the sidechain's nodes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NodeConfig {
    /// Sidechain nodes, such as `http://127.0.0.1:7000`; asked in this order. At least one is needed.
    pub urls: Vec<String>,
}

/// Section `[signer]`: the key that pays for gas.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignerConfig {
    /// The key that pays for gas: an encrypted keystore, mode 0600. It has no right in any contract.
    pub keystore_file: PathBuf,
    /// A file with the keystore's passphrase; trailing white space is not part of it.
    pub passphrase_file: PathBuf,
}

/// Section `[http]`: health and metrics.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Where `/healthz` and `/readyz` are served. Default 127.0.0.1:7200; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where `/metrics` is served instead of there. Without it, it is shown at `listen` if that is on loopback, and else
    /// nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// What strangers may take.
    pub limits: DoorLimits,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7200)),
            metrics_listen: None,
            limits: DoorLimits::default(),
        }
    }
}

impl Config {
    /// Checks everything that can be checked without asking anybody.
    pub(crate) fn check(&self) -> Result<(), ConfigMistakes> {
        let checks = [
            self.database.missing_url(),
            (
                self.blockchain.rpc_url.is_empty(),
                "blockchain.rpc_url is missing",
            ),
            (
                self.blockchain.chain_id == 0,
                "blockchain.chain_id is missing",
            ),
            (
                self.blockchain.anchor.is_zero(),
                "blockchain.anchor is missing",
            ),
            (
                self.blockchain.token.is_zero(),
                "blockchain.token is missing",
            ),
            (
                self.blockchain.in_flight_max == 0,
                "blockchain.in_flight_max must be at least 1",
            ),
            (
                self.blockchain.poll_interval_ms == 0,
                "blockchain.poll_interval_ms must be at least 1",
            ),
            (self.node.urls.is_empty(), "node.urls is empty"),
            (
                self.signer.keystore_file.as_os_str().is_empty(),
                "signer.keystore_file is missing",
            ),
            (
                self.signer.passphrase_file.as_os_str().is_empty(),
                "signer.passphrase_file is missing",
            ),
        ];

        refuse_mistakes(checks.into_iter().chain(self.http.limits.mistakes()))
    }
}
