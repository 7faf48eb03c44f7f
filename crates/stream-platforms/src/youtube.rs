//! YouTube, Live Streaming API. A stream (by its key) carries a broadcast (what people see); ours begins when pictures
//! arrive, and has neither rewinding nor a recording from its start.

use crate::error::PlatformError;
use crate::http::Api;
use crate::oauth::{Grant, Oauth};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service_kit::Secret;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Longer titles are refused.
const TITLE_CHARS_MAX: usize = 100;
/// A page of a list.
const PAGE: &str = "50";
/// An account with more streams or waiting broadcasts than this is not searched to its end.
const PAGES_MAX: usize = 20;

/// Who finds a broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privacy {
    /// Everybody.
    Public,
    /// Who has its address.
    #[default]
    Unlisted,
    /// Whom the account's owner invites.
    Private,
}

/// What people see of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// Its id, which is the video's too.
    pub id: String,
    stream: String,
}

/// Where a broadcast stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LifeCycle {
    /// It waits for pictures.
    Waiting,
    /// People see it.
    Live,
    /// It is over.
    Complete,
}

/// One account. Its owner allowed `https://www.googleapis.com/auth/youtube`.
#[derive(Debug)]
pub struct YouTube {
    api: Api,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
struct Stream {
    id: String,
    #[serde(default)]
    cdn: Cdn,
    #[serde(default)]
    status: StreamStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Cdn {
    ingestion_info: IngestionInfo,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct IngestionInfo {
    /// The stream's key.
    stream_name: Secret,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StreamStatus {
    stream_status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    id: String,
    #[serde(default)]
    content_details: ContentDetails,
    #[serde(default)]
    status: EventStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContentDetails {
    bound_stream_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EventStatus {
    life_cycle_status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Video {
    #[serde(default)]
    live_streaming_details: LiveStreamingDetails,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LiveStreamingDetails {
    /// A number, as text; absent while nobody looks or the owner hides it.
    concurrent_viewers: Option<String>,
}

impl YouTube {
    /// Where the API is.
    pub const API_URL: &str = "https://www.googleapis.com/youtube/v3";
    /// Where tokens are renewed.
    pub const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

    /// An account. The addresses are [`Self::API_URL`] and [`Self::TOKEN_URL`], but in tests.
    pub fn new(api: &str, token_url: &str, grant: Grant) -> Result<Self, PlatformError> {
        Ok(Self { api: Api::new(api, Oauth::new(token_url, grant)?)? })
    }

    /// A broadcast that the stream with this key carries. One that a lost answer or an earlier process left is used
    /// again, so that there is never a second one.
    pub async fn start(
        &self,
        title: &str,
        privacy: Privacy,
        key: &Secret,
        now: OffsetDateTime,
    ) -> Result<Broadcast, PlatformError> {
        let stream = self.stream(key).await?;
        if let Some(id) = self.carried_by(&stream).await? {
            return Ok(Broadcast { id, stream });
        }
        let id = self.insert(title, privacy, now).await?;
        let query = [("id", id.as_str()), ("streamId", &stream), ("part", "id,contentDetails")];
        self.api.call(Method::POST, "/liveBroadcasts/bind", &query, None).await?;
        Ok(Broadcast { id, stream })
    }

    async fn stream(&self, key: &Secret) -> Result<String, PlatformError> {
        let query = [("part", "id,cdn"), ("mine", "true")];
        let found = self.find("/liveStreams", &query, |stream: &Stream| stream.cdn.ingestion_info.stream_name == *key);
        found.await?.map(|stream| stream.id).ok_or(PlatformError::UnknownKey)
    }

    async fn carried_by(&self, stream: &str) -> Result<Option<String>, PlatformError> {
        for status in ["active", "upcoming"] {
            let query = [("part", "id,contentDetails"), ("broadcastStatus", status), ("broadcastType", "all")];
            let is_bound = |event: &Event| event.content_details.bound_stream_id.as_deref() == Some(stream);
            if let Some(event) = self.find("/liveBroadcasts", &query, is_bound).await? {
                return Ok(Some(event.id));
            }
        }
        Ok(None)
    }

    async fn find<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        is_it: impl Fn(&T) -> bool,
    ) -> Result<Option<T>, PlatformError> {
        let mut next: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let mut query = query.to_vec();
            query.push(("maxResults", PAGE));
            query.extend(next.iter().map(|token| ("pageToken", token.as_str())));
            let page: Page<T> = self.api.get(path, &query).await?;
            if let Some(found) = page.items.into_iter().find(&is_it) {
                return Ok(Some(found));
            }
            match page.next_page_token {
                Some(token) => next = Some(token),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    async fn insert(&self, title: &str, privacy: Privacy, now: OffsetDateTime) -> Result<String, PlatformError> {
        let title: String = title.chars().take(TITLE_CHARS_MAX).collect();
        let start = now.format(&Rfc3339).map_err(|error| self.api.http.malformed(error.to_string()))?;
        let body = json!({
            "snippet": { "title": title, "scheduledStartTime": start },
            "status": { "privacyStatus": privacy, "selfDeclaredMadeForKids": false },
            "contentDetails": {
                "enableAutoStart": true, "enableAutoStop": true, "enableDvr": false, "recordFromStart": false,
                "monitorStream": { "enableMonitorStream": false },
            },
        });
        let query = [("part", "id,snippet,status,contentDetails")];
        let answer = self.api.call(Method::POST, "/liveBroadcasts", &query, Some(&body)).await?;
        self.api.http.decode::<Event>(&answer).map(|event| event.id)
    }

    /// Where a broadcast stands. One that waits although its pictures arrive is put on air.
    pub async fn go_live(&self, broadcast: &Broadcast) -> Result<LifeCycle, PlatformError> {
        let query = [("part", "id,status"), ("id", broadcast.id.as_str())];
        let events: Page<Event> = self.api.get("/liveBroadcasts", &query).await?;
        let status = events.items.first().map(|event| event.status.life_cycle_status.as_str());
        match status {
            Some("live" | "liveStarting") => Ok(LifeCycle::Live),
            Some("complete" | "revoked") | None => Ok(LifeCycle::Complete),
            _ if self.is_active(&broadcast.stream).await? => {
                self.transition(broadcast, "live").await.map(|()| LifeCycle::Live)
            }
            _ => Ok(LifeCycle::Waiting),
        }
    }

    async fn is_active(&self, stream: &str) -> Result<bool, PlatformError> {
        let streams: Page<Stream> = self.api.get("/liveStreams", &[("part", "id,status"), ("id", stream)]).await?;
        Ok(streams.items.first().is_some_and(|stream| stream.status.stream_status == "active"))
    }

    /// It may be there already: that is what was wanted.
    async fn transition(&self, broadcast: &Broadcast, to: &str) -> Result<(), PlatformError> {
        let query = [("broadcastStatus", to), ("id", &broadcast.id), ("part", "id,status")];
        match self.api.call(Method::POST, "/liveBroadcasts/transition", &query, None).await {
            Err(PlatformError::Refused { detail, .. }) if detail.contains("redundantTransition") => Ok(()),
            other => other.map(drop),
        }
    }

    /// How many look; nothing while nobody can say.
    pub async fn viewers(&self, broadcast: &Broadcast) -> Result<Option<u64>, PlatformError> {
        let query = [("part", "liveStreamingDetails"), ("id", broadcast.id.as_str())];
        let videos: Page<Video> = self.api.get("/videos", &query).await?;
        let viewers = videos.items.into_iter().next().and_then(|video| video.live_streaming_details.concurrent_viewers);
        let number =
            |text: String| text.parse().map_err(|_| self.api.http.malformed(format!("concurrentViewers is {text:?}")));
        viewers.map(number).transpose()
    }

    /// Ends it for all who look. One that never went live is taken down, since the platform ends only what was live.
    pub async fn stop(&self, broadcast: &Broadcast) -> Result<(), PlatformError> {
        match self.transition(broadcast, "complete").await {
            Err(PlatformError::Refused { detail, .. }) if detail.contains("invalidTransition") => {
                let query = [("id", broadcast.id.as_str())];
                self.api.call(Method::DELETE, "/liveBroadcasts", &query, None).await.map(drop)
            }
            other => other,
        }
    }
}
