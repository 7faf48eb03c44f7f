//! What the vault wants of the ledger. Whoever implements this signs as the outlet's video agent.

use crate::core::erasure::Reason;
use domain::B256;
use ipfs::Cid;
use std::future::Future;

/// The fields of `PinRecording`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinReport {
    /// The outlet's number on the ledger.
    pub outlet: u64,
    /// The outlet's number of the camera.
    pub camera: u64,
    /// The consent or legal basis it was recorded under.
    pub consent: B256,
    /// Names the encrypted segment.
    pub cid: Cid,
    /// EIP-712 hash of the manifest.
    pub manifest_hash: B256,
    /// Its place among the camera's segments.
    pub sequence: u64,
    /// Time of the first frame.
    pub started_at_ms: u64,
    /// After the last frame.
    pub ended_at_ms: u64,
}

/// The fields of `EraseRecording`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EraseReport {
    /// The outlet's number on the ledger.
    pub outlet: u64,
    /// Names the encrypted segment.
    pub cid: Cid,
    /// Why the key was destroyed.
    pub reason: Reason,
}

/// What the ledger knows of a CID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerState {
    /// It has never stood there.
    Unknown,
    /// It stands there.
    Pinned {
        /// Hash of the manifest that it was pinned with.
        manifest_hash: B256,
    },
    /// It stood there, and a tombstone does now.
    Erased,
}

/// Why the ledger did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// No answer, or a node that is not ready: try again.
    #[error("the ledger does not answer: {0}")]
    Unreachable(String),
    /// It takes nothing of this agent now, whatever is sent: somebody has to look, then try again.
    #[error("the ledger takes nothing of this agent: {0}")]
    NotAllowed(String),
    /// It will never take this: the consent is revoked, the times lie outside of it, other content stands there.
    #[error("the ledger refuses it: {0}")]
    Refused(String),
}

/// The ledger, as the vault sees it. Everything may be said twice; an answer means that it is final.
pub trait Ledger: Send + Sync {
    /// What stands there of a CID.
    fn state(&self, cid: &Cid) -> impl Future<Output = Result<LedgerState, LedgerError>> + Send;
    /// Records a pin, and returns when it is final.
    fn pin(&self, report: &PinReport) -> impl Future<Output = Result<(), LedgerError>> + Send;
    /// Records an erasure, and returns when it is final.
    fn erase(&self, report: &EraseReport) -> impl Future<Output = Result<(), LedgerError>> + Send;
}
