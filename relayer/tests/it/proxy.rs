//! A JSON-RPC proxy that loses transactions, or only the answers to them, or forgets what the anchor holds.

use alloy::primitives::B256;
use alloy::sol_types::SolCall;
use alloy::transports::http::reqwest;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use contract_bindings::CheckpointAnchor::commitmentOfCall;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    /// Go through.
    Pass,
    /// Are lost on the way.
    Lose,
    /// Arrive, and the answer is lost.
    LoseAnswers,
}

#[derive(Clone)]
pub struct Proxy {
    upstream: String,
    http: reqwest::Client,
    sends: Arc<Mutex<Sends>>,
    /// How many more answers about commitments say that there are none.
    forgets: Arc<Mutex<usize>>,
}

impl Proxy {
    pub fn new(upstream: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            upstream,
            http,
            sends: Arc::new(Mutex::new(Sends::Pass)),
            forgets: Arc::default(),
        }
    }

    /// The next answers about commitments say that there are none, as a node does in the middle of a reorganisation.
    pub fn forget_commitments(&self, times: usize) {
        *self.forgets.lock().unwrap() = times;
    }

    /// The ids of the calls whose answers are to be forgotten.
    fn forgotten(&self, request: &Value) -> Vec<Value> {
        let selector = alloy::hex::encode_prefixed(commitmentOfCall::SELECTOR);
        let asks = |call: &&Value| {
            call["params"][0]["input"]
                .as_str()
                .is_some_and(|input| input.starts_with(&selector))
        };
        let ids: Vec<Value> = request
            .as_array()
            .into_iter()
            .flatten()
            .filter(asks)
            .map(|call| call["id"].clone())
            .collect();
        let mut forgets = self.forgets.lock().unwrap();
        if ids.is_empty() || *forgets == 0 {
            return Vec::new();
        }
        *forgets -= 1;
        ids
    }

    pub fn set(&self, sends: Sends) {
        *self.sends.lock().unwrap() = sends;
    }

    pub fn router(&self) -> Router {
        Router::new()
            .route("/", post(forward))
            .with_state(self.clone())
    }
}

async fn forward(State(proxy): State<Proxy>, body: Bytes) -> Result<Bytes, StatusCode> {
    let is_send = String::from_utf8_lossy(&body).contains("eth_sendRawTransaction");
    let sends = *proxy.sends.lock().unwrap();
    if is_send && sends == Sends::Lose {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let request = proxy
        .http
        .post(&proxy.upstream)
        .header("content-type", "application/json")
        .body(body.clone());
    let answer = request.send().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let answer = answer.bytes().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    if is_send && sends == Sends::LoseAnswers {
        return Err(StatusCode::GATEWAY_TIMEOUT);
    }
    let ids = proxy.forgotten(&serde_json::from_slice(&body).unwrap_or_default());
    if ids.is_empty() {
        Ok(answer)
    } else {
        Ok(with_zeros(&answer, &ids))
    }
}

fn with_zeros(answer: &[u8], ids: &[Value]) -> Bytes {
    let mut answers: Vec<Value> = serde_json::from_slice(answer).unwrap();
    for answer in answers
        .iter_mut()
        .filter(|answer| ids.contains(&answer["id"]))
    {
        answer["result"] = json!(B256::ZERO);
    }
    serde_json::to_vec(&answers).unwrap().into()
}
