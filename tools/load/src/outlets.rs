//! The outlets and terminals that sell: registered as far as they are missing.

use crate::network::Network;
use anyhow::{Context, Result, ensure};
use client::{NodeClient, OutletAnswer};
use domain::crypto::address_of_secret;
use domain::{Address, OutletId, OutletKind, TerminalKind};
use local_network::{Opening, Registrations};
use wallet::SecretKey;

/// The first outlet of ours: far from those that an import may name.
const FIRST_OUTLET: OutletId = 900_001;
/// Every outlet sells in it.
pub const CURRENCY: &str = "GEL";

/// A terminal that may sell.
#[derive(Clone, Debug)]
pub struct Terminal {
    pub outlet: OutletId,
    /// Signs its sales.
    pub key: SecretKey,
    /// The key's address.
    pub address: Address,
}

/// Registers what is missing; gives all terminals, outlets taking turns.
pub async fn ensure(network: &Network, outlets: u64, terminals: u64) -> Result<Vec<Terminal>> {
    let node = network.nodes.first().context("the network has no node")?;
    let (genesis, keys) = (node.genesis().await?, network.keys()?);
    let registrations = Registrations {
        nodes: &network.nodes,
        genesis: &genesis,
        keys: &keys,
    };
    let known = node.outlets().await?;

    let mut ready = Vec::new();
    for number in 0..outlets {
        let id = FIRST_OUTLET + number;
        let outlet = known.iter().find(|outlet| outlet.outlet == id);
        ensure_outlet(registrations, node, id, outlet).await?;
        ready.push(ensure_terminals(registrations, node, id, outlet, terminals).await?);
    }

    let turn = |place: usize| {
        ready
            .iter()
            .filter_map(move |outlet| outlet.get(place).cloned())
    };
    Ok((0..terminals)
        .filter_map(|place| usize::try_from(place).ok())
        .flat_map(turn)
        .collect())
}

async fn ensure_outlet(
    registrations: Registrations<'_>,
    node: &NodeClient,
    id: OutletId,
    known: Option<&OutletAnswer>,
) -> Result<()> {
    let owner = address_of_secret(&registrations.keys.owner(id)?);
    if let Some(outlet) = known {
        ensure!(
            outlet.owner == owner && outlet.currency.as_str() == CURRENCY,
            "outlet {id} is somebody else's: owned by {}, sells in {}",
            outlet.owner,
            outlet.currency
        );
        return Ok(());
    }

    let opening = Opening {
        outlet: id,
        kind: OutletKind::Franchised,
        city: "Tbilisi".into(),
        currency: CURRENCY.parse().map_err(anyhow::Error::msg)?,
    };
    registrations.register_outlet(node, &opening, owner).await
}

async fn ensure_terminals(
    registrations: Registrations<'_>,
    node: &NodeClient,
    id: OutletId,
    known: Option<&OutletAnswer>,
    count: u64,
) -> Result<Vec<Terminal>> {
    let enrolled: Vec<Address> = known.map_or_else(Vec::new, |outlet| {
        outlet.terminals.iter().map(|one| one.address).collect()
    });

    let mut ready = Vec::new();
    for number in 0..count {
        let key = registrations.keys.get(&format!("terminal-{id}-{number}"))?;
        let address = address_of_secret(&key);
        if !enrolled.contains(&address) {
            registrations
                .register_terminal(node, id, address, TerminalKind::Physical)
                .await?;
        }
        ready.push(Terminal {
            outlet: id,
            key,
            address,
        });
    }
    Ok(ready)
}
