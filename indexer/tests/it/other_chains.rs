//! Chains whose headers or receipts are not Ethereum's: they are followed, and nothing is lost on them.

use crate::actors;
use crate::evm;
use crate::fake_node::FakeNode;
use crate::fake_rpc::FakeRpc;
use crate::world::{Indexer, World, assert_equals_the_chain, caught_up, metrics};
use serde_json::{Value, json};
use service_kit::SecretUrl;

/// Root over no receipts.
const EMPTY_ROOT: &str = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";

/// What is done to one answer.
type Lie = fn(&str, &Value, &mut Value);

fn block_of<'a>(method: &str, answer: &'a mut Value) -> Option<&'a mut Value> {
    let is_block = matches!(method, "eth_getBlockByNumber" | "eth_getBlockByHash");
    let result = answer.get_mut("result").filter(|block| block.is_object());
    result.filter(|_| is_block)
}

fn receipts_of<'a>(method: &str, answer: &'a mut Value) -> Option<&'a mut Vec<Value>> {
    let receipts = answer.get_mut("result").and_then(Value::as_array_mut);
    receipts.filter(|_| method == "eth_getBlockReceipts")
}

/// Filecoin's filters.
fn full_bloom(method: &str, _: &Value, answer: &mut Value) {
    if let Some(block) = block_of(method, answer) {
        block["logsBloom"] = json!(format!("0x{}", "ff".repeat(256)));
    }
}

/// Filters that say nothing, and a node that withholds every log.
fn zero_bloom_and_no_logs(method: &str, _: &Value, answer: &mut Value) {
    if let Some(block) = block_of(method, answer) {
        block["logsBloom"] = json!(format!("0x{}", "00".repeat(256)));
    }
    if method == "eth_getLogs" {
        answer["result"] = json!([]);
    }
}

/// Filecoin's roots, which say nothing either.
fn constant_root(method: &str, params: &Value, answer: &mut Value) {
    full_bloom(method, params, answer);
    if let Some(block) = block_of(method, answer) {
        block["receiptsRoot"] = json!(EMPTY_ROOT);
    }
}

/// A deposit before the receipts, to which the header does not commit.
fn deposit_first(method: &str, _: &Value, answer: &mut Value) {
    let receipts = receipts_of(method, answer).filter(|receipts| !receipts.is_empty());
    if let Some(receipts) = receipts {
        let mut deposit = receipts[0].clone();
        deposit["type"] = json!("0x7e");
        deposit["depositNonce"] = json!("0x1");
        deposit["depositReceiptVersion"] = json!("0x1");
        deposit["logs"] = json!([]);
        receipts.insert(0, deposit);
    }
}

fn full_bloom_and_deposit_first(method: &str, params: &Value, answer: &mut Value) {
    full_bloom(method, params, answer);
    deposit_first(method, params, answer);
}

/// Receipts of a type that nobody knows how to encode.
fn unknown_type(method: &str, _: &Value, answer: &mut Value) {
    for receipt in receipts_of(method, answer).into_iter().flatten() {
        receipt["type"] = json!("0x7b");
    }
}

/// The same, and the last log is withheld.
fn unknown_type_and_part_of_the_logs(method: &str, params: &Value, answer: &mut Value) {
    unknown_type(method, params, answer);
    let logs = answer.get_mut("result").and_then(Value::as_array_mut);
    if let Some(logs) = logs.filter(|_| method == "eth_getLogs") {
        logs.pop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blooms_roots_and_receipts_of_other_chains_are_followed_and_lose_nothing() {
    let world = World::start(4).await;
    let mut evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let holders = evm.accounts.clone();
    let payouts = [(holders[1], 100), (holders[2], 50)];
    evm.issue(&payouts).await;
    evm.mine(10).await;
    let pool = world.database("main").await;
    let node = FakeNode::start(&actors::Chain::new("test")).await;
    let rpc = FakeRpc::start(&world.evm_url()).await;
    let mut config = world.config("main", &evm, &node.url);
    config.blockchain.rpc_url = SecretUrl::new(rpc.url.clone());
    let indexer = Indexer::start(&config);

    let chains: [Lie; 5] = [
        full_bloom,
        zero_bloom_and_no_logs,
        deposit_first,
        full_bloom_and_deposit_first,
        unknown_type,
    ];
    for chain in chains {
        rpc.lies.tell(chain);
        evm.mine(1).await;
        evm.issue(&payouts).await;
        caught_up(&pool, &evm).await;
        assert_equals_the_chain(&pool, &evm).await;
        indexer.wait_until_ready().await;
    }
    let metrics = metrics();
    assert!(
        metrics.contains("indexer_unproven_blocks_total"),
        "{metrics}"
    );

    // Where nothing can be proved, two answers that differ are none.
    rpc.lies.tell(unknown_type_and_part_of_the_logs);
    evm.issue(&payouts).await;
    indexer
        .wait_for_reason("hold other logs than eth_getLogs gives")
        .await;
    rpc.lies.tell(unknown_type);
    caught_up(&pool, &evm).await;
    assert_equals_the_chain(&pool, &evm).await;
    indexer.stop().await;

    // From the first block on, without a single root that holds.
    rpc.lies.tell(constant_root);
    let other = world.database("other").await;
    let mut config = world.config("other", &evm, &node.url);
    config.blockchain.rpc_url = SecretUrl::new(rpc.url.clone());
    let indexer = Indexer::start(&config);
    caught_up(&other, &evm).await;
    assert_equals_the_chain(&other, &evm).await;
    indexer.stop().await;
}
