//! What can fail, and whether a retry can help.

use crate::cid::{Cid, CidError};
use outbound::OutboundError;
use std::path::{Path, PathBuf};

/// Why something failed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum IpfsError {
    /// The service cannot be asked, or says no.
    #[error(transparent)]
    Service(#[from] OutboundError),
    /// Somebody else's CID for our content, or content that is not the CID's.
    #[error(
        "{from} gave {found}, expected {expected}: it cuts content otherwise, or the content was changed"
    )]
    OtherCid {
        /// The service that was given the content.
        from: String,
        /// The CID that it answered.
        found: String,
        /// The CID that we computed.
        expected: Cid,
    },
    /// A service that was told to pin by CID, but can take no content, or the other way round.
    #[error("{backend} cannot {what}")]
    Unsupported {
        backend: String,
        /// What it cannot.
        what: &'static str,
    },
    /// Not a CID of ours.
    #[error(transparent)]
    Cid(#[from] CidError),
    /// The block is not in the store.
    #[error("block {cid} is not here")]
    Missing { cid: Cid },
    /// Bytes that do not have the hash of their name, or no block of a file.
    #[error("block {cid} is damaged: {detail}")]
    Damaged { cid: Cid, detail: &'static str },
    /// More than the reader wanted.
    #[error("{cid} has more than {max} bytes")]
    ContentTooLarge { cid: Cid, max: usize },
    /// The store has a bound, and it is reached.
    #[error("the block store is full: it holds {used} of {max} bytes, {needed} more are needed")]
    Full {
        /// What it holds.
        used: u64,
        /// What it may hold.
        max: u64,
        /// What was to be added.
        needed: u64,
    },
    /// Another process works on the store.
    #[error("another process uses the block store {}", path.display())]
    Locked { path: PathBuf },
    /// A file cannot be read or written.
    #[error("{}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// Not a CAR file of version 1 with blocks of ours.
    #[error("CAR file, byte {at}: {detail}")]
    Car {
        at: u64,
        /// What was expected and found.
        detail: String,
    },
    /// A task was cancelled while the process stops.
    #[error("the work was cancelled")]
    Cancelled,
}

impl IpfsError {
    /// Whether the same may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Service(error) => error.is_retryable(),
            Self::Full { .. } | Self::File { .. } | Self::Cancelled => true,
            _ => false,
        }
    }

    /// Whether nobody answered: the next request to the same place will not fare better.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Service(error) if error.is_unreachable())
    }

    pub(crate) fn file(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            path: path.clone(),
            source,
        }
    }
}
