//! The contracts of a local network, and the ledger bound to them.

use crate::evm::Evm;
use crate::keys::Keys;
use crate::layout::Layout;
use crate::network_file::Contracts;
use crate::registrations::{furthest_node, is_outdated};
use anyhow::{Context, Result, bail};
use client::{NodeClient, next_nonce, submit_and_wait};
use domain::crypto::address_of_secret;
use domain::transaction::SetAnchor;
use domain::{Genesis, Payload};
use std::time::Duration;
use tokio::time::Instant;

/// How long the validators may take to start, or an epoch to end.
const READY_TIMEOUT: Duration = Duration::from_secs(300);

/// The contracts in force; deploys and binds them when there are none.
pub async fn deploy_or_find(
    layout: &Layout,
    keys: &Keys,
    genesis: &Genesis,
    nodes: &[NodeClient],
    evm: &Evm,
    say: &dyn Fn(&str),
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
        say("deploying the contracts and waiting until they are final");
        evm.fund_local(&[address_of_secret(&keys.founder()?)])
            .await?;
        let from_epoch = status.epoch + 1;
        let contracts = evm.deploy(genesis, from_epoch).await?;
        service_kit::files::write_atomically(&path, &serde_json::to_vec_pretty(&contracts)?)?;
        match bind_contracts(keys, genesis, nodes, contracts, from_epoch).await {
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
async fn bind_contracts(
    keys: &Keys,
    genesis: &Genesis,
    nodes: &[NodeClient],
    contracts: Contracts,
    from_epoch: u64,
) -> Result<bool> {
    let founder = keys.founder()?;
    let node = furthest_node(nodes).await?;
    let nonce = next_nonce(&node, address_of_secret(&founder)).await?;

    let payload = Payload::SetAnchor(SetAnchor {
        token: contracts.token,
        anchor: contracts.anchor,
        from_epoch,
        validators_hash: genesis.validators.hash(),
        nonce,
    });
    submit_and_wait(&node, &genesis.domain(), payload, &founder)
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
    Ok(furthest_node(nodes).await?.status().await?)
}
