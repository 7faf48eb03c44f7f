//! How every process of ours reads its configuration, logs, measures, reports its health and stops.

pub mod clock;
pub mod config;
pub mod database;
pub mod doors;
pub mod error;
pub mod files;
pub mod http;
mod log_line;
pub mod mistakes;
pub mod secret;
mod secret_url;
pub mod shutdown;
pub mod telemetry;

pub use secret::Secret;
pub use secret_url::{SecretUrl, scrub_error, scrub_text};
