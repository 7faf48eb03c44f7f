//! Chains as `hotpot export blocks` writes them, for the second implementation: `scripts/replay`.

use crate::actors::{Chain, validator_keys};
use crate::properties::{action, parameters, play};
use alloy_primitives::hex::encode_prefixed;
use domain::checkpoint::{CheckpointSignature, SignedCheckpoint};
use domain::crypto::address_of_secret;
use domain::genesis::EpochLength;
use domain::ledger::EpochCheckpoint;
use domain::limits::DAY_MS;
use domain::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// One line each: the genesis, the blocks with their certificates, the checkpoints with all signatures.
pub fn lines(chain: &Chain) -> String {
    let genesis = chain.ledger.genesis();
    let first = json!({"type": "genesis", "sidechain_id": genesis.sidechain_id(), "genesis": genesis});
    let certificates = chain.blocks.iter().skip(1).map(|next| &next.last_commit).chain([&chain.last_commit]);
    let blocks = chain.blocks.iter().zip(certificates).map(|(block, certificate)| line_of_block(block, certificate));
    let checkpoints = chain.checkpoints.iter().map(|closed| line_of_checkpoint(genesis, closed));
    [first].into_iter().chain(blocks).chain(checkpoints).map(|line| format!("{line}\n")).collect()
}

fn line_of_block(block: &Block, certificate: &Option<CommitCertificate>) -> Value {
    let Block { header, transactions, .. } = block;
    let raw = encode_prefixed(block.encode());
    let block = json!({"hash": header.hash(), "header": header, "certificate": certificate,
        "transactions": transactions, "raw": raw});
    json!({"type": "block", "block": block})
}

fn line_of_checkpoint(genesis: &Genesis, closed: &EpochCheckpoint) -> Value {
    let EpochCheckpoint { checkpoint, anchor, validators, next_validators, settlement, .. } = closed.clone();
    let digest = eip712::DomainSeparator::checkpoints(genesis.evm_chain_id, anchor).checkpoint_digest(&checkpoint);
    let sign = |key| CheckpointSignature { validator: address_of_secret(key), signature: Signature::sign(digest, key) };
    let signatures = validator_keys().iter().map(sign).collect();
    let signed = SignedCheckpoint { checkpoint, anchor, validators, next_validators, signatures };
    json!({"type": "checkpoint", "checkpoint": signed, "chunks": settlement.chunks()})
}

/// Genesis parameters in all their kinds.
fn any_genesis() -> impl Strategy<Value = Genesis> {
    let length = prop_oneof![
        2 => (1..4u64).prop_map(EpochLength::Blocks),
        1 => (1..2 * DAY_MS).prop_map(EpochLength::Milliseconds)
    ];
    let total_min = prop_oneof![3 => Just(0u64), 1 => Just(1699u64)];
    (parameters(), length, 1..20u64, total_min).prop_map(|(genesis, epoch_length, first_height, sale_total_min)| {
        let parent_hash = if first_height == 1 { B256::ZERO } else { keccak256("parent") };
        Genesis { epoch_length, first_height, parent_hash, sale_total_min, ..genesis }
    })
}

/// `EXPORTS=FOLDER cargo test -p domain exports -- --ignored`
#[test]
#[ignore = "scripts/test runs it and replays what it writes"]
#[allow(clippy::disallowed_methods, reason = "says where to write")]
fn exports_of_random_chains() {
    let folder = std::env::var("EXPORTS").expect("EXPORTS names the folder to write to");
    let mut runner = TestRunner::deterministic();
    let cases = (any_genesis(), proptest::collection::vec(action(), 0..120), 0..3u32);
    for number in 0..200 {
        let (genesis, actions, quota) = cases.new_tree(&mut runner).unwrap().current();
        let mut chain = Chain::with_outlets(genesis);
        let scarce = chain.register_outlet(3, OutletKind::Franchised, quota);
        chain.block(&[scarce]).unwrap();
        let enrol = chain.register_terminal(3, "till 3");
        chain.block(&[enrol]).unwrap();
        play(&mut chain, &actions);
        chain.now_ms += 2 * DAY_MS;
        chain.finish_epoch();
        std::fs::write(format!("{folder}/{number}.jsonl"), lines(&chain)).unwrap();
    }
}
