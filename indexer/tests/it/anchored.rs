use crate::actors::{Chain, address};
use crate::evm::{self, deploy_token};
use crate::fake_node::FakeNode;
use crate::world::{Indexer, World, assert_equals_the_chain, caught_up, eventually, totals};
use alloy::primitives::{Address, U256, Uint};
use alloy::providers::Provider;
use contract_bindings::CheckpointAnchor::{self, CheckpointAnchorInstance};
use contract_bindings::{ICheckpointAnchor, ValidatorSets};
use domain::checkpoint::SignedCheckpoint;
use domain::ledger::EpochCheckpoint;
use domain::{BuyerKind, ValidatorSet};

use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn anchored_checkpoints_are_compared_and_payouts_know_their_epoch() {
    let world = World::start(4).await;
    let mut evm = evm::Chain::with_own_issuer(&world.evm_url()).await;
    let admin = evm.accounts[0];
    let mut chain = Chain::with_outlets("test");
    let nonce = evm.provider.get_transaction_count(admin).await.unwrap();
    evm.token = deploy_token(&evm.provider, admin, admin.create(nonce + 1)).await;
    let anchor = deploy_anchor(&evm, &chain).await;
    evm.anchor = *anchor.address();

    let bind = chain.set_anchor(*evm.token.address(), evm.anchor, 1);
    chain.block(&[bind]);
    for number in 0..6 {
        let sale = chain.sale(1 + number % 2, number, BuyerKind::Wallet, 900);
        chain.block(&[sale]);
    }
    let node = FakeNode::start(&chain).await;
    let pool = world.database("main").await;
    let indexer = Indexer::start(&world.config("main", &evm, &node.url));
    for closed in &chain.checkpoints {
        submit(&anchor, admin, &chain.sign_checkpoint(closed)).await;
        issue(&anchor, admin, closed).await;
    }
    caught_up(&pool, &evm).await;
    let height = chain.ledger.height();
    eventually("sidechain height", || async {
        totals(&pool).await.sidechain_height == height
    })
    .await;
    indexer.wait_until_ready().await;
    assert_equals_the_chain(&pool, &evm).await;

    let totals = totals(&pool).await;
    assert_eq!(chain.checkpoints.len(), 3);
    assert_eq!(
        (totals.last_anchored_epoch, totals.checkpoint_disagreements),
        (3, 0)
    );
    assert_eq!(totals.minted, u128::from(totals.released));
    let released: BTreeMap<Address, u64> = chain
        .ledger
        .accounts()
        .map(|(who, account)| (who, account.released))
        .filter(|(_, units)| *units > 0)
        .collect();
    let paid = read_model::payouts_by_account(&pool).await.unwrap();
    assert_eq!(
        paid.iter()
            .map(|row| (row.account, row.minted as u64))
            .collect::<BTreeMap<_, _>>(),
        released
    );
    let founder = paid
        .iter()
        .find(|row| row.account == address("founder"))
        .unwrap();
    assert_eq!((founder.payouts, founder.last_epoch), (3, Some(3)));
    assert!(paid.iter().all(|row| row.minted_final <= row.minted));

    // Had the blocks led elsewhere, the indexer would not be ready.
    let change = "UPDATE chain.epoch_checkpoint SET state_root = blocks_root WHERE epoch = 2";
    sqlx::query(change).execute(&pool).await.unwrap();
    indexer.wait_for_reason("the first is epoch 2").await;
    indexer.stop().await;
}

type Anchor = CheckpointAnchorInstance<alloy::providers::RootProvider<alloy::network::Ethereum>>;

fn validators(set: &ValidatorSet) -> Vec<ValidatorSets::Validator> {
    let validator = |v: &domain::Validator| ValidatorSets::Validator {
        account: v.address,
        power: v.power,
    };
    set.as_slice().iter().map(validator).collect()
}

async fn deploy_anchor(evm: &evm::Chain, chain: &Chain) -> Anchor {
    let admin = evm.accounts[0];
    let address = CheckpointAnchor::deploy_builder(
        evm.provider.clone(),
        *evm.token.address(),
        chain.ledger.sidechain_id(),
        1,
        1,
        validators(chain.ledger.validators()),
        admin,
        Uint::from(86_400),
        evm.accounts[1],
    )
    .from(admin)
    .deploy()
    .await
    .unwrap();
    assert_eq!(evm.token.issuer().call().await.unwrap(), address);
    CheckpointAnchor::new(address, evm.provider.clone())
}

async fn submit(anchor: &Anchor, from: Address, signed: &SignedCheckpoint) {
    let c = &signed.checkpoint;
    let checkpoint = ICheckpointAnchor::Checkpoint {
        sidechainId: c.sidechain_id,
        epoch: c.epoch,
        firstHeight: c.first_height,
        lastHeight: c.last_height,
        blocksRoot: c.blocks_root,
        stateRoot: c.state_root,
        payoutRoot: c.payout_root,
        recordingsRoot: c.recordings_root,
        totalReleased: c.total_released,
        nextValidatorsHash: c.next_validators_hash,
    };
    let set = signed.validators.as_slice();
    let place = |who: Address| {
        set.iter()
            .position(|validator| validator.address == who)
            .unwrap()
    };
    let bitmap = signed.signatures.iter().fold(U256::ZERO, |map, s| {
        map | U256::from(1) << place(s.validator)
    });
    let compact = |(r, vs)| ValidatorSets::Signature { r, vs };
    let signatures = signed
        .signatures
        .iter()
        .map(|s| compact(s.signature.to_compact()))
        .collect();
    let call = anchor
        .submit(
            checkpoint,
            validators(&signed.validators),
            bitmap,
            signatures,
            vec![],
        )
        .from(from);
    assert!(
        call.send()
            .await
            .unwrap()
            .get_receipt()
            .await
            .unwrap()
            .status()
    );
}

async fn issue(anchor: &Anchor, from: Address, closed: &EpochCheckpoint) {
    for chunk in closed.settlement.chunks() {
        let words = chunk
            .words
            .iter()
            .map(|word| U256::from_be_bytes(word.0))
            .collect();
        let mut proof = chunk.proof;
        proof.push(closed.checkpoint.rest_hash());
        let call = anchor
            .issueChunk(closed.checkpoint.epoch, words, proof)
            .from(from);
        assert!(
            call.send()
                .await
                .unwrap()
                .get_receipt()
                .await
                .unwrap()
                .status()
        );
    }
}
