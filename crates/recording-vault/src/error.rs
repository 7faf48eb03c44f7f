//! What can fail, and whether a retry can help.

use crate::core::envelope::EnvelopeError;
use crate::core::manifest::ManifestError;
use crate::core::terms::KeyName;
use domain::B256;
use ipfs::{Cid, IpfsError};
use std::path::{Path, PathBuf};

/// Why something failed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum VaultError {
    /// A file cannot be read or written.
    #[error("{}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The database of the vault failed.
    #[error("the vault's database")]
    Database(#[source] Box<redb::Error>),
    /// A row is not what was written.
    #[error("the vault's database: {table} is damaged at {key}")]
    RowDamaged { table: &'static str, key: String },
    /// No master key can be derived or used.
    #[error("the master key cannot be made")]
    Master,
    /// Not the passphrase or keystore that the folder was made with.
    #[error("wrong passphrase or keystore: the key folder does not open")]
    WrongSecret,
    /// The folder was made with the other kind of secret.
    #[error("the key folder was made with {found}, expected {expected}")]
    MasterKind {
        /// What the folder says.
        found: String,
        /// What was given.
        expected: &'static str,
    },
    /// Others may read what is ours alone.
    #[error("{} has mode {mode:o}; it must be 600: chmod 600 {}", path.display(), path.display())]
    Permissions { path: PathBuf, mode: u32 },
    /// A key file is not what was written.
    #[error("key file {} is damaged", path.display())]
    KeyDamaged { path: PathBuf },
    /// What would open it was destroyed.
    #[error("{key}: the key was destroyed; what it closed stays closed")]
    KeyGone { key: KeyName },
    /// Nothing is recorded under this any more.
    #[error("consent {consent} is revoked")]
    Revoked { consent: B256 },
    /// The bound is reached; what waits is kept, what is new is not taken.
    #[error(
        "the spool is full: {used} of {max} bytes wait to be uploaded, {needed} more do not fit"
    )]
    SpoolFull {
        used: u64,
        max: u64,
        /// What was to be added.
        needed: u64,
    },
    /// The vault does not know this recording.
    #[error("no recording {cid} here")]
    Unknown { cid: Cid },
    /// A recording that is erased, or about to be.
    #[error("recording {cid} is erased")]
    Erased { cid: Cid },
    /// A segment that no camera of ours makes.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// An encrypted segment that does not open.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A segment that opened to something else than was sealed.
    #[error("recording {cid}: its content has another hash than its manifest says")]
    OtherContent { cid: Cid },
    /// A backend failed.
    #[error("{backend}")]
    Backend {
        backend: String,
        #[source]
        source: IpfsError,
    },
    /// A backend gave up.
    #[error("{0}")]
    NotPinned(String),
    /// The first backend must take content.
    #[error("{backend} takes no content, so it cannot be the first")]
    FirstBackend { backend: String },
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] crate::ledger::LedgerError),
}

impl VaultError {
    pub(crate) fn file(path: &Path) -> impl Fn(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            path: path.clone(),
            source,
        }
    }

    pub(crate) fn database(error: impl Into<redb::Error>) -> Self {
        Self::Database(Box::new(error.into()))
    }

    /// Whether whoever was asked does not answer: the next segment will not fare better now.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Backend { source, .. } => source.is_unreachable() || source.is_retryable(),
            Self::Ledger(error) => !matches!(error, crate::ledger::LedgerError::Refused(_)),
            _ => false,
        }
    }
}
