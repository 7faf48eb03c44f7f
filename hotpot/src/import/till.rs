//! An outlet's own till: its key alone signs, and the network is somewhere else.

use crate::commands::wallet::password;
use crate::import::command::OrdersArgs;
use crate::import::local::check_currency;
use crate::import::run::{Source, outlet_of_till};
use anyhow::{Context, Result, bail};
use client::NodeClient;
use domain::crypto::address_of_secret;
use domain::{Address, Genesis};
use import::{Destination, Map, Signer};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wallet::SecretKey;

/// The till of `--keystore` and the network of `--node`.
pub async fn open(args: &OrdersArgs, map: &Map) -> Result<Source> {
    if map.buyer.wallet_one_in > 0 {
        bail!(
            "the map gives orders to made wallets (buyer.wallet_one_in), for which there is no key here: take it out"
        );
    }
    let nodes: Vec<NodeClient> = args.node.iter().map(|url| NodeClient::new(url)).collect();
    let genesis = agreed_genesis(&nodes, args).await?;
    let key = open_key(args)?;
    let outlet = find_outlet(&nodes, address_of_secret(&key), map).await?;

    Ok(Source {
        signer: Arc::new(Signer {
            domain: genesis.domain(),
            currency: map.currency,
            terminals: BTreeMap::from([(outlet, key)]),
            wallets: Vec::new(),
        }),
        destination: Destination {
            nodes,
            rate: args.rate,
        },
        state_dir: args
            .state_dir
            .clone()
            .unwrap_or_else(|| state_beside(&args.file)),
        registrar: None,
    })
}

fn open_key(args: &OrdersArgs) -> Result<SecretKey> {
    let file = args.keystore.as_deref().context("--keystore is missing")?;
    let keystore = wallet::read_keystore(file)?;
    let password = password::existing(file, args.password_file.as_deref())?;
    let opened = keystore
        .open(&password)
        .with_context(|| format!("key file {}", file.display()))?;
    Ok(opened.key)
}

/// `orders.csv.import` beside `orders.csv`.
fn state_beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".import");
    PathBuf::from(name)
}

/// What is signed for is not one node's word, where several are named.
async fn agreed_genesis(nodes: &[NodeClient], args: &OrdersArgs) -> Result<Genesis> {
    let mut agreed: Option<Genesis> = None;
    for node in nodes {
        let genesis = node
            .genesis()
            .await
            .with_context(|| format!("ask {}", node.base()))?;
        let found = genesis.sidechain_id();
        let expected = args
            .sidechain_id
            .or(agreed.as_ref().map(Genesis::sidechain_id));
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            bail!(
                "{} is of sidechain {found}, expected {expected}: nothing was signed",
                node.base()
            );
        }
        agreed = Some(genesis);
    }

    agreed.context("--node is missing")
}

/// The outlet that the till sells for, which the map must have.
async fn find_outlet(nodes: &[NodeClient], till: Address, map: &Map) -> Result<u64> {
    let node = nodes.first().context("--node is missing")?;
    let outlets = node.outlets().await?;
    let Some((outlet, answer)) = outlet_of_till(&outlets, till) else {
        bail!(
            "{till} is no till of any outlet there: its owner enrols it (hotpot wallet sign, RegisterTerminal)"
        );
    };

    if !map.outlets.iter().any(|spec| spec.id == outlet) {
        bail!("the till sells for outlet {outlet}, which the map does not have");
    }
    check_currency(answer, map)?;
    Ok(outlet)
}
