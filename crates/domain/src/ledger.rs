//! The state machine: a genesis and blocks in, state and events out.
//!
//! A block is executed on top of the state without touching it ([`BlockExecution`]); what changed comes out as
//! [`Changes`], which are applied once the block is final. The digest of a state is the hash chain over the changes
//! of all blocks, so two nodes that differ in one entry differ in every later header.

mod apply;
mod changes;
mod election;
mod epoch;
mod index;
mod pool;
mod sales;
mod shared;
mod snapshot;
mod staking;
mod state;
mod tables;
mod video;

pub use changes::Changes;
pub use election::Standing;
pub use snapshot::{SNAPSHOT_VERSION, SnapshotError};
pub use state::{Account, AnchorBinding, Ledger, Supply};

use crate::block::{Block, Header, PROTOCOL_VERSION, last_commit_hash, transactions_root};
use crate::certificate::{CertificateError, CommitCertificate};
use crate::checkpoint::Checkpoint;
use crate::consent::Consent;
use crate::eip712::DomainSeparator;
use crate::outlet::{OutletId, OutletKind, TerminalKind};
use crate::payout::Settlement;
use crate::recording::{Erased, Pinned};
use crate::rejection::Rejection;
use crate::sale::{NotIssued, RefundId, SaleKey, Share};
use crate::transaction::{SignedTransaction, VerifiedTransaction};
use crate::validators::ValidatorSet;
use alloy_primitives::{Address, B256};
use changes::Overlay;

/// Something that happened while a block was executed; what readers mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "fields are those of the transaction or entry that the variant names"
)]
pub enum Event {
    /// An outlet was opened.
    OutletRegistered {
        outlet: OutletId,
        owner: Address,
        kind: OutletKind,
    },
    /// A terminal was enrolled.
    TerminalRegistered {
        outlet: OutletId,
        terminal: Address,
        kind: TerminalKind,
    },
    /// A terminal was revoked.
    TerminalRevoked { outlet: OutletId, terminal: Address },
    /// A sale was recorded; `issued` is 100 or 0.
    SaleRecorded {
        key: SaleKey,
        tx_id: B256,
        issued: u64,
        not_issued: Option<NotIssued>,
        shares: Vec<Share>,
    },
    /// A receipt's units went to a wallet.
    ReceiptClaimed {
        key: SaleKey,
        wallet: Address,
        units: u64,
    },
    /// Money of a sale was given back. `reversed` holds units by share; `debt` of them became the debt of `owner`,
    /// because their shares were released already.
    Refunded {
        key: SaleKey,
        refund_id: RefundId,
        tx_id: B256,
        amount: u64,
        reversed: Vec<u64>,
        owner: Address,
        debt: u64,
    },
    /// A holder asked to be in the next settlement.
    PayoutRequested { account: Address },
    /// The founder asked for everybody to be in the next settlement.
    FullSettlementRequested,
    /// The founder named the contracts.
    AnchorProposed { binding: AnchorBinding },
    /// The contracts are in force.
    AnchorBound { binding: AnchorBinding },
    /// Another validator set was in force than the contracts were deployed with.
    AnchorVoid { binding: AnchorBinding },
    /// Units left pending: `units` the EVM may mint, `debt_paid` settled what the account owed, `bonded` back its
    /// validators.
    Released {
        account: Address,
        units: u64,
        debt_paid: u64,
        bonded: u64,
    },
    /// A holder said what share of its earnings it bonds.
    BondingSet { account: Address, bonding_ppm: u32 },
    /// Units began to leave the bond.
    UnbondingStarted {
        account: Address,
        units: u64,
        at_ms: u64,
    },
    /// Units left the bond and are pending.
    Unbonded { account: Address, units: u64 },
    /// A validator was registered.
    ValidatorRegistered {
        validator: Address,
        outlet: OutletId,
    },
    /// A registered validator is there.
    HeartbeatSeen { validator: Address, epoch: u64 },
    /// A validator may stand for election again.
    Unjailed { validator: Address },
    /// A validator signed two different things at `height`: it was jailed, and its owner lost units.
    ValidatorPunished {
        validator: Address,
        owner: Address,
        offence: &'static str,
        height: u64,
        slashed: u64,
    },
    /// Other validators, or other power, from the next block on.
    ValidatorsElected {
        epoch: u64,
        validators: ValidatorSet,
    },
    /// A change of parameters waits.
    ChangeProposed { change: u64, at_ms: u64 },
    /// The guardian cancelled it.
    ChangeCancelled { change: u64 },
    /// It is in force.
    ParametersChanged { change: u64 },
    /// Receipts of sales of blocks up to this time were not claimed in time: their units went to the pool.
    ReceiptsExpired { to_ms: u64, units: u64 },
    /// A holder's part of the pool went to its pending units.
    PoolShared { account: Address, units: u64 },
    /// A guest's consent or an owner's legal basis is in force.
    ConsentRecorded { id: B256, consent: Consent },
    /// It is not, from this block on.
    ConsentRevoked { id: B256, by: Address, at_ms: u64 },
    /// A recording came to the ledger.
    RecordingPinned { tx_id: B256, pinned: Pinned },
    /// A recording's key was destroyed.
    RecordingErased { erased: Erased },
    /// The epoch ended, with or without a checkpoint.
    EpochClosed {
        epoch: u64,
        checkpoint: Option<Box<EpochCheckpoint>>,
    },
}

/// What the validators of an epoch sign, and what it pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochCheckpoint {
    /// What the validators sign.
    pub checkpoint: Checkpoint,
    /// The contract it is for.
    pub anchor: Address,
    /// Whose signatures it needs.
    pub validators: ValidatorSet,
    /// Who signs the next one.
    pub next_validators: ValidatorSet,
    /// What `payout_root` holds.
    pub settlement: Settlement,
    /// What `blocks_root` holds: hashes from `first_height` to `last_height`.
    pub block_hashes: Vec<B256>,
    /// What `recordings_root` holds: leaves in the ledger's order.
    pub recording_leaves: Vec<B256>,
}

/// A block's outcome, ready to be applied.
#[derive(Clone, Debug)]
pub struct Executed {
    /// Hash of the executed block.
    pub block_hash: B256,
    /// What it changed.
    pub changes: Changes,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl Executed {
    /// Where all units are after the block.
    pub fn supply(&self) -> Supply {
        self.changes.core.supply
    }
}

/// Why a block is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum BlockError {
    #[error("{field}: expected {expected}, found {found}")]
    Header {
        field: &'static str,
        expected: String,
        found: String,
    },
    #[error("certificate of the parent")]
    Certificate(#[from] CertificateError),
    #[error("transaction {index}: no signature")]
    Signature {
        index: usize,
        source: crate::crypto::SignatureError,
    },
    #[error("transaction {index} is rejected")]
    Transaction { index: usize, source: Rejection },
}

/// A block being executed on top of a ledger that stays as it is.
pub struct BlockExecution<'a> {
    overlay: Overlay<'a>,
    events: Vec<Event>,
    leaves: Vec<B256>,
}

impl<'a> BlockExecution<'a> {
    /// Starts the block after the ledger's head. `time_ms` must be greater than the head's.
    pub fn begin(ledger: &'a Ledger, time_ms: u64) -> Self {
        Self {
            overlay: Overlay::new(ledger, time_ms),
            events: Vec::new(),
            leaves: Vec::new(),
        }
    }

    /// Executes one transaction; a rejected one changes nothing.
    pub fn apply(&mut self, transaction: &VerifiedTransaction) -> Result<(), Rejection> {
        let events = apply::apply(&mut self.overlay, transaction)?;
        self.events.extend(events);
        // A block's bytes bound the count far below 32 bits.
        let index = u32::try_from(self.leaves.len()).unwrap_or(u32::MAX);
        self.leaves.push(transaction.leaf(index));
        Ok(())
    }

    /// The header for what was applied so far.
    pub fn header(&self, proposer: Address, last_commit: Option<&CommitCertificate>) -> Header {
        let ledger = self.overlay.ledger();
        Header {
            version: PROTOCOL_VERSION,
            sidechain_id: ledger.sidechain_id(),
            height: ledger.next_height(),
            time_ms: self.overlay.time_ms(),
            parent_hash: ledger.head_hash(),
            last_commit_hash: last_commit_hash(last_commit),
            transactions_root: transactions_root(&self.leaves),
            state_digest: ledger.state_digest(),
            proposer,
        }
    }

    /// Ends the block; closes the epoch if this is its last one. `last_commit` is the certificate in the block.
    pub fn finish(mut self, block_hash: B256, last_commit: Option<&CommitCertificate>) -> Executed {
        if let Some(certificate) = last_commit {
            election::record_signers(&mut self.overlay, certificate);
        }
        let events = epoch::close_if_due(&mut self.overlay, block_hash, &self.events);
        self.events.extend(events);
        Executed {
            block_hash,
            changes: self.overlay.into_changes(block_hash),
            events: self.events,
        }
    }
}

/// How a transaction of a block gets its signature checked; a node remembers what it has checked before.
pub type Verify<'v> = dyn FnMut(
        &SignedTransaction,
        &DomainSeparator,
    ) -> Result<VerifiedTransaction, crate::crypto::SignatureError>
    + 'v;

impl Ledger {
    /// Whether a block at `time_ms` could begin with this transaction.
    pub fn admits(&self, transaction: &VerifiedTransaction, time_ms: u64) -> Result<(), Rejection> {
        apply::apply(&mut Overlay::new(self, time_ms), transaction).map(drop)
    }

    /// Checks a whole block against this state and executes it. The state itself stays as it is.
    pub fn execute(&self, block: &Block, verify: &mut Verify<'_>) -> Result<Executed, BlockError> {
        self.check_last_commit(block)?;
        self.execute_content(block, verify)
    }

    /// Executes a block that was final before. The caller has to see that a certificate proves a descendant: its hash
    /// binds every signature in here, so the costly checks of sales and certificates are not made twice. Where the
    /// validators change, the old set's certificate is checked all the same: every set vouches for the next one.
    pub fn replay(&self, block: &Block) -> Result<Executed, BlockError> {
        if self.previous_validators() != self.validators() {
            self.check_last_commit(block)?;
        }
        self.execute_content(block, &mut |transaction, domain| {
            VerifiedTransaction::checked_before(transaction.clone(), domain)
        })
    }

    fn execute_content(
        &self,
        block: &Block,
        verify: &mut Verify<'_>,
    ) -> Result<Executed, BlockError> {
        self.check_time(&block.header)?;
        self.check_proposer(&block.header)?;

        let domain = self.domain();
        let mut execution = BlockExecution::begin(self, block.header.time_ms);
        for (index, transaction) in block.transactions.iter().enumerate() {
            let verified = verify(transaction, domain)
                .map_err(|source| BlockError::Signature { index, source })?;
            execution
                .apply(&verified)
                .map_err(|source| BlockError::Transaction { index, source })?;
        }

        let expected = execution.header(block.header.proposer, block.last_commit.as_ref());
        check_header(&expected, &block.header)?;

        Ok(execution.finish(block.header.hash(), block.last_commit.as_ref()))
    }

    fn check_time(&self, header: &Header) -> Result<(), BlockError> {
        let earliest = self.head_time_ms() + 1;
        if header.time_ms < earliest {
            return Err(header_mismatch(
                "time_ms",
                format!("{earliest} or later"),
                header.time_ms,
            ));
        }
        Ok(())
    }

    fn check_proposer(&self, header: &Header) -> Result<(), BlockError> {
        match self.validators().get(header.proposer) {
            Some(_) => Ok(()),
            None => Err(header_mismatch("proposer", "a validator", header.proposer)),
        }
    }

    fn check_last_commit(&self, block: &Block) -> Result<(), BlockError> {
        match &block.last_commit {
            None if self.is_fresh() => Ok(()),
            None => Err(header_mismatch("last_commit", "a certificate", "none")),
            Some(_) if self.is_fresh() => {
                Err(header_mismatch("last_commit", "none", "a certificate"))
            }
            Some(certificate) => Ok(certificate.verify(
                self.sidechain_id(),
                self.next_height() - 1,
                self.head_hash(),
                self.previous_validators(),
            )?),
        }
    }
}

fn header_mismatch(
    field: &'static str,
    expected: impl ToString,
    found: impl ToString,
) -> BlockError {
    BlockError::Header {
        field,
        expected: expected.to_string(),
        found: found.to_string(),
    }
}

fn check_header(expected: &Header, found: &Header) -> Result<(), BlockError> {
    let fields: [(&'static str, String, String); 8] = [
        (
            "version",
            expected.version.to_string(),
            found.version.to_string(),
        ),
        (
            "sidechain_id",
            expected.sidechain_id.to_string(),
            found.sidechain_id.to_string(),
        ),
        (
            "height",
            expected.height.to_string(),
            found.height.to_string(),
        ),
        (
            "time_ms",
            expected.time_ms.to_string(),
            found.time_ms.to_string(),
        ),
        (
            "parent_hash",
            expected.parent_hash.to_string(),
            found.parent_hash.to_string(),
        ),
        (
            "last_commit_hash",
            expected.last_commit_hash.to_string(),
            found.last_commit_hash.to_string(),
        ),
        (
            "transactions_root",
            expected.transactions_root.to_string(),
            found.transactions_root.to_string(),
        ),
        (
            "state_digest",
            expected.state_digest.to_string(),
            found.state_digest.to_string(),
        ),
    ];

    match fields
        .into_iter()
        .find(|(_, expected, found)| expected != found)
    {
        Some((field, expected, found)) => Err(BlockError::Header {
            field,
            expected,
            found,
        }),
        None => Ok(()),
    }
}
