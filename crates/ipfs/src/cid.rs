//! The one kind of content identifier that we make and take: version 1, sha2-256, raw or dag-pb; 36 bytes.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// Bytes of such an identifier; the ledger keeps exactly these.
pub const CID_BYTES: usize = 36;
/// Characters of its text: `b` and 58 of base32.
const TEXT_CHARS: usize = 59;
const VERSION: u8 = 0x01;
const RAW: u8 = 0x55;
const DAG_PB: u8 = 0x70;
const SHA2_256: u8 = 0x12;
const DIGEST_BYTES: u8 = 32;

/// What a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Bytes of the content.
    Raw,
    /// Links to other blocks.
    DagPb,
}

/// Names content by its hash. Equal CIDs, equal content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize)]
pub struct Cid([u8; CID_BYTES]);

/// What was read is no CID of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a CID of version 1 with sha2-256, raw or dag-pb, in base32 (b…), found {found}")]
pub struct CidError {
    found: String,
}

impl Cid {
    /// The CID of a block.
    pub fn of_block(codec: Codec, block: &[u8]) -> Self {
        let codec = match codec {
            Codec::Raw => RAW,
            Codec::DagPb => DAG_PB,
        };
        let mut bytes = [0u8; CID_BYTES];
        bytes[..4].copy_from_slice(&[VERSION, codec, SHA2_256, DIGEST_BYTES]);
        bytes[4..].copy_from_slice(&Sha256::digest(block));
        Self(bytes)
    }

    /// Reads the binary form, as it stands in a CAR file, a link or a transaction.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        let known = |bytes: &[u8; CID_BYTES]| {
            matches!(bytes[..4], [VERSION, RAW | DAG_PB, SHA2_256, DIGEST_BYTES])
                .then_some(Self(*bytes))
        };
        <&[u8; CID_BYTES]>::try_from(bytes)
            .ok()
            .and_then(known)
            .ok_or_else(|| CidError::of_bytes(bytes))
    }

    /// The binary form.
    pub fn as_bytes(&self) -> &[u8; CID_BYTES] {
        &self.0
    }

    /// What the block holds.
    pub fn codec(&self) -> Codec {
        if self.0[1] == RAW {
            Codec::Raw
        } else {
            Codec::DagPb
        }
    }

    /// Whether this is the CID of these bytes.
    pub fn matches(&self, block: &[u8]) -> bool {
        *self == Self::of_block(self.codec(), block)
    }
}

impl CidError {
    fn of_bytes(bytes: &[u8]) -> Self {
        let shown: String = bytes
            .iter()
            .take(CID_BYTES)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            found: format!("{} bytes 0x{shown}", bytes.len()),
        }
    }

    fn of_text(text: &str) -> Self {
        Self {
            found: format!("{:?}", text.chars().take(80).collect::<String>()),
        }
    }
}

impl FromStr for Cid {
    type Err = CidError;

    /// Only the canonical text is read, so that a CID has one spelling.
    fn from_str(text: &str) -> Result<Self, CidError> {
        let error = || CidError::of_text(text);
        if text.len() != TEXT_CHARS {
            return Err(error());
        }
        let parsed = cid::Cid::try_from(text).map_err(|_| error())?;
        let ours = Self::from_bytes(&parsed.to_bytes()).map_err(|_| error())?;
        if ours.to_string() == text {
            Ok(ours)
        } else {
            Err(error())
        }
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match cid::Cid::read_bytes(self.0.as_slice()) {
            Ok(cid) => write!(f, "{cid}"),
            Err(_) => f.write_str("?"),
        }
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Cid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <String as Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl BorshDeserialize for Cid {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        let bytes = <[u8; CID_BYTES]>::deserialize_reader(reader)?;
        Self::from_bytes(&bytes)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))
    }
}
