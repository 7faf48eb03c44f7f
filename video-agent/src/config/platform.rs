//! `[cameras.platform]`: what the platform of a public stream is told beside the stream.

use super::read_secret;
use crate::io::platform::Platform;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use service_kit::Secret;
use std::path::PathBuf;
use stream_platforms::{Grant, Plan, Privacy, Twitch, YouTube};

/// Names the stream, begins and ends it, and counts who looks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformConfig {
    /// `twitch` or `youtube`.
    pub kind: PlatformKind,
    /// What people read above the stream.
    pub title: String,
    /// Of the application that is registered at the platform.
    pub client_id: String,
    /// A file with the application's secret.
    pub client_secret_file: PathBuf,
    /// A file with the refresh token, mode 0600; the platform may replace it, and then the new one is written there.
    pub refresh_token_file: PathBuf,
    /// Twitch: the channel's number.
    #[serde(default)]
    pub broadcaster_id: Option<String>,
    /// YouTube: `public`, `unlisted` or `private`. Default `unlisted`.
    #[serde(default)]
    pub privacy: Privacy,
    /// YouTube: the platform may keep the stream, and viewers may rewind. Default false; a channel that may not forbid it
    /// is refused with 403 then.
    #[serde(default)]
    pub allow_recording: bool,
    /// The API. Default: the platform's own.
    #[serde(default)]
    pub api_url: Option<String>,
    /// Where tokens are renewed. Default: the platform's own.
    #[serde(default)]
    pub token_url: Option<String>,
}

/// A platform that the public stream goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlatformKind {
    /// Twitch, by its Helix API.
    Twitch,
    /// YouTube, by its Live Streaming API.
    Youtube,
}

impl PlatformConfig {
    pub(super) fn mistakes(&self) -> Vec<&'static str> {
        let bad_url = |url: &Option<String>| {
            url.as_ref()
                .is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://"))
        };
        let needs_channel = self.kind == PlatformKind::Twitch && self.broadcaster_id.is_none();

        let rules = [
            (self.title.trim().is_empty(), "platform.title: is missing"),
            (self.client_id.is_empty(), "platform.client_id: is missing"),
            (
                needs_channel,
                "platform.broadcaster_id: Twitch needs the channel's number",
            ),
            (
                bad_url(&self.api_url),
                "platform.api_url: must begin with http:// or https://",
            ),
            (
                bad_url(&self.token_url),
                "platform.token_url: must begin with http:// or https://",
            ),
        ];

        rules
            .into_iter()
            .filter_map(|(wrong, what)| wrong.then_some(what))
            .collect()
    }

    /// `key` is the stream's.
    pub(super) fn open(&self, key: Secret) -> Result<Platform> {
        let grant = Grant {
            client_id: self.client_id.clone(),
            client_secret: read_secret(&self.client_secret_file)?,
            refresh_token_file: self.refresh_token_file.clone(),
        };
        let or =
            |given: &Option<String>, own: &str| given.clone().unwrap_or_else(|| own.to_owned());
        let title = self.title.clone();

        Ok(match self.kind {
            PlatformKind::Twitch => {
                let channel = self
                    .broadcaster_id
                    .as_ref()
                    .context("platform.broadcaster_id: is missing")?;
                let api = or(&self.api_url, Twitch::API_URL);
                let client = Twitch::new(
                    &api,
                    &or(&self.token_url, Twitch::TOKEN_URL),
                    grant,
                    channel,
                )?;

                Platform::Twitch { client, title }
            }
            PlatformKind::Youtube => {
                let api = or(&self.api_url, YouTube::API_URL);
                let client = YouTube::new(&api, &or(&self.token_url, YouTube::TOKEN_URL), grant)?;
                let plan = Plan {
                    title,
                    privacy: self.privacy,
                    allow_recording: self.allow_recording,
                };

                Platform::Youtube { client, plan, key }
            }
        })
    }
}
