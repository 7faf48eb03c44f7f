//! Which network is signed for: asked of a node, or given.

use super::args::{NODE, NetworkArgs};
use anyhow::{Result, bail};
use client::NodeClient;
use domain::eip712::DomainSeparator;
use domain::{Address, B256};
use std::fmt::Display;

/// A network as a signer knows it.
pub struct Network {
    /// What every signature is bound to.
    pub domain: DomainSeparator,
    /// The chain's name.
    pub sidechain_id: B256,
    /// Who is asked and sent to.
    pub node: NodeClient,
}

impl Network {
    /// Asks the node, unless both ids are given; a single one that is given must be the node's.
    pub async fn of(args: &NetworkArgs) -> Result<Self> {
        let node = NodeClient::new(args.node.as_deref().unwrap_or(NODE));
        let (chain_id, sidechain_id) = match (args.chain_id, args.sidechain_id) {
            (Some(chain_id), Some(sidechain_id)) => (chain_id, sidechain_id),
            _ => ask_node(&node, args).await?,
        };
        Ok(Self {
            domain: DomainSeparator::transactions(chain_id, sidechain_id),
            sidechain_id,
            node,
        })
    }

    /// One more than the account's last nonce.
    pub async fn next_nonce(&self, account: Address) -> Result<u64> {
        Ok(client::next_nonce(&self.node, account).await?)
    }
}

async fn ask_node(node: &NodeClient, args: &NetworkArgs) -> Result<(u64, B256)> {
    let genesis = node.genesis().await?;
    let found = (genesis.evm_chain_id, genesis.sidechain_id());
    check_same("--chain-id", args.chain_id, found.0)?;
    check_same("--sidechain-id", args.sidechain_id, found.1)?;
    Ok(found)
}

fn check_same<T: PartialEq + Display>(option: &str, given: Option<T>, found: T) -> Result<()> {
    match given {
        Some(given) if given != found => {
            bail!("{option} is {given}, but the node is of {found}: nothing was signed")
        }
        _ => Ok(()),
    }
}
