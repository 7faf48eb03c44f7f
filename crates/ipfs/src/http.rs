//! Requests to others: a time limit for each, answers read up to a bound, passing faults tried again.

use crate::error::IpfsError;
use backon::{ExponentialBuilder, Retryable};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use service_kit::Secret;
use std::time::Duration;

/// Who does not take a connection within this is away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one with content may take: 64 MiB at 4 Mbit/s.
pub(crate) const UPLOAD_TIMEOUT: Duration = Duration::from_secs(150);
/// The first pause before another try; the next is twice as long, with some chance in it.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// Tries after the first. Who needs more patience than this keeps the work in a queue.
const RETRIES: usize = 3;
/// What an answer without content may have.
pub(crate) const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How much of a refusal is shown.
const DETAIL_CHARS_MAX: usize = 300;

/// One API at one address.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    base: String,
    token: Option<Secret>,
}

impl Http {
    pub(crate) fn new(base: &str, token: Option<Secret>) -> Result<Self, IpfsError> {
        let wrong = |what: &str| IpfsError::Url {
            what: what.to_owned(),
        };
        let url = Url::parse(base).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(&format!("the scheme is {}", url.scheme())));
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(wrong("it has more than scheme, host, port and path"));
        }
        // A redirect could carry the token elsewhere; these APIs have none.
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none());
        let client = client
            .no_proxy()
            .build()
            .map_err(|error| wrong(&error.to_string()))?;
        Ok(Self {
            client,
            base: url.as_str().trim_end_matches('/').to_owned(),
            token,
        })
    }

    /// Where requests go; without a secret.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .timeout(REQUEST_TIMEOUT);
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// Sends what may be sent twice, again and again as long as the fault can pass.
    pub(crate) async fn send_again(
        &self,
        max: usize,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Vec<u8>, IpfsError> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(RETRY_PAUSE)
            .with_max_times(RETRIES)
            .with_jitter();
        (|| self.send(max, request()))
            .retry(pauses)
            .when(IpfsError::is_retryable)
            .await
    }

    /// Sends once.
    pub(crate) async fn send(
        &self,
        max: usize,
        request: RequestBuilder,
    ) -> Result<Vec<u8>, IpfsError> {
        let answer = request
            .send()
            .await
            .map_err(|error| self.transport(error))?;
        let status = answer.status();
        if status.is_success() {
            return self.body(answer, max).await;
        }
        let body = self
            .body(answer, ANSWER_BYTES_MAX)
            .await
            .unwrap_or_default();
        let detail = String::from_utf8_lossy(&body)
            .trim()
            .chars()
            .take(DETAIL_CHARS_MAX)
            .collect();
        Err(IpfsError::Refused {
            url: self.base.clone(),
            status: status.as_u16(),
            detail,
        })
    }

    async fn body(&self, mut answer: Response, max: usize) -> Result<Vec<u8>, IpfsError> {
        let mut body = Vec::new();
        while let Some(part) = answer
            .chunk()
            .await
            .map_err(|error| self.transport(error))?
        {
            if body.len().saturating_add(part.len()) > max {
                return Err(IpfsError::AnswerTooLarge {
                    url: self.base.clone(),
                    max,
                });
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    pub(crate) fn decode<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, IpfsError> {
        serde_json::from_slice(body).map_err(|error| self.malformed(error.to_string()))
    }

    pub(crate) fn malformed(&self, detail: String) -> IpfsError {
        IpfsError::Malformed {
            url: self.base.clone(),
            detail,
        }
    }

    fn transport(&self, error: reqwest::Error) -> IpfsError {
        IpfsError::Transport {
            url: self.base.clone(),
            source: error.without_url(),
        }
    }
}
