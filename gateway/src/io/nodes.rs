//! The sidechain's nodes: any of them answers any question, so the next one is asked when one does not.

use alloy_primitives::Address;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use client::{AccountAnswer, NodeClient, OutletAnswer, StatusAnswer};
use futures::future::select_ok;
use problem::{Problem, Refusal};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Longer than a node waits for finality.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A node that takes longer to accept a connection is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Nodes that take longer to answer a question of our own count as silent.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// A node that has not answered a GET by then is passed over.
const GET_TIMEOUT: Duration = Duration::from_secs(3);
/// A refusal for now is taken to the next node only this long after the request came: a client waits as well.
const NEXT_NODE_WITHIN: Duration = Duration::from_secs(5);
/// Headers that travel in both directions.
const HEADERS: [HeaderName; 3] = [
    header::CONTENT_TYPE,
    header::RETRY_AFTER,
    HeaderName::from_static("x-request-id"),
];

/// Clients of the configured nodes; the one that answered last is asked first.
#[derive(Debug)]
pub struct Nodes {
    http: reqwest::Client,
    urls: Vec<String>,
    /// The one that answered last.
    preferred: AtomicUsize,
}

/// A node's answer.
pub struct Answer {
    /// The node's HTTP status, passed on as it is.
    pub status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Whether another node may answer better: this one is not well, or behind.
fn is_temporary(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Whether a path says the same to everybody who reads it. Some readers resolve dots and take a backslash for a slash:
/// then it could lead out of the API.
pub fn is_plain(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let hides = |segment: &str| matches!(segment, "." | "..") || segment.contains(['\\', '%']);
    !path.split('/').any(hides)
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let value = |name: &HeaderName| {
        headers
            .get(name)
            .cloned()
            .map(|value: HeaderValue| (name.clone(), value))
    };
    HEADERS.iter().filter_map(value).collect()
}

impl Nodes {
    /// Clients of all nodes.
    pub fn new(urls: &[String]) -> Self {
        let http = reqwest::Client::builder()
            .timeout(REQUEST_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy();
        let urls = urls
            .iter()
            .map(|url| url.trim_end_matches('/').to_owned())
            .collect();

        Self {
            http: http.build().unwrap_or_default(),
            urls,
            preferred: AtomicUsize::new(0),
        }
    }

    /// Sends a request to one node after the other until one answers. Every request may be sent twice: a sale is
    /// unique by its key, a transaction by its nonce or key.
    pub async fn send(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Refusal> {
        let (started, first) = (Instant::now(), self.preferred.load(Ordering::Relaxed));
        let mut refused = None;

        for turn in 0..self.urls.len() {
            let place = (first + turn) % self.urls.len();

            // Before the answer: a client that does not wait for a silent node must not find it again.
            self.preferred
                .store((place + 1) % self.urls.len(), Ordering::Relaxed);

            match self
                .ask(place, method, path, passed_on(headers), body.clone())
                .await
            {
                Ok(answer)
                    if is_temporary(answer.status) && started.elapsed() < NEXT_NODE_WITHIN =>
                {
                    refused = Some(answer);
                }
                Ok(answer) => {
                    self.preferred.store(place, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(error) => {
                    tracing::warn!(node = %self.urls[place], %error, "a node does not answer")
                }
            }
        }

        let detail = "no node of the sidechain answers; send the same request again later";
        refused.ok_or_else(|| Problem::new(503, "no_node_answers", detail).into())
    }

    async fn ask(
        &self,
        place: usize,
        method: &Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> reqwest::Result<Answer> {
        let url = format!("{}{path}", self.urls[place]);
        let timeout = if method == Method::POST {
            REQUEST_TIMEOUT
        } else {
            GET_TIMEOUT
        };

        let request = self
            .http
            .request(method.clone(), url)
            .headers(headers)
            .body(body)
            .timeout(timeout);
        let answer = request.send().await?;

        let (status, headers) = (answer.status(), passed_on(answer.headers()));
        Ok(Answer {
            status,
            headers,
            body: answer.bytes().await?,
        })
    }

    /// What the first node that answers says of itself; all are asked at once.
    pub async fn status(&self) -> Option<StatusAnswer> {
        let nodes: Vec<NodeClient> = self.clients().collect();
        let asked = nodes.iter().map(|node| Box::pin(node.status()));
        let first = tokio::time::timeout(ASK_TIMEOUT, select_ok(asked)).await;
        first.ok()?.ok().map(|(status, _)| status)
    }

    /// What the ledger says of an account, by the first node that answers; `None` when none does.
    pub async fn account(&self, address: Address) -> Option<Option<AccountAnswer>> {
        let nodes: Vec<NodeClient> = self.clients().collect();
        let asked = nodes.iter().map(|node| Box::pin(node.account(address)));
        let first = tokio::time::timeout(ASK_TIMEOUT, select_ok(asked)).await;
        first.ok()?.ok().map(|(account, _)| account)
    }

    /// All outlets, by the first node that answers; `None` when none does.
    pub async fn outlets(&self) -> Option<Vec<OutletAnswer>> {
        let nodes: Vec<NodeClient> = self.clients().collect();
        let asked = nodes.iter().map(|node| Box::pin(node.outlets()));
        let first = tokio::time::timeout(ASK_TIMEOUT, select_ok(asked)).await;
        first.ok()?.ok().map(|(outlets, _)| outlets)
    }

    fn clients(&self) -> impl Iterator<Item = NodeClient> + '_ {
        self.urls
            .iter()
            .map(|url| NodeClient::over(self.http.clone(), url))
    }
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn a_path_that_could_lead_elsewhere_is_not_plain() {
        assert!(is_plain("/api/v1/sales/1/ab/proof?x=%2e%2e/.."));
        for path in [
            "/api/v1/blocks/..\\..\\metrics",
            "/api/v1/../metrics",
            "/api/v1/%2e%2e/x",
            "/api/v1/./x",
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }
}
