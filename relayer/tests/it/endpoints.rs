//! Endpoints that answer wrongly or refuse: nothing is dropped for ever, and nothing jams.

use crate::proxy::Sends;
use crate::world::{World, wait};
use alloy::providers::Provider;
use serde_json::json;

/// An answer at the head that was wrong once must not close what it is about.
#[tokio::test]
async fn a_checkpoint_that_is_forgotten_while_its_chunk_is_reviewed_costs_no_payout() {
    let world = World::new(8).await;
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    world.submit_as_stranger(1).await;
    world.proxy.set(Sends::Lose);
    let relayer = world.start().await;
    wait("signed", async || !world.slots().await.is_empty()).await;

    world.proxy.forget_commitments(1);
    wait("believed", async || {
        let stages = world.stages().await;
        stages
            .iter()
            .any(|(kind, _, stage)| kind == "chunk" && stage == "included")
    })
    .await;
    world.mine(8).await;

    world.proxy.set(Sends::Pass);
    world.wait_until_settled().await;
    relayer.stop().await.unwrap();
}

/// A receipt of what nobody mined would close a nonce, and all above it would wait for ever.
#[tokio::test]
async fn a_forged_receipt_leaves_no_gap() {
    let world = World::new(2).await;
    world.sidechain.lock().unwrap().end_epoch(0, 200, 100);
    world.submit_as_stranger(1).await;
    world.mine(4).await;
    world.proxy.set(Sends::Lose);
    let relayer = world.start().await;
    wait("both signed", async || world.slots().await.len() == 2).await;

    world.proxy.change(|faults| faults.forged_receipts = 2);
    wait("forged", async || world.proxy.faults().forged_receipts == 0).await;
    world.mine(4).await;

    world.proxy.set(Sends::Pass);
    world.wait_until_settled().await;
    assert_eq!(world.sent().await, 2);
    relayer.stop().await.unwrap();
}

/// What was final is unused again while a higher nonce waits: the lower ones are sent again first.
#[tokio::test]
async fn a_reorganisation_beyond_what_was_final_leaves_no_gap() {
    let world = World::new(2).await;
    let before = world.provider.get_block_number().await.unwrap();
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    let relayer = world.start().await;
    world.wait_until_settled().await;

    let () = world.rpc("evm_setIntervalMining", (0,)).await;
    world.sidechain.lock().unwrap().end_epoch(0, 2, 100);
    wait("third is sent", async || {
        world.slots().await.iter().any(|slot| slot.stage == "sent")
    })
    .await;

    let depth = world.provider.get_block_number().await.unwrap() - before;
    let _: serde_json::Value = world.rpc("anvil_reorg", json!([depth, []])).await;
    assert_eq!(world.head_epoch().await, 0);
    let () = world.rpc("evm_setIntervalMining", (1,)).await;
    world.wait_until_settled().await;
    relayer.stop().await.unwrap();
}

/// A nonce that somebody else used with our key, and that is unused again: nothing of ours is there to be sent for it.
#[tokio::test]
async fn a_nonce_that_an_outside_transaction_gave_back_is_filled() {
    let world = World::new(8).await;
    let before = world.provider.get_block_number().await.unwrap();
    crate::disturbances::spend_nonce(&world).await;

    let () = world.rpc("evm_setIntervalMining", (0,)).await;
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    let relayer = world.start().await;
    wait("sent", async || {
        world
            .slots()
            .await
            .iter()
            .any(|slot| slot.nonce == 1 && slot.stage == "sent")
    })
    .await;

    let depth = world.provider.get_block_number().await.unwrap() - before;
    let _: serde_json::Value = world.rpc("anvil_reorg", json!([depth, []])).await;
    let () = world.rpc("evm_setIntervalMining", (1,)).await;
    world.wait_until_settled().await;
    assert_eq!(
        world.slots().await.iter().map(|slot| slot.nonce).min(),
        Some(0)
    );
    relayer.stop().await.unwrap();
}

/// An endpoint that refuses every offer is not offered more at each look, nor ever more than twice what the chain asks.
#[tokio::test]
async fn an_endpoint_that_always_wants_more_is_not_followed_to_the_cap() {
    let world = World::new(2).await;
    world.proxy.set(Sends::Underpriced);
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    let relayer = world.start().await;
    wait("refused often", async || {
        world.proxy.faults().refused_offers > 40
    })
    .await;
    let variants = world.slots().await[0].variants;
    assert!(variants <= 8, "{variants} offers");

    world.proxy.set(Sends::Pass);
    world.wait_until_settled().await;
    relayer.stop().await.unwrap();
}

#[tokio::test]
async fn a_tip_that_an_endpoint_asks_for_is_offered() {
    let world = World::new(2).await;
    world.proxy.set(Sends::WantTip(25_000_000_000));
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    let relayer = world.start().await;
    world.wait_until_settled().await;
    assert!(world.slots().await.iter().all(|slot| slot.variants <= 3));
    relayer.stop().await.unwrap();
}

/// A rate limit says nothing about the call: the wait does not grow, and whoever asks is told.
#[tokio::test]
async fn an_estimate_that_is_refused_for_its_number_is_no_failure() {
    let world = World::new(2).await;
    world.proxy.change(|faults| faults.limits_estimates = true);
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    let relayer = world.start().await;
    wait("told", async || {
        relayer
            .readiness
            .reason()
            .is_some_and(|reason| reason.contains("eth_estimateGas"))
    })
    .await;
    let failures: i64 = sqlx::query_scalar("SELECT sum(failures)::bigint FROM relayer.intents")
        .fetch_one(&mut world.journal().await)
        .await
        .unwrap();
    assert_eq!(failures, 0);

    world.proxy.change(|faults| faults.limits_estimates = false);
    world.wait_until_settled().await;
    relayer.stop().await.unwrap();
}

/// A question about the final block that is refused is asked again: a depth would call final what is not.
#[tokio::test]
async fn a_refused_question_about_the_final_block_is_no_missing_tag() {
    let world = World::new(8).await;
    world.proxy.change(|faults| faults.limits_finalized = true);
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    let relayer = world.start().await;
    wait("told", async || {
        relayer
            .readiness
            .reason()
            .is_some_and(|reason| reason.contains("rate limited"))
    })
    .await;
    assert!(world.slots().await.is_empty());

    world.proxy.change(|faults| faults.limits_finalized = false);
    world.wait_until_settled().await;
    relayer.stop().await.unwrap();
}

#[tokio::test]
async fn short_batches_and_no_history_of_fees_are_enough() {
    let world = World::new(2).await;
    world.proxy.change(|faults| {
        faults.batch_max = Some(3);
        faults.has_no_fee_history = true;
    });
    world.sidechain.lock().unwrap().end_epoch(0, 9, 100);
    let relayer = world.start().await;
    world.wait_until_settled().await;
    relayer.stop().await.unwrap();
}
