//! Asks a node of the sidechain what is in force.

use crate::core::consent::{Asked, Listed, Permission};
use crate::gate::{ConsentGate, GateError};
use crate::io::clock;
use std::time::Duration;

/// An answer that is larger than this is none.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The consent gate over nodes' HTTP API. The first node that is ready and answers counts.
pub(crate) struct NodeGate {
    http: reqwest::Client,
    urls: Vec<String>,
}

impl NodeGate {
    pub fn new(urls: &[String], timeout: Duration) -> Result<Self, GateError> {
        let http = reqwest::Client::builder().timeout(timeout).redirect(reqwest::redirect::Policy::none()).build();
        let http = http.map_err(|source| GateError::Unreachable { source: Some(source.into()) })?;
        let urls = urls.iter().map(|url| url.trim_end_matches('/').to_owned()).collect();
        Ok(Self { http, urls })
    }

    async fn get(&self, url: String) -> Result<Vec<u8>, reqwest::Error> {
        let mut answer = self.http.get(url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                break;
            }
        }
        Ok(body)
    }

    async fn ask_one(&self, url: &str, asked: &Asked) -> Result<Permission, GateError> {
        let unreachable = |source: reqwest::Error| GateError::Unreachable { source: Some(source.into()) };
        let (outlet, camera) = (asked.outlet, asked.camera);
        let list = format!("{url}/api/v1/outlets/{outlet}/consents?camera={camera}");
        let (_, body) = tokio::try_join!(self.get(format!("{url}/readyz")), self.get(list)).map_err(unreachable)?;
        let listed: Vec<Listed> = serde_json::from_slice(&body).map_err(|source| GateError::Answer { source })?;
        Ok(asked.permitted(&listed, clock::now_ms()))
    }
}

#[async_trait::async_trait]
impl ConsentGate for NodeGate {
    async fn ask(&self, asked: &Asked) -> Result<Permission, GateError> {
        let mut last = GateError::Unreachable { source: None };
        for url in &self.urls {
            match self.ask_one(url, asked).await {
                Ok(permission) => return Ok(permission),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}
