//! Handing a request on to the nodes.

use super::{CONNECT_TIMEOUT, Nodes, REQUEST_TIMEOUT, UnderWay};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use client::{ANSWER_BYTES_MAX, ReadError, read_bounded};
use domain::{B256, Validator, ValidatorSet};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use problem::{Problem, Refusal};
use service_kit::error::in_full;
use std::time::{Duration, Instant};

/// A node that has not answered a GET by then is given up.
const GET_TIMEOUT: Duration = Duration::from_secs(3);
/// A GET goes to the next node as well when the first has not answered by then; the wait doubles with each node.
const GET_PATIENCE: Duration = Duration::from_millis(700);
/// The same of a POST, whose answer waits for a block: the same signed bytes twice are recorded once.
const POST_PATIENCE: Duration = Duration::from_secs(1);
/// A refusal for now is taken to the next node only this long after the request came: a client waits as well.
const NEXT_NODE_WITHIN: Duration = Duration::from_secs(5);
/// Headers that travel in both directions.
const HEADERS: [HeaderName; 3] = [
    header::CONTENT_TYPE,
    header::RETRY_AFTER,
    HeaderName::from_static("x-request-id"),
];

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

/// Why a node gave no answer.
#[derive(Debug, thiserror::Error)]
enum AskError {
    #[error("no answer")]
    Http(#[from] reqwest::Error),
    #[error("an answer that cannot be read")]
    Body(#[from] ReadError),
}

/// A request as every node gets it.
struct Outgoing<'a> {
    method: &'a Method,
    path: &'a str,
    headers: HeaderMap,
    body: Bytes,
    came: Instant,
}

impl Outgoing<'_> {
    fn is_post(&self) -> bool {
        self.method == Method::POST
    }

    /// Before the next node is asked too.
    fn patience(&self) -> Duration {
        if self.is_post() {
            POST_PATIENCE
        } else {
            GET_PATIENCE
        }
    }

    /// How long the next node has. All of them together have no longer than one alone.
    fn timeout(&self) -> Duration {
        let left = REQUEST_TIMEOUT.saturating_sub(self.came.elapsed());
        if self.is_post() {
            left.max(CONNECT_TIMEOUT)
        } else {
            GET_TIMEOUT
        }
    }

    /// Whether another node may answer better, and there is time to ask it.
    fn may_ask_again(&self, status: StatusCode) -> bool {
        is_temporary(status) && self.came.elapsed() < NEXT_NODE_WITHIN
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
    /// Sends a request to a node, and to the next one as well when it does not answer soon, or not well; the first good
    /// answer counts. Every request may be sent twice: a sale is unique by its key, a transaction by its nonce or key.
    pub async fn send(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Refusal> {
        let request = Outgoing {
            method,
            path,
            headers: passed_on(headers),
            body,
            came: Instant::now(),
        };

        let detail = "no node of the sidechain answers; send the same request again later";
        let answer = self.first_answer(&request).await;
        answer.ok_or_else(|| Problem::new(503, "no_node_answers", detail).into())
    }

    /// The first answer that is not a refusal for now, or else the last of these.
    async fn first_answer(&self, request: &Outgoing<'_>) -> Option<Answer> {
        let mut waiting = self.order().into_iter();
        let (mut tries, mut patience) = (FuturesUnordered::new(), request.patience());
        let (mut newest, mut refused) = (None, None);

        loop {
            if let Some(place) = waiting.next() {
                newest = Some(place);
                tries.push(self.try_node(place, request));
            }

            match tokio::time::timeout(patience, tries.next()).await {
                Ok(Some(Some(answer))) if !request.may_ask_again(answer.status) => {
                    return Some(answer);
                }
                Ok(Some(Some(answer))) => refused = Some(answer),
                Ok(Some(None)) => {}
                Ok(None) => return refused,
                Err(_) => {
                    self.note_silence(newest.take(), request);
                    patience *= 2;
                }
            }
        }
    }

    /// A node that is slow to read counts as one that does not answer. A POST waits for a block, which is nobody's fault.
    fn note_silence(&self, place: Option<usize>, request: &Outgoing<'_>) {
        if let Some(place) = place.filter(|_| !request.is_post()) {
            self.nodes[place].note_failure(self.now());
        }
    }

    async fn try_node(&self, place: usize, request: &Outgoing<'_>) -> Option<Answer> {
        let node = &self.nodes[place];
        let _under_way = UnderWay::begin(&node.in_flight);

        match self.ask(place, request).await {
            Ok(answer) => {
                node.note_success(self.now());
                Some(answer)
            }
            Err(error) => {
                node.note_failure(self.now());
                let (node, error) = (node.client.base(), in_full(&error));
                tracing::warn!(%node, %error, "a node does not answer");
                None
            }
        }
    }

    async fn ask(&self, place: usize, request: &Outgoing<'_>) -> Result<Answer, AskError> {
        let url = format!("{}{}", self.nodes[place].client.base(), request.path);
        let sent = self
            .http
            .request(request.method.clone(), url)
            .headers(request.headers.clone())
            .body(request.body.clone())
            .timeout(request.timeout());
        let answer = sent.send().await?;

        let (status, headers) = (answer.status(), passed_on(answer.headers()));
        let body = read_bounded(answer, ANSWER_BYTES_MAX).await?;
        Ok(Answer {
            status,
            headers,
            body: body.into(),
        })
    }

    /// The set of validators that decides a height, if it has this hash: then it does not matter who said so.
    pub async fn validators_at(&self, height: u64, hash: B256) -> Option<ValidatorSet> {
        let path = format!("/api/v1/validators?height={height}");
        let request = Outgoing {
            method: &Method::GET,
            path: &path,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            came: Instant::now(),
        };

        for place in self.order() {
            let set = self.try_node(place, &request).await.and_then(read_set);
            if let Some(set) = set.filter(|set| set.hash() == hash) {
                return Some(set);
            }
        }
        None
    }
}

fn read_set(answer: Answer) -> Option<ValidatorSet> {
    let validators: Vec<Validator> = serde_json::from_slice(&answer.body).ok()?;
    validators.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::choice::Choice;
    use axum::Router;
    use axum::routing::get;
    use serde_json::json;
    use tokio::net::TcpListener;

    async fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        (listener, url)
    }

    /// A node that answers, and claims a height.
    async fn node(height: u64) -> String {
        let status = json!({
            "ready": true, "validator": null, "sidechain_id": B256::ZERO, "height": height, "epoch": 1,
            "checkpointed_epoch": 0, "mempool": 0, "busy": false,
        });
        let router = Router::new()
            .route("/readyz", get(move || async move { status.to_string() }))
            .route(
                "/x",
                get(|| async { "read" }).post(|body: Bytes| async { body }),
            );

        let (listener, url) = listen().await;
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    async fn answer(nodes: &Nodes, method: &Method) -> (Bytes, Duration) {
        let (started, body) = (Instant::now(), Bytes::from("signed"));
        let sent = nodes.send(method, "/x", &HeaderMap::new(), body).await;
        (sent.ok().unwrap().body, started.elapsed())
    }

    #[tokio::test]
    async fn a_node_that_hangs_costs_a_request_the_patience_and_no_more() {
        // It takes connections, as a stopped process does, and nobody answers.
        let (_hangs, hung) = listen().await;
        let nodes = Nodes::new(&[hung, node(1).await], Choice::RoundRobin, &[]);

        for (turn, method) in [Method::GET, Method::GET, Method::POST]
            .into_iter()
            .enumerate()
        {
            let (body, took) = answer(&nodes, &method).await;
            let is_post = method == Method::POST;
            assert_eq!(body, if is_post { "signed" } else { "read" });
            assert!(took < Duration::from_secs(2), "{method} {turn}: {took:?}");
        }

        nodes.look().await;
        nodes.look().await;
        assert_eq!(nodes.order(), [1, 0], "its circuit is open");
        assert_eq!(nodes.order(), [1, 0], "whosever turn it is");
    }

    #[tokio::test]
    async fn a_node_that_claims_the_highest_number_is_neither_shown_nor_chosen() {
        let urls = [node(u64::MAX).await, node(10).await, node(11).await];
        let nodes = Nodes::new(&urls, Choice::LeastConnections, &[]);
        nodes.look().await;

        assert_eq!(nodes.agreed().map(|agreed| agreed.height), Some(11));
        for _ in 0..3 {
            assert_eq!(nodes.order().last(), Some(&0));
        }
        assert_eq!(nodes.clients_in_step().len(), 2);
    }

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
