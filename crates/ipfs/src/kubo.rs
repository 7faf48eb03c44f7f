//! A Kubo node, over its RPC API (POST for everything). Why not a library: docs/adr/0016.

use crate::cid::Cid;
use crate::error::IpfsError;
use crate::http::UPLOAD_TIMEOUT;
use crate::http::new_service;
use crate::unixfs;
use outbound::{ANSWER_BYTES_MAX, OutboundError, Service};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use service_kit::Secret;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Everything that decides about the CID is said, so that no node's configuration decides it.
const ADD: &str = "/api/v0/add?cid-version=1&raw-leaves=true&chunker=size-262144&max-file-links=174&trickle=false\
                   &inline=false&hash=sha2-256&quieter=true&progress=false";
/// A list of a hundred thousand pins fits.
const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// A collection reads the whole repository.
const COLLECTION_TIMEOUT: Duration = Duration::from_secs(600);

/// A client of one node.
#[derive(Clone, Debug)]
pub struct Kubo {
    http: Service,
}

/// A node as `/api/v0/id` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Identity {
    /// Its peer id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Program and version.
    #[serde(rename = "AgentVersion")]
    pub agent: String,
    /// Where it can be reached, as multiaddrs.
    #[serde(rename = "Addresses", default, deserialize_with = "nothing_is_empty")]
    pub addresses: Vec<String>,
}

fn nothing_is_empty<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    <Option<Vec<String>> as Deserialize>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[derive(Deserialize)]
struct Added {
    #[serde(rename = "Hash")]
    hash: String,
}

#[derive(Deserialize)]
struct Pins {
    #[serde(rename = "Keys", default)]
    keys: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(rename = "Message")]
    message: String,
}

#[derive(Deserialize)]
struct Removed {
    #[serde(rename = "Error", default)]
    error: String,
}

impl Kubo {
    /// A node at a URL such as `http://127.0.0.1:5001`; the token where `API.Authorizations` asks for one.
    pub fn new(url: &str, token: Option<Secret>) -> Result<Self, IpfsError> {
        Ok(Self {
            http: new_service(url, token)?,
        })
    }

    /// Base URL of its RPC.
    pub fn url(&self) -> &str {
        self.http.base()
    }

    /// Asks the node for its peer id, version and addresses.
    pub async fn id(&self) -> Result<Identity, IpfsError> {
        let body = self.post("/api/v0/id", ANSWER_BYTES_MAX).await?;
        Ok(self.http.decode(&body)?)
    }

    /// Adds content and pins it in one step. Refused when the node names it otherwise than we do.
    pub async fn add(&self, content: &[u8]) -> Result<Cid, IpfsError> {
        let expected = unixfs::cid_of(content);
        let path = format!("{ADD}&pin=true");
        let request = || {
            let form = Form::new().part("file", Part::bytes(content.to_vec()).file_name("content"));
            self.http
                .request(Method::POST, &path)
                .timeout(UPLOAD_TIMEOUT)
                .multipart(form)
        };
        let body = self.http.send_again(ANSWER_BYTES_MAX, request).await?;
        let found = last_added(&body).ok_or_else(|| {
            self.http
                .malformed("it names nothing that was added".into())
        })?;
        if found == expected.to_string() {
            return Ok(expected);
        }
        // What is not wanted is not kept either; that it stays pinned under the other name harms nobody.
        let removed = self
            .post(
                &format!("/api/v0/pin/rm?arg={}", keep_alphanumerics(&found)),
                ANSWER_BYTES_MAX,
            )
            .await;
        drop(removed);
        Err(IpfsError::OtherCid {
            from: self.http.base().to_owned(),
            found,
            expected,
        })
    }

    /// Pins a root that the node has, or can get from its peers in time.
    pub async fn pin(&self, cid: &Cid) -> Result<(), IpfsError> {
        let body = self
            .post(
                &format!("/api/v0/pin/add?arg={cid}&recursive=true"),
                ANSWER_BYTES_MAX,
            )
            .await?;

        #[derive(Deserialize)]
        struct Pinned {
            #[serde(rename = "Pins")]
            pins: Vec<String>,
        }

        let pinned: Pinned = self.http.decode(&body)?;
        if pinned.pins.contains(&cid.to_string()) {
            return Ok(());
        }
        Err(self
            .http
            .malformed(format!("pinned {:?}", pinned.pins))
            .into())
    }

    /// Unpins a root. Unpinning what is not pinned is done already.
    pub async fn unpin(&self, cid: &Cid) -> Result<(), IpfsError> {
        self.unless_not_pinned(&format!("/api/v0/pin/rm?arg={cid}&recursive=true"))
            .await
            .map(|_| ())
    }

    /// Whether a root is pinned.
    pub async fn is_pinned(&self, cid: &Cid) -> Result<bool, IpfsError> {
        let path = format!("/api/v0/pin/ls?arg={cid}&type=recursive");
        let Some(body) = self.unless_not_pinned(&path).await? else {
            return Ok(false);
        };
        let pins: Pins = self.http.decode(&body)?;
        Ok(pins.keys.contains_key(&cid.to_string()))
    }

    /// All roots of ours that are pinned; those of other kinds are left out.
    pub async fn pins(&self) -> Result<BTreeSet<Cid>, IpfsError> {
        let pins: Pins = self.http.decode(
            &self
                .post("/api/v0/pin/ls?type=recursive", LIST_BYTES_MAX)
                .await?,
        )?;
        Ok(pins
            .keys
            .keys()
            .filter_map(|cid| cid.parse().ok())
            .collect())
    }

    /// Deletes every block that no pin needs.
    pub async fn collect_garbage(&self) -> Result<(), IpfsError> {
        let request = || {
            let path = "/api/v0/repo/gc?stream-errors=true";
            self.http
                .request(Method::POST, path)
                .timeout(COLLECTION_TIMEOUT)
        };
        let body = self.http.send_again(LIST_BYTES_MAX, request).await?;

        for removed in json_lines::<Removed>(&body) {
            let removed = removed.map_err(|error| self.http.malformed(error.to_string()))?;
            if !removed.error.is_empty() {
                return Err(self.http.malformed(removed.error).into());
            }
        }

        Ok(())
    }

    /// The content of a root, of at most `max` bytes, checked against the CID.
    pub async fn cat(&self, cid: &Cid, max: usize) -> Result<Vec<u8>, IpfsError> {
        let path = format!("/api/v0/cat?arg={cid}");
        let request = || {
            self.http
                .request(Method::POST, &path)
                .timeout(UPLOAD_TIMEOUT)
        };

        let content = match self.http.send_again(max, request).await {
            Err(OutboundError::AnswerTooLarge { .. }) => {
                return Err(IpfsError::ContentTooLarge { cid: *cid, max });
            }
            other => other?,
        };

        let found = unixfs::cid_of(&content);
        if found == *cid {
            return Ok(content);
        }
        Err(IpfsError::OtherCid {
            from: self.http.base().to_owned(),
            found: found.to_string(),
            expected: *cid,
        })
    }

    /// Whether the node itself has a block; its peers are not asked.
    pub async fn has(&self, cid: &Cid) -> Result<bool, IpfsError> {
        let path = format!("/api/v0/block/stat?arg={cid}&offline=true");
        match self
            .http
            .send(ANSWER_BYTES_MAX, self.http.request(Method::POST, &path))
            .await
        {
            Ok(_) => Ok(true),
            Err(error)
                if refusal_message(&error).is_some_and(|message| message.contains("not found")) =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn post(&self, path: &str, max: usize) -> Result<Vec<u8>, IpfsError> {
        let request = || self.http.request(Method::POST, path);
        Ok(self.http.send_again(max, request).await?)
    }

    /// The answer, or none where the node says that the root is not pinned; it answers 500 to that.
    async fn unless_not_pinned(&self, path: &str) -> Result<Option<Vec<u8>>, IpfsError> {
        match self
            .http
            .send(ANSWER_BYTES_MAX, self.http.request(Method::POST, path))
            .await
        {
            Ok(body) => Ok(Some(body)),
            Err(error)
                if refusal_message(&error)
                    .is_some_and(|message| message.contains("not pinned")) =>
            {
                Ok(None)
            }
            Err(error) if error.is_retryable() => self.post(path, ANSWER_BYTES_MAX).await.map(Some),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a refusal says, if Kubo said it.
fn refusal_message(error: &OutboundError) -> Option<String> {
    let OutboundError::Refused {
        status: 500,
        detail,
        ..
    } = error
    else {
        return None;
    };
    serde_json::from_str::<Failure>(detail)
        .ok()
        .map(|failure| failure.message)
}

fn json_lines<'a, T: Deserialize<'a>>(
    body: &'a [u8],
) -> impl Iterator<Item = serde_json::Result<T>> {
    body.split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(serde_json::from_slice)
}

fn last_added(body: &[u8]) -> Option<String> {
    json_lines::<Added>(body)
        .last()?
        .ok()
        .map(|added| added.hash)
}

/// A stranger's text as a part of a query.
fn keep_alphanumerics(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(120)
        .collect()
}
