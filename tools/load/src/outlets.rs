//! The outlets and terminals that sell: registered as far as they are missing.

use crate::network::{Keys, Network};
use anyhow::{Context, Result, ensure};
use client::{NodeClient, OutletAnswer};
use domain::crypto::address_of_secret;
use domain::eip712::DomainSeparator;
use domain::limits::QUOTA_UNLIMITED;
use domain::transaction::{RegisterOutlet, RegisterTerminal};
use domain::{
    Address, Currency, OutletId, OutletKind, Payload, Signature, SignedTransaction, TerminalKind,
    keccak256,
};
use wallet::SecretKey;

/// The first outlet of ours: far from those that an import may name.
const FIRST_OUTLET: OutletId = 900_001;
/// Every outlet sells in it.
pub const CURRENCY: &str = "GEL";
/// How long the registrar's approval lasts.
const APPROVAL_MS: u64 = 3_600_000;

/// A terminal that may sell.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// Its outlet.
    pub outlet: OutletId,
    /// Signs its sales.
    pub key: SecretKey,
    /// The key's address.
    pub address: Address,
}

/// Registers what is missing; gives all terminals, outlets taking turns.
pub async fn ensure(network: &Network, outlets: u64, terminals: u64) -> Result<Vec<Terminal>> {
    let registry = Registry::open(network).await?;
    let known = registry.node.outlets().await?;
    let mut ready = Vec::new();
    for number in 0..outlets {
        let id = FIRST_OUTLET + number;
        let outlet = known.iter().find(|outlet| outlet.outlet == id);
        ready.push(registry.outlet(id, outlet, terminals).await?);
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

/// Whoever may register, at one node.
struct Registry {
    node: NodeClient,
    keys: Keys,
    domain: DomainSeparator,
    founder: SecretKey,
    registrar: SecretKey,
}

impl Registry {
    async fn open(network: &Network) -> Result<Self> {
        let node = network
            .nodes
            .first()
            .context("the network has no node")?
            .clone();
        let keys = network.keys()?;
        let domain = node.genesis().await?.domain();
        Ok(Self {
            founder: keys.get("founder")?,
            registrar: keys.get("registrar")?,
            node,
            keys,
            domain,
        })
    }

    async fn outlet(
        &self,
        id: OutletId,
        known: Option<&OutletAnswer>,
        terminals: u64,
    ) -> Result<Vec<Terminal>> {
        let owner = self.keys.get(&format!("owner-{id}"))?;
        match known {
            None => self.register_outlet(id, address_of_secret(&owner)).await?,
            Some(outlet) => ensure!(
                outlet.owner == address_of_secret(&owner) && outlet.currency.as_str() == CURRENCY,
                "outlet {id} is somebody else's: owned by {}, sells in {}",
                outlet.owner,
                outlet.currency
            ),
        }
        let mut ready = Vec::new();
        for number in 0..terminals {
            let key = self.keys.get(&format!("terminal-{id}-{number}"))?;
            let terminal = Terminal {
                outlet: id,
                key,
                address: address_of_secret(&key),
            };
            let enrolled = |outlet: &OutletAnswer| {
                outlet
                    .terminals
                    .iter()
                    .any(|known| known.address == terminal.address)
            };
            if !known.is_some_and(enrolled) {
                self.register_terminal(&terminal, &owner).await?;
            }
            ready.push(terminal);
        }
        Ok(ready)
    }

    async fn register_outlet(&self, outlet: OutletId, owner: Address) -> Result<()> {
        let approval_ref = keccak256(format!("load {outlet} {owner}"));
        let approval_expires_at_ms = crate::sales::now_ms() + APPROVAL_MS;
        let approval =
            self.domain
                .approval_digest(outlet, owner, approval_ref, approval_expires_at_ms);
        let payload = Payload::RegisterOutlet(RegisterOutlet {
            outlet,
            owner,
            kind: OutletKind::Franchised,
            city: "Tbilisi".into(),
            currency: CURRENCY.parse::<Currency>().map_err(anyhow::Error::msg)?,
            quota_per_day: QUOTA_UNLIMITED,
            terminal_quota_per_day: QUOTA_UNLIMITED,
            approval_ref,
            approval_expires_at_ms,
            approval_signature: Signature::sign(approval, &self.registrar),
            nonce: self.next_nonce(&self.founder).await?,
        });
        self.submit(payload, &self.founder)
            .await
            .with_context(|| format!("register outlet {outlet}"))
    }

    async fn register_terminal(&self, terminal: &Terminal, owner: &SecretKey) -> Result<()> {
        let payload = Payload::RegisterTerminal(RegisterTerminal {
            outlet: terminal.outlet,
            terminal: terminal.address,
            kind: TerminalKind::Physical,
            nonce: self.next_nonce(owner).await?,
        });
        self.submit(payload, owner)
            .await
            .with_context(|| format!("enrol a terminal of outlet {}", terminal.outlet))
    }

    async fn next_nonce(&self, key: &SecretKey) -> Result<u64> {
        Ok(self
            .node
            .account(address_of_secret(key))
            .await?
            .map_or(0, |account| account.nonce)
            + 1)
    }

    async fn submit(&self, payload: Payload, key: &SecretKey) -> Result<()> {
        let signature = Signature::sign(self.domain.transaction_digest(&payload), key);
        self.node
            .post_transaction(&SignedTransaction { payload, signature })
            .await?;
        Ok(())
    }
}
