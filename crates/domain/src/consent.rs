//! Who allowed a camera to be recorded, for what and until when: a guest at a table, or the owner's legal basis.

use crate::limits::{DAY_MS, RETENTION_DAYS_MAX};
use crate::outlet::OutletId;
use alloy_primitives::{Address, B256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a guest allows: a set of bits in typed data, a list of words in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum Purposes {
    /// To be recorded, hidden, encrypted.
    Recording = 1,
    /// To be shown in a public live stream.
    Stream = 2,
    /// To be recorded and to be shown.
    Both = 3,
}

/// One of the things that a guest may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Purpose {
    /// To be recorded, hidden, encrypted.
    Recording = 1,
    /// To be shown in a public live stream.
    Stream = 2,
}

impl Purpose {
    /// As in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Stream => "stream",
        }
    }
}

impl Purposes {
    /// Whether a purpose is among them.
    pub const fn allow(self, purpose: Purpose) -> bool {
        self as u8 & purpose as u8 != 0
    }

    /// One by one.
    pub fn words(self) -> Vec<Purpose> {
        [Purpose::Recording, Purpose::Stream]
            .into_iter()
            .filter(|purpose| self.allow(*purpose))
            .collect()
    }

    /// Each at most once, in any order; at least one.
    pub fn of(words: &[Purpose]) -> Option<Self> {
        match words {
            [Purpose::Recording] => Some(Self::Recording),
            [Purpose::Stream] => Some(Self::Stream),
            [a, b] if a != b => Some(Self::Both),
            _ => None,
        }
    }
}

impl Serialize for Purposes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Purposes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = <Vec<Purpose> as Deserialize>::deserialize(deserializer)?;
        let wrong = || {
            serde::de::Error::custom(format!(
                "purposes are recording, stream or both, found {words:?}"
            ))
        };
        Self::of(&words).ok_or_else(wrong)
    }
}

/// What binds a consent to guest and table without saying who: keccak256 of the salt and the reference in UTF-8.
pub fn consent_commitment(salt: B256, reference: &str) -> B256 {
    keccak256([salt.as_slice(), reference.as_bytes()].concat())
}

/// What kind of camera the owner has a legal basis for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum BasisKind {
    /// Doors, tills, stores.
    Security = 0,
    /// The kitchen and who works in it.
    Chef = 1,
}

/// On what grounds a camera may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Grounds {
    /// A guest said so.
    Guest {
        /// What the guest allows.
        purposes: Purposes,
        /// keccak256(salt ‖ reference of guest and table); both live off the chain and are destroyed with an erasure.
        commitment: B256,
        /// The wallet or one-time key that signed.
        guest: Address,
        /// The terminal that saw it.
        witness: Address,
    },
    /// The outlet's owner has a legal basis; it allows recording only.
    Basis {
        /// The kind of camera that it covers.
        kind: BasisKind,
        /// Hash of the notice that hangs on the wall.
        notice_hash: B256,
        /// Days after which recordings are erased.
        retention_days: u32,
        /// The outlet's owner, who signed.
        owner: Address,
    },
}

/// What the ledger keeps of a consent, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Consent {
    /// The outlet whose camera it is about.
    pub outlet: OutletId,
    /// The outlet's number of the camera.
    pub camera: u64,
    /// A guest's word or the owner's legal basis.
    pub grounds: Grounds,
    /// The block it is in.
    pub height: u64,
    /// Block time from which it is in force, milliseconds.
    pub recorded_at_ms: u64,
    /// The first moment at which it is over, milliseconds.
    pub until_ms: u64,
    /// Block time at which it was revoked, for ever.
    pub revoked_at_ms: Option<u64>,
}

impl Consent {
    /// `guest`, `security` or `chef`.
    pub const fn kind(&self) -> &'static str {
        match self.grounds {
            Grounds::Guest { .. } => "guest",
            Grounds::Basis {
                kind: BasisKind::Security,
                ..
            } => "security",
            Grounds::Basis {
                kind: BasisKind::Chef,
                ..
            } => "chef",
        }
    }

    /// Whether a guest gave it.
    pub const fn is_guests(&self) -> bool {
        matches!(self.grounds, Grounds::Guest { .. })
    }

    /// What it allows.
    pub const fn purposes(&self) -> Purposes {
        match self.grounds {
            Grounds::Guest { purposes, .. } => purposes,
            Grounds::Basis { .. } => Purposes::Recording,
        }
    }

    /// Neither revoked nor over.
    pub fn is_in_force(&self, now_ms: u64) -> bool {
        self.revoked_at_ms.is_none() && self.until_ms > now_ms
    }

    /// When it was over, or will be.
    pub fn ends_at_ms(&self) -> u64 {
        self.revoked_at_ms
            .map_or(self.until_ms, |revoked| revoked.min(self.until_ms))
    }

    /// How long after its end a recording may still be pinned: as long as it may be kept at all.
    pub const fn retention_ms(&self) -> u64 {
        let days = match self.grounds {
            Grounds::Guest { .. } => RETENTION_DAYS_MAX,
            Grounds::Basis { retention_days, .. } => retention_days,
        };
        days as u64 * DAY_MS
    }
}

/// How much an outlet added on one day of block time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct VideoDay {
    /// Counted from 1970-01-01, in UTC.
    pub day: u64,
    /// Consents and legal bases.
    pub consents: u32,
    /// Recordings pinned on that day.
    pub recordings: u32,
}

impl VideoDay {
    /// The same on a later day: nothing yet.
    pub fn at(self, now_ms: u64) -> Self {
        let day = now_ms / DAY_MS;
        if day == self.day {
            self
        } else {
            Self {
                day,
                ..Self::default()
            }
        }
    }
}
