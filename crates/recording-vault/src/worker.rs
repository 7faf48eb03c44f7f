//! Brings the vault's recordings to the backends and the ledger, and takes erased ones back. One step at a time; each is
//! durable, each may be done twice, and whatever fails is tried again later.

use crate::core::erasure::{ErasureStage, Reason, Unknown, unknown_to_ledger};
use crate::core::upload::{Stage, Step, after_pinning};
use crate::error::VaultError;
use crate::io::store::{Erasure, Record};
use crate::ledger::{EraseReport, Ledger, LedgerError, LedgerState, PinReport};
use crate::vault::Vault;
use ipfs::{Backend, IpfsError, PinState};
use service_kit::clock::now_ms;
use service_kit::error::in_full;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Uploads looked at in one round.
const AT_ONCE: usize = 64;
/// How long a round begins uploads; one that is begun may take longer.
const UPLOAD_TURN: Duration = Duration::from_secs(5);
/// The pause after a round that left nothing to do at once.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest pause while somebody does not answer.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Where recordings go.
#[derive(Clone, Debug)]
pub struct Backends {
    first: Backend,
    others: Vec<Backend>,
}

impl Backends {
    /// The first is given the content, and others may fetch it from there.
    pub fn new(first: Backend, others: Vec<Backend>) -> Result<Self, VaultError> {
        if first.takes_content() {
            Ok(Self { first, others })
        } else {
            Err(VaultError::FirstBackend {
                backend: first.name(),
            })
        }
    }

    fn all(&self) -> impl Iterator<Item = &Backend> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

/// What a round did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Uploads that moved on by at least one stage.
    pub moved: usize,
    /// Uploads that are done.
    pub done: usize,
    /// Uploads that the ledger will never take; they are being erased.
    pub refused: usize,
    /// Recordings of which a tombstone is left.
    pub erased: usize,
    /// Why the round could not do more; it goes on next time.
    pub held_up: Vec<String>,
}

impl Progress {
    fn is_idle(&self) -> bool {
        self.moved + self.done + self.refused + self.erased == 0
    }
}

/// Works off one vault.
pub struct Worker<L> {
    vault: Arc<Vault>,
    backends: Backends,
    ledger: L,
    /// Where the next round goes on with uploads.
    next_upload: AtomicU64,
}

impl<L: Ledger> Worker<L> {
    /// A worker; one for each vault.
    pub fn new(vault: Arc<Vault>, backends: Backends, ledger: L) -> Self {
        Self {
            vault,
            backends,
            ledger,
            next_upload: AtomicU64::new(0),
        }
    }

    /// Rounds until it is told to stop; pauses grow while somebody does not answer.
    pub async fn run(&self, stop: CancellationToken) {
        let mut pause = PAUSE;
        while !stop.is_cancelled() {
            let progress = self.step(now_ms()).await;
            for reason in &progress.held_up {
                tracing::warn!(reason, "recordings wait");
            }

            pause = if progress.held_up.is_empty() {
                PAUSE
            } else {
                (pause * 2).min(PAUSE_MAX)
            };

            if progress.is_idle() || !progress.held_up.is_empty() {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }

    /// One round: what must go, then what must be kept. Erasures first, since they are owed to somebody.
    pub async fn step(&self, now_ms: u64) -> Progress {
        let mut progress = Progress::default();
        for owed in [
            self.vault.finish_revocations(now_ms),
            self.vault.expire(now_ms).map(drop),
        ] {
            progress
                .held_up
                .extend(owed.err().map(|error| in_full(&error)));
        }

        if let Err(error) = self.erase_all(now_ms, &mut progress).await {
            progress.held_up.push(in_full(&error));
        }
        if let Err(error) = self.upload_all(now_ms, &mut progress).await {
            progress.held_up.push(in_full(&error));
        }

        progress
    }

    /// Moves uploads as far as they go, oldest first, for some seconds: then erasures have their turn, and the next round
    /// goes on from here. One that is stuck does not hold up the others, but somebody who does not answer is not asked
    /// again this round.
    async fn upload_all(&self, now_ms: u64, progress: &mut Progress) -> Result<(), VaultError> {
        let started = Instant::now();
        loop {
            let waiting = self
                .vault
                .store
                .uploads(self.next_upload.load(Ordering::Relaxed), AT_ONCE)?;
            if waiting.is_empty() {
                self.next_upload.store(0, Ordering::Relaxed);
                return Ok(());
            }

            for record in waiting {
                if started.elapsed() > UPLOAD_TURN {
                    return Ok(());
                }

                let order = record.order;
                self.next_upload.store(order + 1, Ordering::Relaxed);
                match self.upload(record, now_ms, progress).await {
                    Err(error) if error.is_unreachable() => {
                        self.next_upload.store(order, Ordering::Relaxed);
                        return Err(error);
                    }
                    Err(error) => progress.held_up.push(in_full(&error)),
                    Ok(()) => {}
                }
            }
        }
    }

    async fn upload(
        &self,
        mut record: Record,
        now_ms: u64,
        progress: &mut Progress,
    ) -> Result<(), VaultError> {
        let before = record.stage;
        while let Some(step) = record.stage.step() {
            let next = match self.take(step, &record, now_ms).await {
                Err(VaultError::Ledger(LedgerError::Refused(reason))) => {
                    tracing::warn!(cid = %record.cid(), reason, "the ledger refuses a recording: it is erased");
                    self.vault.erase(&record.cid(), Reason::Other, now_ms)?;
                    progress.refused += 1;
                    return Ok(());
                }
                other => other?,
            };
            if next == record.stage {
                break;
            }
            // Not moved: its erasure was decided meanwhile, and works off what was just done.
            if !self.vault.store.set_stage(&record.cid(), next, None)? {
                return Ok(());
            }
            progress.moved += usize::from(before == record.stage);
            record.stage = next;
        }
        progress.done += usize::from(record.stage == Stage::Done);
        Ok(())
    }

    /// One step, and the stage that it leads to.
    async fn take(&self, step: Step, record: &Record, now_ms: u64) -> Result<Stage, VaultError> {
        match step {
            Step::Add => self.add(record).await,
            Step::Pin => self.pin(record).await,
            Step::Report => self.report(record, now_ms).await,
            Step::Clean => self.vault.spool.remove(&record.cid()).map(|()| Stage::Done),
        }
    }

    async fn add(&self, record: &Record) -> Result<Stage, VaultError> {
        let expected = record.cid();
        let content = self.vault.spool.get(&expected)?;
        let first = &self.backends.first;
        let found = first
            .add(content, &pin_name(record))
            .await
            .map_err(backend_error(first))?;
        if found == expected {
            return Ok(Stage::Added);
        }
        // The backend computes as we do, so it is the spool's file that is another.
        Err(VaultError::OtherContent { cid: expected })
    }

    async fn pin(&self, record: &Record) -> Result<Stage, VaultError> {
        let (cid, first) = (record.cid(), &self.backends.first);
        let of_first = first.state(&cid).await.map_err(backend_error(first))?;
        let mut of_others = Vec::new();
        for other in &self.backends.others {
            let mut state = other.state(&cid).await.map_err(backend_error(other))?;
            if matches!(state, PinState::Absent | PinState::Failed(_)) {
                state = self
                    .pin_at(other, record)
                    .await
                    .map_err(backend_error(other))?;
            }
            of_others.push(state);
        }
        after_pinning(&of_first, &of_others).map_err(VaultError::NotPinned)
    }

    async fn pin_at(&self, other: &Backend, record: &Record) -> Result<PinState, IpfsError> {
        let (cid, name) = (record.cid(), pin_name(record));
        if other.takes_content() {
            let content = self
                .vault
                .spool
                .get(&cid)
                .map_err(|_| IpfsError::Missing { cid })?;
            other.add(content, &name).await?;
        } else {
            other.pin(&cid, &name).await?;
        }
        other.state(&cid).await
    }

    async fn report(&self, record: &Record, now_ms: u64) -> Result<Stage, VaultError> {
        let manifest = &record.signed.manifest;
        let report = PinReport {
            outlet: manifest.capture.outlet,
            camera: manifest.capture.camera,
            consent: manifest.capture.consent,
            cid: manifest.cid,
            manifest_hash: manifest.hash(),
            sequence: manifest.capture.sequence,
            started_at_ms: manifest.capture.started_at_ms,
            ended_at_ms: manifest.capture.ended_at_ms,
        };
        match self.ledger.state(&manifest.cid).await? {
            LedgerState::Pinned { manifest_hash } if manifest_hash == report.manifest_hash => {
                Ok(Stage::Reported)
            }
            LedgerState::Pinned { manifest_hash } => Err(LedgerError::Refused(format!(
                "it stands there with manifest {manifest_hash}"
            ))
            .into()),
            LedgerState::Erased => Err(LedgerError::Refused("it was erased".into()).into()),
            LedgerState::Unknown => {
                // Noted first: an erasure must know that a report may be under way.
                if !self
                    .vault
                    .store
                    .set_stage(&manifest.cid, Stage::Pinned, Some(now_ms))?
                {
                    return Ok(Stage::Pinned);
                }
                self.ledger.pin(&report).await?;
                Ok(Stage::Reported)
            }
        }
    }

    /// Moves every erasure as far as it goes now: key, backends, collection, ledger. A backend that does not answer
    /// holds up what comes after it, but not the destruction of a key.
    async fn erase_all(&self, now_ms: u64, progress: &mut Progress) -> Result<(), VaultError> {
        for (record, erasure) in self.vault.erasures(ErasureStage::Requested)? {
            self.vault.make_unreadable(&record)?;
            self.move_on(&record, erasure, ErasureStage::Unreadable)?;
        }

        let mut released = Ok(());
        for (record, erasure) in self.vault.erasures(ErasureStage::Unreadable)? {
            match self.release(&record).await {
                Ok(()) => self.move_on(&record, erasure, ErasureStage::Released)?,
                Err(error) => released = Err(error),
            }
        }

        self.collect().await?;
        for (record, erasure) in self.vault.erasures(ErasureStage::Collected)? {
            progress.erased += usize::from(self.report_erasure(&record, &erasure, now_ms).await?);
        }

        released
    }

    fn move_on(
        &self,
        record: &Record,
        erasure: Erasure,
        stage: ErasureStage,
    ) -> Result<(), VaultError> {
        self.vault
            .store
            .set_erasure(&record.cid(), Erasure { stage, ..erasure })
    }

    async fn release(&self, record: &Record) -> Result<(), VaultError> {
        for backend in self.backends.all() {
            backend
                .release(&record.cid())
                .await
                .map_err(backend_error(backend))?;
        }
        Ok(())
    }

    /// One collection for all that was released.
    async fn collect(&self) -> Result<(), VaultError> {
        let released = self.vault.erasures(ErasureStage::Released)?;
        if released.is_empty() {
            return Ok(());
        }
        for backend in self.backends.all() {
            backend
                .collect_garbage()
                .await
                .map_err(backend_error(backend))?;
        }
        released.iter().try_for_each(|(record, erasure)| {
            self.move_on(record, *erasure, ErasureStage::Collected)
        })
    }

    /// The last step; true when a tombstone stands.
    async fn report_erasure(
        &self,
        record: &Record,
        erasure: &Erasure,
        now_ms: u64,
    ) -> Result<bool, VaultError> {
        let cid = record.cid();
        match self.ledger.state(&cid).await? {
            LedgerState::Erased => {}
            LedgerState::Pinned { .. } => {
                let outlet = record.signed.manifest.capture.outlet;
                self.ledger
                    .erase(&EraseReport {
                        outlet,
                        cid,
                        reason: erasure.reason,
                    })
                    .await?;
            }
            LedgerState::Unknown => {
                match unknown_to_ledger(erasure.reason, record.reported_at_ms, now_ms) {
                    Unknown::Done => {}
                    Unknown::Wait => return Ok(false),
                }
            }
        }

        self.vault
            .store
            .bury(record, erasure.reason, now_ms)
            .map(|()| true)
    }
}

/// For people at a pinning service: nothing but numbers that the ledger has too.
fn pin_name(record: &Record) -> String {
    let capture = &record.signed.manifest.capture;
    format!(
        "recording-{}-{}-{}",
        capture.outlet, capture.camera, capture.sequence
    )
}

fn backend_error(backend: &Backend) -> impl Fn(IpfsError) -> VaultError {
    let backend = backend.name();
    move |source| VaultError::Backend {
        backend: backend.clone(),
        source,
    }
}
