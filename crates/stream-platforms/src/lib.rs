//! What platforms of live streams can be told beside the stream itself: its title, its beginning and its end, and how
//! many look at it. Twitch (Helix) and YouTube (Live Streaming API version 3).
//!
//! The stream is pushed by RTMP with a URL and a key and needs none of this.

mod error;
mod http;
mod oauth;
mod service;
mod twitch;
mod youtube;

pub use error::PlatformError;
pub use oauth::Grant;
pub use twitch::Twitch;
pub use youtube::{Broadcast, LifeCycle, Plan, Privacy, YouTube};
