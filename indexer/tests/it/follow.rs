use crate::actors;
use crate::evm;
use crate::fake_node::FakeNode;
use crate::world::{
    Indexer, World, assert_equals_the_chain, caught_up, eventually, metrics, totals,
};
use read_model::network::{StreamPulse, read_pulse};
use sqlx::Row;
use sqlx::postgres::PgListener;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn backfill_and_live_equal_the_chain_and_are_announced() {
    let world = World::start(4).await;
    let mut evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let holders = evm.accounts.clone();
    for round in 0..10u128 {
        evm.issue(&[
            (holders[1], 100 + round),
            (holders[2], 50),
            (holders[3], u128::from(u64::MAX)),
        ])
        .await;
        evm.transfer(3, 4, u128::from(u64::MAX) - round).await;
        evm.mine(1).await;
    }
    let pool = world.database("main").await;
    let mut listener = PgListener::connect(&world.database_url("main"))
        .await
        .unwrap();
    listener.listen("chain_events").await.unwrap();
    let node = FakeNode::start(&actors::Chain::new("test")).await;
    let indexer = Indexer::start(&world.config("main", &evm, &node.url));
    caught_up(&pool, &evm).await;
    assert_equals_the_chain(&pool, &evm).await;
    indexer.wait_until_ready().await;

    for round in 0..5 {
        evm.transfer(1, 2, 10 + round).await;
        evm.transfer(2, 1, 1).await;
    }
    // A holder that has nothing left has no balance.
    evm.transfer(2, 5, evm.balance(holders[2]).await).await;
    caught_up(&pool, &evm).await;
    assert_equals_the_chain(&pool, &evm).await;
    let totals = totals(&pool).await;
    assert_eq!(
        (totals.evm_block, totals.evm_finalized_block),
        (evm.head().await, evm.head().await - 8)
    );
    let metrics = metrics();
    assert!(
        metrics.contains("blockchain_sync_delay_seconds"),
        "{metrics}"
    );

    // The announcements cover every block once, in order.
    let mut next = 1;
    while next <= evm.head().await {
        let message = tokio::time::timeout(Duration::from_secs(5), listener.recv())
            .await
            .unwrap()
            .unwrap();
        let message: serde_json::Value = serde_json::from_str(message.payload()).unwrap();
        assert_eq!(
            (&message["stream"], &message["kind"]),
            (&"evm".into(), &"apply".into())
        );
        assert_eq!(message["from"], next);
        next = message["to"].as_u64().unwrap() + 1;
    }

    // Readers see that both chains are followed, although no block comes any more.
    eventually("a fresh pulse", || async {
        let mut connection = pool.acquire().await.unwrap();
        let pulse = read_pulse(&mut connection).await.unwrap();
        [pulse.evm, pulse.sidechain].into_iter().all(is_fresh)
    })
    .await;
    indexer.stop().await;
}

fn is_fresh(stream: Option<StreamPulse>) -> bool {
    let is_young = |age: Option<Duration>| age.is_some_and(|age| age < Duration::from_secs(5));
    stream.is_some_and(|one| is_young(one.answered) && is_young(one.in_step) && !one.stands_still)
}

#[tokio::test(flavor = "multi_thread")]
async fn reorganisations_are_mirrored_live_and_after_downtime() {
    let world = World::start(32).await;
    let mut evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let holders = evm.accounts.clone();
    evm.issue(&[(holders[1], 100_000), (holders[2], 100_000)])
        .await;
    for _ in 0..6 {
        evm.transfer(1, 3, 7).await;
    }
    let pool = world.database("main").await;
    let node = FakeNode::start(&actors::Chain::new("test")).await;
    let config = world.config("main", &evm, &node.url);
    let indexer = Indexer::start(&config);
    caught_up(&pool, &evm).await;

    for depth in [1, 3, 5] {
        for _ in 0..depth {
            evm.transfer(1, 4, 1000).await;
        }
        caught_up(&pool, &evm).await;
        let before = totals(&pool).await;
        evm.reorganise(
            depth,
            &[(2, 5, 11 + u128::from(depth), 0), (2, 6, 3, depth - 1)],
        )
        .await;
        caught_up(&pool, &evm).await;
        assert_equals_the_chain(&pool, &evm).await;
        let after = totals(&pool).await;
        assert_eq!(after.transfers, before.transfers - depth + 2);
        evm.transfer(1, 4, 1).await;
        caught_up(&pool, &evm).await;
        assert_equals_the_chain(&pool, &evm).await;
    }

    indexer.stop().await;
    evm.transfer(1, 7, 500).await;
    evm.reorganise(4, &[(2, 8, 9, 1)]).await;
    evm.transfer(1, 8, 2).await;
    let indexer = Indexer::start(&config);
    caught_up(&pool, &evm).await;
    assert_equals_the_chain(&pool, &evm).await;

    let log = sqlx::query("SELECT depth FROM chain.reorg_log ORDER BY id")
        .fetch_all(&pool)
        .await
        .unwrap();
    let depths: Vec<i64> = log.iter().map(|row| row.get("depth")).collect();
    assert_eq!(depths, [1, 3, 5, 3]);
    indexer.stop().await;
}
