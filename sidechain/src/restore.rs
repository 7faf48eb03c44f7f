//! The ledger of a node that starts: from its newest good snapshot, and the stored blocks after it.

use crate::io::snapshots::{SnapshotFileError, Snapshots};
use crate::io::store::{Store, StoreError};
use crate::metrics::milliseconds;
use crate::node::{ReplayError, new_validators};
use domain::ledger::SnapshotError;
use domain::{B256, Genesis, Ledger};
use std::time::Instant;

/// Why a snapshot is of no use; then the one before it is tried, and at last the genesis.
#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    File(#[from] SnapshotFileError),
    #[error(transparent)]
    Content(#[from] SnapshotError),
    #[error("it is of height {found}, not of the one in its name")]
    Height { found: u64 },
    #[error("it is of block {snapshot}, and the store has {}", store.map_or("none".to_owned(), |hash| hash.to_string()))]
    OtherBlock { snapshot: B256, store: Option<B256> },
    #[error("the stored blocks do not follow from it")]
    Replay(#[source] ReplayError),
}

/// Rebuilds the ledger. A snapshot that is of no use is passed over; a store that is damaged stops the start.
pub fn ledger(
    genesis: &Genesis,
    store: &Store,
    snapshots: &Snapshots,
) -> Result<Ledger, ReplayError> {
    for height in snapshots.heights()? {
        match from_snapshot(genesis, store, snapshots, height) {
            Ok(ledger) => return Ok(ledger),
            Err(Unusable::Replay(error @ ReplayError::Store(_))) => return Err(error),
            Err(error) => {
                let error = format!("{:#}", anyhow::Error::new(error));
                tracing::warn!(
                    height,
                    error,
                    "a snapshot is of no use: an older state is taken"
                );
            }
        }
    }

    match store.first_height()? {
        Some(first) if first > genesis.first_height => Err(ReplayError::Beginning { first }),
        _ => replay_blocks(Ledger::new(genesis.clone())?, store),
    }
}

fn from_snapshot(
    genesis: &Genesis,
    store: &Store,
    snapshots: &Snapshots,
    height: u64,
) -> Result<Ledger, Unusable> {
    let started = Instant::now();
    let ledger = Ledger::import(genesis.clone(), snapshots.read(height)?)?;
    if ledger.height() != height {
        return Err(Unusable::Height {
            found: ledger.height(),
        });
    }
    check_block(&ledger, store)?;

    tracing::info!(
        height,
        ms = milliseconds(started.elapsed()),
        "the state is that of a snapshot"
    );

    replay_blocks(ledger, store).map_err(Unusable::Replay)
}

/// The block that a snapshot is of must be the one that was decided.
fn check_block(ledger: &Ledger, store: &Store) -> Result<(), Unusable> {
    let failed = |error: StoreError| Unusable::Replay(error.into());
    let block = store.block(ledger.height()).map_err(failed)?;
    let (snapshot, stored) = (ledger.head_hash(), block.map(|block| block.header.hash()));
    if stored == Some(snapshot) {
        Ok(())
    } else {
        Err(Unusable::OtherBlock {
            snapshot,
            store: stored,
        })
    }
}

/// Executes the stored blocks after a state; their signatures were checked before they were stored. Each block binds
/// the one before by its hash and each record has a checksum, so the certificate of the last block vouches for all.
fn replay_blocks(mut ledger: Ledger, store: &Store) -> Result<Ledger, ReplayError> {
    let (started, first) = (Instant::now(), ledger.next_height());
    while let Some(block) = store.block(ledger.next_height())? {
        let height = block.header.height;
        if let Some(validators) = new_validators(&ledger)
            && store.validators_at(height)?.as_ref() != Some(validators)
        {
            store.put_validators(height, validators)?;
        }

        let executed = ledger
            .replay(&block)
            .map_err(|source| ReplayError::Block { height, source })?;
        ledger.commit(executed);
    }

    check_tip(&ledger, store)?;
    let blocks = ledger.next_height() - first;
    tracing::info!(
        blocks,
        height = ledger.height(),
        ms = milliseconds(started.elapsed()),
        "stored blocks are executed"
    );

    Ok(ledger)
}

fn check_tip(ledger: &Ledger, store: &Store) -> Result<(), ReplayError> {
    if ledger.is_fresh() {
        return Ok(());
    }

    let height = ledger.height();
    let Some(certificate) = store.certificate(height)? else {
        return Err(ReplayError::NoCertificate { height });
    };

    certificate
        .verify(
            ledger.sidechain_id(),
            height,
            ledger.head_hash(),
            ledger.previous_validators(),
        )
        .map_err(|source| ReplayError::Certificate { height, source })
}
