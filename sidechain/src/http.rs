//! The node's HTTP API, one file a resource.

mod accounts;
mod answer;
mod blocks;
mod checkpoints;
mod exchange;
mod proof;
mod sales;
mod snapshots;
mod status;
mod transactions;

use crate::io::peers::Peers;
use crate::node::Node;
use axum::Router;
use secp256k1::SecretKey;
use std::sync::Arc;

pub use status::why_not_ready;

/// What handlers share.
#[derive(Clone)]
pub struct Api {
    /// The node.
    pub node: Arc<Node>,
    /// Where new transactions go.
    pub peers: Peers,
    /// The validator's key, for copies of the state; none at a node that only follows.
    pub key: Option<SecretKey>,
}

/// All routes.
pub fn router(api: Api) -> Router {
    Router::new()
        .merge(sales::router())
        .merge(proof::router())
        .merge(transactions::router())
        .merge(blocks::router())
        .merge(checkpoints::router())
        .merge(accounts::router())
        .merge(status::router())
        .merge(exchange::router())
        .merge(snapshots::router())
        .fallback(answer::no_such_route)
        .method_not_allowed_fallback(answer::no_such_method)
        .layer(axum::middleware::from_fn(answer::with_request_id))
        .with_state(api)
}
