use crate::actors;
use crate::evm;
use crate::fake_node::FakeNode;
use crate::fake_rpc::FakeRpc;
use crate::world::{Indexer, World, assert_equals_the_chain, caught_up, digests, metrics, totals};
use serde_json::{Value, json};
use service_kit::SecretUrl;
use sqlx::PgPool;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

#[tokio::test(flavor = "multi_thread")]
async fn empty_answers_and_limits_of_a_node_leave_no_gaps() {
    let world = World::start(4).await;
    let mut evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let holders = evm.accounts.clone();
    for round in 0..12 {
        evm.issue(&[(holders[1], 100 + round)]).await;
        evm.mine(2).await;
    }
    let pool = world.database("main").await;
    let node = FakeNode::start(&actors::Chain::new("test")).await;
    let rpc = FakeRpc::start(&world.evm_url()).await;
    let mut config = world.config("main", &evm, &node.url);
    config.blockchain.rpc_url = SecretUrl::new(rpc.url.clone());
    config.blockchain.range_blocks_max = 1000;
    // The first answers are empty, for ranges and for blocks; wide ranges are refused.
    rpc.lies.range_max.store(5, Ordering::SeqCst);
    rpc.lies.empty_logs.store(8, Ordering::SeqCst);
    rpc.lies.failures.store(2, Ordering::SeqCst);
    let indexer = Indexer::start(&config);
    caught_up(&pool, &evm).await;
    assert_equals_the_chain(&pool, &evm).await;
    assert_eq!(rpc.lies.emptied.load(Ordering::SeqCst), 8);

    // A new block whose logs are withheld once.
    rpc.lies.empty_logs.store(1, Ordering::SeqCst);
    evm.transfer(1, 2, 5).await;
    caught_up(&pool, &evm).await;
    assert_equals_the_chain(&pool, &evm).await;

    // A node that withholds them for ever is overruled by the block's receipts.
    rpc.lies.empty_logs.store(i64::MAX, Ordering::SeqCst);
    evm.transfer(1, 3, 6).await;
    caught_up(&pool, &evm).await;
    assert_equals_the_chain(&pool, &evm).await;
    let metrics = metrics();
    assert!(
        metrics.contains("indexer_unbelieved_answers_total"),
        "{metrics}"
    );
    indexer.stop().await;
}

/// What is done to the logs of one answer or one receipt that has several.
type Spoil = fn(&mut Vec<Value>);

const SPOILS: [Spoil; 4] = [
    |logs| drop(logs.pop()),
    |logs| logs.push(logs[0].clone()),
    |logs| swap_contents(logs),
    |logs| logs[0]["data"] = json!(format!("0x{}", "07".repeat(32))),
];

/// Each of the two logs says what the other one said, at its own place.
fn swap_contents(logs: &mut [Value]) {
    let last = logs.len() - 1;
    for field in ["topics", "data"] {
        let first = logs[0][field].clone();
        logs[0][field] = logs[last][field].clone();
        logs[last][field] = first;
    }
}

fn spoil_list(logs: Option<&mut Value>, spoil: Spoil) {
    let logs = logs.and_then(Value::as_array_mut);
    if let Some(logs) = logs.filter(|logs| logs.len() > 1) {
        spoil(logs);
    }
}

fn spoil_logs(method: &str, answer: &mut Value, spoil: Spoil) {
    if method == "eth_getLogs" {
        spoil_list(answer.get_mut("result"), spoil);
    }
}

fn spoil_logs_and_receipts(method: &str, answer: &mut Value, spoil: Spoil) {
    spoil_logs(method, answer, spoil);
    if method != "eth_getBlockReceipts" {
        return;
    }
    let receipts = answer.get_mut("result").and_then(Value::as_array_mut);
    for receipt in receipts.into_iter().flatten() {
        spoil_list(receipt.get_mut("logs"), spoil);
    }
}

/// Of all tables that logs are written to; how far the chain is final may move on meanwhile.
async fn digests_of_logs(pool: &PgPool) -> BTreeMap<&'static str, String> {
    let mut found = digests(pool).await;
    found.retain(|table, _| !["cursor", "evm_block"].contains(table));
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_that_are_dropped_doubled_reordered_or_changed_are_never_written() {
    let world = World::start(4).await;
    let mut evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let holders = evm.accounts.clone();
    let three = [(holders[1], 100), (holders[2], 50), (holders[3], 70)];
    evm.issue(&three).await;
    let first_issue = evm.head().await;
    evm.mine(10).await;
    let pool = world.database("main").await;
    let node = FakeNode::start(&actors::Chain::new("test")).await;
    let rpc = FakeRpc::start(&world.evm_url()).await;
    let mut config = world.config("main", &evm, &node.url);
    config.blockchain.rpc_url = SecretUrl::new(rpc.url.clone());

    // By eth_getLogs alone, for ranges and for blocks: the receipts overrule it.
    rpc.lies
        .tell(|method, _, answer| spoil_logs(method, answer, SPOILS[0]));
    let indexer = Indexer::start(&config);
    caught_up(&pool, &evm).await;
    assert_equals_the_chain(&pool, &evm).await;
    for spoil in SPOILS {
        let told = rpc.lies.told.load(Ordering::SeqCst);
        rpc.lies
            .tell(move |method, _, answer| spoil_logs(method, answer, spoil));
        evm.issue(&three).await;
        caught_up(&pool, &evm).await;
        assert_equals_the_chain(&pool, &evm).await;
        assert!(rpc.lies.told.load(Ordering::SeqCst) > told);
    }

    // By all answers alike: it waits, says why, and goes on with the truth.
    for spoil in SPOILS {
        indexer.wait_until_ready().await;
        let before = digests_of_logs(&pool).await;
        rpc.lies
            .tell(move |method, _, answer| spoil_logs_and_receipts(method, answer, spoil));
        evm.issue(&three).await;
        let number = evm.head().await;
        let reason = format!("the logs of block {number} are not proved");
        indexer.wait_for_reason(&reason).await;
        assert_eq!(digests_of_logs(&pool).await, before);

        rpc.lies.stop();
        caught_up(&pool, &evm).await;
        assert_equals_the_chain(&pool, &evm).await;
    }
    indexer.stop().await;

    // A lie about an old block stops a new mirror there, and nothing before.
    let old = format!("0x{first_issue:x}");
    rpc.lies.tell(move |method, _, answer| {
        let is_old = |log: &Value| log["blockNumber"] == old.as_str();
        if answer.pointer("/result/0").is_some_and(is_old) {
            spoil_logs_and_receipts(method, answer, SPOILS[0]);
        }
    });
    let fresh = world.database("fresh").await;
    let mut config = world.config("fresh", &evm, &node.url);
    config.blockchain.rpc_url = SecretUrl::new(rpc.url.clone());
    let indexer = Indexer::start(&config);
    let reason = format!("the logs of block {first_issue} are not proved");
    indexer.wait_for_reason(&reason).await;
    assert_eq!(totals(&fresh).await.evm_block, first_issue - 1);
    rpc.lies.stop();
    caught_up(&fresh, &evm).await;
    assert_eq!(raw_logs(&fresh).await, raw_logs(&pool).await);
    indexer.stop().await;
}

async fn raw_logs(pool: &sqlx::PgPool) -> String {
    digests(pool).await["raw_log"].clone()
}
