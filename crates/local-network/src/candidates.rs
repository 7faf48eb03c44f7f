//! Candidates of a local network: validators with an outlet each, so that elections can be seen.

use crate::registrations::{Opening, Registrations, furthest_node};
use anyhow::{Context, Result};
use client::{NodeClient, next_nonce, submit_and_wait};
use domain::crypto::address_of_secret;
use domain::transaction::RegisterValidator;
use domain::{Currency, ElectionRules, OutletId, OutletKind, Payload, Signature, TerminalKind};
use secp256k1::SECP256K1;

/// Their outlets' numbers start here, far from those that imports use.
const FIRST_OUTLET: OutletId = 9_001;
/// Where the outlets stand in turn, with what each city counts.
const CITIES: [(&str, u32); 8] = [
    ("Tbilisi", 1_000_000),
    ("Batumi", 900_000),
    ("Kutaisi", 900_000),
    ("Rustavi", 800_000),
    ("Gori", 700_000),
    ("Zugdidi", 700_000),
    ("Poti", 600_000),
    ("Telavi", 600_000),
];

/// The election's rules in a local network.
pub fn election_rules() -> ElectionRules {
    let city_weights = CITIES
        .into_iter()
        .map(|(city, weight)| (city.to_owned(), weight))
        .collect();
    ElectionRules {
        city_weights,
        ..ElectionRules::default()
    }
}

/// The outlet of a candidate.
fn candidate_outlet(number: usize) -> OutletId {
    FIRST_OUTLET + number as OutletId
}

/// Registers what of the candidates is not registered yet.
pub async fn register(registrations: Registrations<'_>, count: usize) -> Result<()> {
    let keys = registrations.keys;
    let node = &furthest_node(registrations.nodes).await?;
    let known = node.outlets().await?;
    let currency: Currency = "GEL".parse().map_err(anyhow::Error::msg)?;

    for number in 0..count {
        let id = candidate_outlet(number);
        let owner = address_of_secret(&keys.owner(id)?);
        let found = known.iter().find(|outlet| outlet.outlet == id);

        if found.is_none() {
            let city = CITIES[number % CITIES.len()].0.to_owned();
            let opening = Opening {
                outlet: id,
                kind: OutletKind::OwnerOperated,
                city,
                currency,
            };
            registrations.register_outlet(node, &opening, owner).await?;
        }

        if found.is_none_or(|outlet| outlet.terminals.is_empty()) {
            let terminal = address_of_secret(&keys.terminal(id)?);
            registrations
                .register_terminal(node, id, terminal, TerminalKind::Physical)
                .await?;
        }

        register_validator(registrations, node, number).await?;
    }

    Ok(())
}

async fn register_validator(
    registrations: Registrations<'_>,
    node: &NodeClient,
    number: usize,
) -> Result<()> {
    let keys = registrations.keys;
    let (validator, id) = (keys.validator(number)?, candidate_outlet(number));

    let registered = node.candidates().await?;
    if registered
        .iter()
        .any(|candidate| candidate.address == address_of_secret(&validator))
    {
        return Ok(());
    }

    let owner = keys.owner(id)?;
    let domain = registrations.domain();
    let consent = domain.validator_consent_digest(id, address_of_secret(&owner));
    let payload = Payload::RegisterValidator(RegisterValidator {
        outlet: id,
        public_key: validator.public_key(SECP256K1).serialize().into(),
        consent: Signature::sign(consent, &validator),
        nonce: next_nonce(node, address_of_secret(&owner)).await?,
    });

    submit_and_wait(node, &domain, payload, &owner)
        .await
        .with_context(|| format!("register validator {number}"))
}
