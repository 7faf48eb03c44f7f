use crate::actors;
use crate::evm;
use crate::fake_node::FakeNode;
use crate::fake_rpc::FakeRpc;
use crate::world::{Indexer, World, assert_equals_the_chain, caught_up, metrics};
use service_kit::Secret;
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
    config.blockchain.rpc_url = Secret::new(rpc.url.clone());
    config.blockchain.range_blocks_max = 1000;
    // The first answers are empty, for ranges and for blocks; wide ranges are refused.
    rpc.lies.range_max.store(5, Ordering::SeqCst);
    rpc.lies.empty_logs.store(9, Ordering::SeqCst);
    rpc.lies.failures.store(2, Ordering::SeqCst);
    let indexer = Indexer::start(&config);
    caught_up(&pool, &evm).await;
    assert_equals_the_chain(&pool, &evm).await;
    assert_eq!(rpc.lies.emptied.load(Ordering::SeqCst), 9);

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
