//! One service at one address.

use crate::address::{NotPublic, PublicResolver, may_lead_to};
use crate::error::OutboundError;
use backon::{ExponentialBuilder, Retryable};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use service_kit::Secret;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What an answer without content may have, unless somebody asks for more.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How much of a refusal is shown.
const DETAIL_CHARS_MAX: usize = 300;

/// Where requests may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// Anywhere: the operator named it.
    #[default]
    Any,
    /// To the public internet alone: somebody else named it.
    Public,
}

/// How a service is asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where requests may go. Default: anywhere.
    pub addresses: Addresses,
    /// Who does not take a connection within this is away. Default 5 s.
    pub connect_timeout: Duration,
    /// How long a request may take, its answer included; a request may be given another limit. Default 30 s.
    pub request_timeout: Duration,
    /// Redirects that are followed, within scheme, host and port of the address. Default none.
    pub redirects_max: usize,
    /// Tries after the first, of what may be sent twice. Who needs more patience keeps the work in a queue. Default 3.
    pub retries: usize,
    /// The first pause before another try; the next is twice as long, with some chance in it. Default 200 ms.
    pub retry_pause: Duration,
    /// A proxy, such as `http://proxy:3128`. Default none, whatever the environment says.
    pub proxy: Option<Url>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addresses: Addresses::Any,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            redirects_max: 0,
            retries: 3,
            retry_pause: Duration::from_millis(200),
            proxy: None,
        }
    }
}

impl Options {
    fn client(&self) -> Result<Client, OutboundError> {
        let mut client = Client::builder()
            .connect_timeout(self.connect_timeout)
            .timeout(self.request_timeout)
            .redirect(self.redirects())
            .referer(false)
            .no_proxy();
        if self.addresses == Addresses::Public {
            client = client.dns_resolver(Arc::new(PublicResolver));
        }
        if let Some(proxy) = &self.proxy {
            if self.addresses == Addresses::Public {
                return Err(wrong_url("a proxy cannot keep to public addresses"));
            }
            let proxy = reqwest::Proxy::all(proxy.clone()).map_err(|_| wrong_url("the proxy"))?;
            client = client.proxy(proxy);
        }

        client.build().map_err(|error| wrong_url(error.to_string()))
    }

    fn redirects(&self) -> Policy {
        let (max, addresses) = (self.redirects_max, self.addresses);
        if max == 0 {
            return Policy::none();
        }
        Policy::custom(move |attempt| follow_redirect(attempt, max, addresses))
    }
}

fn follow_redirect(attempt: Attempt<'_>, max: usize, addresses: Addresses) -> Action {
    if attempt.previous().len() > max {
        return attempt.error(format!("more than {max} redirects"));
    }
    // Elsewhere headers of the request, a body that is sent again, or the Referer would be told to a stranger.
    let origin = attempt.previous().first().map(Url::origin);
    if origin != Some(attempt.url().origin()) {
        return attempt.error("a redirect to another scheme, host or port");
    }
    if addresses == Addresses::Public && !may_lead_to(attempt.url()) {
        return attempt.error("a redirect to an address that is not public");
    }
    attempt.follow()
}

fn wrong_url(what: impl Into<String>) -> OutboundError {
    OutboundError::Url { what: what.into() }
}

/// A service at an address, with the token that it takes.
#[derive(Clone, Debug)]
pub struct Service {
    client: Client,
    base: Url,
    token: Option<Secret>,
    retries: ExponentialBuilder,
}

impl Service {
    /// `base` is `http(s)://host[:port][/path]`; the token, if any, is sent as `Authorization: Bearer`.
    pub fn new(
        base: &str,
        token: Option<Secret>,
        options: &Options,
    ) -> Result<Self, OutboundError> {
        let url = Url::parse(base).map_err(|error| wrong_url(error.to_string()))?;
        check_base(&url)?;
        if options.addresses == Addresses::Public && !may_lead_to(&url) {
            return Err(wrong_url("the address is not on the public internet"));
        }

        let retries = ExponentialBuilder::default()
            .with_min_delay(options.retry_pause)
            .with_max_times(options.retries)
            .with_jitter();
        Ok(Self {
            client: options.client()?,
            base: url,
            token,
            retries,
        })
    }

    /// Where requests go; without a secret.
    pub fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The base and a path below it. What does not begin with a slash gets one: else it could go on with the host, as
    /// `@elsewhere` does.
    fn address(&self, path: &str) -> String {
        let slash = if path.is_empty() || path.starts_with('/') {
            ""
        } else {
            "/"
        };
        format!("{}{slash}{path}", self.base())
    }

    /// A request to a path below the base.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, self.address(path));
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    /// The same with what stands after `?`, escaped.
    pub fn request_with(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, OutboundError> {
        let url = Url::parse_with_params(&self.address(path), query);
        let url = url.map_err(|error| wrong_url(error.to_string()))?;

        let request = self.client.request(method, url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        })
    }

    /// Sends what may be sent twice, again and again as long as the fault can pass.
    pub async fn send_again(
        &self,
        max: usize,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<Vec<u8>, OutboundError> {
        (|| self.send(max, request()))
            .retry(self.retries)
            .when(OutboundError::is_retryable)
            .await
    }

    /// Sends once; reads an answer of at most so many bytes.
    pub async fn send(
        &self,
        max: usize,
        request: RequestBuilder,
    ) -> Result<Vec<u8>, OutboundError> {
        let sent = request.send().await;
        let answer = sent.map_err(|error| self.transport(error))?;
        let status = answer.status();
        if status.is_success() {
            return self.body(answer, max).await;
        }

        let said = self.body(answer, ANSWER_BYTES_MAX).await;
        let said = said.unwrap_or_default();
        let text = String::from_utf8_lossy(&said);
        Err(OutboundError::Refused {
            url: self.base().to_owned(),
            status: status.as_u16(),
            detail: text.trim().chars().take(DETAIL_CHARS_MAX).collect(),
        })
    }

    async fn body(&self, mut answer: Response, max: usize) -> Result<Vec<u8>, OutboundError> {
        let mut body = Vec::new();
        loop {
            let part = answer.chunk().await;
            let Some(part) = part.map_err(|error| self.transport(error))? else {
                return Ok(body);
            };
            if body.len().saturating_add(part.len()) > max {
                let url = self.base().to_owned();
                return Err(OutboundError::AnswerTooLarge { url, max });
            }
            body.extend_from_slice(&part);
        }
    }

    /// An answer as JSON.
    pub fn decode<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, OutboundError> {
        serde_json::from_slice(body).map_err(|error| self.malformed(error.to_string()))
    }

    /// The error of an answer that is not what the API promises.
    pub fn malformed(&self, detail: String) -> OutboundError {
        OutboundError::Malformed {
            url: self.base().to_owned(),
            detail,
        }
    }

    fn transport(&self, error: reqwest::Error) -> OutboundError {
        let url = self.base().to_owned();
        if let Some(detail) = broken_rule(&error) {
            return OutboundError::NotAllowed { url, detail };
        }
        OutboundError::Transport {
            url,
            source: error.without_url(),
        }
    }
}

/// Which of our own rules ended a request, if one did: no service was away then.
fn broken_rule(error: &reqwest::Error) -> Option<String> {
    if error.is_builder() {
        return Some("the request cannot be made".into());
    }
    let mut cause = error.source()?;
    loop {
        if cause.is::<NotPublic>() {
            return Some(cause.to_string());
        }
        match cause.source() {
            Some(deeper) => cause = deeper,
            // What `follow` said stands below the error of the redirect.
            None => return error.is_redirect().then(|| cause.to_string()),
        }
    }
}

fn check_base(url: &Url) -> Result<(), OutboundError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong_url(format!("the scheme is {}", url.scheme())));
    }
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong_url("it has more than scheme, host, port and path"));
    }
    Ok(())
}
