//! What the indexer needs to know.

use alloy::primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use service_kit::SecretUrl;
use service_kit::database::DatabaseConfig;
use service_kit::doors::DoorLimits;
use service_kit::mistakes::{ConfigMistakes, refuse_mistakes};
use std::net::SocketAddr;
use std::time::Duration;

/// Everything, by section.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where rows go; its schema must have been migrated.
    pub database: DatabaseConfig,
    /// The EVM chain and the contracts on it.
    pub blockchain: Blockchain,
    /// Nodes of the sidechain, and which chain theirs must be.
    pub node: Node,
    /// Health, readiness, metrics.
    pub http: Http,
}

/// Section `[blockchain]`: the EVM stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Blockchain {
    /// JSON-RPC over HTTP; may hold a provider's key, so only its scheme, host and port are shown. Default `http://127.0.0.1:8545`.
    pub rpc_url: SecretUrl,
    /// The chain that must be behind `rpc_url`; another one is refused. Default 31337.
    pub chain_id: u64,
    /// The token. Required.
    pub token: Address,
    /// The contract that takes checkpoints. Required.
    pub anchor: Address,
    /// The first block to mirror. Not later than the one that deployed the token, or balances would miss what came
    /// before. Default 0. Fixed once the first block is written.
    pub start_block: u64,
    /// How many blocks below the head nothing is replaced any more; used only where the node knows no `finalized`
    /// tag. Too low: a deeper reorganisation stops the indexer. Default 64.
    pub finality_depth: u64,
    /// The most blocks asked for at once below finality; halved whenever the node cannot
    /// answer. Default 2000.
    pub range_blocks_max: u64,
    /// How often a new head is looked for, milliseconds. Default 250.
    pub poll_ms: u64,
    /// How long the head may stay the same before `/readyz` says that the chain stands still, seconds; 0 never says so,
    /// which is right for a chain that mines on demand. A few block times of the chain are right elsewhere. Default 0.
    pub block_interval_max_s: u64,
}

impl Blockchain {
    /// Where to ask; a default would not survive as a secret.
    pub fn rpc_url(&self) -> &str {
        match self.rpc_url.expose() {
            "" => "http://127.0.0.1:8545",
            given => given,
        }
    }

    /// How long the head may stay the same; `None` for ever.
    pub fn block_interval_max(&self) -> Option<Duration> {
        let is_set = self.block_interval_max_s > 0;
        is_set.then(|| Duration::from_secs(self.block_interval_max_s))
    }
}

impl Default for Blockchain {
    fn default() -> Self {
        Self {
            rpc_url: SecretUrl::default(),
            chain_id: 31337,
            token: Address::ZERO,
            anchor: Address::ZERO,
            start_block: 0,
            finality_depth: 64,
            range_blocks_max: 2_000,
            poll_ms: 250,
            block_interval_max_s: 0,
        }
    }
}

/// Section `[node]`: the sidechain's stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Node {
    /// Base URLs of nodes of the sidechain; the next one is asked when one fails. Blocks are checked, so none of
    /// them is trusted. Default `["http://127.0.0.1:7000"]`.
    pub urls: Vec<String>,
    /// The sidechain that must be behind `urls`. Without it the first genesis seen is believed and kept.
    pub sidechain_id: Option<B256>,
    /// How often a new block is looked for, milliseconds. Default 200.
    pub poll_ms: u64,
    /// The most blocks written in one transaction when behind. Default 64.
    pub batch_blocks_max: u64,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            urls: vec!["http://127.0.0.1:7000".into()],
            sidechain_id: None,
            poll_ms: 200,
            batch_blocks_max: 64,
        }
    }
}

/// Section `[http]`: health and metrics.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where `/healthz` and `/readyz` are served. Default `127.0.0.1:7400`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where `/metrics` is served instead of there. Without it, it is shown at `listen` if that is on loopback, and else
    /// nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// What strangers may take.
    pub limits: DoorLimits,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7400)),
            metrics_listen: None,
            limits: DoorLimits::default(),
        }
    }
}

impl Config {
    /// Checks everything that can be checked without asking anybody.
    pub fn check(&self) -> Result<(), ConfigMistakes> {
        let chain = &self.blockchain;
        let rules = [
            (
                chain.token.is_zero(),
                "blockchain.token: the token's address is required",
            ),
            (
                chain.anchor.is_zero(),
                "blockchain.anchor: the anchor's address is required",
            ),
            (
                chain.range_blocks_max == 0,
                "blockchain.range_blocks_max: must be at least 1",
            ),
            (
                self.node.urls.is_empty(),
                "node.urls: at least one node is required",
            ),
            (
                self.node.batch_blocks_max == 0,
                "node.batch_blocks_max: must be at least 1",
            ),
            self.database.missing_url(),
        ];

        refuse_mistakes(rules.into_iter().chain(self.http.limits.mistakes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let mut config = Config::default();
        config.node.urls.clear();
        let mistakes = config.check().unwrap_err().mistakes;
        assert_eq!(mistakes.len(), 4, "{mistakes:?}");
        assert!(mistakes[0].starts_with("blockchain.token"), "{mistakes:?}");
    }
}
