//! Every reason for which the ledger says no, with what was expected and what was found.

use crate::consent::Purpose;
use crate::outlet::{Currency, OutletId, TerminalKind};
use crate::recording::Cid;
use crate::sale::id::{RefundId, SaleKey};
use alloy_primitives::{Address, B256};

/// What a caller can do about a rejection; decides the HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// The content is wrong: 422.
    BadField,
    /// The signer has no right to it: 403.
    Forbidden,
    /// The same key stands with other content: 409.
    Conflict,
    /// Already in the chain with the same content: not an error for the caller, 200.
    Duplicate,
}

/// A named rejection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum Rejection {
    #[error("signed by {found}, only {role} {expected} may do this")]
    WrongSigner {
        role: &'static str,
        expected: Address,
        found: Address,
    },
    #[error("the signature is by {found}, the terminal is {expected}")]
    WrongTerminalSignature { expected: Address, found: Address },
    #[error("outlet {found} is not registered")]
    UnknownOutlet { found: OutletId },
    #[error("outlet {found} is registered already")]
    OutletExists { found: OutletId },
    #[error("terminal {found} is not enrolled")]
    UnknownTerminal { found: Address },
    #[error("terminal {found} was enrolled before; an address is enrolled once")]
    TerminalExists { found: Address },
    #[error("terminal {found} was revoked")]
    RevokedTerminal { found: Address },
    #[error("terminal {terminal} sells for outlet {expected}, not {found}")]
    WrongOutlet {
        terminal: Address,
        expected: OutletId,
        found: OutletId,
    },
    #[error("outlet {outlet} sells in {expected}, found {found}")]
    WrongCurrency {
        outlet: OutletId,
        expected: Currency,
        found: Currency,
    },
    #[error("total is at most {max}, found {found}")]
    TotalOutOfBounds { max: u64, found: u64 },
    #[error("the sale is {late_ms} ms old, at most {max_ms} ms are allowed")]
    TooLate { late_ms: u64, max_ms: u64 },
    #[error("the sale is {ahead_ms} ms ahead, at most {max_ms} ms are allowed")]
    TooFarAhead { ahead_ms: u64, max_ms: u64 },
    #[error("buyer must be {expected}, found {found}")]
    BadBuyer {
        expected: &'static str,
        found: Address,
    },
    #[error("a sale has 1 to 500 lines, found {found}")]
    LineCount { found: usize },
    #[error(
        "line {index}: quantity at least 1, sku at most 64 and name at most 256 characters, sum within 64 bits"
    )]
    LineOutOfBounds { index: usize },
    #[error("the skus and names of a sale have at most {max} bytes in all, found {found}")]
    LinesTooLong { max: usize, found: usize },
    #[error("the lines add up to {found}, total says {expected}")]
    LinesDoNotAddUp { expected: u64, found: u64 },
    #[error("the lines and their salt hash to {found}, the terminal signed {expected}")]
    LinesHashMismatch { expected: B256, found: B256 },
    #[error("sale {} of outlet {} stands with other content (id {expected}, found {found})", key.sale_id, key.outlet)]
    SaleConflict {
        key: SaleKey,
        expected: B256,
        found: B256,
    },
    #[error("already in block {height}")]
    AlreadyIncluded { height: u64 },
    #[error("sale {} of outlet {} is not in the ledger", key.sale_id, key.outlet)]
    UnknownSale { key: SaleKey },
    #[error("sale {} of outlet {} has no receipt to claim", key.sale_id, key.outlet)]
    NoReceipt { key: SaleKey },
    #[error("the receipt was claimed by {expected}, found {found}")]
    ClaimConflict { expected: Address, found: Address },
    #[error("the receipt was claimed by this very wallet, {wallet}")]
    AlreadyClaimed { wallet: Address },
    #[error("wallet must be an account that the token can pay, found {found}")]
    BadWallet { found: Address },
    #[error(
        "refund {refund_id} of this sale stands with other content (id {expected}, found {found})"
    )]
    RefundConflict {
        refund_id: RefundId,
        expected: B256,
        found: B256,
    },
    #[error("amount must be 1 to {max}, what was not refunded of the sale yet; found {found}")]
    RefundOutOfBounds { max: u64, found: u64 },
    #[error("a sale has at most {max} refunds")]
    TooManyRefunds { max: usize },
    #[error("nonce must be greater than {last}, found {found}")]
    StaleNonce { last: u64, found: u64 },
    #[error("account {found} has nothing released")]
    NothingReleased { found: Address },
    #[error("the approval is signed by {found}, the registrar is {expected}")]
    WrongRegistrar { expected: Address, found: Address },
    #[error("the approval's signature is not one: {found}")]
    BadApprovalSignature {
        found: crate::crypto::SignatureError,
    },
    #[error("the approval expired at {expired_at_ms}, block time is {now_ms}")]
    ApprovalExpired { expired_at_ms: u64, now_ms: u64 },
    #[error("approval {found} was used before")]
    ApprovalUsed { found: B256 },
    #[error("city has 1 to 64 bytes, found {found}")]
    BadCity { found: usize },
    #[error("currency must be three upper-case letters")]
    BadCurrency,
    #[error("owner must not be the zero address")]
    BadOwner,
    #[error("token is fixed at {expected}, found {found}")]
    TokenFixed { expected: Address, found: Address },
    #[error(
        "{field} must be a contract's own address that no account of the ledger has, found {found}"
    )]
    BadContract { field: &'static str, found: Address },
    #[error("from_epoch must be {min} or later, found {found}")]
    EpochPassed { min: u64, found: u64 },
    #[error("from_epoch must be {max} or earlier, found {found}")]
    EpochTooFar { max: u64, found: u64 },
    #[error("the next settlement pays {found} already")]
    PayoutAlreadyDue { found: Address },
    #[error("the validator set hashes to {expected}, found {found}")]
    WrongValidators { expected: B256, found: B256 },
    #[error("account {found} holds nothing on the ledger")]
    NothingHeld { found: Address },
    #[error("bonding_ppm is 0 to 1000000, found {found}")]
    BondingOutOfBounds { found: u32 },
    #[error("units must be 1 to {max}, what is bonded; found {found}")]
    UnbondOutOfBounds { max: u64, found: u64 },
    #[error("an account has at most {max} unbondings at a time")]
    TooManyUnbondings { max: usize },
    #[error("outlet {outlet} has the validator {found}")]
    OutletHasValidator { outlet: OutletId, found: Address },
    #[error("validator {found} is registered already")]
    ValidatorExists { found: Address },
    #[error("validator {found} is not registered")]
    UnknownValidator { found: Address },
    #[error("public_key is no compressed secp256k1 key")]
    BadPublicKey,
    #[error("the consent is not signed by the validator {expected}")]
    BadConsent { expected: Address },
    #[error("a heartbeat is for the present epoch {expected}, found {found}")]
    WrongEpoch { expected: u64, found: u64 },
    #[error("validator {found} is not jailed")]
    NotJailed { found: Address },
    #[error("jailed until {until_ms}, block time is {now_ms}")]
    StillJailed { until_ms: u64, now_ms: u64 },
    #[error("evidence is about a height from {min} to {max}, found {found}")]
    EvidenceOutOfTime { min: u64, max: u64, found: u64 },
    #[error("the validator was punished for this height")]
    AlreadyPunished,
    #[error("the evidence proves nothing: {found}")]
    BadEvidence {
        found: crate::evidence::EvidenceError,
    },
    #[error("{field} must be {min} to {max}, found {found}")]
    ParameterOutOfBounds {
        field: &'static str,
        min: u64,
        max: u64,
        found: u64,
    },
    #[error("{max} changes wait already")]
    TooManyChanges { max: usize },
    #[error("change {found} does not wait")]
    UnknownChange { found: u64 },
    #[error("terminal {terminal} is {found}, this needs {expected}")]
    WrongTerminalKind {
        terminal: Address,
        expected: &'static str,
        found: TerminalKind,
    },
    #[error("the witness signature is not of the terminal {expected} over this consent")]
    BadWitnessSignature { expected: Address },
    #[error("camera is 0 to {max}, found {found}")]
    CameraOutOfBounds { max: u64, found: u64 },
    #[error("until must be {min} to {max}, found {found}")]
    UntilOutOfBounds { min: u64, max: u64, found: u64 },
    #[error("retention_days is 1 to {max}, found {found}")]
    RetentionOutOfBounds { max: u32, found: u32 },
    #[error("{max} of this kind are in force for camera {camera}")]
    TooManyConsents { camera: u64, max: usize },
    #[error("outlet {outlet} has {max} {what} today, which is the most")]
    DayFull {
        outlet: OutletId,
        what: &'static str,
        max: u32,
    },
    #[error("consent {found} is not in the ledger")]
    UnknownConsent { found: B256 },
    #[error("the consent was revoked at {revoked_at_ms}")]
    AlreadyRevoked { revoked_at_ms: u64 },
    #[error("the consent is for camera {} of outlet {}, found camera {} of outlet {}", expected.1, expected.0, found.1, found.0)]
    WrongConsent {
        expected: (OutletId, u64),
        found: (OutletId, u64),
    },
    #[error("the consent does not allow {}", .found.word())]
    PurposeNotAllowed { found: Purpose },
    #[error("the guest revoked this consent at {revoked_at_ms}")]
    ConsentRevoked { revoked_at_ms: u64 },
    #[error("recording {cid} stands with other content (id {expected}, found {found})")]
    RecordingConflict {
        cid: Cid,
        expected: B256,
        found: B256,
    },
    #[error("sequence is at most {max}, found {found}")]
    SequenceOutOfBounds { max: u64, found: u64 },
    #[error(
        "a recording ends after its start and within {max_ms} ms of it, found {started_at_ms} to {ended_at_ms}"
    )]
    RecordingLength {
        max_ms: u64,
        started_at_ms: u64,
        ended_at_ms: u64,
    },
    #[error(
        "a recording under this consent lies within {from_ms} to {to_ms}, found {started_at_ms} to {ended_at_ms}"
    )]
    OutsideConsent {
        from_ms: u64,
        to_ms: u64,
        started_at_ms: u64,
        ended_at_ms: u64,
    },
    #[error("the recording ends {ahead_ms} ms ahead, at most {max_ms} ms are allowed")]
    RecordingAhead { ahead_ms: u64, max_ms: u64 },
    #[error("the recording ended {late_ms} ms ago and may be kept for {max_ms} ms")]
    RecordingTooLate { late_ms: u64, max_ms: u64 },
    #[error("recording {found} is not in the ledger")]
    UnknownRecording { found: Cid },
    #[error("recording {cid} is of outlet {expected}, found {found}")]
    WrongRecordingOutlet {
        cid: Cid,
        expected: OutletId,
        found: OutletId,
    },
    #[error("the recording was erased in block {height}")]
    AlreadyErased { height: u64 },
}

impl Rejection {
    /// A stable name for programs: `problem+json`'s type.
    pub fn code(&self) -> &'static str {
        self.describe().0
    }

    /// The JSON field that is to blame.
    pub fn field(&self) -> &'static str {
        self.describe().1
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> RejectionKind {
        self.describe().2
    }

    fn describe(&self) -> (&'static str, &'static str, RejectionKind) {
        use RejectionKind::{BadField, Conflict, Duplicate, Forbidden};

        match self {
            Self::WrongSigner { .. } => ("wrong_signer", "signature", Forbidden),
            Self::WrongTerminalSignature { .. } => {
                ("wrong_terminal_signature", "signature", BadField)
            }
            Self::UnknownOutlet { .. } => ("unknown_outlet", "outlet", BadField),
            Self::OutletExists { .. } => ("outlet_exists", "outlet", Conflict),
            Self::UnknownTerminal { .. } => ("unknown_terminal", "terminal", Forbidden),
            Self::TerminalExists { .. } => ("terminal_exists", "terminal", Conflict),
            Self::RevokedTerminal { .. } => ("revoked_terminal", "terminal", Forbidden),
            Self::WrongOutlet { .. } => ("wrong_outlet", "outlet", Forbidden),
            Self::WrongCurrency { .. } => ("wrong_currency", "currency", BadField),
            Self::TotalOutOfBounds { .. } => ("total_out_of_bounds", "total", BadField),
            Self::TooLate { .. } => ("too_late", "occurred_at", BadField),
            Self::TooFarAhead { .. } => ("too_far_ahead", "occurred_at", BadField),
            Self::BadBuyer { .. } => ("bad_buyer", "buyer", BadField),
            Self::LineCount { .. } => ("line_count", "lines", BadField),
            Self::LineOutOfBounds { .. } => ("line_out_of_bounds", "lines", BadField),
            Self::LinesTooLong { .. } => ("lines_too_long", "lines", BadField),
            Self::LinesDoNotAddUp { .. } => ("lines_do_not_add_up", "total", BadField),
            Self::LinesHashMismatch { .. } => ("lines_hash_mismatch", "signature", BadField),
            Self::SaleConflict { .. } => ("sale_conflict", "sale_id", Conflict),
            Self::AlreadyIncluded { .. } => ("already_included", "", Duplicate),
            Self::UnknownSale { .. } => ("unknown_sale", "sale_id", BadField),
            Self::NoReceipt { .. } => ("no_receipt", "sale_id", BadField),
            Self::ClaimConflict { .. } => ("claim_conflict", "wallet", Conflict),
            Self::AlreadyClaimed { .. } => ("already_claimed", "wallet", Duplicate),
            Self::BadWallet { .. } => ("bad_wallet", "wallet", BadField),
            Self::RefundConflict { .. } => ("refund_conflict", "refund_id", Conflict),
            Self::RefundOutOfBounds { .. } => ("refund_out_of_bounds", "amount", BadField),
            Self::TooManyRefunds { .. } => ("too_many_refunds", "refund_id", BadField),
            Self::StaleNonce { .. } => ("stale_nonce", "nonce", BadField),
            Self::NothingReleased { .. } => ("nothing_released", "account", Forbidden),
            Self::WrongRegistrar { .. } => ("wrong_registrar", "approval_signature", Forbidden),
            Self::BadApprovalSignature { .. } => {
                ("bad_approval_signature", "approval_signature", BadField)
            }
            Self::ApprovalExpired { .. } => {
                ("approval_expired", "approval_expires_at_ms", BadField)
            }
            Self::ApprovalUsed { .. } => ("approval_used", "approval_ref", Conflict),
            Self::BadCity { .. } => ("bad_city", "city", BadField),
            Self::BadCurrency => ("bad_currency", "currency", BadField),
            Self::BadOwner => ("bad_owner", "owner", BadField),
            Self::TokenFixed { .. } => ("token_fixed", "token", Conflict),
            Self::BadContract { field, .. } => ("bad_contract", field, BadField),
            Self::EpochPassed { .. } => ("epoch_passed", "from_epoch", BadField),
            Self::EpochTooFar { .. } => ("epoch_too_far", "from_epoch", BadField),
            Self::PayoutAlreadyDue { .. } => ("payout_already_due", "account", Conflict),
            Self::WrongValidators { .. } => ("wrong_validators", "validators_hash", BadField),
            Self::NothingHeld { .. } => ("nothing_held", "account", Forbidden),
            Self::BondingOutOfBounds { .. } => ("bonding_out_of_bounds", "bonding_ppm", BadField),
            Self::UnbondOutOfBounds { .. } => ("unbond_out_of_bounds", "units", BadField),
            Self::TooManyUnbondings { .. } => ("too_many_unbondings", "units", BadField),
            Self::OutletHasValidator { .. } => ("outlet_has_validator", "outlet", Conflict),
            Self::ValidatorExists { .. } => ("validator_exists", "public_key", Conflict),
            Self::UnknownValidator { .. } => ("unknown_validator", "validator", Forbidden),
            Self::BadPublicKey => ("bad_public_key", "public_key", BadField),
            Self::BadConsent { .. } => ("bad_consent", "consent", BadField),
            Self::WrongEpoch { .. } => ("wrong_epoch", "epoch", BadField),
            Self::NotJailed { .. } => ("not_jailed", "validator", Conflict),
            Self::StillJailed { .. } => ("still_jailed", "validator", Forbidden),
            Self::EvidenceOutOfTime { .. } => ("evidence_out_of_time", "offence", BadField),
            Self::AlreadyPunished => ("already_punished", "offence", Duplicate),
            Self::BadEvidence { .. } => ("bad_evidence", "offence", BadField),
            Self::ParameterOutOfBounds { field, .. } => {
                ("parameter_out_of_bounds", field, BadField)
            }
            Self::TooManyChanges { .. } => ("too_many_changes", "parameters", BadField),
            Self::UnknownChange { .. } => ("unknown_change", "change", BadField),
            Self::WrongTerminalKind { .. } => ("wrong_terminal_kind", "terminal", Forbidden),
            Self::BadWitnessSignature { .. } => {
                ("bad_witness_signature", "witness_signature", BadField)
            }
            Self::CameraOutOfBounds { .. } => ("camera_out_of_bounds", "camera", BadField),
            Self::UntilOutOfBounds { .. } => ("until_out_of_bounds", "until_ms", BadField),
            Self::RetentionOutOfBounds { .. } => {
                ("retention_out_of_bounds", "retention_days", BadField)
            }
            Self::TooManyConsents { .. } => ("too_many_consents", "camera", BadField),
            Self::DayFull { .. } => ("day_full", "outlet", Forbidden),
            Self::UnknownConsent { .. } => ("unknown_consent", "consent", BadField),
            Self::AlreadyRevoked { .. } => ("already_revoked", "consent", Duplicate),
            Self::WrongConsent { .. } => ("wrong_consent", "consent", Forbidden),
            Self::PurposeNotAllowed { .. } => ("purpose_not_allowed", "consent", Forbidden),
            Self::ConsentRevoked { .. } => ("consent_revoked", "consent", Forbidden),
            Self::RecordingConflict { .. } => ("recording_conflict", "cid", Conflict),
            Self::SequenceOutOfBounds { .. } => ("sequence_out_of_bounds", "sequence", BadField),
            Self::RecordingLength { .. } => ("recording_length", "ended_at_ms", BadField),
            Self::OutsideConsent { .. } => ("outside_consent", "started_at_ms", Forbidden),
            Self::RecordingAhead { .. } => ("recording_ahead", "ended_at_ms", BadField),
            Self::RecordingTooLate { .. } => ("recording_too_late", "ended_at_ms", BadField),
            Self::UnknownRecording { .. } => ("unknown_recording", "cid", BadField),
            Self::WrongRecordingOutlet { .. } => ("wrong_recording_outlet", "outlet", Forbidden),
            Self::AlreadyErased { .. } => ("already_erased", "cid", Duplicate),
        }
    }
}
