//! Writes the state to disk now and then, beside consensus.

use crate::io::snapshots::Snapshots;
use crate::node::Node;
use domain::Ledger;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Takes snapshots at every n-th height.
#[derive(Clone, Debug)]
pub struct SnapshotTaker {
    snapshots: Snapshots,
    every_blocks: u64,
    is_busy: Arc<AtomicBool>,
}

impl SnapshotTaker {
    /// None are taken when `every_blocks` is 0.
    pub fn new(snapshots: Snapshots, every_blocks: u64) -> Self {
        Self {
            snapshots,
            every_blocks,
            is_busy: Arc::default(),
        }
    }

    /// What was taken.
    pub fn files(&self) -> &Snapshots {
        &self.snapshots
    }

    /// Called after each commit. A snapshot is of this very height: the state is copied before the next one, which costs
    /// little because the copy shares nearly all of it; it is written while consensus goes on.
    pub fn committed(&self, node: &Node) {
        let height = node.ledger().height();
        if self.every_blocks == 0 || !height.is_multiple_of(self.every_blocks) {
            return;
        }
        if self.is_busy.swap(true, Ordering::AcqRel) {
            tracing::warn!(height, "no snapshot: the one before is still being written");
            return;
        }

        let (taker, started) = (self.clone(), Instant::now());
        let state = node.ledger().clone();
        let copied = started.elapsed();

        std::thread::spawn(move || {
            taker.write(&state, copied);
            taker.is_busy.store(false, Ordering::Release);
        });
    }

    fn write(&self, state: &Ledger, copied: Duration) {
        let (started, height) = (Instant::now(), state.height());

        match self.snapshots.write(height, |file| state.export_to(file)) {
            Ok(bytes) => tracing::info!(
                height,
                bytes,
                copy_ms = crate::metrics::milliseconds(copied),
                write_ms = crate::metrics::milliseconds(started.elapsed()),
                "snapshot of the state"
            ),
            Err(error) => tracing::error!(
                height,
                error = format!("{:#}", anyhow::Error::new(error)),
                "no snapshot"
            ),
        }
    }
}
