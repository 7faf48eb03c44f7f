//! One resource a file.

mod accounts;
mod cameras;
mod cors;
mod description;
mod events;
mod forward;
mod network;
mod page;
mod pages;
mod recordings;
mod sales;

use self::network::Shared;
use crate::io::agents::Agents;
use crate::io::journal::Journal;
use crate::io::mirror::Mirror;
use crate::io::nodes::Nodes;
use crate::io::sets::Sets;
use crate::tasks::events::Hub;
use crate::tasks::pulse::Watcher;
use api_types::{AsOf, SupplyOverview};
use axum::Router;
use problem::{Problem, Refusal};
use read_model::network::Extent;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// What handlers share.
#[derive(Clone)]
pub struct Api {
    /// The sidechain's nodes.
    pub nodes: Arc<Nodes>,
    /// The outlets' video agents.
    pub agents: Arc<Agents>,
    /// The read model.
    pub mirror: Arc<Mirror>,
    /// Sales that came through this gateway.
    pub journal: Arc<Journal>,
    /// How nodes and database answer.
    pub watcher: Arc<Watcher>,
    /// Validators' sets that were proven.
    pub sets: Arc<Sets>,
    /// Messages for readers.
    pub hub: Arc<Hub>,
    /// Readers of messages that may still come.
    pub readers: Arc<Semaphore>,
    /// Readers that may read from the database what they missed, at once.
    pub replays: Arc<Semaphore>,
    /// The last totals: they are added up over everything.
    pub supply: Shared<SupplyOverview>,
    /// The same of the network's extent.
    pub extent: Shared<(AsOf, Extent)>,
    /// A block explorer's address of a transaction.
    pub explorer: Option<String>,
    /// Ends open streams.
    pub stop: CancellationToken,
}

/// Everything that the gateway serves: pages, API, its description, and what is forwarded to nodes.
/// Pages of `write_origins` may write through a browser.
pub fn router(api: Api, write_origins: Vec<String>) -> Router {
    Router::new()
        .merge(network::router())
        .merge(sales::router())
        .merge(recordings::router())
        .merge(accounts::router())
        .merge(cameras::router())
        .merge(events::router())
        .merge(forward::router())
        .merge(description::router())
        .merge(pages::router())
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(cors::allow_origins(write_origins))
        .with_state(api)
}

async fn no_such_route() -> Refusal {
    Refusal::not_found("no such route; the API is described at /docs")
}

async fn no_such_method() -> Refusal {
    Problem::new(
        405,
        "method_not_allowed",
        "this path does not take this method",
    )
    .into()
}
