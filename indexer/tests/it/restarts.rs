use crate::actors::Chain;
use crate::evm;
use crate::fake_node::FakeNode;
use crate::world::{
    Indexer, World, assert_equals_the_chain, caught_up, digests, eventually, totals,
};
use domain::BuyerKind;
use std::time::Duration;

const ROUNDS: u64 = 14;

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_crash_the_tables_are_those_of_a_fresh_rebuild() {
    let mut world = World::start(32).await;
    let mut evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let holders = evm.accounts.clone();
    evm.issue(&[(holders[1], 1_000_000), (holders[2], 1_000_000)])
        .await;
    let mut chain = Chain::with_outlets("test");
    let node = FakeNode::start(&chain).await;
    let pool = world.database("main").await;
    let config = world.config("main", &evm, &node.url);

    let mut dice = Dice(20261120);
    let mut sales = 0;
    for round in 0..ROUNDS {
        let indexer = Indexer::start(&config);
        for _ in 0..2 + dice.roll(4) {
            evm.transfer(1, 3 + dice.roll(4) as usize, 1 + u128::from(dice.roll(9)))
                .await;
            sales += 1;
            let sale = chain.sale(1 + sales % 2, sales, BuyerKind::Wallet, 1698);
            chain.block(&[sale]);
            node.serve(&chain);
        }
        if dice.roll(2) == 0 {
            evm.reorganise(1 + dice.roll(3), &[(2, 7, 1 + u128::from(dice.roll(9)), 0)])
                .await;
        }
        tokio::time::sleep(Duration::from_millis(dice.roll(60))).await;
        if round % 4 == 0 {
            indexer.stop().await
        } else {
            indexer.kill()
        }
    }

    // Postgres goes away under a running indexer and comes back.
    let indexer = Indexer::start(&config);
    caught_up(&pool, &evm).await;
    world.stop_postgres().await;
    evm.transfer(1, 8, 77).await;
    let claimed = chain.sale(1, 1000, BuyerKind::Receipt, 500);
    chain.block(&[claimed]);
    node.serve(&chain);
    indexer.wait_for_reason("Postgres").await;
    world.start_postgres().await;
    caught_up(&pool, &evm).await;
    assert_equals_the_chain(&pool, &evm).await;

    // A second instance waits, and takes over when the first dies.
    let standby = Indexer::start(&config);
    standby.wait_for_reason("standby").await;
    indexer.kill();
    let claim = chain.claim(1, 1000, "guest");
    chain.block(&[claim]);
    node.serve(&chain);
    evm.transfer(1, 8, 78).await;
    caught_up(&pool, &evm).await;
    standby.wait_until_ready().await;
    let height = chain.ledger.height();
    eventually("all sidechain blocks", || async {
        totals(&pool).await.sidechain_height == height
    })
    .await;
    standby.stop().await;

    let fresh = world.database("fresh").await;
    let indexer = Indexer::start(&world.config("fresh", &evm, &node.url));
    caught_up(&fresh, &evm).await;
    eventually("all sidechain blocks", || async {
        totals(&fresh).await.sidechain_height == height
    })
    .await;
    indexer.stop().await;
    assert_eq!(digests(&pool).await, digests(&fresh).await);
    assert_equals_the_chain(&pool, &evm).await;
    assert_eq!(totals(&pool).await.sales, sales + 1);
}
