//! The vault behind [`SegmentSink`]: what it returns from is on the disk, encrypted.

use crate::sink::{Segment, SegmentSink, SinkError};
use async_trait::async_trait;
use domain::B256;
use recording_vault::{Terms, Vault, VaultError};
use std::sync::Arc;

/// Hands segments to the vault.
pub(crate) struct VaultSink {
    vault: Arc<Vault>,
    guest_keep_days: u32,
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> SinkError {
    SinkError {
        source: error.into(),
    }
}

impl VaultSink {
    pub fn new(vault: Arc<Vault>, guest_keep_days: u32) -> Self {
        Self {
            vault,
            guest_keep_days,
        }
    }

    fn terms(&self, retention_days: Option<u32>) -> Terms {
        match retention_days {
            Some(retention_days) => Terms::LegalBasis { retention_days },
            None => Terms::Guest {
                keep_days: self.guest_keep_days,
            },
        }
    }
}

/// What is revoked is dropped: the session hears of it from the gate, and nothing of it may be kept. Likewise what began
/// on a day whose retention ended while it was recorded.
fn accept_segment(vault: &Vault, segment: &Segment, terms: Terms) -> Result<(), VaultError> {
    let accepted = vault.accept(&recording_vault::Segment {
        camera: segment.camera,
        consent: B256::from(segment.consent),
        terms,
        started_at_ms: segment.started_at_ms,
        ended_at_ms: segment.ended_at_ms,
        mask_policy: segment.mask_policy,
        model: segment.model_sha256.map(B256::from).unwrap_or_default(),
        bytes: &segment.bytes,
    });

    match accepted {
        Err(VaultError::Revoked { consent }) => {
            tracing::info!(camera = segment.camera, %consent, "a segment came after the revocation and is dropped");
            Ok(())
        }
        Err(VaultError::KeyGone { key }) => {
            tracing::info!(camera = segment.camera, %key, "a segment came after its retention and is dropped");
            Ok(())
        }
        other => other.map(drop),
    }
}

#[async_trait]
impl SegmentSink for VaultSink {
    async fn next_sequence(&self, camera: u64) -> Result<u64, SinkError> {
        let vault = Arc::clone(&self.vault);
        let answer = tokio::task::spawn_blocking(move || vault.next_sequence(camera)).await;
        answer.map_err(failed)?.map_err(failed)
    }

    async fn accept(&self, segment: Segment) -> Result<(), SinkError> {
        let (vault, terms) = (Arc::clone(&self.vault), self.terms(segment.retention_days));
        let answer =
            tokio::task::spawn_blocking(move || accept_segment(&vault, &segment, terms)).await;
        answer.map_err(failed)?.map_err(failed)
    }
}
