//! What an address holds on both chains.

use super::Api;
use crate::io::mirror::MirrorError;
use alloy_primitives::Address;
use api_types::{AccountAnswer, AccountOverview, AsOf};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use problem::{Path, Refusal};
use read_model::accounts::{AccountFacts, find_account};
use read_model::network::as_of;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new().route("/api/v1/accounts/{address}", get(show_account))
}

async fn show_account(
    State(api): State<Api>,
    Path(text): Path<String>,
) -> Result<Json<AccountOverview>, Refusal> {
    let wrong = |_| {
        Refusal::bad_field(
            "address",
            format!("expected 0x and 40 digits, found {text:?}"),
        )
    };
    let address: Address = text.parse().map_err(wrong)?;

    let (as_of, facts) = read_account(&api, address).await?;
    // Nonce, pending and debt change with each block: the ledger alone has them. No answer is not zero.
    let ledger = api.nodes.account(address).await;
    let on_ledger = ledger.as_ref().map(Option::as_ref);
    if matches!(on_ledger, Some(None)) && facts.balance == 0 && facts.released == 0 {
        return Err(Refusal::not_found(format!(
            "{address} holds nothing on either chain"
        )));
    }

    let figure = |of: fn(&AccountAnswer) -> u64| on_ledger.map(|account| account.map_or(0, of));
    Ok(Json(AccountOverview {
        address,
        nonce: figure(|account| account.nonce),
        pending: figure(|account| account.pending),
        debt: figure(|account| account.debt),
        released: facts.released,
        minted: facts.minted,
        minted_final: facts.minted_final,
        balance: facts.balance,
        as_of,
    }))
}

async fn read_account(api: &Api, address: Address) -> Result<(AsOf, AccountFacts), MirrorError> {
    let mut moment = api.mirror.snapshot().await?;
    Ok((
        as_of(&mut moment).await?,
        find_account(&mut moment, address).await?,
    ))
}
