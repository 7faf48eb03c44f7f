//! Wire types. Amounts are integers with their unit in the field's description, times are RFC 3339 in UTC.

use domain::checkpoint::{Checkpoint, CheckpointSignature};
use domain::consent::{Consent, Grounds, Purpose, Purposes};
use domain::election::Score;
use domain::evidence::Offence;
use domain::payout::Payout;
use domain::proof::RecordingProof;
use domain::recording::{EraseReason, Erased, Pinned, Recording};
use domain::sale::{Beneficiary, NotIssued, SaleEntry, Share};
use domain::staking::Unbonding;
use domain::{
    Address, B256, BuyerKind, Cid, CommitCertificate, Currency, Header, Ledger, Line, OutletId,
    OutletKind, Parameters, Payload, Sale, SaleId, SaleKey, Signature, SignedTransaction,
    TerminalKind, Validator,
};
use problem::Problem;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A sale as a terminal sends it: what it signed, with the lines and their salt beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleRequest {
    /// The outlet that sold.
    pub outlet: OutletId,
    /// The terminal that signed.
    pub terminal: Address,
    /// The outlet's own id of the sale: 32 hex digits.
    pub sale_id: SaleId,
    /// RFC 3339; milliseconds count, finer digits are cut off.
    pub occurred_at: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Sum of the lines, in the currency's smallest unit.
    pub total: u64,
    /// What was sold.
    pub lines: Vec<Line>,
    /// 32 random bytes that keep the lines' hash from being guessed.
    pub lines_salt: B256,
    /// Who gets the buyer's share.
    pub buyer_kind: BuyerKind,
    /// The wallet or receipt address; zero or absent for `none`.
    #[serde(default)]
    pub buyer: Address,
    /// r‖s‖v over the EIP-712 digest of `Sale`.
    pub signature: Signature,
}

impl SaleRequest {
    /// The wire form of a signed sale.
    pub fn new(sale: &Sale, lines: Vec<Line>, lines_salt: B256, signature: Signature) -> Self {
        Self {
            outlet: sale.outlet,
            terminal: sale.terminal,
            sale_id: sale.sale_id,
            occurred_at: format_time(sale.occurred_at_ms),
            currency: sale.currency,
            total: sale.total,
            lines,
            lines_salt,
            buyer_kind: sale.buyer_kind,
            buyer: sale.buyer,
            signature,
        }
    }

    /// What the terminal signed. The error says what is wrong with `occurred_at`.
    pub fn sale(&self) -> Result<Sale, String> {
        Ok(Sale {
            outlet: self.outlet,
            terminal: self.terminal,
            sale_id: self.sale_id,
            occurred_at_ms: parse_time(&self.occurred_at)?,
            currency: self.currency,
            total: self.total,
            lines_hash: domain::sale::lines_hash(self.lines_salt, &self.lines),
            buyer_kind: self.buyer_kind,
            buyer: self.buyer,
        })
    }

    /// The transaction that enters a block.
    pub fn transaction(&self) -> Result<SignedTransaction, String> {
        Ok(SignedTransaction {
            payload: Payload::Sale(self.sale()?),
            signature: self.signature,
        })
    }
}

/// Milliseconds since the Unix epoch as RFC 3339 in UTC.
pub fn format_time(ms: u64) -> String {
    let nanos = i128::from(ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{ms} ms"))
}

/// RFC 3339 as milliseconds since the Unix epoch.
pub fn parse_time(text: &str) -> Result<u64, String> {
    let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|error| {
        format!("expected RFC 3339 such as 2026-11-20T12:00:00Z, found {text:?} ({error})")
    })?;
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000)
        .map_err(|_| format!("{text:?} is before 1970"))
}

/// How far a sale has come at the node that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleState {
    /// Checked and waiting for a block (only with `?wait=accepted`).
    Accepted,
    /// In a block that more than two thirds of the validators committed.
    Final,
}

/// One share of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareAnswer {
    /// `account`, `receipt` or `pool`.
    pub kind: String,
    /// Who; absent for the pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Units of 0.01 FRT.
    pub units: u64,
    /// How much of it refunds took back.
    #[serde(default)]
    pub reversed: u64,
    /// Whether the EVM may mint them.
    pub released: bool,
    /// The epoch at whose end they were released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released_in: Option<u64>,
}

impl ShareAnswer {
    fn new(ledger: &Ledger, entry: &SaleEntry, share: &Share) -> Self {
        let (kind, address) = match ledger.holder(entry, share) {
            Beneficiary::Account(account) => ("account", Some(account)),
            Beneficiary::Receipt(receipt) => ("receipt", Some(receipt)),
            Beneficiary::Claimed { wallet, .. } => ("account", Some(wallet)),
            Beneficiary::Pool => ("pool", None),
        };
        let (units, reversed, released_in) = (
            share.units,
            share.reversed,
            ledger.released_in(entry, share),
        );
        Self {
            kind: kind.into(),
            address,
            units,
            reversed,
            released: released_in.is_some(),
            released_in,
        }
    }
}

/// What the ledger says of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleAnswer {
    /// How far it has come.
    pub status: SaleState,
    /// The outlet that sold.
    pub outlet: OutletId,
    /// The outlet's own id of the sale.
    pub sale_id: SaleId,
    /// Id of the transaction: the digest that the terminal signed.
    pub transaction_id: B256,
    /// The block it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Units of 0.01 FRT issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<u64>,
    /// Why nothing was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_issued: Option<NotIssued>,
    /// Money given back, in the currency's smallest unit.
    #[serde(default)]
    pub refunded: u64,
    /// The split, as stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<ShareAnswer>,
}

impl SaleAnswer {
    /// A sale that stands in the ledger.
    pub fn is_final(ledger: &Ledger, key: SaleKey, entry: &SaleEntry) -> Self {
        Self {
            status: SaleState::Final,
            outlet: key.outlet,
            sale_id: key.sale_id,
            transaction_id: entry.tx_id,
            height: Some(entry.height),
            issued: Some(entry.issued),
            not_issued: entry.not_issued,
            refunded: entry.refunded(),
            shares: entry
                .shares
                .iter()
                .map(|share| ShareAnswer::new(ledger, entry, share))
                .collect(),
        }
    }
}

/// The most sales in one batch; the bound of a body holds too.
pub const SALES_PER_BATCH_MAX: usize = 500;

/// What became of one sale of a batch: the status and the body that it would have had alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchedSale {
    /// The HTTP status.
    pub status: u16,
    /// The answer, when the status is a success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale: Option<SaleAnswer>,
    /// The refusal, when it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// What the node says of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionAnswer {
    /// The digest that was signed.
    pub id: B256,
    /// How far it has come.
    pub status: SaleState,
    /// The block it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// What was signed, once it is in a block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<SignedTransaction>,
}

/// A final block with its certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockSummary {
    /// Its height.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotOffer {
    /// The last block in it.
    pub height: u64,
    /// keccak256 of its bytes.
    pub hash: B256,
    /// How many.
    pub bytes: u64,
    /// Who signs for it.
    pub validator: Address,
    /// Over sidechain, height, hash and length.
    pub signature: Signature,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Give this as `cursor` to get the next page; null after the last.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

/// How many of the last blocks a validator signed, by the certificates that blocks carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedAnswer {
    /// These have its signature.
    pub signed: usize,
    /// Of so many, at most the last 100, for which it was in the set.
    pub blocks: usize,
}

/// A checkpoint with what the contract needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointAnswer {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The contract it is for.
    pub anchor: Address,
    /// The EIP-712 digest.
    pub digest: B256,
    /// Whether the signatures are more than two thirds of the power.
    pub quorum: bool,
    /// Whose signatures it needs, addresses ascending.
    pub validators: Vec<Validator>,
    /// Who signs the next one.
    pub next_validators: Vec<Validator>,
    /// Those gathered so far, validators ascending.
    pub signatures: Vec<CheckpointSignature>,
    /// How many accounts its settlement pays.
    pub payouts: usize,
}

/// One account's payout in a settlement, with the chunk that the contract takes and a proof for it alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutAnswer {
    /// The settling epoch.
    pub epoch: u64,
    /// Who, and how much ever.
    pub payout: Payout,
    /// The word for `issueOne`.
    pub word: B256,
    /// The proof for `issueOne`: siblings up to the payout root, then the rest hash.
    pub proof: Vec<B256>,
    /// The words for `issueChunk`.
    pub chunk_words: Vec<B256>,
    /// The proof for `issueChunk`: siblings up to the payout root, then the rest hash.
    pub chunk_proof: Vec<B256>,
}

/// What an address holds on the ledger, in units of 0.01 FRT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountAnswer {
    /// Who.
    pub address: Address,
    /// The last nonce used.
    pub nonce: u64,
    /// Accrued and not yet released.
    pub pending: u64,
    /// Released, ever; what the EVM may mint.
    pub released: u64,
    /// Owed from refunds; paid from what matures next.
    pub debt: u64,
    /// Share of what matures that it bonds, parts per million.
    #[serde(default)]
    pub bonding_ppm: u32,
    /// Units that back its validators.
    #[serde(default)]
    pub bonded: u64,
    /// Bonded units on their way out.
    #[serde(default)]
    pub unbonding: Vec<Unbonding>,
}

/// A terminal of an outlet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalAnswer {
    /// Its key's address.
    pub address: Address,
    /// What it is.
    pub kind: TerminalKind,
    /// False once revoked.
    pub active: bool,
}

/// An outlet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutletAnswer {
    /// The founder's number for it.
    pub outlet: OutletId,
    /// Who gets the owner's share.
    pub owner: Address,
    /// Who runs it.
    pub kind: OutletKind,
    /// Where it stands.
    pub city: String,
    /// The one currency of its prices.
    pub currency: Currency,
    /// Its terminals, addresses ascending.
    pub terminals: Vec<TerminalAnswer>,
}

/// Where all units are, in units of 0.01 FRT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplyAnswer {
    /// The height that the figures are of.
    pub height: u64,
    /// Ever issued, genesis' 100 included.
    pub issued: u64,
    /// Taken back by refunds.
    pub reversed: u64,
    /// Released to accounts: what the EVM may mint.
    pub released: u64,
    /// Waiting for maturity and an epoch's end.
    pub pending: u64,
    /// On receipts that nobody has claimed.
    pub unclaimed: u64,
    /// In the pool of all holders.
    pub pool: u64,
    /// Owed by outlets' owners from refunds.
    /// released + pending + unclaimed + pool + bonded + slashed − debt = issued − reversed.
    pub debt: u64,
    /// Bonded by accounts, unbonding units included.
    pub bonded: u64,
    /// Lost by offences of validators.
    pub slashed: u64,
    /// Sales recorded.
    pub sales: u64,
}

/// A registered validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandidateAnswer {
    /// Who.
    pub address: Address,
    /// For which outlet.
    pub outlet: OutletId,
    /// Whether it has a seat.
    pub seated: bool,
    /// Whether it would be electable now; false without a recent heartbeat or in jail.
    pub electable: bool,
    /// Its score and what it is made of, parts per million; `None` without a recent heartbeat or in jail.
    pub score: Option<Score>,
    /// Units that back it.
    pub stake: u64,
    /// The last epoch with a heartbeat; 0 before the first.
    pub heartbeat_epoch: u64,
    /// Block time from which it may be unjailed, milliseconds; `None` while it is free.
    pub jailed_until_ms: Option<u64>,
    /// Block time from which its tenure counts, milliseconds.
    pub since_ms: u64,
}

/// An offence that was punished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceAnswer {
    /// Who did it.
    pub validator: Address,
    /// What it was, with both signatures.
    pub offence: Offence,
    /// The block that punished it.
    pub height: u64,
    /// Units that it cost.
    pub slashed: u64,
}

/// What may change of the chain's parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParametersAnswer {
    /// In force.
    pub parameters: Parameters,
    /// Changes that wait.
    pub waiting: Vec<WaitingChangeAnswer>,
}

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingChangeAnswer {
    /// Its number, for `cancel_change`.
    pub change: u64,
    /// Block time from which the next epoch starts with it, milliseconds.
    pub at_ms: u64,
    /// The parameters from then on.
    pub parameters: Parameters,
}

/// A guest's consent or an owner's legal basis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentAnswer {
    /// The id of the transaction that made it.
    pub id: B256,
    /// `guest`, `security` or `chef`.
    pub kind: String,
    /// Where.
    pub outlet: OutletId,
    /// The outlet's number of the camera.
    pub camera: u64,
    /// What it allows.
    pub purposes: Purposes,
    /// Of a guest's: keccak256(salt ‖ reference of guest and table).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<B256>,
    /// Of a legal basis: hash of the notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_hash: Option<B256>,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<Address>,
    /// The terminal that saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Address>,
    /// The owner who signed the legal basis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Address>,
    /// Days after which its recordings are erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// Block time from which it is in force, milliseconds.
    pub recorded_at_ms: u64,
    /// The first moment at which it is over, milliseconds.
    pub until_ms: u64,
    /// Block time at which it was revoked, for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

/// What is left of an erased recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureAnswer {
    /// The block that said so.
    pub height: u64,
    /// Why.
    pub reason: EraseReason,
    /// The block's time, milliseconds.
    pub at_ms: u64,
    /// The video agent or the owner who signed.
    pub by: Address,
}

/// An erased recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedAnswer {
    /// Its content.
    pub cid: Cid,
    /// What is left of it.
    #[serde(flatten)]
    pub erasure: ErasureAnswer,
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

/// A recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    pub epoch: Option<u64>,
    /// The tombstone.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordingProofs {
    /// That it was pinned.
    pub pinned: RecordingProof,
    /// That it was erased; null until a signed checkpoint covers that.
    pub erased: Option<RecordingProof>,
}

/// What a node says of itself; the body of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// Whether it takes part in consensus and can sign; of a node that only follows, whether it keeps up.
    pub ready: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The validator's address; null at a node that only follows.
    pub validator: Option<Address>,
    /// The chain's name.
    pub sidechain_id: B256,
    /// Height of the last final block.
    pub height: u64,
    /// The time of that block, RFC 3339.
    #[serde(default)]
    pub time: String,
    /// The round of the height that is being decided; 0 is the first.
    #[serde(default)]
    pub round: u32,
    /// This validator's voting power for the next block; 0 at a node that only follows.
    #[serde(default)]
    pub power: u64,
    /// Power behind the last certificate that a block carries: that of the block before it.
    #[serde(default)]
    pub power_online: u64,
    /// The power of all who could have signed that one.
    #[serde(default)]
    pub power_total: u64,
    /// How many of the last blocks this validator signed; absent at a node that only follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignedAnswer>,
    /// The epoch that the next block belongs to.
    pub epoch: u64,
    /// The last epoch whose checkpoint has a quorum; 0 before the first.
    pub checkpointed_epoch: u64,
    /// Transactions that wait for a block.
    pub mempool: usize,
    /// The contracts in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Address>,
    /// The token in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Address>,
    /// The contract that is proposed for a later epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_anchor: Option<Address>,
    /// Whether blocks follow each other at once because units or recordings wait for an epoch's end.
    pub busy: bool,
    /// The version of the program.
    #[serde(default)]
    pub version: String,
}
