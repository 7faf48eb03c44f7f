//! Blocks: what validators agree on.

use crate::canonical::canonical_bytes;
use crate::certificate::CommitCertificate;
use crate::limits::BLOCK_BYTES_MAX;
use crate::merkle;
#[cfg(feature = "schema")]
use crate::schema::{AddressText, HashText};
use crate::transaction::SignedTransaction;
use alloy_primitives::{Address, B256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// The version of the rules that this build writes.
pub const PROTOCOL_VERSION: u16 = 1;

/// Everything that the block's hash binds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Header {
    /// Which rules apply.
    pub version: u16,
    /// The sidechain that it belongs to: hash of the genesis.
    pub sidechain_id: B256,
    /// One more than the parent's.
    pub height: u64,
    /// Milliseconds since the Unix epoch; at least 1 ms after the parent's.
    pub time_ms: u64,
    /// Hash of the block before.
    pub parent_hash: B256,
    /// keccak256 of the encoded certificate of the block before; zero in the first block.
    pub last_commit_hash: B256,
    /// Merkle root over the transactions' leaves.
    pub transactions_root: B256,
    /// Digest of the state after the block before.
    pub state_digest: B256,
    /// Who built it.
    pub proposer: Address,
}

impl Header {
    /// The block's hash: keccak256 of the canonical bytes.
    pub fn hash(&self) -> B256 {
        keccak256(canonical_bytes(self))
    }
}

/// A header with what it binds.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Block {
    /// What is hashed.
    pub header: Header,
    /// Why the block before is final; `None` in the first block.
    pub last_commit: Option<CommitCertificate>,
    /// In order of execution.
    pub transactions: Vec<SignedTransaction>,
}

/// Why bytes are not a block.
#[derive(Debug, thiserror::Error)]
pub enum BlockDecodeError {
    /// Larger than any block.
    #[error("a block has at most {BLOCK_BYTES_MAX} bytes, found {found}")]
    TooLong {
        /// How many bytes were given.
        found: usize,
    },
    /// Truncated, trailing or malformed bytes.
    #[error("malformed block")]
    Malformed(#[source] std::io::Error),
}

impl Block {
    /// Reads a block from hostile bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockDecodeError> {
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(BlockDecodeError::TooLong { found: bytes.len() });
        }
        borsh::from_slice(bytes).map_err(BlockDecodeError::Malformed)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        canonical_bytes(self)
    }
}

/// What a header must say about a certificate.
pub fn last_commit_hash(certificate: Option<&CommitCertificate>) -> B256 {
    certificate.map_or(B256::ZERO, |certificate| {
        keccak256(canonical_bytes(certificate))
    })
}

/// What a header must say about its transactions, given their leaves.
pub fn transactions_root(leaves: &[B256]) -> B256 {
    merkle::root(leaves)
}
