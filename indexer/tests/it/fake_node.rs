//! The sidechain's edge: a node's HTTP API over blocks that the test makes.

use crate::actors::Chain;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use client::{BlockAnswer, Problem, StatusAnswer};
use domain::Genesis;
use std::sync::{Arc, Mutex};

/// What the node serves.
pub struct Served {
    pub genesis: Genesis,
    pub blocks: Vec<BlockAnswer>,
    /// The height that it claims, if another than it has.
    pub claimed: Option<u64>,
}

#[derive(Clone)]
pub struct FakeNode {
    pub url: String,
    pub served: Arc<Mutex<Served>>,
}

impl FakeNode {
    pub async fn start(chain: &Chain) -> Self {
        let served = Served {
            genesis: chain.ledger.genesis().clone(),
            blocks: chain.blocks.clone(),
            claimed: None,
        };
        let served = Arc::new(Mutex::new(served));
        let router = Router::new()
            .route("/api/v1/genesis", get(genesis))
            .route("/readyz", get(status))
            .route("/api/v1/blocks/{height}", get(block))
            .with_state(served.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, served }
    }

    pub fn serve(&self, chain: &Chain) {
        self.served.lock().unwrap().blocks = chain.blocks.clone();
    }
}

type Shared = State<Arc<Mutex<Served>>>;

async fn genesis(State(served): Shared) -> Json<Genesis> {
    Json(served.lock().unwrap().genesis.clone())
}

async fn status(State(served): Shared) -> Json<StatusAnswer> {
    let served = served.lock().unwrap();
    Json(StatusAnswer {
        ready: true,
        reason: None,
        validator: None,
        sidechain_id: served.genesis.sidechain_id(),
        height: served.claimed.unwrap_or(served.blocks.len() as u64),
        time: String::new(),
        round: 0,
        power: 0,
        power_online: 0,
        power_total: 0,
        signed: None,
        epoch: 1,
        checkpointed_epoch: 0,
        mempool: 0,
        proposed_anchor: None,
        anchor: None,
        token: None,
        busy: false,
        version: String::new(),
    })
}

async fn block(
    State(served): Shared,
    Path(height): Path<usize>,
) -> Result<Json<BlockAnswer>, (StatusCode, Json<Problem>)> {
    let served = served.lock().unwrap();
    let found = height
        .checked_sub(1)
        .and_then(|place| served.blocks.get(place))
        .cloned();
    found.map(Json).ok_or_else(|| {
        (
            StatusCode::NOT_FOUND,
            Json(Problem::new(404, "not_found", "no such block")),
        )
    })
}
