//! Who says what a camera may do.

use crate::core::consent::{Asked, Permission};
use async_trait::async_trait;

/// Asked before a camera's first frame and every second after. An error is a no.
#[async_trait]
pub trait ConsentGate: Send + Sync + 'static {
    /// What is in force for this camera now.
    async fn ask(&self, asked: &Asked) -> Result<Permission, GateError>;
}

/// Why nobody could say.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// No node that is ready answered.
    #[error("no node that is ready could be asked for consent")]
    Unreachable {
        /// Why, where there is a reason.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A node's answer is no list of consents.
    #[error("the node's list of consents is not understood")]
    Answer {
        /// The JSON parser's error.
        #[source]
        source: serde_json::Error,
    },
}
