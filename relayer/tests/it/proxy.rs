//! A JSON-RPC proxy that loses transactions, or only the answers to them.

use alloy::transports::http::reqwest;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
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
}

impl Proxy {
    pub fn new(upstream: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { upstream, http, sends: Arc::new(Mutex::new(Sends::Pass)) }
    }

    pub fn set(&self, sends: Sends) {
        *self.sends.lock().unwrap() = sends;
    }

    pub fn router(&self) -> Router {
        Router::new().route("/", post(forward)).with_state(self.clone())
    }
}

async fn forward(State(proxy): State<Proxy>, body: Bytes) -> Result<Bytes, StatusCode> {
    let is_send = String::from_utf8_lossy(&body).contains("eth_sendRawTransaction");
    let sends = *proxy.sends.lock().unwrap();
    if is_send && sends == Sends::Lose {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let request = proxy.http.post(&proxy.upstream).header("content-type", "application/json").body(body);
    let answer = request.send().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let answer = answer.bytes().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    if is_send && sends == Sends::LoseAnswers {
        return Err(StatusCode::GATEWAY_TIMEOUT);
    }
    Ok(answer)
}
