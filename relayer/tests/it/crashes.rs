//! A relayer that is killed anywhere pays exactly once.

use crate::proxy::Sends;
use crate::world::{World, wait};
use sqlx::Executor;
use std::time::Duration;

#[tokio::test]
async fn killed_ten_times_it_sends_nothing_twice() {
    let world = World::new(2).await;
    let modes = [Sends::Pass, Sends::Lose, Sends::LoseAnswers];
    let mut random = 7u64;
    for round in 0..10 {
        if round < 4 {
            world
                .sidechain
                .lock()
                .unwrap()
                .end_epoch(round * 100, 200, 50);
        }
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        world.proxy.set(modes[usize::try_from(round % 3).unwrap()]);
        let relayer = world.start().await;
        tokio::time::sleep(Duration::from_millis(50 + (random >> 33) % 1_200)).await;
        drop(relayer);
    }
    world.proxy.set(Sends::Pass);
    let relayer = world.start().await;
    world.wait_until_settled().await;
    let chunks = world.sidechain.lock().unwrap().chunk_count() as u64;
    assert_eq!(world.sent().await, 4 + chunks);
    relayer.stop().await.unwrap();
}

#[tokio::test]
async fn killed_between_writing_down_and_sending_it_sends_the_same_bytes() {
    let world = World::new(2).await;
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    world.proxy.set(Sends::Lose);
    let relayer = world.start().await;
    wait("signed", async || {
        world
            .slots()
            .await
            .iter()
            .any(|slot| slot.stage == "signed")
    })
    .await;
    drop(relayer);
    world.proxy.set(Sends::LoseAnswers);
    let relayer = world.start().await;
    wait("anchored", async || world.head_epoch().await == 1).await;
    drop(relayer);
    world.proxy.set(Sends::Pass);
    let relayer = world.start().await;
    world.wait_until_settled().await;
    assert_eq!(world.sent().await, 2);
    assert!(world.slots().await.iter().all(|slot| slot.variants == 1));
    relayer.stop().await.unwrap();
}

#[tokio::test]
async fn when_the_lock_is_lost_it_ends_with_an_error() {
    let world = World::new(2).await;
    let relayer = world.start().await;
    wait("ready", async || relayer.readiness.reason().is_none()).await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'";
    world.journal().await.execute(end).await.unwrap();
    let error = relayer.ended().await.unwrap_err();
    assert!(format!("{error:#}").contains("lock is gone"), "{error:#}");
}

#[tokio::test]
async fn a_database_that_is_away_is_waited_for() {
    let mut world = World::new(2).await;
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    let relayer = world.start().await;
    wait("anchored", async || world.head_epoch().await == 1).await;
    world.stop_postgres().await;
    assert!(relayer.ended().await.is_err());
    let relayer = world.start().await;
    wait("waiting", async || {
        relayer
            .readiness
            .reason()
            .is_some_and(|reason| reason.contains("connect"))
    })
    .await;
    world.start_postgres().await;
    world.wait_until_settled().await;
    assert_eq!(world.sent().await, 2);
    relayer.stop().await.unwrap();
}
