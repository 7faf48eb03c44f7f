//! The node's HTTP API, one file a resource.

mod accounts;
mod answer;
mod blocks;
mod checkpoints;
mod exchange;
mod proof;
mod recordings;
mod sales;
mod snapshots;
mod staking;
mod status;
mod transactions;

use crate::io::peers::Peers;
use crate::node::Node;
use answer::{Refusal, internal_error};
use axum::Router;
use secp256k1::SecretKey;
use std::sync::Arc;
use tokio::sync::Semaphore;

pub use status::why_not_ready;

/// What handlers share.
#[derive(Clone)]
pub struct Api {
    /// State and store of this node.
    pub node: Arc<Node>,
    /// The other validators' nodes, to which new transactions are passed on.
    pub peers: Peers,
    /// The validator's key, for copies of the state; none at a node that only follows.
    pub key: Option<SecretKey>,
    batches: Arc<Semaphore>,
}

impl Api {
    /// What the handlers of one node share.
    pub fn new(node: Arc<Node>, peers: Peers, key: Option<SecretKey>) -> Self {
        Self {
            node,
            peers,
            key,
            batches: Arc::new(Semaphore::new(1)),
        }
    }

    /// Checks a batch of transactions on a thread of its own, where it does not hold up the votes. Batches take turns,
    /// so that they leave a processor to consensus.
    async fn check<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = Arc::clone(&self.batches).acquire_owned().await;
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        checked.await.map_err(|error| internal_error(&error))
    }
}

/// Everything that a node serves: the API, what its peers ask for, health and status.
pub fn router(api: Api) -> Router {
    Router::new()
        .merge(sales::router())
        .merge(proof::router())
        .merge(transactions::router())
        .merge(blocks::router())
        .merge(checkpoints::router())
        .merge(accounts::router())
        .merge(staking::router())
        .merge(recordings::router())
        .merge(status::router())
        .merge(exchange::router())
        .merge(snapshots::router())
        .fallback(answer::no_such_route)
        .method_not_allowed_fallback(answer::no_such_method)
        .with_state(api)
}
