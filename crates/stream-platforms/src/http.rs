//! Requests to a platform: a time limit for each, answers read up to a bound, a new token when one has run out.

use crate::error::PlatformError;
use crate::oauth::Oauth;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How much of a refusal is shown.
const DETAIL_CHARS_MAX: usize = 300;

/// What stands in an address after `?`.
pub(crate) type Query<'a> = &'a [(&'a str, &'a str)];

/// One address, without access.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    base: Url,
}

impl Http {
    pub fn new(base: &str) -> Result<Self, PlatformError> {
        let wrong = |what: String| PlatformError::Url { what };
        let url = Url::parse(base).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https")
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(wrong(format!("an address of {}", url.scheme())));
        }
        // A redirect could carry the token elsewhere; these APIs have none.
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .no_proxy();
        let client = client.redirect(reqwest::redirect::Policy::none()).build();
        Ok(Self {
            client: client.map_err(|error| wrong(error.to_string()))?,
            base: url,
        })
    }

    pub fn request(
        &self,
        method: Method,
        path: &str,
        query: Query<'_>,
    ) -> Result<RequestBuilder, PlatformError> {
        let text = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let url = Url::parse_with_params(&text, query).map_err(|error| PlatformError::Url {
            what: error.to_string(),
        })?;
        Ok(self.client.request(method, url))
    }

    pub async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, PlatformError> {
        let answer = request
            .send()
            .await
            .map_err(|error| self.transport(error))?;
        let status = answer.status();
        let body = self.body(answer).await?;
        if status.is_success() {
            return Ok(body);
        }
        let detail = String::from_utf8_lossy(&body)
            .trim()
            .chars()
            .take(DETAIL_CHARS_MAX)
            .collect();
        Err(PlatformError::Refused {
            url: self.name(),
            status: status.as_u16(),
            detail,
        })
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>, PlatformError> {
        let mut body = Vec::new();
        while let Some(part) = answer
            .chunk()
            .await
            .map_err(|error| self.transport(error))?
        {
            if body.len().saturating_add(part.len()) > ANSWER_BYTES_MAX {
                return Err(PlatformError::AnswerTooLarge {
                    url: self.name(),
                    max: ANSWER_BYTES_MAX,
                });
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    pub fn decode<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, PlatformError> {
        serde_json::from_slice(body).map_err(|error| self.malformed(error.to_string()))
    }

    pub fn malformed(&self, detail: String) -> PlatformError {
        PlatformError::Malformed {
            url: self.name(),
            detail,
        }
    }

    fn transport(&self, error: reqwest::Error) -> PlatformError {
        PlatformError::Transport {
            url: self.name(),
            source: error.without_url(),
        }
    }

    fn name(&self) -> String {
        self.base.to_string()
    }
}

/// One address, with an account's access.
#[derive(Debug)]
pub(crate) struct Api {
    pub http: Http,
    oauth: Oauth,
    headers: HeaderMap,
}

impl Api {
    pub fn new(base: &str, oauth: Oauth) -> Result<Self, PlatformError> {
        Ok(Self {
            http: Http::new(base)?,
            oauth,
            headers: HeaderMap::new(),
        })
    }

    /// With a header that each request carries.
    pub fn with(mut self, name: &'static str, value: &str) -> Result<Self, PlatformError> {
        let value = HeaderValue::from_str(value).map_err(|error| PlatformError::Url {
            what: error.to_string(),
        })?;
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    /// The answer's bytes. A token that ran out is replaced, once.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        query: Query<'_>,
        body: Option<&Value>,
    ) -> Result<Vec<u8>, PlatformError> {
        let token = self.oauth.access(None).await?;
        match self
            .attempt(&method, path, query, body, token.expose())
            .await
        {
            Err(PlatformError::Refused { status: 401, .. }) => {
                let token = self.oauth.access(Some(&token)).await?;
                self.attempt(&method, path, query, body, token.expose())
                    .await
            }
            other => other,
        }
    }

    async fn attempt(
        &self,
        method: &Method,
        path: &str,
        query: Query<'_>,
        body: Option<&Value>,
        token: &str,
    ) -> Result<Vec<u8>, PlatformError> {
        let request = self
            .http
            .request(method.clone(), path, query)?
            .headers(self.headers.clone())
            .bearer_auth(token);
        let request = match body {
            Some(body) => request.json(body),
            // Google refuses a POST that does not say how long it is.
            None if method == Method::POST => request.header(CONTENT_LENGTH, 0),
            None => request,
        };
        self.http.send(request).await
    }

    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query<'_>,
    ) -> Result<T, PlatformError> {
        self.http
            .decode(&self.call(Method::GET, path, query, None).await?)
    }
}
