//! What the parts of a node share: the ledger, the store, the mempool, and who waits for what.

use crate::config::NodeConfig;
use crate::core::attendance::{Attendance, BLOCKS_MAX};
use crate::core::mempool::{Mempool, Offered, Pending, SaleLines, Source};
use crate::core::parallel;
use crate::io::snapshots::{SnapshotFileError, Snapshots};
use crate::io::store::{Decision, LateLines, Store, StoreError};
use crate::restore;
use crate::tasks::snapshots::SnapshotTaker;
use bytes::Bytes;
use domain::crypto::SignatureError;
use domain::eip712::DomainSeparator;
use domain::ledger::{BlockExecution, EpochCheckpoint, Event, Executed};
use domain::limits::BLOCK_AHEAD_MS_MAX;
use domain::transaction::VerifiedTransaction;
use domain::{
    Address, B256, Block, CommitCertificate, Genesis, Ledger, Payload, Rejection, SaleKey,
    SignedTransaction, ValidatorSet,
};
use service_kit::clock::now_ms;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::{Notify, oneshot, watch};

/// What became of a transaction that somebody waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In a final, fsynced block.
    Final {
        /// The block that holds it.
        height: u64,
    },
    /// It will never be in one.
    Rejected(Rejection),
}

/// Why the node does not take a transaction.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// The signature is none.
    #[error("signature")]
    Signature(#[from] SignatureError),
    /// The ledger says no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// No room: try again later.
    #[error("the mempool is full")]
    Full,
}

/// A node's shared state.
pub struct Node {
    /// Who this validator is; `None` at a node that only follows.
    pub validator: Option<Address>,
    /// The last height that a validator only follows, because it may have signed it already.
    pub follows_to: Option<u64>,
    /// Why the double-sign guard refused the signature that was asked for last.
    pub guard_refusal: watch::Sender<Option<String>>,
    /// The round of the height that is being decided.
    pub round: AtomicU32,
    /// What survives a restart.
    pub store: Store,
    /// Bounds and addresses.
    pub config: NodeConfig,
    /// Copies the state for the next start.
    pub snapshots: SnapshotTaker,
    ledger: RwLock<Ledger>,
    mempool: Mutex<Mempool>,
    waiters: Mutex<HashMap<B256, Vec<oneshot::Sender<Outcome>>>>,
    last_certificate: Mutex<Option<CommitCertificate>>,
    attendance: Mutex<Attendance>,
    ready: AtomicBool,
    /// Told when a transaction starts to wait.
    pub mempool_changed: Notify,
    /// Height of the last final block.
    pub height: watch::Sender<u64>,
    /// Told when an epoch ended.
    pub epoch_closed: Notify,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a node cannot start from its store.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The genesis is none.
    #[error(transparent)]
    Genesis(#[from] domain::genesis::GenesisError),
    /// The last stored block is not the one that was decided.
    #[error("stored block {height} does not match its certificate")]
    Certificate {
        /// Of the last stored block.
        height: u64,
        /// The rule that the certificate breaks.
        #[source]
        source: domain::certificate::CertificateError,
    },
    /// The last stored block has no certificate.
    #[error("stored block {height} has no certificate")]
    NoCertificate {
        /// Of the last stored block.
        height: u64,
    },
    /// The blocks before these are elsewhere, and so is the state.
    #[error(
        "the store begins at block {first}, and there is no good snapshot to begin with: move the data folder away and start again"
    )]
    Beginning {
        /// The first stored block.
        first: u64,
    },
    /// The folder of snapshots cannot be used.
    #[error(transparent)]
    Snapshots(#[from] SnapshotFileError),
    /// A stored block does not follow from those before it.
    #[error("stored block {height} is invalid")]
    Block {
        /// Of the invalid block.
        height: u64,
        /// The rule that the block breaks.
        #[source]
        source: domain::ledger::BlockError,
    },
}

/// Waits for what becomes of a transaction; once it is dropped, the node forgets it.
pub struct Waiter {
    node: Arc<Node>,
    id: B256,
    receiver: oneshot::Receiver<Outcome>,
}

impl Waiter {
    /// What became of it; `None` when the node stops.
    pub async fn outcome(&mut self) -> Option<Outcome> {
        (&mut self.receiver).await.ok()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.receiver.close();
        self.node.forget_closed(self.id);
    }
}

/// A block that was executed, with what it leads to.
pub struct Candidate {
    /// The block, decoded.
    pub block: Block,
    /// The same, encoded.
    pub bytes: Bytes,
    /// Ids of its transactions.
    pub ids: Vec<B256>,
    /// What it changes in the ledger, not applied yet.
    pub executed: Executed,
}

impl Node {
    /// Rebuilds the ledger from its last snapshot and the store's blocks. The node follows until it is told which validator it is.
    pub fn open(genesis: Genesis, store: Store, config: NodeConfig) -> Result<Self, ReplayError> {
        let snapshots = Snapshots::open(config.snapshots_dir())?;
        let ledger = restore::ledger(&genesis, &store, &snapshots)?;
        store.recall_transactions(ledger.domain())?;

        let last_certificate = store.certificate(ledger.height())?;
        let attendance = recent_attendance(&ledger, &store)?;
        let (height, _) = watch::channel(ledger.height());

        Ok(Self {
            validator: None,
            follows_to: None,
            guard_refusal: watch::channel(None).0,
            round: AtomicU32::new(0),
            mempool: Mutex::new(Mempool::new(config.mempool)),
            snapshots: SnapshotTaker::new(snapshots, config.snapshots.every_blocks),
            store,
            config,
            ledger: RwLock::new(ledger),
            waiters: Mutex::default(),
            last_certificate: Mutex::new(last_certificate),
            attendance: Mutex::new(attendance),
            ready: AtomicBool::new(false),
            mempool_changed: Notify::new(),
            height,
            epoch_closed: Notify::new(),
        })
    }

    /// The state after the last final block. Hold it briefly, and never ask again while holding it: a writer that
    /// waits in between would block both for ever.
    pub fn ledger(&self) -> RwLockReadGuard<'_, Ledger> {
        self.ledger.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Transactions waiting for a block.
    pub fn mempool_len(&self) -> usize {
        locked(&self.mempool).len()
    }

    /// Bytes of these transactions, lines included.
    pub fn mempool_bytes(&self) -> usize {
        locked(&self.mempool).bytes()
    }

    /// Who signed the last blocks.
    pub fn attendance(&self) -> MutexGuard<'_, Attendance> {
        locked(&self.attendance)
    }

    /// The validators that decide a height, as far as it is known.
    pub fn validators_at(&self, height: u64) -> Result<Option<ValidatorSet>, StoreError> {
        let (next, first) = {
            let ledger = self.ledger();
            if height == ledger.next_height() {
                return Ok(Some(ledger.validators().clone()));
            }
            (ledger.next_height(), ledger.genesis().first_height)
        };
        if (first..next).contains(&height) {
            self.store.validators_at(height)
        } else {
            Ok(None)
        }
    }

    /// Whether the node follows consensus.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Says whether the node follows consensus.
    pub fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Whether a transaction waits for a block here.
    pub fn is_pending(&self, id: B256) -> bool {
        locked(&self.mempool).get(id).is_some()
    }

    /// Whether this very transaction, signature included, waits for a block here.
    pub fn is_waiting(&self, transaction: &SignedTransaction) -> bool {
        locked(&self.mempool).find_same(transaction).is_some()
    }

    /// Checks a transaction as the next block would and lets it wait; says whether it is new here.
    pub fn admit(
        &self,
        transaction: VerifiedTransaction,
        lines: Option<Arc<SaleLines>>,
        source: Source,
    ) -> Result<bool, AdmissionError> {
        {
            let ledger = self.ledger();
            let time_ms = now_ms().max(ledger.head_time_ms() + 1);
            ledger.admits(&transaction, time_ms)?;
        }

        let pending = Pending {
            transaction: Arc::new(transaction),
            lines,
        };
        let offered = locked(&self.mempool).offer(pending, source);

        match offered {
            Offered::Full => Err(AdmissionError::Full),
            Offered::Known => Ok(false),
            Offered::Added => {
                self.mempool_changed.notify_one();
                Ok(true)
            }
        }
    }

    /// Whether a client's next transaction would be refused, whatever it says: known before anything is checked.
    pub fn is_full(&self) -> bool {
        locked(&self.mempool).is_full(Source::Client, 0)
    }

    /// Will be told what becomes of a transaction. Ask before [`Node::admit`], or the answer may be missed.
    pub fn wait_for(self: &Arc<Self>, id: B256) -> Waiter {
        let (sender, receiver) = oneshot::channel();
        locked(&self.waiters).entry(id).or_default().push(sender);
        Waiter {
            node: Arc::clone(self),
            id,
            receiver,
        }
    }

    fn forget_closed(&self, id: B256) {
        let mut waiters = locked(&self.waiters);
        if let Entry::Occupied(mut waiting) = waiters.entry(id) {
            waiting.get_mut().retain(|sender| !sender.is_closed());
            if waiting.get().is_empty() {
                waiting.remove();
            }
        }
    }

    fn tell(&self, id: B256, outcome: &Outcome) {
        for waiter in locked(&self.waiters).remove(&id).unwrap_or_default() {
            // Who stopped waiting does not need to know.
            let _ = waiter.send(outcome.clone());
        }
    }

    /// Checks a signature, or remembers that it was checked when the transaction came in.
    pub fn verify(
        &self,
        transaction: &SignedTransaction,
        domain: &DomainSeparator,
    ) -> Result<VerifiedTransaction, SignatureError> {
        if let Some(known) = locked(&self.mempool).find_same(transaction) {
            return Ok((*known).clone());
        }
        VerifiedTransaction::verify(transaction.clone(), domain)
    }

    /// Builds a block of what waits. What the ledger rejects is dropped and its sender told.
    pub fn build_block(&self, proposer: Address) -> Candidate {
        let waiting = locked(&self.mempool).candidates();
        let last_commit = self.last_certificate();
        let (mut ids, mut rejected) = (Vec::new(), Vec::new());

        let (block, executed) = {
            let ledger = self.ledger();
            let mut execution =
                BlockExecution::begin(&ledger, now_ms().max(ledger.head_time_ms() + 1));
            let mut transactions = Vec::new();
            for transaction in waiting {
                if execution.apply(&transaction).is_err() {
                    rejected.push(transaction);
                    continue;
                }
                ids.push(transaction.id);
                transactions.push(transaction.transaction.clone());
            }

            let header = execution.header(proposer, last_commit.as_ref());
            let hash = header.hash();
            let executed = execution.finish(hash, last_commit.as_ref());

            (
                Block {
                    header,
                    last_commit,
                    transactions,
                },
                executed,
            )
        };
        self.drop_rejected(rejected);

        Candidate {
            bytes: block.encode().into(),
            block,
            ids,
            executed,
        }
    }

    /// Drops what waits and cannot be in a block any more, and tells its sender. A validator does this when it proposes.
    pub fn drop_outdated(&self) {
        let candidates = locked(&self.mempool).candidates();
        self.drop_rejected(candidates);
    }

    /// What was rejected on top of this block alone may fit after another one: only what the decided state rejects
    /// is dropped, and its sender told.
    fn drop_rejected(&self, rejected: Vec<Arc<VerifiedTransaction>>) {
        for transaction in rejected {
            let verdict = {
                let ledger = self.ledger();
                let time_ms = now_ms().max(ledger.head_time_ms() + 1);
                ledger.admits(&transaction, time_ms)
            };
            if let Err(rejection) = verdict {
                locked(&self.mempool).remove(transaction.id);
                self.tell(transaction.id, &Outcome::Rejected(rejection));
            }
        }
    }

    /// Keeps lines of final sales that came too late for their block, as far as they are not here yet.
    pub fn keep_lines(&self, late: Vec<(SaleKey, Arc<SaleLines>)>) -> Result<(), StoreError> {
        let mut missing = Vec::new();
        for (key, lines) in late {
            let Some(height) = self.ledger().sale(key).map(|entry| entry.height) else {
                continue;
            };

            if self.store.lines(height, key)?.is_none() {
                missing.push(LateLines { height, key, lines });
            }
        }

        if missing.is_empty() {
            Ok(())
        } else {
            self.store.put_lines(&missing)
        }
    }

    /// Executes a proposed or synced block on top of the ledger. `live` refuses times too far ahead of this clock.
    pub fn check_block(&self, bytes: &Bytes, live: bool) -> Result<Candidate, InvalidBlock> {
        let block = Block::decode(bytes)?;
        let latest = now_ms().saturating_add(BLOCK_AHEAD_MS_MAX);
        if live && block.header.time_ms > latest {
            return Err(InvalidBlock::TooFarAhead {
                found: block.header.time_ms,
                latest,
            });
        }
        let domain = *self.ledger().domain();
        // Nearly all of the work, so before the ledger is held. They are asked for one by one, in this order.
        let mut checked =
            parallel::map(&block.transactions, |one| self.verify(one, &domain)).into_iter();
        let mut ids = Vec::with_capacity(block.transactions.len());
        let executed = self.ledger().execute(&block, &mut |transaction, domain| {
            let verified = checked
                .next()
                .unwrap_or_else(|| self.verify(transaction, domain))?;
            ids.push(verified.id);
            Ok(verified)
        })?;
        Ok(Candidate {
            block,
            bytes: bytes.clone(),
            ids,
            executed,
        })
    }

    fn last_certificate(&self) -> Option<CommitCertificate> {
        let certificate = locked(&self.last_certificate).clone();
        certificate.filter(|_| !self.ledger().is_fresh())
    }

    /// Makes a decided block durable, then the ledger's own, then tells who waits.
    pub fn commit(
        &self,
        decided: Candidate,
        certificate: CommitCertificate,
    ) -> Result<(), StoreError> {
        let Candidate {
            block,
            bytes,
            ids,
            executed,
        } = decided;

        let height = block.header.height;
        let new_validators = new_validators(&self.ledger()).cloned();

        self.store.decide(&Decision {
            height,
            block: &bytes,
            certificate: &certificate,
            transactions: &ids,
            lines: &self.lines_of(&block, &ids),
            checkpoint: executed.events.iter().find_map(checkpoint_of),
            validators: new_validators.as_ref(),
        })?;

        self.note_attendance(&block);
        *locked(&self.last_certificate) = Some(certificate);
        let events = self
            .ledger
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .commit(executed);

        self.forget(&ids);
        for id in ids {
            self.tell(id, &Outcome::Final { height });
        }

        self.height.send_replace(height);
        if events
            .iter()
            .any(|event| matches!(event, Event::EpochClosed { .. }))
        {
            self.epoch_closed.notify_one();
        }

        Ok(())
    }

    fn forget(&self, ids: &[B256]) {
        let mut mempool = locked(&self.mempool);
        for id in ids {
            mempool.remove(*id);
        }
    }

    /// A block carries the certificate of the one before.
    fn note_attendance(&self, block: &Block) {
        let Some(certificate) = &block.last_commit else {
            return;
        };
        let validators = self.ledger().previous_validators().clone();
        crate::metrics::count_missed(self.attendance().note(certificate, &validators));
    }

    fn lines_of(&self, block: &Block, ids: &[B256]) -> Vec<(SaleKey, Arc<SaleLines>)> {
        let mempool = locked(&self.mempool);
        let lines = |(transaction, id): (&SignedTransaction, &B256)| match &transaction.payload {
            Payload::Sale(sale) => {
                Some((sale.key(), Arc::clone(mempool.get(*id)?.lines.as_ref()?)))
            }
            _ => None,
        };

        block
            .transactions
            .iter()
            .zip(ids)
            .filter_map(lines)
            .collect()
    }

    /// Keeps a certificate with more signatures than the one that decided.
    pub fn complete_certificate(&self, certificate: CommitCertificate) -> Result<(), StoreError> {
        self.store.put_certificate(&certificate)?;
        *locked(&self.last_certificate) = Some(certificate);
        Ok(())
    }

    /// Whether the next block should follow at once.
    pub fn has_work(&self) -> bool {
        !locked(&self.mempool).is_empty() || self.ledger().wants_blocks()
    }
}

/// Why a block is not valid here and now.
#[derive(Debug, thiserror::Error)]
pub enum InvalidBlock {
    /// Not a block at all.
    #[error(transparent)]
    Decode(#[from] domain::block::BlockDecodeError),
    /// Its time is ahead of ours.
    #[error("block time {found} is later than {latest}")]
    TooFarAhead {
        /// The block's time, in milliseconds since 1970.
        found: u64,
        /// The latest allowed.
        latest: u64,
    },
    /// The ledger says no.
    #[error(transparent)]
    Ledger(#[from] domain::ledger::BlockError),
}

fn checkpoint_of(event: &Event) -> Option<&EpochCheckpoint> {
    match event {
        Event::EpochClosed { checkpoint, .. } => checkpoint.as_deref(),
        _ => None,
    }
}

/// The set of the next block, if it is another one than that of the last.
pub fn new_validators(ledger: &Ledger) -> Option<&ValidatorSet> {
    let validators = ledger.validators();
    (ledger.is_fresh() || validators != ledger.previous_validators()).then_some(validators)
}

/// Who signed the last stored blocks.
fn recent_attendance(ledger: &Ledger, store: &Store) -> Result<Attendance, StoreError> {
    let mut attendance = Attendance::default();
    let oldest = ledger
        .next_height()
        .saturating_sub(BLOCKS_MAX as u64)
        .max(ledger.genesis().first_height + 1);

    for height in oldest..ledger.next_height() {
        let certificate = store.block(height)?.and_then(|block| block.last_commit);
        if let (Some(certificate), Some(validators)) =
            (certificate, store.validators_at(height - 1)?)
        {
            attendance.note(&certificate, &validators);
        }
    }

    Ok(attendance)
}
