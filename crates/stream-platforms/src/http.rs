//! Requests to a platform with an account's access: a new token when one has run out.

use crate::error::PlatformError;
use crate::oauth::Oauth;
use crate::service::platform_service;
use outbound::{ANSWER_BYTES_MAX, OutboundError, Service};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What stands in an address after `?`.
pub(crate) type Query<'a> = &'a [(&'a str, &'a str)];

/// One address, with an account's access.
#[derive(Debug)]
pub(crate) struct Api {
    pub http: Service,
    oauth: Oauth,
    headers: HeaderMap,
}

impl Api {
    pub fn new(base: &str, oauth: Oauth) -> Result<Self, PlatformError> {
        Ok(Self {
            http: platform_service(base)?,
            oauth,
            headers: HeaderMap::new(),
        })
    }

    /// With a header that each request carries.
    pub fn with(mut self, name: &'static str, value: &str) -> Result<Self, PlatformError> {
        let value = HeaderValue::from_str(value).map_err(|error| OutboundError::Url {
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
            Err(PlatformError::Service(OutboundError::Refused { status: 401, .. })) => {
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
            .request_with(method.clone(), path, query)?
            .headers(self.headers.clone())
            .bearer_auth(token);
        let request = match body {
            Some(body) => request.json(body),
            // Google refuses a POST that does not say how long it is.
            None if method == Method::POST => request.header(CONTENT_LENGTH, 0),
            None => request,
        };
        Ok(self.http.send(ANSWER_BYTES_MAX, request).await?)
    }

    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query<'_>,
    ) -> Result<T, PlatformError> {
        let answer = self.call(Method::GET, path, query, None).await?;
        Ok(self.http.decode(&answer)?)
    }
}
