//! YouTube, Live Streaming API. A stream (by its key) carries a broadcast (what people see); ours begins when pictures
//! arrive, and has neither rewinding nor a recording from its start, unless that was allowed.

use crate::error::PlatformError;
use crate::http::Api;
use crate::oauth::{Grant, Oauth};
use outbound::OutboundError;
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

/// Stands in the description of our broadcasts, which are used again; another's is never touched.
const OURS: &str = "hotpot video-agent, stream ";

/// What a broadcast is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What people read.
    pub title: String,
    /// Who finds it.
    pub privacy: Privacy,
    /// The platform may keep it, and viewers may rewind. Not every channel may forbid that: then it is refused with 403.
    pub allow_recording: bool,
}

/// Who finds a broadcast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Privacy {
    /// Everybody, by searching too.
    Public,
    /// Who has its address.
    #[default]
    Unlisted,
    /// Whom the account's owner invites.
    Private,
}

impl Privacy {
    /// As in JSON.
    const fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
        }
    }
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
    #[serde(default)]
    snippet: Snippet,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Snippet {
    description: String,
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
    privacy_status: String,
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
        Ok(Self {
            api: Api::new(api, Oauth::new(token_url, grant)?)?,
        })
    }

    /// A broadcast of ours that the stream with this key carries. One that a lost answer or an earlier process left is
    /// used again, so that there is never a second one.
    pub async fn start(
        &self,
        plan: &Plan,
        key: &Secret,
        now: OffsetDateTime,
    ) -> Result<Broadcast, PlatformError> {
        let stream = self.stream(key).await?;
        let (id, is_bound) = match self.left_behind(&stream, plan).await? {
            Some(found) => found,
            None => (self.insert(&stream, plan, now).await?, false),
        };

        if !is_bound {
            let query = [
                ("id", id.as_str()),
                ("streamId", &stream),
                ("part", "id,contentDetails"),
            ];
            self.api
                .call(Method::POST, "/liveBroadcasts/bind", &query, None)
                .await?;
        }

        Ok(Broadcast { id, stream })
    }

    async fn stream(&self, key: &Secret) -> Result<String, PlatformError> {
        let query = [("part", "id,cdn"), ("mine", "true")];
        let found = self.find("/liveStreams", &query, |stream: &Stream| {
            stream.cdn.ingestion_info.stream_name == *key
        });
        found
            .await?
            .map(|stream| stream.id)
            .ok_or(PlatformError::UnknownKey)
    }

    /// A broadcast of ours for this stream that waits or is live, and whether the stream carries it. One that is now to
    /// be seen by others ends; one that is not ours is in the way.
    async fn left_behind(
        &self,
        stream: &str,
        plan: &Plan,
    ) -> Result<Option<(String, bool)>, PlatformError> {
        let marker = format!("{OURS}{stream}");
        let is_bound =
            |event: &Event| event.content_details.bound_stream_id.as_deref() == Some(stream);

        for status in ["active", "upcoming"] {
            let part = "id,snippet,status,contentDetails";
            let query = [
                ("part", part),
                ("broadcastStatus", status),
                ("broadcastType", "all"),
            ];
            let is_of_it = |event: &Event| is_bound(event) || event.snippet.description == marker;
            let Some(event) = self.find("/liveBroadcasts", &query, is_of_it).await? else {
                continue;
            };

            if event.snippet.description != marker {
                return Err(PlatformError::Occupied { id: event.id });
            }
            if event.status.privacy_status == plan.privacy.word() {
                return Ok(Some((event.id.clone(), is_bound(&event))));
            }

            self.stop(&Broadcast {
                id: event.id,
                stream: stream.to_owned(),
            })
            .await?;
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

    async fn insert(
        &self,
        stream: &str,
        plan: &Plan,
        now: OffsetDateTime,
    ) -> Result<String, PlatformError> {
        let title: String = plan.title.chars().take(TITLE_CHARS_MAX).collect();
        let start = now
            .format(&Rfc3339)
            .map_err(|error| self.api.http.malformed(error.to_string()))?;

        let body = json!({
            "snippet": { "title": title, "description": format!("{OURS}{stream}"), "scheduledStartTime": start },
            "status": { "privacyStatus": plan.privacy, "selfDeclaredMadeForKids": false },
            "contentDetails": {
                "enableAutoStart": true, "enableAutoStop": true,
                "enableDvr": plan.allow_recording, "recordFromStart": plan.allow_recording,
                "monitorStream": { "enableMonitorStream": false },
            },
        });
        let query = [("part", "id,snippet,status,contentDetails")];

        let answer = self
            .api
            .call(Method::POST, "/liveBroadcasts", &query, Some(&body))
            .await?;

        Ok(self.api.http.decode::<Event>(&answer)?.id)
    }

    /// Where a broadcast stands. One that waits although its pictures arrive is put on air.
    pub async fn go_live(&self, broadcast: &Broadcast) -> Result<LifeCycle, PlatformError> {
        let query = [("part", "id,status"), ("id", broadcast.id.as_str())];
        let events: Page<Event> = self.api.get("/liveBroadcasts", &query).await?;
        let status = events
            .items
            .first()
            .map(|event| event.status.life_cycle_status.as_str());

        match status {
            Some("live" | "liveStarting") => Ok(LifeCycle::Live),
            Some("complete" | "revoked") | None => Ok(LifeCycle::Complete),
            _ if self.is_active(&broadcast.stream).await? => self
                .transition(broadcast, "live")
                .await
                .map(|()| LifeCycle::Live),
            _ => Ok(LifeCycle::Waiting),
        }
    }

    async fn is_active(&self, stream: &str) -> Result<bool, PlatformError> {
        let streams: Page<Stream> = self
            .api
            .get("/liveStreams", &[("part", "id,status"), ("id", stream)])
            .await?;
        Ok(streams
            .items
            .first()
            .is_some_and(|stream| stream.status.stream_status == "active"))
    }

    /// It may be there already: that is what was wanted.
    async fn transition(&self, broadcast: &Broadcast, to: &str) -> Result<(), PlatformError> {
        let query = [
            ("broadcastStatus", to),
            ("id", &broadcast.id),
            ("part", "id,status"),
        ];

        match self
            .api
            .call(Method::POST, "/liveBroadcasts/transition", &query, None)
            .await
        {
            Err(PlatformError::Service(OutboundError::Refused { detail, .. }))
                if detail.contains("redundantTransition") =>
            {
                Ok(())
            }
            other => other.map(drop),
        }
    }

    /// How many look; nothing while nobody can say.
    pub async fn viewers(&self, broadcast: &Broadcast) -> Result<Option<u64>, PlatformError> {
        let query = [
            ("part", "liveStreamingDetails"),
            ("id", broadcast.id.as_str()),
        ];
        let videos: Page<Video> = self.api.get("/videos", &query).await?;

        let viewers = videos
            .items
            .into_iter()
            .next()
            .and_then(|video| video.live_streaming_details.concurrent_viewers);
        let number = |text: String| {
            text.parse().map_err(|_| {
                self.api
                    .http
                    .malformed(format!("concurrentViewers is {text:?}"))
            })
        };

        Ok(viewers.map(number).transpose()?)
    }

    /// Ends it for all who look. One that never went live is taken down, since the platform ends only what was live.
    pub async fn stop(&self, broadcast: &Broadcast) -> Result<(), PlatformError> {
        match self.transition(broadcast, "complete").await {
            Err(PlatformError::Service(OutboundError::Refused { detail, .. }))
                if detail.contains("invalidTransition") =>
            {
                let query = [("id", broadcast.id.as_str())];
                self.api
                    .call(Method::DELETE, "/liveBroadcasts", &query, None)
                    .await
                    .map(drop)
            }
            other => other,
        }
    }
}
