//! Reorganisations, strangers who are faster, and transactions that are stuck.

use crate::proxy::Sends;
use crate::world::{World, is_closed, wait};
use alloy::network::EthereumWallet;
use alloy::primitives::U256;
use alloy::providers::{Provider, ProviderBuilder};
use alloy::rpc::types::TransactionRequest;
use serde_json::json;

#[tokio::test]
async fn after_a_reorganisation_the_same_transactions_are_sent_again() {
    let world = World::new(8).await;
    world.mine(4).await;
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    let relayer = world.start().await;
    wait("settled", async || world.is_settled().await).await;
    wait("noticed", async || {
        world
            .stages()
            .await
            .iter()
            .all(|(_, _, stage)| stage == "included")
    })
    .await;
    // A block that anvil makes in the middle of it doubles transactions.
    let () = world.rpc("evm_setIntervalMining", (0,)).await;
    let _: serde_json::Value = world.rpc("anvil_reorg", json!([3, []])).await;
    assert_eq!(world.head_epoch().await, 0);
    let () = world.rpc("evm_setIntervalMining", (1,)).await;
    world.wait_until_settled().await;
    assert!(world.slots().await.iter().all(|slot| slot.variants == 1));
    assert_eq!(world.sent().await, 2);
    relayer.stop().await.unwrap();
}

/// A checkpoint that seems to be gone for a moment is not a revoked one: its payouts must not be passed over for ever.
#[tokio::test]
async fn an_endpoint_that_forgets_a_checkpoint_once_costs_no_payout() {
    let world = World::new(8).await;
    world.proxy.forget_commitments(1);
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    let relayer = world.start().await;
    world.wait_until_settled().await;
    relayer.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_stranger_has_brought_already_is_left_alone() {
    let world = World::new(2).await;
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    world.submit_as_stranger(1).await;
    world.issue_as_stranger(1, 0).await;
    let relayer = world.start().await;
    wait("obsolete", async || {
        world
            .stages()
            .await
            .iter()
            .any(|(_, _, stage)| stage == "obsolete")
    })
    .await;
    assert_eq!(world.sent().await, 0);
    world.sidechain.lock().unwrap().end_epoch(0, 2, 100);
    world.wait_until_settled().await;
    assert_eq!(world.sent().await, 2);
    relayer.stop().await.unwrap();
}

#[tokio::test]
async fn a_nonce_whose_intent_a_stranger_has_brought_is_used_up() {
    let world = World::new(2).await;
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    world.proxy.set(Sends::Lose);
    let relayer = world.start().await;
    wait("signed", async || !world.slots().await.is_empty()).await;
    world.submit_as_stranger(1).await;
    world.proxy.set(Sends::Pass);
    world.wait_until_settled().await;
    let outcomes: Vec<_> = world
        .slots()
        .await
        .into_iter()
        .map(|slot| (slot.nonce, slot.outcome))
        .collect();
    assert_eq!(
        outcomes,
        [(0, Some("cancelled".into())), (1, Some("executed".into()))]
    );
    relayer.stop().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_is_stuck_gets_a_higher_fee() {
    let world = World::new(2).await;
    let () = world.rpc("evm_setIntervalMining", (0,)).await;
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    let relayer = world.start().await;
    wait("sent", async || {
        world.slots().await.iter().any(|slot| slot.stage == "sent")
    })
    .await;
    let base_fee = U256::from(50_000_000_000u64);
    let () = world
        .rpc("anvil_setNextBlockBaseFeePerGas", (base_fee,))
        .await;
    world.mine(3).await;
    assert_eq!(world.head_epoch().await, 0);
    wait("replaced", async || world.slots().await[0].variants > 1).await;
    let all_closed = async || {
        world.mine(1).await;
        world.is_settled().await
            && world
                .stages()
                .await
                .iter()
                .all(|(_, _, stage)| is_closed(stage))
    };
    wait("closed", all_closed).await;
    world.assert_amounts().await;
    assert_eq!(world.sent().await, 2);
    relayer.stop().await.unwrap();
}

#[tokio::test]
async fn a_nonce_used_by_an_outside_transaction_costs_only_that_nonce() {
    let world = World::new(2).await;
    world.sidechain.lock().unwrap().end_epoch(0, 3, 100);
    world.proxy.set(Sends::Lose);
    let relayer = world.start().await;
    wait("signed", async || !world.slots().await.is_empty()).await;
    spend_nonce(&world).await;
    world.proxy.set(Sends::Pass);
    world.wait_until_settled().await;
    let slots = world.slots().await;
    assert_eq!(slots[0].outcome.as_deref(), Some("taken"));
    assert_eq!(world.sent().await, 3);
    relayer.stop().await.unwrap();
}

/// Somebody else uses the relayer's key.
pub async fn spend_nonce(world: &World) {
    let wallet = EthereumWallet::from(world.signer.clone());
    let provider = ProviderBuilder::new()
        .wallet(wallet)
        .connect_provider(&world.provider);
    let transfer = TransactionRequest::default()
        .to(world.signer.address())
        .value(U256::ZERO);
    assert!(
        provider
            .send_transaction(transfer)
            .await
            .unwrap()
            .get_receipt()
            .await
            .unwrap()
            .status()
    );
}
