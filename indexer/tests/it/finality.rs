use crate::actors;
use crate::evm;
use crate::fake_node::FakeNode;
use crate::fake_rpc::FakeRpc;
use crate::world::{Indexer, World, assert_equals_the_chain, caught_up, digests, metrics, totals};
use local_services::Anvil;
use serde_json::{Value, json};
use service_kit::SecretUrl;
use std::time::Duration;

/// Changes the answer to a request.
type Lie = fn(&str, &Value, &mut Value);

#[tokio::test(flavor = "multi_thread")]
async fn what_was_final_is_never_rewritten() {
    let mut world = World::start(2).await;
    let mut evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let holders = evm.accounts.clone();
    for _ in 0..10 {
        evm.issue(&[(holders[1], 100)]).await;
    }
    let pool = world.database("main").await;
    let node = FakeNode::start(&actors::Chain::new("test")).await;
    let indexer = Indexer::start(&world.config("main", &evm, &node.url));
    caught_up(&pool, &evm).await;
    indexer.wait_until_ready().await;
    assert_equals_the_chain(&pool, &evm).await;

    // `finalized` stands four blocks below the head.
    let before = digests(&pool).await;
    evm.reorganise(7, &[]).await;
    indexer.wait_for_reason("was final as").await;
    evm.mine(3).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    indexer.wait_for_reason("was final as").await;
    assert_eq!(digests(&pool).await, before);
    let metrics = metrics();
    assert!(
        metrics.contains("indexer_disagreements_total{stream=\"evm\"}"),
        "{metrics}"
    );

    // A chain that was started anew has a name of its own, to a running indexer and to a new one.
    world.anvil.take().unwrap().stop().await.unwrap();
    let mut fresh = world.anvil_options.clone();
    fresh.dir = world.dir.path().join("another anvil");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    world.anvil = Some(Anvil::start(&fresh).await.unwrap());
    indexer.wait_for_reason("the chain was started anew").await;
    indexer.stop().await;
    let indexer = Indexer::start(&world.config("main", &evm, &node.url));
    indexer.wait_for_reason("the chain was started anew").await;
    assert_eq!(digests(&pool).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_chain_id_or_another_contract_is_refused() {
    let world = World::start(32).await;
    let mut evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let pool = world.database("main").await;
    let node = FakeNode::start(&actors::Chain::new("test")).await;
    let mut config = world.config("main", &evm, &node.url);
    config.blockchain.chain_id = 1;
    let indexer = Indexer::start(&config);
    indexer.wait_for_reason("chain id 31337, expected 1").await;
    indexer.stop().await;

    config.blockchain.chain_id = 31337;
    let indexer = Indexer::start(&config);
    caught_up(&pool, &evm).await;
    indexer.stop().await;
    evm.anchor = alloy::primitives::Address::repeat_byte(9);
    let indexer = Indexer::start(&world.config("main", &evm, &node.url));
    indexer.wait_for_reason("this database mirrors").await;
}

/// To the question for the last final block, and to no other.
fn answer_finalized(method: &str, params: &Value, answer: &mut Value, with: (&str, Value)) {
    if method == "eth_getBlockByNumber" && params[0] == "finalized" {
        let (field, value) = with;
        *answer = json!({"jsonrpc": "2.0", "id": answer["id"], field: value});
    }
}

fn refuse(method: &str, params: &Value, answer: &mut Value) {
    let error = json!({"code": -32005, "message": "request rate limited"});
    answer_finalized(method, params, answer, ("error", error));
}

fn deny(method: &str, params: &Value, answer: &mut Value) {
    let error = json!({"code": -32000, "message": "finalized block not found"});
    answer_finalized(method, params, answer, ("error", error));
}

fn give_none(method: &str, params: &Value, answer: &mut Value) {
    answer_finalized(method, params, answer, ("result", Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_or_a_lost_tag_makes_no_block_final() {
    // `finalized` stands eight blocks below the head, the depth is less.
    let world = World::start(4).await;
    let mut evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let holders = evm.accounts.clone();
    for _ in 0..12 {
        evm.issue(&[(holders[1], 100)]).await;
    }
    let pool = world.database("main").await;
    let node = FakeNode::start(&actors::Chain::new("test")).await;
    let rpc = FakeRpc::start(&world.evm_url()).await;
    let mut config = world.config("main", &evm, &node.url);
    config.blockchain.rpc_url = SecretUrl::new(rpc.url.clone());
    config.blockchain.finality_depth = 2;

    rpc.lies.tell(refuse);
    let indexer = Indexer::start(&config);
    indexer.wait_for_reason("request rate limited").await;
    assert_eq!(totals(&pool).await.evm_finalized_block, 0);
    rpc.lies.stop();
    caught_up(&pool, &evm).await;
    indexer.wait_until_ready().await;
    let final_block = evm.head().await - 8;
    assert_eq!(totals(&pool).await.evm_finalized_block, final_block);

    // The tag was there: that it is missing now is no property of the chain.
    let losses: [(Lie, &str); 2] = [
        (give_none, "no `finalized` block any more"),
        (deny, "finalized block not found"),
    ];
    for (loss, reason) in losses {
        let before = totals(&pool).await.evm_finalized_block;
        rpc.lies.tell(loss);
        evm.issue(&[(holders[2], 5)]).await;
        indexer.wait_for_reason(reason).await;
        assert_eq!(totals(&pool).await.evm_finalized_block, before);
        rpc.lies.stop();
        caught_up(&pool, &evm).await;
        assert_equals_the_chain(&pool, &evm).await;
        indexer.wait_until_ready().await;
    }
    indexer.stop().await;

    // A chain that never had it goes by depth.
    rpc.lies.tell(deny);
    let other = world.database("other").await;
    let mut config = world.config("other", &evm, &node.url);
    config.blockchain.rpc_url = SecretUrl::new(rpc.url.clone());
    config.blockchain.finality_depth = 2;
    let indexer = Indexer::start(&config);
    caught_up(&other, &evm).await;
    indexer.wait_until_ready().await;
    let final_block = evm.head().await - 2;
    assert_eq!(totals(&other).await.evm_finalized_block, final_block);
    indexer.stop().await;
}
