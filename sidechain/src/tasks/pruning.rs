//! Forgets blocks, and lines of sales, that are older than the operator wants to keep.

use crate::core::pruning::{Facts, pruning_horizon};
use crate::io::snapshots::SnapshotFileError;
use crate::io::store::StoreError;
use crate::node::Node;
use anyhow::Result;
use service_kit::clock::now_ms;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(10);
/// Blocks of one write: a decided block waits no longer than that takes.
const BATCH: usize = 100;
const DAY_MS: u64 = 86_400_000;

/// Why nothing can be forgotten.
#[derive(Debug, thiserror::Error)]
pub enum PruningError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of snapshots cannot be read.
    #[error(transparent)]
    Snapshots(#[from] SnapshotFileError),
}

/// Looks now and then until `stop`, or until the store fails.
pub async fn run(node: Arc<Node>, stop: CancellationToken) -> Result<()> {
    let storage = node.config.storage;
    if storage.keep_blocks == 0 && storage.keep_lines_days == 0 {
        stop.cancelled().await;
        return Ok(());
    }

    while stop
        .run_until_cancelled(tokio::time::sleep(INTERVAL))
        .await
        .is_some()
    {
        let node = Arc::clone(&node);
        tokio::task::spawn_blocking(move || prune_due(&node)).await??;
    }

    Ok(())
}

/// Forgets what is due, in writes that hold nobody up.
fn prune_due(node: &Node) -> Result<(), PruningError> {
    let below = blocks_below(node)?;
    let domain = *node.ledger().domain();
    while node.store.prune_blocks(below, BATCH, &domain)? == BATCH {}
    let lines_below = lines_below(node)?;
    while node.store.prune_lines(lines_below, BATCH)? == BATCH {}
    Ok(())
}

fn blocks_below(node: &Node) -> Result<u64, PruningError> {
    let latest = node.store.latest_checkpoint_with_quorum()?;
    Ok(pruning_horizon(Facts {
        keep_blocks: node.config.storage.keep_blocks,
        next_height: node.ledger().next_height(),
        oldest_snapshot: node.snapshots.files().heights()?.last().copied(),
        checkpointed_to: latest.map(|signed| signed.checkpoint.last_height),
    }))
}

/// The first height whose block is young enough; block times only grow.
fn lines_below(node: &Node) -> Result<u64, PruningError> {
    let days = node.config.storage.keep_lines_days;
    let (Some(first), Some(last)) = (node.store.first_height()?, node.store.last_height()?) else {
        return Ok(0);
    };
    if days == 0 {
        return Ok(0);
    }

    let oldest_ms = now_ms().saturating_sub(u64::from(days) * DAY_MS);
    let (mut low, mut high) = (first, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match node.store.block(middle)? {
            Some(block) if block.header.time_ms >= oldest_ms => high = middle,
            _ => low = middle + 1,
        }
    }

    Ok(low)
}
