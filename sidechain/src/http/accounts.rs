//! Accounts, outlets, validators and the supply.

use super::Api;
use super::answer::{Path, Query, Refusal};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use client::{AccountAnswer, OutletAnswer, SupplyAnswer, TerminalAnswer};
use domain::ledger::Account;
use domain::staking::Stake;
use domain::{Address, Ledger, OutletId, Validator};
use serde::Deserialize;

/// Routes of these resources.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/accounts/{address}", get(show_account))
        .route("/api/v1/outlets", get(list_outlets))
        .route("/api/v1/supply", get(show_supply))
        .route("/api/v1/validators", get(list_validators))
}

async fn show_account(
    State(api): State<Api>,
    Path(address): Path<String>,
) -> Result<Json<AccountAnswer>, Refusal> {
    let address: Address = address.parse().map_err(|_| {
        Refusal::bad_field(
            "address",
            format!("expected 0x and 40 digits, found {address:?}"),
        )
    })?;

    let missing = || Refusal::not_found(format!("{address} holds nothing on the ledger"));
    let ledger = api.node.ledger();
    let Account {
        nonce,
        pending,
        released,
        debt,
    } = ledger.account(address).ok_or_else(missing)?;
    let Stake {
        bonding_ppm,
        bonded,
        unbonding,
    } = ledger.stake(address).cloned().unwrap_or_default();

    Ok(Json(AccountAnswer {
        address,
        nonce,
        pending,
        released,
        debt,
        bonding_ppm,
        bonded,
        unbonding,
    }))
}

async fn list_outlets(State(api): State<Api>) -> Json<Vec<OutletAnswer>> {
    let ledger = api.node.ledger();
    let answer = |(outlet, entry): (OutletId, &domain::outlet::Outlet)| OutletAnswer {
        outlet,
        owner: entry.owner,
        kind: entry.kind,
        city: entry.city.clone(),
        currency: entry.currency,
        terminals: terminals_of(&ledger, outlet),
    };
    Json(ledger.outlets().map(answer).collect())
}

fn terminals_of(ledger: &Ledger, outlet: OutletId) -> Vec<TerminalAnswer> {
    ledger
        .terminals()
        .filter(|(_, terminal)| terminal.outlet == outlet)
        .map(|(address, terminal)| TerminalAnswer {
            address,
            kind: terminal.kind,
            active: terminal.active,
        })
        .collect()
}

async fn show_supply(State(api): State<Api>) -> Json<SupplyAnswer> {
    let ledger = api.node.ledger();
    let supply = ledger.supply();

    Json(SupplyAnswer {
        height: ledger.height(),
        issued: supply.issued,
        reversed: supply.reversed,
        released: supply.released,
        pending: supply.pending,
        unclaimed: supply.receipts,
        bonded: supply.bonded,
        slashed: supply.slashed,
        pool: supply.pool,
        debt: supply.debt,
        sales: supply.sales,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct At {
    height: Option<String>,
}

/// The set that decides a height; without one, that of the next block.
async fn list_validators(
    State(api): State<Api>,
    Query(at): Query<At>,
) -> Result<Json<Vec<Validator>>, Refusal> {
    let Some(text) = at.height else {
        return Ok(Json(api.node.ledger().validators().as_slice().to_vec()));
    };

    let refused = || Refusal::bad_field("height", format!("a height is a number, found {text:?}"));
    let height = text.parse().map_err(|_| refused())?;

    let unknown = || {
        let next = api.node.ledger().next_height();
        Refusal::not_found(format!(
            "no validators are known of height {height}; the next block here is {next}"
        ))
    };

    api.node
        .validators_at(height)?
        .map(|set| Json(set.into()))
        .ok_or_else(unknown)
}
