//! Writes the state to disk now and then, beside consensus.

use crate::io::snapshots::Snapshots;
use crate::node::Node;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Instant;

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
        Self { snapshots, every_blocks, is_busy: Arc::default() }
    }

    /// What was taken.
    pub fn files(&self) -> &Snapshots {
        &self.snapshots
    }

    /// Called after each commit. A snapshot is of this very height: when this returns, the next commit waits until the
    /// state is encoded. Votes do not wait, and the file is written while consensus goes on.
    pub fn committed(&self, node: &Arc<Node>) {
        let height = node.ledger().height();
        if self.every_blocks == 0 || !height.is_multiple_of(self.every_blocks) {
            return;
        }
        if self.is_busy.swap(true, Ordering::AcqRel) {
            tracing::warn!(height, "no snapshot: the one before is still being written");
            return;
        }
        let (taker, node) = (self.clone(), Arc::clone(node));
        let (locked, is_locked) = mpsc::channel();
        std::thread::spawn(move || {
            taker.take(&node, &locked);
            taker.is_busy.store(false, Ordering::Release);
        });
        // An error means that the thread could not start or died: then there is no snapshot.
        let _ = is_locked.recv();
    }

    fn take(&self, node: &Node, locked: &mpsc::Sender<()>) {
        let started = Instant::now();
        let (height, state) = {
            let ledger = node.ledger();
            let _ = locked.send(());
            (ledger.height(), ledger.export())
        };
        let encoded = started.elapsed();
        match self.snapshots.write(height, &state) {
            Ok(()) => tracing::info!(
                height,
                bytes = state.len(),
                encode_ms = crate::metrics::milliseconds(encoded),
                write_ms = crate::metrics::milliseconds(started.elapsed() - encoded),
                "snapshot of the state"
            ),
            Err(error) => tracing::error!(height, error = format!("{:#}", anyhow::Error::new(error)), "no snapshot"),
        }
    }
}
