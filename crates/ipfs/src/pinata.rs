//! Pinata, a pinning service that takes the content itself (API version 3).

use crate::cid::Cid;
use crate::error::IpfsError;
use crate::http::UPLOAD_TIMEOUT;
use crate::http::new_service;
use crate::pin_state::PinState;
use crate::unixfs;
use outbound::{ANSWER_BYTES_MAX, OutboundError, Service};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use service_kit::Secret;

/// Where Pinata is.
pub const API_URL: &str = "https://api.pinata.cloud";
/// Where Pinata takes content.
pub const UPLOADS_URL: &str = "https://uploads.pinata.cloud";

/// A client of one account.
#[derive(Clone, Debug)]
pub struct Pinata {
    api: Service,
    uploads: Service,
}

/// A file in the account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PinataFile {
    /// Its name in the API.
    pub id: String,
    /// Its content; Pinata says `pending` while it fetches one.
    pub cid: String,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Files {
    #[serde(default)]
    files: Vec<PinataFile>,
}

impl Pinata {
    /// An account by its JWT. The URLs are [`API_URL`] and [`UPLOADS_URL`], but in tests.
    pub fn new(api: &str, uploads: &str, jwt: Secret) -> Result<Self, IpfsError> {
        Ok(Self {
            api: new_service(api, Some(jwt.clone()))?,
            uploads: new_service(uploads, Some(jwt))?,
        })
    }

    /// Base URL of its API.
    pub fn url(&self) -> &str {
        self.api.base()
    }

    /// Fails when the token is not accepted.
    pub async fn test_authentication(&self) -> Result<(), IpfsError> {
        let request = || self.api.request(Method::GET, "/data/testAuthentication");
        self.api.send_again(ANSWER_BYTES_MAX, request).await?;
        Ok(())
    }

    /// The files with this content.
    pub async fn find(&self, cid: &Cid) -> Result<Vec<PinataFile>, IpfsError> {
        let path = format!("/v3/files/public?cid={cid}&limit=100");
        let body = self
            .api
            .send_again(ANSWER_BYTES_MAX, || self.api.request(Method::GET, &path))
            .await?;
        let found: Answer<Files> = self.api.decode(&body)?;
        Ok(found
            .data
            .files
            .into_iter()
            .filter(|file| file.cid == cid.to_string())
            .collect())
    }

    /// Pinned when the account has a file with this content.
    pub async fn state(&self, cid: &Cid) -> Result<PinState, IpfsError> {
        Ok(if self.find(cid).await?.is_empty() {
            PinState::Absent
        } else {
            PinState::Pinned
        })
    }

    /// Uploads content, unless the account has it. Refused when Pinata names it otherwise than we do.
    pub async fn add(&self, content: &[u8], name: &str) -> Result<Cid, IpfsError> {
        let expected = unixfs::cid_of(content);
        if self.state(&expected).await? == PinState::Pinned {
            return Ok(expected);
        }

        let file = Part::bytes(content.to_vec()).file_name(name.to_owned());
        let form = Form::new()
            .part("file", file)
            .text("network", "public")
            .text("cid_version", "v1");
        let request = self
            .uploads
            .request(Method::POST, "/v3/files")
            .timeout(UPLOAD_TIMEOUT);

        let body = self
            .uploads
            .send(
                ANSWER_BYTES_MAX,
                request.multipart(form.text("name", name.to_owned())),
            )
            .await?;
        let added: Answer<PinataFile> = self.uploads.decode(&body)?;
        if added.data.cid == expected.to_string() {
            return Ok(expected);
        }

        self.remove(&added.data.id).await?;
        Err(IpfsError::OtherCid {
            from: self.uploads.base().to_owned(),
            found: added.data.cid,
            expected,
        })
    }

    /// Deletes every file with this content.
    pub async fn release(&self, cid: &Cid) -> Result<(), IpfsError> {
        for file in self.find(cid).await? {
            self.remove(&file.id).await?;
        }
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), IpfsError> {
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(self
                .api
                .malformed("a file id with other than letters, digits and -".to_owned())
                .into());
        }

        let path = format!("/v3/files/public/{id}");
        match self
            .api
            .send_again(ANSWER_BYTES_MAX, || self.api.request(Method::DELETE, &path))
            .await
        {
            Ok(_) | Err(OutboundError::Refused { status: 404, .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
