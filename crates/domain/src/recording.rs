//! Recordings: encrypted segments that lie on IPFS, named by their content, and what became of them.

use crate::canonical::canonical_bytes;
use crate::merkle;
use crate::outlet::OutletId;
#[cfg(feature = "schema")]
use crate::schema::{AddressText, HashText};
use alloy_primitives::{Address, B256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::io::{Error, ErrorKind, Read};

/// Bytes of a [`Cid`].
const CID_BYTES: usize = 36;
/// Its text: `b` and 58 digits of five bits each.
const CID_TEXT_BYTES: usize = 59;
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// A content id of IPFS, version 1: a raw block (0x55) or a file of blocks (0x70, dag-pb), by SHA-256.
/// In JSON the text in base32 that begins with `b`; there is one text of an id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
#[cfg_attr(
    feature = "schema",
    derive(utoipa::ToSchema),
    schema(value_type = String, pattern = "^b[a-z2-7]{58}$")
)]
pub struct Cid([u8; CID_BYTES]);

/// Why something is no content id of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CidError {
    /// Another version, codec or hash, or too short.
    #[error(
        "a content id has 36 bytes: 0x01, 0x55 or 0x70, 0x12, 0x20 and a SHA-256; found 0x{found}"
    )]
    Bytes {
        /// At most the first bytes.
        found: String,
    },
    /// Not `b` and 58 digits of small base32.
    #[error("a content id is `b` and 58 small letters and digits of base32, found {found:?}")]
    Text {
        /// At most the beginning.
        found: String,
    },
}

impl Cid {
    /// No id is greater; it is none itself.
    pub(crate) const MAX: Self = Self([u8::MAX; CID_BYTES]);

    /// The id with these bytes.
    pub fn new(bytes: [u8; CID_BYTES]) -> Result<Self, CidError> {
        match bytes {
            [0x01, 0x55 | 0x70, 0x12, 0x20, ..] => Ok(Self(bytes)),
            [head @ .., _, _, _, _] => Err(CidError::Bytes {
                found: alloy_primitives::hex::encode(&head[..4]),
            }),
        }
    }

    /// The binary form: version, codec, hash function and digest.
    pub const fn as_bytes(&self) -> &[u8; CID_BYTES] {
        &self.0
    }
}

impl BorshDeserialize for Cid {
    fn deserialize_reader<R: Read>(reader: &mut R) -> std::io::Result<Self> {
        let bytes = <[u8; CID_BYTES]>::deserialize_reader(reader)?;
        Self::new(bytes).map_err(|error| Error::new(ErrorKind::InvalidData, error))
    }
}

impl std::fmt::Display for Cid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("b")?;
        let (mut bits, mut count) = (0u32, 0);
        for byte in self.0 {
            (bits, count) = (bits << 8 | u32::from(byte), count + 8);
            while count >= 5 {
                count -= 5;
                write_digit(f, bits >> count)?;
            }
        }
        write_digit(f, bits << (5 - count))
    }
}

fn write_digit(f: &mut std::fmt::Formatter<'_>, bits: u32) -> std::fmt::Result {
    std::fmt::Write::write_char(f, char::from(BASE32[(bits & 31) as usize]))
}

impl std::fmt::Debug for Cid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for Cid {
    type Err = CidError;
    fn from_str(text: &str) -> Result<Self, CidError> {
        let wrong = || CidError::Text {
            found: text.chars().take(CID_TEXT_BYTES + 1).collect(),
        };
        let digits = text
            .strip_prefix('b')
            .filter(|_| text.len() == CID_TEXT_BYTES)
            .ok_or_else(wrong)?;
        let mut bytes = Vec::with_capacity(CID_BYTES);
        let (mut bits, mut count) = (0u32, 0);
        for letter in digits.bytes() {
            let value = BASE32
                .iter()
                .position(|digit| *digit == letter)
                .ok_or_else(wrong)?;
            (bits, count) = ((bits << 5 | value as u32) & 0xfff, count + 5);
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count) as u8);
            }
        }
        // The last digit holds two bits more than there are: in the one text of an id they are zero.
        let spare = bits & ((1 << count) - 1);
        let bytes: [u8; CID_BYTES] = bytes
            .try_into()
            .ok()
            .filter(|_| spare == 0)
            .ok_or_else(wrong)?;
        Self::new(bytes)
    }
}

impl Serialize for Cid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Why a recording's key was destroyed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum EraseReason {
    /// Its consent was revoked.
    Revoked = 0,
    /// Its time was over.
    Retention = 1,
    /// Somebody asked who may.
    Request = 2,
    /// For a reason that the ledger has no word for.
    Other = 3,
}

/// A recording came to the ledger.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// The content, encrypted.
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
    /// The first picture's time, by the agent's clock.
    pub started_at_ms: u64,
    /// The last picture's time.
    pub ended_at_ms: u64,
    /// The video agent that signed.
    pub agent: Address,
    /// The block that it came with.
    pub height: u64,
    /// The block's time.
    pub time_ms: u64,
}

/// A recording's key was destroyed; this is left of it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Erased {
    /// The content, which nobody can read any more.
    pub cid: Cid,
    /// Where it was recorded.
    pub outlet: OutletId,
    /// Why the key was destroyed.
    pub reason: EraseReason,
    /// The video agent or the owner who signed.
    pub by: Address,
    /// The block that it came with.
    pub height: u64,
    /// The block's time.
    pub time_ms: u64,
}

/// An entry under a checkpoint's recordings root.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs, reason = "each documents itself")]
pub enum RecordingEntry {
    Pinned(Pinned),
    Erased(Erased),
}

impl RecordingEntry {
    /// The canonical bytes, which the contract's `verifyRecording` takes.
    pub fn encode(&self) -> Vec<u8> {
        canonical_bytes(self)
    }

    /// Its leaf in the tree.
    pub fn leaf(&self) -> B256 {
        merkle::leaf(&self.encode())
    }

    /// The block that it came with.
    pub const fn height(&self) -> u64 {
        match self {
            Self::Pinned(pinned) => pinned.height,
            Self::Erased(erased) => erased.height,
        }
    }
}

/// What the ledger keeps of a recording, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Recording {
    /// Digest of the content; a second pin of this content must have the same one.
    pub tx_id: B256,
    /// What was pinned.
    pub pinned: Pinned,
    /// What is left once it is erased.
    pub erased: Option<Erased>,
}
