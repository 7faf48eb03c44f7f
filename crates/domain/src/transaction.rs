//! What actors sign. Who may sign what stands in `docs/PROTOCOL.md` and is checked by [`crate::ledger`].

#[cfg(feature = "schema")]
use crate::consent::Purpose;
use crate::consent::{BasisKind, Purposes};
use crate::crypto::{Signature, SignatureError};
use crate::eip712::DomainSeparator;
use crate::evidence::Offence;
use crate::limits::TRANSACTION_BYTES_MAX;
use crate::outlet::{Currency, OutletId, OutletKind, TerminalKind};
use crate::parameters::Parameters;
use crate::recording::{Cid, EraseReason};
use crate::sale::{RefundId, Sale, SaleId};
#[cfg(feature = "schema")]
use crate::schema::{AddressText, HashText, PublicKeyText};
use alloy_primitives::{Address, B256, FixedBytes, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// The founder opens an outlet; carries the registrar's single-use approval.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterOutlet {
    /// The number of the new outlet.
    pub outlet: OutletId,
    /// Its owner or franchisee.
    pub owner: Address,
    /// Who runs it.
    pub kind: OutletKind,
    /// Where it stands.
    pub city: String,
    /// The one currency of its prices.
    pub currency: Currency,
    /// Issuing sales a day of block time; 4294967295 = unlimited.
    pub quota_per_day: u32,
    /// The same for each of its terminals.
    pub terminal_quota_per_day: u32,
    /// Salted reference to the registrar's file; used once.
    pub approval_ref: B256,
    /// Block time after which the approval is void, milliseconds.
    pub approval_expires_at_ms: u64,
    /// The registrar's signature over `OutletApproval(outlet, owner, approvalRef, expiresAt)`.
    pub approval_signature: Signature,
    /// Greater than the founder's last one.
    pub nonce: u64,
}

/// An outlet's owner enrols a terminal.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterTerminal {
    /// The outlet it will sell for.
    pub outlet: OutletId,
    /// The terminal's address.
    pub terminal: Address,
    /// What it is.
    pub kind: TerminalKind,
    /// Greater than the owner's last one.
    pub nonce: u64,
}

/// An outlet's owner revokes a terminal, for ever.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeTerminal {
    /// The outlet it sold for.
    pub outlet: OutletId,
    /// The terminal's address.
    pub terminal: Address,
    /// Greater than the owner's last one.
    pub nonce: u64,
}

/// The key printed on a receipt moves its units to a wallet, once.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClaimReceipt {
    /// The outlet of the sale.
    pub outlet: OutletId,
    /// The sale.
    pub sale_id: SaleId,
    /// Where the units go.
    pub wallet: Address,
}

/// The outlet gives money of a sale back; the units that it issued go back in proportion.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// The outlet of the sale.
    pub outlet: OutletId,
    /// The sale.
    pub sale_id: SaleId,
    /// The point of sale's own id of this refund.
    pub refund_id: RefundId,
    /// Money given back, in the currency's smallest unit; at least 1.
    pub amount: u64,
}

/// A holder asks to be in the next settlement.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestPayout {
    /// The holder.
    pub account: Address,
    /// Greater than the holder's last one.
    pub nonce: u64,
}

/// The founder puts every account into the next settlement (after a revoked root or a new anchor).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FullSettlement {
    /// Greater than the founder's last one.
    pub nonce: u64,
}

/// The founder binds the sidechain to its contracts.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetAnchor {
    /// The token; fixed for ever by the first SetAnchor.
    pub token: Address,
    /// The contract that takes checkpoints.
    pub anchor: Address,
    /// The first epoch whose checkpoint goes there.
    pub from_epoch: u64,
    /// The set that the anchor was deployed with; another one in force at `from_epoch` makes this void.
    pub validators_hash: B256,
    /// Greater than the founder's last one.
    pub nonce: u64,
}

/// A holder bonds a share of what matures from now on.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetBonding {
    /// The holder.
    pub account: Address,
    /// Parts per million; 0 to 1,000,000.
    pub bonding_ppm: u32,
    /// Greater than the holder's last one.
    pub nonce: u64,
}

/// A holder takes units out of the bond; they are released after the unbonding time.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Unbond {
    /// The holder.
    pub account: Address,
    /// How many; at least 1.
    pub units: u64,
    /// Greater than the holder's last one.
    pub nonce: u64,
}

/// An outlet's owner registers a validator for it, for ever.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RegisterValidator {
    /// The outlet; one validator each.
    pub outlet: OutletId,
    /// The validator's compressed secp256k1 key.
    pub public_key: FixedBytes<33>,
    /// The validator's signature over `ValidatorConsent(outlet, owner)`.
    pub consent: Signature,
    /// Greater than the owner's last one.
    pub nonce: u64,
}

/// A registered validator says that it is there; once an epoch.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// The validator.
    pub validator: Address,
    /// The present epoch.
    pub epoch: u64,
}

/// An outlet's owner lets its validator stand for election again.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Unjail {
    /// The validator.
    pub validator: Address,
    /// Greater than the owner's last one.
    pub nonce: u64,
}

/// A validator shows that another one signed two different things.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Who did.
    pub offender: Address,
    /// What, with both signatures.
    pub offence: Offence,
}

/// The founder changes parameters, after the delay of genesis.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SetParameters {
    /// All of them.
    pub parameters: Parameters,
    /// Greater than the founder's last one.
    pub nonce: u64,
}

/// The guardian cancels a change that waits.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CancelChange {
    /// Its number, which is the nonce of the founder's transaction.
    pub change: u64,
    /// Greater than the guardian's last one.
    pub nonce: u64,
}

/// A guest allows a camera to be recorded or shown; a terminal of the outlet saw it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RecordConsent {
    /// Where.
    pub outlet: OutletId,
    /// The outlet's number of the camera.
    pub camera: u64,
    /// For what.
    pub purposes: Purposes,
    /// keccak256(salt ‖ reference of guest and table).
    pub commitment: B256,
    /// Who signs: a wallet, or a key made for this once.
    pub guest: Address,
    /// The first moment at which it is over, milliseconds.
    pub until_ms: u64,
    /// The terminal that saw it.
    pub witness: Address,
    /// The terminal's signature over `ConsentWitness(outlet, camera, purposes, commitment, guest, until)`.
    pub witness_signature: Signature,
}

/// An outlet's owner has a legal basis to record a camera.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RecordLegalBasis {
    /// Where.
    pub outlet: OutletId,
    /// The outlet's number of the camera.
    pub camera: u64,
    /// What it is for.
    pub kind: BasisKind,
    /// Hash of the notice that hangs on the wall.
    pub notice_hash: B256,
    /// Days after which recordings are erased; 1 to 30.
    pub retention_days: u32,
    /// The first moment at which it is over, milliseconds.
    pub until_ms: u64,
    /// Greater than the owner's last one.
    pub nonce: u64,
}

/// The guest, the witness or the owner ends a consent, for ever.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RevokeConsent {
    /// The id of the transaction that made it.
    pub consent: B256,
}

/// A video agent says where an encrypted recording lies.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PinRecording {
    /// Where it was recorded.
    pub outlet: OutletId,
    /// By which of the outlet's cameras.
    pub camera: u64,
    /// Who allowed it.
    pub consent: B256,
    /// The content.
    pub cid: Cid,
    /// Of the manifest that lies beside it.
    pub manifest_hash: B256,
    /// Its place in the agent's own order.
    pub sequence: u64,
    /// The first picture's time, milliseconds.
    pub started_at_ms: u64,
    /// The last picture's time, milliseconds.
    pub ended_at_ms: u64,
}

/// A video agent or the owner says that a recording's key is destroyed.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EraseRecording {
    /// Where it was recorded.
    pub outlet: OutletId,
    /// The content.
    pub cid: Cid,
    /// Why.
    pub reason: EraseReason,
}

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
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
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
        encode(self)
    }

    /// The id: the digest that was signed. The signature is no part of it, so the same content has one id.
    pub fn id(&self, domain: &DomainSeparator) -> B256 {
        domain.transaction_digest(&self.payload)
    }

    /// Who signed.
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
    /// Who signed.
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

/// Canonical borsh bytes. Writing to a vector cannot fail.
pub(crate) fn encode<T: BorshSerialize>(value: &T) -> Vec<u8> {
    borsh::to_vec(value).unwrap_or_default()
}
