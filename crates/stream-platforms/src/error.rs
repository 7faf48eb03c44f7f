//! What can fail, and whether a retry can help.

use std::path::PathBuf;

/// Why a platform did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// No answer, or one that was cut off: the outcome is unknown.
    #[error("no answer from {url}")]
    Transport {
        /// Who was asked.
        url: String,
        /// Why; without the URL, which stands beside it.
        #[source]
        source: reqwest::Error,
    },
    /// An answer that says no.
    #[error("{url} answered {status}: {detail}")]
    Refused {
        /// Who was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// What it said, shortened.
        detail: String,
    },
    /// An answer that is larger than it may be.
    #[error("the answer of {url} has more than {max} bytes")]
    AnswerTooLarge {
        /// Who was asked.
        url: String,
        /// What is read at most.
        max: usize,
    },
    /// An answer that is not what the API promises.
    #[error("the answer of {url} is not understood: {detail}")]
    Malformed {
        /// Who was asked.
        url: String,
        /// What was found.
        detail: String,
    },
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
        /// Which.
        id: String,
    },
    /// YouTube knows no stream with this key.
    #[error(
        "the account has no stream with the configured key: copy the key from the platform's page again"
    )]
    UnknownKey,
    /// A URL that is none.
    #[error("{what}: expected http(s)://host[:port][/path] without user and password")]
    Url {
        /// What is wrong with it.
        what: String,
    },
    /// A token cannot be read, or the new one not be kept.
    #[error("{}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl PlatformError {
    /// Whether the same may succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transport { .. } | Self::File { .. } => true,
            Self::Refused { status, .. } => *status == 408 || *status == 429 || *status >= 500,
            _ => false,
        }
    }
}
