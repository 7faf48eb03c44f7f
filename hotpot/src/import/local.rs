//! The network that runs in a folder: its keys sign, and it registers the outlets of a map that are missing.

use crate::import::command::OrdersArgs;
use crate::import::run::{Look, Report, Source, look_at, send_orders};
use anyhow::{Context, Result, bail};
use client::{NodeClient, OutletAnswer};
use domain::crypto::address_of_secret;
use domain::{Address, Genesis, OutletId, TerminalKind};
use import::map::OutletSpec;
use import::{Destination, Map, Progress, Signer};
use local_network::{Keys, NetworkFile, Opening, Registrations};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wallet::SecretKey;

/// The network of a folder, as an import needs it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The network's folder.
    pub data_dir: PathBuf,
    /// Its nodes.
    pub nodes: Vec<NodeClient>,
    /// Names what is signed for.
    pub genesis: Genesis,
    /// Its keys.
    pub keys: Arc<Keys>,
    /// Sales a second; `None` = as fast as they become final.
    pub rate: Option<u32>,
}

/// Registers outlets and tills with the keys of the folder.
#[derive(Clone, Debug)]
pub struct Registrar {
    target: Target,
}

/// The network of `--data-dir`. Only a dry run does without nodes.
pub fn open(args: &OrdersArgs, map: &Map) -> Result<Source> {
    let nodes = match NetworkFile::read(&args.data_dir) {
        Ok(network) => {
            let urls = network.nodes.iter();
            urls.map(|node| NodeClient::new(&node.http)).collect()
        }
        Err(_) if args.dry_run => Vec::new(),
        Err(error) => return Err(error),
    };
    let target = Target {
        nodes,
        genesis: local_network::genesis::read(&args.data_dir.join("genesis.json"))?,
        keys: Arc::new(Keys::open(&args.data_dir)?),
        data_dir: args.data_dir.clone(),
        rate: args.rate,
    };

    target.source(map)
}

impl Target {
    /// What an import under a map signs with and sends to.
    pub fn source(&self, map: &Map) -> Result<Source> {
        let mut terminals: BTreeMap<OutletId, SecretKey> = BTreeMap::new();
        for outlet in &map.outlets {
            terminals.insert(outlet.id, self.keys.terminal(outlet.id)?);
        }
        let wallets = (0..map.buyer.wallets)
            .map(|number| self.keys.guest(number))
            .collect::<Result<Vec<Address>>>()?;

        Ok(Source {
            signer: Arc::new(Signer {
                domain: self.genesis.domain(),
                currency: map.currency,
                terminals,
                wallets,
            }),
            destination: Destination {
                nodes: self.nodes.clone(),
                rate: self.rate,
            },
            state_dir: self.data_dir.join("import"),
            registrar: Some(Registrar {
                target: self.clone(),
            }),
        })
    }

    /// Imports a whole file: registers what is missing, sends all sales, lists what was refused.
    pub async fn import_file(
        &self,
        file: &Path,
        map: &Map,
        progress: &Arc<Progress>,
    ) -> Result<Report> {
        let source = self.source(map)?;
        let look: Look = look_at(file, map.clone(), &source, progress).await?;
        send_orders(&look, &source, progress).await
    }

    /// Registers the map's outlets and their terminals, as far as they are missing.
    pub async fn ensure_outlets(&self, map: &Map) -> Result<()> {
        let registrations = Registrations {
            nodes: &self.nodes,
            genesis: &self.genesis,
            keys: &self.keys,
        };
        registrations
            .until_it_stands(|node| register_missing(registrations, node, map))
            .await
    }
}

impl Registrar {
    /// Registers the map's outlets and their terminals, as far as they are missing.
    pub async fn ensure_outlets(&self, map: &Map) -> Result<()> {
        self.target.ensure_outlets(map).await
    }
}

async fn register_missing(
    registrations: Registrations<'_>,
    node: NodeClient,
    map: &Map,
) -> Result<()> {
    let known = node.outlets().await?;
    for spec in &map.outlets {
        register_outlet(registrations, &node, map, spec, &known)
            .await
            .with_context(|| format!("outlet {}", spec.id))?;
    }
    Ok(())
}

async fn register_outlet(
    registrations: Registrations<'_>,
    node: &NodeClient,
    map: &Map,
    spec: &OutletSpec,
    known: &[OutletAnswer],
) -> Result<()> {
    let keys = registrations.keys;
    let owner = address_of_secret(&keys.owner(spec.id)?);
    let terminal = address_of_secret(&keys.terminal(spec.id)?);

    let found = known.iter().find(|outlet| outlet.outlet == spec.id);
    match found {
        None => {
            let opening = opening_of(map, spec);
            registrations.register_outlet(node, &opening, owner).await?;
        }
        Some(outlet) => check_outlet(outlet, owner, map)?,
    }

    let is_enrolled = found.is_some_and(|outlet| {
        let mut terminals = outlet.terminals.iter();
        terminals.any(|known| known.address == terminal)
    });
    if !is_enrolled {
        registrations
            .register_terminal(node, spec.id, terminal, TerminalKind::Physical)
            .await?;
    }
    Ok(())
}

fn opening_of(map: &Map, spec: &OutletSpec) -> Opening {
    Opening {
        outlet: spec.id,
        kind: spec.kind,
        city: spec.city.clone(),
        currency: map.currency,
    }
}

fn check_outlet(outlet: &OutletAnswer, owner: Address, map: &Map) -> Result<()> {
    if outlet.owner != owner {
        bail!(
            "it is owned by {}, the key of this folder is {owner}",
            outlet.owner
        );
    }
    check_currency(outlet, map)
}

/// An outlet sells in one currency.
pub fn check_currency(outlet: &OutletAnswer, map: &Map) -> Result<()> {
    if outlet.currency != map.currency {
        bail!(
            "outlet {} sells in {}, the map says {}",
            outlet.outlet,
            outlet.currency,
            map.currency
        );
    }
    Ok(())
}
