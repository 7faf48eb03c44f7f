//! Twitch, Helix. A channel goes live when the stream arrives and ends when it ends; there is nothing to start.

use crate::error::PlatformError;
use crate::http::Api;
use crate::oauth::{Grant, Oauth};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

/// Longer titles are refused.
const TITLE_CHARS_MAX: usize = 140;

/// One channel. Its owner allowed `channel:manage:broadcast`.
#[derive(Debug)]
pub struct Twitch {
    api: Api,
    broadcaster_id: String,
}

#[derive(Deserialize)]
struct Streams {
    data: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    viewer_count: u64,
}

impl Twitch {
    /// Where the API is.
    pub const API_URL: &str = "https://api.twitch.tv/helix";
    /// Where tokens are renewed.
    pub const TOKEN_URL: &str = "https://id.twitch.tv/oauth2/token";

    /// A channel by its number. The addresses are [`Self::API_URL`] and [`Self::TOKEN_URL`], but in tests.
    pub fn new(
        api: &str,
        token_url: &str,
        grant: Grant,
        broadcaster_id: &str,
    ) -> Result<Self, PlatformError> {
        let client_id = grant.client_id.clone();
        let api = Api::new(api, Oauth::new(token_url, grant)?)?.with("client-id", &client_id)?;
        Ok(Self {
            api,
            broadcaster_id: broadcaster_id.to_owned(),
        })
    }

    /// Names the channel's stream, cut to what the platform takes.
    pub async fn set_title(&self, title: &str) -> Result<(), PlatformError> {
        let title: String = title.chars().take(TITLE_CHARS_MAX).collect();
        let query = [("broadcaster_id", self.broadcaster_id.as_str())];
        self.api
            .call(
                Method::PATCH,
                "/channels",
                &query,
                Some(&json!({ "title": title })),
            )
            .await
            .map(drop)
    }

    /// How many look; nothing while the channel is not live.
    pub async fn viewers(&self) -> Result<Option<u64>, PlatformError> {
        let streams: Streams = self
            .api
            .get("/streams", &[("user_id", self.broadcaster_id.as_str())])
            .await?;
        Ok(streams.data.first().map(|stream| stream.viewer_count))
    }
}
