//! Final blocks, as a list and one by one, and snapshots of the state after them.

use domain::schema::{AddressText, HashText};
use domain::{Address, B256, CommitCertificate, Header, Signature, SignedTransaction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A final block with its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockAnswer {
    /// keccak256 of the encoded header.
    pub hash: B256,
    /// What is hashed.
    pub header: Header,
    /// Why it is final.
    pub certificate: CommitCertificate,
    /// Its transactions, in order.
    pub transactions: Vec<SignedTransaction>,
    /// The whole block as borsh, hex: what a verifier decodes.
    pub raw: String,
}

/// A final block in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BlockSummary {
    /// The height that it was decided at.
    pub height: u64,
    /// keccak256 of the encoded header.
    pub hash: B256,
    /// Its time, RFC 3339.
    pub time: String,
    /// Who built it.
    pub proposer: Address,
    /// How many transactions it has.
    pub transactions: usize,
    /// The round in which it was decided; 0 is the first.
    pub round: u32,
    /// Whose signatures this node holds under it, addresses ascending.
    pub signers: Vec<Address>,
}

/// A copy of the state that a validator has and signs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotOffer {
    /// The last block in it.
    pub height: u64,
    /// keccak256 of its bytes.
    pub hash: B256,
    /// How many bytes the copy has.
    pub bytes: u64,
    /// Who signs for it.
    pub validator: Address,
    /// Over sidechain, height, hash and length.
    pub signature: Signature,
}
