//! Asks a node of the sidechain what is in force.

use crate::core::consent::{Asked, Listed, Permission};
use crate::gate::{ConsentGate, GateError};
use service_kit::clock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// An answer that is larger than this is none.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What one node may take of the time for an answer: one that hangs must leave some to the next.
const SHARE: Duration = Duration::from_millis(300);

/// The consent gate over nodes' HTTP API. The first node that is ready and answers counts, from the last good one on.
pub(crate) struct NodeGate {
    http: reqwest::Client,
    urls: Vec<String>,
    first: AtomicUsize,
}

impl NodeGate {
    pub fn new(urls: &[String], timeout: Duration) -> Result<Self, GateError> {
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build();
        let http = http.map_err(|source| GateError::Unreachable {
            source: Some(source.into()),
        })?;

        let urls = urls
            .iter()
            .map(|url| url.trim_end_matches('/').to_owned())
            .collect();

        Ok(Self {
            http,
            urls,
            first: AtomicUsize::new(0),
        })
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
        let unreachable = |source: reqwest::Error| GateError::Unreachable {
            source: Some(source.into()),
        };
        let (outlet, camera) = (asked.outlet, asked.camera);
        let list = format!("{url}/api/v1/outlets/{outlet}/consents?camera={camera}");
        let (_, body) = tokio::try_join!(self.get(format!("{url}/readyz")), self.get(list))
            .map_err(unreachable)?;
        let listed: Vec<Listed> =
            serde_json::from_slice(&body).map_err(|source| GateError::Answer { source })?;
        Ok(asked.permitted(&listed, clock::now_ms()))
    }
}

#[async_trait::async_trait]
impl ConsentGate for NodeGate {
    async fn ask(&self, asked: &Asked) -> Result<Permission, GateError> {
        let mut last = GateError::Unreachable { source: None };
        let (first, count) = (self.first.load(Ordering::Relaxed), self.urls.len());
        for place in (first..first + count).map(|place| place % count) {
            let share = if count == 1 { Duration::MAX } else { SHARE };
            match tokio::time::timeout(share, self.ask_one(&self.urls[place], asked)).await {
                Ok(Ok(permission)) => return Ok(permission),
                Ok(Err(error)) => last = error,
                Err(_) => last = GateError::Unreachable { source: None },
            }
            // Whoever asks next begins behind it, also if there is no time left for more now.
            self.first.store((place + 1) % count, Ordering::Relaxed);
        }
        Err(last)
    }
}
