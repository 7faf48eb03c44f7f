//! What is measured; `describe` gives each figure its meaning.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use std::time::{SystemTime, UNIX_EPOCH};

const HEIGHT: &str = "indexer_height";
const HEAD: &str = "indexer_head";
const FINALIZED: &str = "indexer_finalized_height";
const LAG: &str = "indexer_lag_seconds";
const SYNC_DELAY: &str = "blockchain_sync_delay_seconds";
const REORGS: &str = "indexer_reorgs_total";
const REORG_DEPTH: &str = "indexer_last_reorg_depth";
const FAILURES: &str = "indexer_failures_total";
const DISAGREEMENTS: &str = "indexer_disagreements_total";
const CHECKPOINT_DISAGREEMENTS: &str = "indexer_checkpoint_disagreements";
const UNBELIEVED: &str = "indexer_unbelieved_answers_total";
const UNPROVEN: &str = "indexer_unproven_blocks_total";

/// Tells the recorder what each figure means.
pub fn describe() {
    describe_gauge!(HEIGHT, "Last block mirrored, by stream (evm, sidechain)");
    describe_gauge!(HEAD, "Last block that the node has, by stream");
    describe_gauge!(
        FINALIZED,
        "Last mirrored EVM block that can no longer be replaced"
    );
    describe_gauge!(
        LAG,
        Unit::Seconds,
        "Age of the last mirrored block while there are newer ones, else 0, by stream"
    );
    describe_gauge!(SYNC_DELAY, Unit::Seconds, "The same for the EVM chain");

    describe_counter!(REORGS, "EVM reorganisations mirrored");
    describe_gauge!(REORG_DEPTH, "Blocks replaced by the last of them");

    describe_counter!(FAILURES, "Steps that failed and were repeated, by stream");
    describe_counter!(
        DISAGREEMENTS,
        "Failed steps in which two sources contradict each other, by stream"
    );
    describe_gauge!(
        CHECKPOINT_DISAGREEMENTS,
        "Anchored checkpoints that the blocks do not lead to; must be 0"
    );
    describe_counter!(
        UNBELIEVED,
        "Blocks for which eth_getLogs gave other logs than their receipts prove"
    );
    describe_counter!(
        UNPROVEN,
        "Blocks whose logs were believed because two answers agree: their receipts cannot be proved"
    );
}

/// A stream stands at `height`; the node has `head`. `behind_since_s` is the time of the last mirrored block.
#[allow(clippy::cast_precision_loss, reason = "gauges are floats")]
pub fn position(stream: &'static str, height: u64, head: u64, last_block_s: u64) {
    let lag = if height >= head {
        0
    } else {
        now_s().saturating_sub(last_block_s)
    };
    gauge!(HEIGHT, "stream" => stream).set(height as f64);
    gauge!(HEAD, "stream" => stream).set(head as f64);
    gauge!(LAG, "stream" => stream).set(lag as f64);
    if stream == "evm" {
        gauge!(SYNC_DELAY).set(lag as f64);
    }
}

/// The last mirrored EVM block that can no longer be replaced is `number` now.
#[allow(clippy::cast_precision_loss, reason = "gauges are floats")]
pub fn finalized(number: u64) {
    gauge!(FINALIZED).set(number as f64);
}

/// Blocks were replaced.
#[allow(clippy::cast_precision_loss, reason = "gauges are floats")]
pub fn reorg(depth: u64) {
    counter!(REORGS).increment(1);
    gauge!(REORG_DEPTH).set(depth as f64);
}

/// A step failed.
pub fn failure(stream: &'static str, disagreement: bool) {
    counter!(FAILURES, "stream" => stream).increment(1);
    if disagreement {
        counter!(DISAGREEMENTS, "stream" => stream).increment(1);
    }
}

/// How many anchored checkpoints are wrong.
#[allow(clippy::cast_precision_loss, reason = "gauges are floats")]
pub fn checkpoint_disagreements(count: u64) {
    gauge!(CHECKPOINT_DISAGREEMENTS).set(count as f64);
}

/// An answer of `eth_getLogs` was not what the block's receipts prove.
pub fn unbelieved() {
    counter!(UNBELIEVED).increment(1);
}

/// A block's logs were believed without a proof.
pub fn unproven() {
    counter!(UNPROVEN).increment(1);
}

fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
