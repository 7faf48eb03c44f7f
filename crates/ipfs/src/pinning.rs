//! The IPFS Pinning Service API, version 1.0: a service that fetches what is named to it and keeps it.
//! It takes no content; `origins` says where it finds some.

use crate::cid::Cid;
use crate::error::IpfsError;
use crate::http::new_service;
use crate::pin_state::PinState;
use outbound::{ANSWER_BYTES_MAX, OutboundError, Service};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use service_kit::Secret;

/// The API gives at most so many requests in one answer; we make one for each CID.
const LIMIT: usize = 1000;
/// The API allows so many addresses.
const ORIGINS_MAX: usize = 20;

/// A client of one service.
#[derive(Clone, Debug)]
pub struct PinningService {
    http: Service,
    origins: Vec<String>,
}

/// How far the service is with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted, and not begun.
    Queued,
    /// The service looks for the content and fetches it.
    Pinning,
    /// The service keeps the content.
    Pinned,
    /// The service gave up; `info` may say why.
    Failed,
}

/// Content that a service is asked to keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Of what; text, because a service lists others' pins too.
    pub cid: String,
    /// What people read in the service's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Multiaddrs of nodes that have the content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
}

/// A request at the service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Requested {
    /// The id that the service gave the request.
    pub requestid: String,
    /// How far it is.
    pub status: Status,
    /// What was asked for.
    pub pin: Pin,
    /// More, such as why it failed.
    #[serde(default)]
    pub info: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Requested>,
}

impl PinningService {
    /// A service at its base URL (without `/pins`), with its access token; `origins` are multiaddrs of our nodes.
    pub fn new(url: &str, token: Secret, origins: Vec<String>) -> Result<Self, IpfsError> {
        Ok(Self {
            http: new_service(url, Some(token))?,
            origins: origins.into_iter().take(ORIGINS_MAX).collect(),
        })
    }

    /// Base URL of its API.
    pub fn url(&self) -> &str {
        self.http.base()
    }

    /// All requests for a CID, in any state.
    pub async fn find(&self, cid: &Cid) -> Result<Vec<Requested>, IpfsError> {
        let path = format!("/pins?cid={cid}&status=queued,pinning,pinned,failed&limit={LIMIT}");
        let body = self
            .http
            .send_again(ANSWER_BYTES_MAX, || self.http.request(Method::GET, &path))
            .await?;
        let found: Results = self.http.decode(&body)?;
        Ok(found
            .results
            .into_iter()
            .filter(|request| request.pin.cid == cid.to_string())
            .collect())
    }

    /// How far the service is with a CID.
    pub async fn state(&self, cid: &Cid) -> Result<PinState, IpfsError> {
        Ok(state_of(&self.find(cid).await?))
    }

    /// Asks for a CID to be pinned, unless that was asked before. Each POST makes a request of its own, so it is never
    /// sent twice without a look.
    pub async fn ask(&self, cid: &Cid, name: &str) -> Result<PinState, IpfsError> {
        let before = self.find(cid).await?;
        let state = state_of(&before);
        if matches!(state, PinState::Pinned | PinState::Pending) {
            return Ok(state);
        }

        for failed in &before {
            self.remove(&failed.requestid).await?;
        }

        let pin = Pin {
            cid: cid.to_string(),
            name: Some(name.to_owned()),
            origins: self.origins.clone(),
        };
        let request = self.http.request(Method::POST, "/pins").json(&pin);
        let asked: Requested = self
            .http
            .decode(&self.http.send(ANSWER_BYTES_MAX, request).await?)?;

        if asked.pin.cid != pin.cid {
            let from = self.http.base().to_owned();
            return Err(IpfsError::OtherCid {
                from,
                found: asked.pin.cid,
                expected: *cid,
            });
        }
        Ok(state_of(&[asked]))
    }

    /// Takes back every request for a CID.
    pub async fn release(&self, cid: &Cid) -> Result<(), IpfsError> {
        for request in self.find(cid).await? {
            self.remove(&request.requestid).await?;
        }
        Ok(())
    }

    async fn remove(&self, requestid: &str) -> Result<(), IpfsError> {
        if requestid.is_empty()
            || !requestid
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c))
        {
            return Err(self
                .http
                .malformed("a requestid with other than letters, digits and -_.~".to_owned())
                .into());
        }

        let path = format!("/pins/{requestid}");
        match self
            .http
            .send_again(ANSWER_BYTES_MAX, || {
                self.http.request(Method::DELETE, &path)
            })
            .await
        {
            Ok(_) | Err(OutboundError::Refused { status: 404, .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The best of several requests counts.
fn state_of(requests: &[Requested]) -> PinState {
    let any = |wanted: &[Status]| {
        requests
            .iter()
            .any(|request| wanted.contains(&request.status))
    };

    if any(&[Status::Pinned]) {
        PinState::Pinned
    } else if any(&[Status::Queued, Status::Pinning]) {
        PinState::Pending
    } else if let Some(failed) = requests.first() {
        let details = failed
            .info
            .as_ref()
            .and_then(|info| info.get("status_details")?.as_str());
        PinState::Failed(
            details
                .unwrap_or("no reason given")
                .chars()
                .take(300)
                .collect(),
        )
    } else {
        PinState::Absent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(status: Status) -> Requested {
        let pin = Pin {
            cid: "b".into(),
            name: None,
            origins: Vec::new(),
        };
        Requested {
            requestid: "1".into(),
            status,
            pin,
            info: Some(serde_json::json!({"status_details": "no funds"})),
        }
    }

    #[test]
    fn only_pinned_is_pinned() {
        use Status::*;
        let of = |all: &[Status]| {
            state_of(
                &all.iter()
                    .map(|status| request(*status))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(of(&[]), PinState::Absent);
        assert_eq!(of(&[Queued]), PinState::Pending);
        assert_eq!(of(&[Failed, Pinning]), PinState::Pending);
        assert_eq!(of(&[Failed, Queued, Pinned]), PinState::Pinned);
        assert_eq!(of(&[Failed]), PinState::Failed("no funds".into()));
    }
}
