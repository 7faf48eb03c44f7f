//! Who allowed a camera to be recorded.

use domain::consent::{Consent, Grounds, Purpose, Purposes};
use domain::schema::{AddressText, HashText};
use domain::{Address, B256, OutletId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// What a consent stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    /// A guest at a table said so.
    Guest,
    /// The owner's legal basis for rooms and doors.
    Security,
    /// The owner's legal basis for the kitchen.
    Chef,
}

/// A guest's consent or an owner's legal basis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsentAnswer {
    /// The id of the transaction that made it.
    pub id: B256,
    /// What it stands on.
    #[schema(value_type = ConsentKind)]
    pub kind: String,
    /// The outlet whose camera it is about.
    pub outlet: OutletId,
    /// The outlet's number of the camera.
    pub camera: u64,
    /// What it allows.
    pub purposes: Purposes,
    /// Of a guest's: keccak256(salt ‖ reference of guest and table).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub commitment: Option<B256>,
    /// Of a legal basis: hash of the notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub notice_hash: Option<B256>,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub guest: Option<Address>,
    /// The terminal that saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub witness: Option<Address>,
    /// The owner who signed the legal basis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub owner: Option<Address>,
    /// Days after which its recordings are erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retention_days: Option<u32>,
    /// Block time from which it is in force, milliseconds.
    pub recorded_at_ms: u64,
    /// The first moment at which it is over, milliseconds.
    pub until_ms: u64,
    /// Block time at which it was revoked, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub revoked_at_ms: Option<u64>,
    /// The block it is in.
    pub height: u64,
}

impl ConsentAnswer {
    /// What the ledger says of it.
    pub fn new(id: B256, consent: &Consent) -> Self {
        let mut answer = Self {
            id,
            kind: consent.kind().into(),
            outlet: consent.outlet,
            camera: consent.camera,
            purposes: consent.purposes(),
            commitment: None,
            notice_hash: None,
            guest: None,
            witness: None,
            owner: None,
            retention_days: None,
            recorded_at_ms: consent.recorded_at_ms,
            until_ms: consent.until_ms,
            revoked_at_ms: consent.revoked_at_ms,
            height: consent.height,
        };

        match consent.grounds {
            Grounds::Guest {
                commitment,
                guest,
                witness,
                ..
            } => {
                (answer.commitment, answer.guest, answer.witness) =
                    (Some(commitment), Some(guest), Some(witness));
            }
            Grounds::Basis {
                notice_hash,
                retention_days,
                owner,
                ..
            } => {
                (answer.notice_hash, answer.owner) = (Some(notice_hash), Some(owner));
                answer.retention_days = Some(retention_days);
            }
        }

        answer
    }

    /// Whether it allows this at this moment. Whoever asks has to see that the answer is of a node that is ready.
    pub fn allows(&self, outlet: OutletId, camera: u64, purpose: Purpose, now_ms: u64) -> bool {
        let is_in_force = self.revoked_at_ms.is_none() && self.until_ms > now_ms;
        is_in_force
            && (self.outlet, self.camera) == (outlet, camera)
            && self.purposes.allow(purpose)
    }
}

/// A consent in a list, out of the read model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConsentRow {
    /// The digest that was signed.
    pub id: B256,
    /// What it stands on.
    #[schema(value_type = ConsentKind)]
    pub kind: String,
    /// The outlet whose camera it is about.
    pub outlet: u64,
    /// The outlet's number of the camera.
    pub camera: u64,
    /// What it allows.
    pub purposes: Purposes,
    /// Of a guest's: keccak256(salt ‖ reference of guest and table).
    #[schema(required)]
    pub commitment: Option<B256>,
    /// Who gave it.
    #[schema(required)]
    pub guest: Option<Address>,
    /// The terminal that saw it.
    #[schema(required)]
    pub witness: Option<Address>,
    /// Of a legal basis: hash of the notice.
    #[schema(required)]
    pub notice_hash: Option<B256>,
    /// Days after which its recordings are erased.
    #[schema(required)]
    pub retention_days: Option<u64>,
    /// The owner who signed the legal basis.
    #[schema(required)]
    pub owner: Option<Address>,
    /// In force from then on.
    #[serde(with = "time::serde::rfc3339")]
    pub recorded_at: OffsetDateTime,
    /// The first moment at which it is over.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
    /// When it was revoked, for ever.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub revoked_at: Option<OffsetDateTime>,
    /// The guest, the witness or the owner who revoked it.
    #[schema(required)]
    pub revoked_by: Option<Address>,
    /// Neither revoked nor over, by the database's clock.
    pub in_force: bool,
    /// How many recordings lie under it that were not erased.
    pub recordings: u64,
    /// The block it is in.
    pub height: u64,
    /// Its place among the consents of the block.
    #[serde(skip)]
    pub place: u64,
}
