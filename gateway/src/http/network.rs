//! The network as a whole, and where all its units are.

use super::Api;
use crate::core::arrows::{list_arrows, parts_away};
use crate::io::mirror::MirrorError;
use api_types::{
    AsOf, EpochsOverview, EvmOverview, NetworkOverview, SidechainOverview, SupplyOverview,
    SystemPart,
};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use domain::Genesis;
use problem::Refusal;
use read_model::network::{Elected, Extent, as_of, read_extent, read_supply};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Totals are added up over everything: not more often than this,
const TOTALS_AGE_MIN: Duration = Duration::from_millis(300);
/// nor for more than a tenth of the time.
const TOTALS_SHARE: u32 = 10;

/// After this totals are given up, so that nobody waits behind a database that was stopped: it takes questions, and
/// neither answers nor refuses. Longer than PostgreSQL itself gives a query by default.
const TOTALS_TIMEOUT: Duration = Duration::from_secs(6);

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/network", get(show_network))
        .route("/api/v1/supply", get(show_supply))
}

async fn show_network(State(api): State<Api>) -> Result<Json<NetworkOverview>, Refusal> {
    let genesis = api.mirror.genesis().await?;
    let (as_of, extent) = last_extent(&api).await?;
    let sight = api.watcher.sight();

    let agreed = api.nodes.agreed();
    let validators = match agreed {
        Some(_) => count_validators(&api, genesis, extent.elected).await,
        None => 0,
    };
    let sidechain = agreed.map(|agreed| SidechainOverview {
        height: agreed.height,
        epoch: agreed.epoch,
        validators,
        ready: agreed.ready,
    });

    Ok(Json(NetworkOverview {
        sidechain_id: genesis.sidechain_id(),
        evm_chain_id: genesis.evm_chain_id,
        token: agreed.and_then(|agreed| agreed.token),
        anchor: agreed.and_then(|agreed| agreed.anchor),
        explorer: api.explorer,
        sidechain,
        evm: EvmOverview {
            block: as_of.evm_block,
            finalized_block: as_of.evm_finalized_block,
        },
        epochs: EpochsOverview {
            anchored: extent.anchored,
            anchored_final: extent.anchored_final,
        },
        disagreements: extent.disagreements,
        outlets: extent.outlets,
        accounts: extent.accounts,
        arrows: list_arrows(&sight),
        away: parts_away(&sight),
        as_of,
    }))
}

/// While the database is away, what it said last: who asks wants to know what is away.
async fn last_extent(api: &Api) -> Result<(AsOf, Extent), MirrorError> {
    let mut kept = api.extent.lock().await;
    let last = kept.as_ref().map(|totals| totals.value);
    let is_away = parts_away(&api.watcher.sight()).contains(&SystemPart::Postgresql);
    if let Some(last) = last.filter(|_| is_away) {
        return Ok(last);
    }

    let fresh = kept_or(&mut kept, || extent_as_of(api)).await;
    fresh.or_else(|error| last.ok_or(error))
}

/// Of the set that is elected; of genesis' while no node gives that one.
async fn count_validators(api: &Api, genesis: &Genesis, elected: Option<Elected>) -> usize {
    let hash = elected.map(|elected| elected.hash);
    let height = elected.map_or(1, |elected| elected.from_height);
    let set = api.sets.find(&api.nodes, genesis, hash, height).await;

    let set = set.as_deref().unwrap_or(&genesis.validators);
    set.as_slice().len()
}

async fn extent_as_of(api: &Api) -> Result<(AsOf, Extent), MirrorError> {
    let mut moment = api.mirror.snapshot().await?;
    Ok((as_of(&mut moment).await?, read_extent(&mut moment).await?))
}

async fn show_supply(State(api): State<Api>) -> Result<Json<SupplyOverview>, Refusal> {
    let mut kept = api.supply.lock().await;
    Ok(Json(kept_or(&mut kept, || add_up(&api)).await?))
}

/// Totals with the time until which they are good enough.
#[derive(Clone, Debug)]
pub struct Totals<T> {
    until: Instant,
    value: T,
}

/// Totals that requests share.
pub type Shared<T> = Arc<Mutex<Option<Totals<T>>>>;

/// What is kept, or what is found anew when that is too old. One who adds up is enough: the others wait for it.
async fn kept_or<T: Clone, F>(
    kept: &mut Option<Totals<T>>,
    add_up: impl FnOnce() -> F,
) -> Result<T, MirrorError>
where
    F: Future<Output = Result<T, MirrorError>>,
{
    let started = Instant::now();
    if let Some(totals) = kept.as_ref().filter(|totals| totals.until > started) {
        return Ok(totals.value.clone());
    }

    let late = |_| MirrorError::from(sqlx::Error::PoolTimedOut);
    let added = tokio::time::timeout(TOTALS_TIMEOUT, add_up()).await;
    let value = added.map_err(late)??;
    let until = Instant::now() + TOTALS_AGE_MIN.max(started.elapsed() * TOTALS_SHARE);
    *kept = Some(Totals {
        until,
        value: value.clone(),
    });

    Ok(value)
}

async fn add_up(api: &Api) -> Result<SupplyOverview, MirrorError> {
    let mut moment = api.mirror.snapshot().await?;
    let (as_of, supply) = (as_of(&mut moment).await?, read_supply(&mut moment).await?);
    Ok(SupplyOverview {
        supply,
        height: as_of.height,
        to_mint: supply.released.saturating_sub(supply.minted),
        as_of,
    })
}
