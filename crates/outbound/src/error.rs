//! What can fail, and whether a retry can help.

/// Why a service did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// No answer, or one that was cut off: the outcome is unknown.
    #[error("no answer from {url}")]
    Transport {
        /// Who was asked.
        url: String,
        /// Why; without the URL, which stands beside it.
        #[source]
        source: reqwest::Error,
    },
    /// It would have led to where requests may not go: nothing was sent there.
    #[error("{url} leads to where requests may not go: {detail}")]
    NotAllowed {
        /// Who was asked.
        url: String,
        /// Where it would have led, and which rule is against it.
        detail: String,
    },
    /// An answer that says no.
    #[error("{url} answered {status}: {detail}")]
    Refused {
        /// Who was asked.
        url: String,
        /// The answer's HTTP status.
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
    /// A URL that is none, or that holds more than it may.
    #[error(
        "{what}: expected http(s)://host[:port][/path] without user and password, which have fields of their own"
    )]
    Url {
        /// What is wrong with it; never the URL, which may hold a secret.
        what: String,
    },
}

impl OutboundError {
    /// Whether the same may succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transport { .. } => true,
            Self::Refused { status, .. } => *status == 408 || *status == 429 || *status >= 500,
            Self::NotAllowed { .. }
            | Self::AnswerTooLarge { .. }
            | Self::Malformed { .. }
            | Self::Url { .. } => false,
        }
    }

    /// Whether nobody answered: the next request to the same place will not fare better.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Transport { .. })
    }
}
