//! Recordings and what is left of erased ones.

use domain::proof::RecordingProof;
use domain::recording::{EraseReason, Erased, Pinned, Recording};
use domain::schema::{AddressText, HashText};
use domain::{Address, B256, Cid, OutletId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// What is left of an erased recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureAnswer {
    /// The block that said so.
    pub height: u64,
    /// Why its key was destroyed.
    pub reason: EraseReason,
    /// The block's time, milliseconds.
    pub at_ms: u64,
    /// The video agent or the owner who signed.
    pub by: Address,
}

impl From<Erased> for ErasureAnswer {
    fn from(
        Erased {
            height,
            reason,
            time_ms,
            by,
            ..
        }: Erased,
    ) -> Self {
        Self {
            height,
            reason,
            at_ms: time_ms,
            by,
        }
    }
}

/// An erased recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasedAnswer {
    /// Names the content, which nobody can read any more.
    pub cid: Cid,
    /// What is left of it.
    #[serde(flatten)]
    pub erasure: ErasureAnswer,
}

/// A recording that is pinned, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordingAnswer {
    /// The content, encrypted, on IPFS.
    pub cid: Cid,
    /// Where it was recorded.
    pub outlet: OutletId,
    /// By which of the outlet's cameras.
    pub camera: u64,
    /// Who allowed it.
    pub consent: B256,
    /// Of the manifest that lies beside it.
    pub manifest_hash: B256,
    /// Its place in the agent's own order.
    pub sequence: u64,
    /// The first picture's time, by the agent's clock, milliseconds.
    pub started_at_ms: u64,
    /// The last picture's time, milliseconds.
    pub ended_at_ms: u64,
    /// The block it is in.
    pub height: u64,
    /// The video agent that signed.
    pub agent: Address,
    /// The epoch of the checkpoint that covers it; absent before there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub epoch: Option<u64>,
    /// What is left of it once it is erased; null before.
    #[schema(required)]
    pub erased: Option<ErasureAnswer>,
}

impl RecordingAnswer {
    /// What the ledger says of it.
    pub fn new(recording: &Recording, epoch: Option<u64>) -> Self {
        let Pinned {
            cid,
            outlet,
            camera,
            consent,
            manifest_hash,
            sequence,
            started_at_ms,
            ended_at_ms,
            ..
        } = recording.pinned;

        let erased = recording.erased.map(ErasureAnswer::from);
        let (height, agent) = (recording.pinned.height, recording.pinned.agent);

        Self {
            cid,
            outlet,
            camera,
            consent,
            manifest_hash,
            sequence,
            started_at_ms,
            ended_at_ms,
            height,
            agent,
            epoch,
            erased,
        }
    }
}

/// Everything that leads from a recording, and from its erasure, to the EVM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordingProofs {
    /// That it was pinned.
    pub pinned: RecordingProof,
    /// That it was erased; null until a signed checkpoint covers that.
    #[schema(required)]
    pub erased: Option<RecordingProof>,
}

/// What is left of an erased recording, out of the read model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Erasure {
    /// The block that said so.
    pub height: u64,
    /// The block's time.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The video agent or the owner who signed.
    pub by: Address,
    /// Why its key was destroyed.
    #[schema(value_type = EraseReason)]
    pub reason: String,
}

/// A recording in a list, out of the read model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecordingRow {
    /// The content, encrypted, on IPFS.
    pub cid: Cid,
    /// The digest that was signed.
    pub transaction_id: B256,
    /// Where it was recorded.
    pub outlet: u64,
    /// By which of the outlet's cameras.
    pub camera: u64,
    /// Who allowed it.
    pub consent: B256,
    /// Of the manifest that lies beside it.
    pub manifest_hash: B256,
    /// Its place in the agent's own order.
    pub sequence: u64,
    /// The first picture's time, by the agent's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// The last picture's time.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// The video agent that signed.
    pub agent: Address,
    /// The block it is in.
    pub height: u64,
    /// Its place among the recordings of the block.
    #[serde(skip)]
    pub place: u64,
    /// The epoch of the checkpoint that covers it, as the blocks lead to it.
    #[schema(required)]
    pub epoch: Option<u64>,
    /// Whether the anchor keeps that checkpoint.
    pub anchored: bool,
    /// What is left of it once it is erased; null before.
    #[schema(required)]
    pub erased: Option<Erasure>,
}
