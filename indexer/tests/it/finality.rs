use crate::actors;
use crate::evm;
use crate::fake_node::FakeNode;
use crate::world::{Indexer, World, assert_equals_the_chain, caught_up, digests, metrics};
use local_services::Anvil;
use std::time::Duration;

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
