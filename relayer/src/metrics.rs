//! What `/metrics` shows. Gauges are as of the last step.

use alloy::primitives::U256;
use metrics::{counter, describe_counter, describe_gauge, gauge};

/// Describes every metric once.
pub(crate) fn describe() {
    describe_gauge!(
        "relayer_anchored_epoch",
        "last epoch whose checkpoint the anchor holds at the chain's head"
    );
    describe_gauge!(
        "relayer_node_epoch",
        "last epoch whose checkpoint has a quorum at the sidechain's nodes"
    );

    describe_gauge!("relayer_intents", "checkpoints and payout chunks by stage");
    describe_gauge!(
        "relayer_oldest_open_intent_seconds",
        "age of the oldest intent that is not final"
    );

    describe_gauge!(
        "relayer_signer_balance_wei",
        "what the signer has to pay for gas"
    );

    describe_counter!(
        "relayer_replacements_total",
        "transactions replaced by one with a higher fee"
    );
    describe_counter!(
        "relayer_reverted_total",
        "transactions that were mined and failed"
    );
}

const STAGES: [&str; 6] = [
    "intended", "signed", "sent", "included", "final", "obsolete",
];

pub(crate) fn anchored_epoch(epoch: u64) {
    gauge!("relayer_anchored_epoch").set(epoch as f64);
}

pub(crate) fn node_epoch(epoch: u64) {
    gauge!("relayer_node_epoch").set(epoch as f64);
}

pub(crate) fn intents(counts: &[(String, i64)], oldest_s: i64) {
    for stage in STAGES {
        let count = counts
            .iter()
            .find(|(name, _)| name == stage)
            .map_or(0, |(_, count)| *count);
        gauge!("relayer_intents", "stage" => stage).set(count as f64);
    }
    gauge!("relayer_oldest_open_intent_seconds").set(oldest_s as f64);
}

pub(crate) fn balance(wei: U256) {
    gauge!("relayer_signer_balance_wei").set(wei.saturating_to::<u128>() as f64);
}

pub(crate) fn bumped() {
    counter!("relayer_replacements_total").increment(1);
}

pub(crate) fn reverted() {
    counter!("relayer_reverted_total").increment(1);
}
