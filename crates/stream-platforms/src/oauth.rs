//! Access by a refresh token (RFC 6749, section 6), which a person gave once and which stands in a file.

use crate::error::PlatformError;
use crate::service::platform_service;
use outbound::{ANSWER_BYTES_MAX, OutboundError, Service};
use reqwest::Method;
use serde::Deserialize;
use service_kit::Secret;
use std::io::Write;
use std::path::PathBuf;
use tokio::sync::Mutex;
use url::form_urlencoded::Serializer;

/// What an account's owner allowed, and to whom.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Of the application that is registered at the platform.
    pub client_id: String,
    /// The application's secret, beside its id.
    pub client_secret: Secret,
    /// Holds the refresh token, mode 0600. A platform may replace the token; the new one is written there.
    pub refresh_token_file: PathBuf,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Secret,
    #[serde(default)]
    refresh_token: Option<Secret>,
}

/// Access to one account.
#[derive(Debug)]
pub(crate) struct Oauth {
    http: Service,
    grant: Grant,
    access: Mutex<Option<Secret>>,
}

impl Oauth {
    pub fn new(token_url: &str, grant: Grant) -> Result<Self, PlatformError> {
        Ok(Self {
            http: platform_service(token_url)?,
            grant,
            access: Mutex::default(),
        })
    }

    /// The access token; a new one if there is none, or if it is the one that was just refused.
    pub async fn access(&self, refused: Option<&Secret>) -> Result<Secret, PlatformError> {
        let mut access = self.access.lock().await;
        match access.as_ref() {
            Some(known) if Some(known) != refused => Ok(known.clone()),
            _ => Ok(access.insert(self.refresh().await?).clone()),
        }
    }

    async fn refresh(&self) -> Result<Secret, PlatformError> {
        let refresh_token = self.read()?;
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "refresh_token")
            .append_pair("refresh_token", refresh_token.expose())
            .append_pair("client_id", &self.grant.client_id)
            .append_pair("client_secret", self.grant.client_secret.expose())
            .finish();
        let request = self
            .http
            .request(Method::POST, "")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);

        let tokens: Tokens = match self.http.send(ANSWER_BYTES_MAX, request).await {
            Err(OutboundError::Refused {
                url,
                status: 400 | 401,
                ..
            }) => {
                return Err(PlatformError::NotAllowed { url });
            }
            other => self.http.decode(&other?)?,
        };

        if let Some(new) = tokens.refresh_token.filter(|new| *new != refresh_token) {
            self.keep(&new)?;
        }

        Ok(tokens.access_token)
    }

    fn read(&self) -> Result<Secret, PlatformError> {
        let text = std::fs::read_to_string(&self.grant.refresh_token_file)
            .map_err(|source| self.file(source))?;
        Ok(Secret::new(text.trim()))
    }

    /// Whole or not at all: without a token somebody would have to allow access again.
    fn keep(&self, token: &Secret) -> Result<(), PlatformError> {
        let written = || {
            let folder = self
                .grant
                .refresh_token_file
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(".".as_ref()))?;

            file.write_all(token.expose().as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.grant.refresh_token_file)?;
            Ok(())
        };

        written().map_err(|source| self.file(source))
    }

    fn file(&self, source: std::io::Error) -> PlatformError {
        PlatformError::File {
            path: self.grant.refresh_token_file.clone(),
            source,
        }
    }
}
