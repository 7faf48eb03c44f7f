//! The outlets' video agents: asked for their cameras and previews, and told of the public stream's switch; nothing else.

use crate::config::VideoAgent;
use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use client::{POOL_IDLE_TIMEOUT, read_bounded};
use problem::{Problem, Refusal};
use std::collections::BTreeMap;
use std::time::Duration;

/// An agent answers from memory, or within four seconds when a picture is about to come; one that takes longer is away.
const TIMEOUT: Duration = Duration::from_secs(6);
/// A fragment of a preview has a few hundred kilobytes.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Where each outlet's agent is.
#[derive(Debug)]
pub struct Agents {
    http: reqwest::Client,
    urls: BTreeMap<u64, String>,
}

impl Agents {
    /// Clients of all agents.
    pub fn new(agents: &[VideoAgent]) -> Self {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(TIMEOUT)
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .no_proxy();
        let url = |agent: &VideoAgent| (agent.outlet, agent.url.trim_end_matches('/').to_owned());
        Self {
            http: http.build().unwrap_or_default(),
            urls: agents.iter().map(url).collect(),
        }
    }

    /// Whether this gateway knows an outlet's agent.
    pub fn knows(&self, outlet: u64) -> bool {
        self.urls.contains_key(&outlet)
    }

    /// An agent's answer, kept by nobody on the way: after a revocation it is gone everywhere.
    pub async fn get(&self, outlet: u64, path: &str) -> Result<Response, Refusal> {
        self.send(outlet, Method::GET, path, Bytes::new()).await
    }

    /// Hands JSON on, and the agent's answer back.
    pub async fn put(&self, outlet: u64, path: &str, json: Bytes) -> Result<Response, Refusal> {
        self.send(outlet, Method::PUT, path, json).await
    }

    async fn send(
        &self,
        outlet: u64,
        method: Method,
        path: &str,
        json: Bytes,
    ) -> Result<Response, Refusal> {
        let away = || {
            Refusal::from(Problem::new(
                503,
                "no_agent_answers",
                "the outlet's video agent does not answer",
            ))
        };

        let url = self.urls.get(&outlet).ok_or_else(away)?;
        let request = self
            .http
            .request(method, format!("{url}{path}"))
            .header(header::CONTENT_TYPE, "application/json");
        let answer = request.body(json).send().await.map_err(|_| away())?;

        let status =
            StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
        let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
        let body = read_bounded(answer, ANSWER_BYTES_MAX).await;
        let body = body.map_err(|_| away())?;

        let mut response = (
            status,
            [(header::CACHE_CONTROL, "no-store")],
            Body::from(body),
        )
            .into_response();
        if let Some(kind) = kind {
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }

        Ok(response)
    }
}
