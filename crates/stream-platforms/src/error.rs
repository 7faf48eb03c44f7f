//! What can fail, and whether a retry can help.

use outbound::OutboundError;
use std::path::PathBuf;

/// Why a platform did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The platform cannot be asked, or says no.
    #[error(transparent)]
    Service(#[from] OutboundError),
    /// The account's permission is gone.
    #[error(
        "{url} does not take the refresh token any more: let the account's owner allow access again"
    )]
    NotAllowed {
        /// Who issues the tokens.
        url: String,
    },
    /// Another broadcast, which is not ours, uses the stream.
    #[error(
        "broadcast {id} uses the stream with the configured key: give the agent a key of its own"
    )]
    Occupied {
        /// Id of that broadcast at the platform.
        id: String,
    },
    /// YouTube knows no stream with this key.
    #[error(
        "the account has no stream with the configured key: copy the key from the platform's page again"
    )]
    UnknownKey,
    /// A token cannot be read, or the new one not be kept.
    #[error("{}", path.display())]
    File {
        /// The file that holds the token.
        path: PathBuf,
        /// Why the file system refused.
        #[source]
        source: std::io::Error,
    },
}

impl PlatformError {
    /// Whether the same may succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Service(error) => error.is_retryable(),
            Self::File { .. } => true,
            _ => false,
        }
    }
}
