//! Outlets and terminals, registered with the keys of a data folder.

use crate::keys::Keys;
use anyhow::{Context, Result};
use client::{ClientError, NodeClient, next_nonce, submit_and_wait};
use domain::crypto::address_of_secret;
use domain::eip712::DomainSeparator;
use domain::limits::QUOTA_UNLIMITED;
use domain::transaction::{RegisterOutlet, RegisterTerminal};
use domain::{
    Address, Currency, Genesis, OutletId, OutletKind, Payload, Signature, TerminalKind, keccak256,
};
use service_kit::clock::now_ms;
use std::time::Duration;

/// How often what the ledger moved on under is begun anew.
const ATTEMPTS: usize = 20;
/// Pause before that.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a registrar's approval of ours lasts.
const APPROVAL_MS: u64 = 3_600_000;

/// The node with the highest final block.
pub async fn furthest_node(nodes: &[NodeClient]) -> Result<NodeClient> {
    client::furthest_node(nodes)
        .await
        .context("no node answers: is hotpot up running on this folder?")
}

/// Whether the ledger has moved on since a transaction was made.
pub fn is_outdated(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<ClientError>()
        .is_some_and(ClientError::is_outdated)
}

/// What is said of an outlet when it is registered.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The founder's number for it.
    pub outlet: OutletId,
    /// Who runs it.
    pub kind: OutletKind,
    /// Where it stands.
    pub city: String,
    /// The one currency of its prices.
    pub currency: Currency,
}

/// Writes to a running network in the name of its founder and its owners.
#[derive(Clone, Copy, Debug)]
pub struct Registrations<'a> {
    /// The network's nodes.
    pub nodes: &'a [NodeClient],
    /// Its genesis, which names what is signed for.
    pub genesis: &'a Genesis,
    /// Its folder's keys.
    pub keys: &'a Keys,
}

impl Registrations<'_> {
    /// The typed-data domain of this sidechain's transactions.
    pub fn domain(&self) -> DomainSeparator {
        self.genesis.domain()
    }

    /// Tries a step again while other transactions of the same signers become final: what an earlier run has sent may
    /// come meanwhile, and then the ledger is looked at again.
    pub async fn until_it_stands<F>(&self, step: impl Fn(NodeClient) -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        for _ in 0..ATTEMPTS {
            match step(furthest_node(self.nodes).await?).await {
                Err(error) if is_outdated(&error) => tokio::time::sleep(PAUSE).await,
                other => return other,
            }
        }
        step(furthest_node(self.nodes).await?).await
    }

    /// Registers an outlet, with the registrar's approval.
    pub async fn register_outlet(
        &self,
        node: &NodeClient,
        opening: &Opening,
        owner: Address,
    ) -> Result<()> {
        let id = opening.outlet;
        let (founder, registrar) = (self.keys.founder()?, self.keys.registrar()?);
        let domain = self.domain();
        let approval_ref = keccak256(format!("{}\n{id}\n{}", opening.city, now_ms()));
        let approval_expires_at_ms = now_ms() + APPROVAL_MS;
        let approval = domain.approval_digest(id, owner, approval_ref, approval_expires_at_ms);

        let payload = Payload::RegisterOutlet(RegisterOutlet {
            outlet: id,
            owner,
            kind: opening.kind,
            city: opening.city.clone(),
            currency: opening.currency,
            quota_per_day: QUOTA_UNLIMITED,
            terminal_quota_per_day: QUOTA_UNLIMITED,
            approval_ref,
            approval_expires_at_ms,
            approval_signature: Signature::sign(approval, &registrar),
            nonce: next_nonce(node, address_of_secret(&founder)).await?,
        });
        submit_and_wait(node, &domain, payload, &founder)
            .await
            .with_context(|| format!("register outlet {id}"))
    }

    /// Enrols a terminal with its outlet's owner's key.
    pub async fn register_terminal(
        &self,
        node: &NodeClient,
        outlet: OutletId,
        terminal: Address,
        kind: TerminalKind,
    ) -> Result<()> {
        let owner = self.keys.owner(outlet)?;
        let payload = Payload::RegisterTerminal(RegisterTerminal {
            outlet,
            terminal,
            kind,
            nonce: next_nonce(node, address_of_secret(&owner)).await?,
        });

        submit_and_wait(node, &self.domain(), payload, &owner)
            .await
            .with_context(|| format!("enrol the {kind} terminal of outlet {outlet}"))
    }
}
