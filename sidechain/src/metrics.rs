//! What a node measures; docs/OPERATING.md says what each of it means.

use crate::consensus;
use crate::core::attendance::Power;
use crate::http::why_not_ready;
use crate::node::Node;
use domain::Address;
use metrics::{counter, gauge, histogram};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A block is durable `took` after its decision, and its time is `after_parent_ms` after that of the block before.
pub fn decided(took: Duration, after_parent_ms: u64) {
    histogram!("hotpot_node_commit_duration_seconds").record(took);
    histogram!("hotpot_node_block_time_seconds").record(Duration::from_millis(after_parent_ms));
}

/// Counts one missed block for each of these validators, who did not sign the block before.
pub fn count_missed(validators: &[Address]) {
    for validator in validators {
        counter!("hotpot_node_blocks_missed_total", "validator" => address_label(validator))
            .increment(1);
    }
}

/// An address as the API writes it.
fn address_label(address: &Address) -> String {
    format!("{address:#x}")
}

/// Gauges of the moment, set when somebody reads them.
pub fn set_gauges(node: &Node) {
    let (height, head_time_ms, validators) = {
        let ledger = node.ledger();
        (
            ledger.height(),
            ledger.head_time_ms(),
            ledger.validators().clone(),
        )
    };
    gauge!("hotpot_node_height").set(to_gauge(height));
    gauge!("hotpot_node_head_time_seconds").set(to_gauge(head_time_ms / 1_000));
    gauge!("hotpot_node_round").set(node.round.load(Ordering::Relaxed));
    gauge!("hotpot_node_mempool_transactions").set(to_gauge(node.mempool_len() as u64));
    gauge!("hotpot_node_mempool_bytes").set(to_gauge(node.mempool_bytes() as u64));
    gauge!("hotpot_node_ready").set(u8::from(why_not_ready(node).is_none()));
    gauge!("hotpot_node_safety_failure").set(u8::from(consensus::safety_failed()));
    gauge!("hotpot_node_power_online_ratio").set(online_ratio(node.attendance().power()));
    for validator in validators.as_slice() {
        // A validator that never missed one has a counter too, at zero.
        counter!("hotpot_node_blocks_missed_total", "validator" => address_label(&validator.address))
            .increment(0);
    }
}

/// A duration as logs have it.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[allow(clippy::cast_precision_loss, reason = "a gauge")]
fn to_gauge(value: u64) -> f64 {
    value as f64
}

#[allow(clippy::float_arithmetic, reason = "a gauge")]
fn online_ratio(power: Power) -> f64 {
    to_gauge(power.online) / to_gauge(power.total.max(1))
}
