//! What actors sign, one file for each subject. Who may sign what stands in `docs/PROTOCOL.md` and is checked by
//! [`crate::ledger`].

mod chain;
mod outlets;
mod staking;
mod tokens;
mod video;

pub use chain::{CancelChange, SetAnchor, SetParameters};
pub use outlets::{RegisterOutlet, RegisterTerminal, RevokeTerminal};
pub use staking::{Evidence, Heartbeat, RegisterValidator, SetBonding, Unbond, Unjail};
pub use tokens::{ClaimReceipt, FullSettlement, Refund, RequestPayout};
pub use video::{EraseRecording, PinRecording, RecordConsent, RecordLegalBasis, RevokeConsent};

use crate::canonical::canonical_bytes;
use crate::crypto::{Signature, SignatureError};
use crate::eip712::{DomainSeparator, HashStruct};
use crate::limits::TRANSACTION_BYTES_MAX;
use crate::sale::Sale;
use alloy_primitives::{Address, B256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// The content of a transaction. The tag is its place in this list.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs, reason = "each payload documents itself")]
pub enum Payload {
    Sale(Sale),
    RegisterOutlet(RegisterOutlet),
    RegisterTerminal(RegisterTerminal),
    RevokeTerminal(RevokeTerminal),
    ClaimReceipt(ClaimReceipt),
    RequestPayout(RequestPayout),
    FullSettlement(FullSettlement),
    SetAnchor(SetAnchor),
    Refund(Refund),
    SetBonding(SetBonding),
    Unbond(Unbond),
    RegisterValidator(RegisterValidator),
    Heartbeat(Heartbeat),
    Unjail(Unjail),
    Evidence(Box<Evidence>),
    SetParameters(SetParameters),
    CancelChange(CancelChange),
    RecordConsent(RecordConsent),
    RecordLegalBasis(RecordLegalBasis),
    RevokeConsent(RevokeConsent),
    PinRecording(PinRecording),
    EraseRecording(EraseRecording),
}

impl DomainSeparator {
    /// What the actor signs; also the id of the transaction.
    pub fn transaction_digest(&self, payload: &Payload) -> B256 {
        self.digest(payload.hash_struct())
    }
}

impl HashStruct for Payload {
    fn hash_struct(&self) -> B256 {
        match self {
            Self::Sale(content) => content.hash_struct(),
            Self::RegisterOutlet(content) => content.hash_struct(),
            Self::RegisterTerminal(content) => content.hash_struct(),
            Self::RevokeTerminal(content) => content.hash_struct(),
            Self::ClaimReceipt(content) => content.hash_struct(),
            Self::RequestPayout(content) => content.hash_struct(),
            Self::FullSettlement(content) => content.hash_struct(),
            Self::SetAnchor(content) => content.hash_struct(),
            Self::Refund(content) => content.hash_struct(),
            Self::SetBonding(content) => content.hash_struct(),
            Self::Unbond(content) => content.hash_struct(),
            Self::RegisterValidator(content) => content.hash_struct(),
            Self::Heartbeat(content) => content.hash_struct(),
            Self::Unjail(content) => content.hash_struct(),
            Self::Evidence(content) => content.hash_struct(),
            Self::SetParameters(content) => content.hash_struct(),
            Self::CancelChange(content) => content.hash_struct(),
            Self::RecordConsent(content) => content.hash_struct(),
            Self::RecordLegalBasis(content) => content.hash_struct(),
            Self::RevokeConsent(content) => content.hash_struct(),
            Self::PinRecording(content) => content.hash_struct(),
            Self::EraseRecording(content) => content.hash_struct(),
        }
    }
}

/// How many tags [`Payload`] has; a greater one is [`DecodeError::UnknownTag`].
const PAYLOAD_TAGS: u8 = 22;

/// A payload with its actor's signature.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignedTransaction {
    /// What is signed.
    #[serde(flatten)]
    pub payload: Payload,
    /// By whom follows from it.
    pub signature: Signature,
}

/// Why bytes are not a transaction.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Longer than any transaction.
    #[error("a transaction has at most {max} bytes, found {found}")]
    TooLong {
        /// How many bytes were given.
        found: usize,
        /// How many a transaction may have.
        max: usize,
    },
    /// A tag that this version of the protocol does not know.
    #[error("unknown transaction tag {found}, known are 0 to {max}")]
    UnknownTag {
        /// The tag found.
        found: u8,
        /// The greatest known.
        max: u8,
    },
    /// Truncated, trailing or malformed bytes.
    #[error("malformed transaction")]
    Malformed(#[source] std::io::Error),
}

impl SignedTransaction {
    /// Reads one transaction from hostile bytes; what it returns encodes to the same bytes again.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > TRANSACTION_BYTES_MAX {
            return Err(DecodeError::TooLong {
                found: bytes.len(),
                max: TRANSACTION_BYTES_MAX,
            });
        }

        match bytes.first() {
            Some(&found) if found >= PAYLOAD_TAGS => Err(DecodeError::UnknownTag {
                found,
                max: PAYLOAD_TAGS - 1,
            }),
            _ => borsh::from_slice(bytes).map_err(DecodeError::Malformed),
        }
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        canonical_bytes(self)
    }

    /// The id: the digest that was signed. The signature is no part of it, so the same content has one id.
    pub fn id(&self, domain: &DomainSeparator) -> B256 {
        domain.transaction_digest(&self.payload)
    }

    /// Recovers the signer from signature and digest; one public-key recovery.
    pub fn signer(&self, domain: &DomainSeparator) -> Result<Address, SignatureError> {
        self.signature.recover(self.id(domain))
    }
}

/// A transaction whose signature has been checked: the ledger takes no other kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedTransaction {
    /// What was signed.
    pub transaction: SignedTransaction,
    /// The digest that was signed.
    pub id: B256,
    /// Recovered from the signature; its rights are the ledger's to check.
    pub signer: Address,
}

impl VerifiedTransaction {
    /// Checks the signature; the cost of one public-key recovery.
    pub fn verify(
        transaction: SignedTransaction,
        domain: &DomainSeparator,
    ) -> Result<Self, SignatureError> {
        let id = transaction.id(domain);
        let signer = transaction.signature.recover(id)?;
        Ok(Self {
            transaction,
            id,
            signer,
        })
    }

    /// A transaction of a block that was final before: the signer of a sale is its terminal, or the block would not
    /// be. Who signed anything else is found from the signature.
    pub fn checked_before(
        transaction: SignedTransaction,
        domain: &DomainSeparator,
    ) -> Result<Self, SignatureError> {
        match &transaction.payload {
            Payload::Sale(sale) => {
                let (id, signer) = (transaction.id(domain), sale.terminal);
                Ok(Self {
                    transaction,
                    id,
                    signer,
                })
            }
            _ => Self::verify(transaction, domain),
        }
    }

    /// The leaf of the block's transaction tree.
    pub fn leaf(&self, index: u32) -> B256 {
        transaction_leaf(index, self.id, &self.transaction.signature)
    }
}

/// The leaf of a transaction in its block's tree: keccak256(keccak256(index ‖ id ‖ signature)), the index as four
/// big-endian bytes. Without the index a block's hash would not bind the order, because the tree sorts its pairs.
pub fn transaction_leaf(index: u32, id: B256, signature: &Signature) -> B256 {
    let mut preimage = [0u8; 101];
    preimage[..4].copy_from_slice(&index.to_be_bytes());
    preimage[4..36].copy_from_slice(id.as_slice());
    preimage[36..].copy_from_slice(&signature.0);
    keccak256(keccak256(preimage))
}
