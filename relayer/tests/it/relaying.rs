//! What happens when nothing goes wrong.

use crate::world::{World, wait};

#[tokio::test]
async fn epochs_are_anchored_and_every_account_is_paid_its_amount() {
    let world = World::new(2).await;
    {
        let mut sidechain = world.sidechain.lock().unwrap();
        sidechain.end_epoch(0, 300, 100);
        sidechain.end_epoch(0, 0, 0);
        sidechain.end_epoch_and_rotate(200, 150, 7, &[2, 3, 4, 5, 6]);
        sidechain.end_epoch(0, 1, 1);
    }
    let relayer = world.start().await;
    world.wait_until_settled().await;
    // 4 checkpoints; 3 + 0 + 2 + 1 chunks; nothing was sent twice.
    assert_eq!(world.sent().await, 10);
    assert!(
        world
            .stages()
            .await
            .iter()
            .all(|(_, _, stage)| stage == "final")
    );
    assert_eq!(relayer.readiness.reason(), None);
    relayer.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_relayer_waits_and_takes_over_when_the_first_is_gone() {
    let world = World::new(2).await;
    let first = world.start().await;
    wait("ready", async || first.readiness.reason().is_none()).await;
    let second = world.start().await;
    let waits = async || {
        second
            .readiness
            .reason()
            .is_some_and(|reason| reason.contains("lock"))
    };
    wait("waiting", waits).await;
    drop(first);
    world.sidechain.lock().unwrap().end_epoch(0, 2, 100);
    world.wait_until_settled().await;
    second.stop().await.unwrap();
}

#[tokio::test]
async fn payouts_beyond_the_tokens_limit_follow_when_it_has_refilled() {
    let world = World::with_issue_limit(2, 500, 100).await;
    world.sidechain.lock().unwrap().end_epoch(0, 8, 100);
    let relayer = world.start().await;
    world.wait_until_settled().await;
    // The checkpoint, what fitted at once, and the rest.
    assert_eq!(world.sent().await, 3);
    relayer.stop().await.unwrap();
}

#[tokio::test]
async fn another_chain_is_refused() {
    let mut world = World::new(2).await;
    world.sidechain.lock().unwrap().end_epoch(0, 2, 100);
    world.config.blockchain.chain_id = 1;
    let relayer = world.start().await;
    let refuses = async || {
        relayer
            .readiness
            .reason()
            .is_some_and(|reason| reason.contains("chain id is 31337"))
    };
    wait("refused", refuses).await;
    assert_eq!(world.stages().await, []);
}
