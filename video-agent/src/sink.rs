//! Where finished segments go.

use async_trait::async_trait;
use bytes::Bytes;

/// Some seconds of one camera, anonymised and encoded: fragmented MP4 that plays alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The outlet whose camera it is.
    pub outlet: u64,
    /// The camera's number.
    pub camera: u64,
    /// Place among this camera's segments.
    pub sequence: u64,
    /// The consent, or legal basis, that it was recorded under.
    pub consent: [u8; 32],
    /// How long the owner's legal basis lets it be kept; `None` under a guest's consent.
    pub retention_days: Option<u32>,
    /// When its first frame was taken, in milliseconds since 1970.
    pub started_at_ms: u64,
    /// When its last frame ended.
    pub ended_at_ms: u64,
    /// The anonymised film, a fragmented MP4 that plays alone.
    pub bytes: Bytes,
    /// What was hidden, such as `faces-and-silhouettes/1`.
    pub mask_policy: &'static str,
    /// SHA-256 of the detector's model; `None` where the policy needs none.
    pub model_sha256: Option<[u8; 32]>,
}

/// Takes segments, encrypts them and brings them away.
#[async_trait]
pub trait SegmentSink: Send + Sync + 'static {
    /// The number of the camera's next segment; asked at the start of each session, so that numbers go on after a
    /// restart.
    async fn next_sequence(&self, camera: u64) -> Result<u64, SinkError>;

    /// Takes a segment over. Once it returns, the segment survives this process. An error ends the session: what cannot
    /// be kept is not recorded.
    async fn accept(&self, segment: Segment) -> Result<(), SinkError>;
}

/// Why a segment was not taken.
#[derive(Debug, thiserror::Error)]
#[error("the vault did not take the segment")]
pub struct SinkError {
    /// The vault's error, or that of the task that asked it.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Keeps nothing: for an agent that only streams and previews.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoVault;

#[async_trait]
impl SegmentSink for NoVault {
    async fn next_sequence(&self, _camera: u64) -> Result<u64, SinkError> {
        Ok(0)
    }

    async fn accept(&self, segment: Segment) -> Result<(), SinkError> {
        tracing::debug!(
            camera = segment.camera,
            sequence = segment.sequence,
            "no vault: a segment is dropped"
        );
        Ok(())
    }
}
