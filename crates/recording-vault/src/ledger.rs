//! What the vault wants of the ledger. Whoever implements this signs as the outlet's video agent.

use crate::core::erasure::Reason;
use domain::B256;
use ipfs::Cid;
use std::future::Future;

/// The fields of `PinRecording`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinReport {
    /// Whose camera.
    pub outlet: u64,
    /// Which.
    pub camera: u64,
    /// Under what.
    pub consent: B256,
    /// Names the encrypted segment.
    pub cid: Cid,
    /// Of the manifest.
    pub manifest_hash: B256,
    /// Of the camera.
    pub sequence: u64,
    /// First frame.
    pub started_at_ms: u64,
    /// After the last frame.
    pub ended_at_ms: u64,
}

/// The fields of `EraseRecording`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EraseReport {
    /// Whose camera.
    pub outlet: u64,
    /// What is erased.
    pub cid: Cid,
    /// Why.
    pub reason: Reason,
}

/// What the ledger knows of a CID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerState {
    /// Nothing.
    Unknown,
    /// It stands there.
    Pinned {
        /// With this manifest.
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
