//! Frozen byte formats. `UPDATE_VECTORS=1 cargo test -p domain vectors` writes them anew: a deliberate act.

use crate::actors::{Chain, address, genesis, key, validator_keys};
use crate::export;
use domain::checkpoint::Checkpoint;
use domain::crypto::address_of_secret;
use domain::eip712::DomainSeparator;
use domain::payout::{Payout, Settlement, checkpoint_commitment};
use domain::recording::RecordingEntry;
use domain::sale::lines_hash;
use domain::*;
use serde_json::{Value, json};

fn check(name: &str, found: &Value) {
    check_text(
        &format!("{name}.json"),
        &format!("{}\n", serde_json::to_string_pretty(found).unwrap()),
    );
}

#[allow(clippy::disallowed_methods, reason = "a switch of the test run")]
fn check_text(name: &str, text: &str) {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let frozen = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(frozen, text, "{name}: the format changed");
}

#[test]
fn checkpoint_digest_validators_hash_and_signatures() {
    let genesis = genesis();
    let anchor = address("anchor");
    let checkpoint = Checkpoint {
        sidechain_id: genesis.sidechain_id(),
        epoch: 7,
        first_height: 33,
        last_height: 64,
        blocks_root: keccak256("blocks"),
        state_root: keccak256("state"),
        payout_root: keccak256("payouts"),
        recordings_root: merkle::EMPTY_ROOT,
        total_released: 183_500,
        next_validators_hash: genesis.validators.hash(),
    };
    let digest =
        DomainSeparator::checkpoints(genesis.evm_chain_id, anchor).checkpoint_digest(&checkpoint);
    let signatures: Vec<Signature> = validator_keys()
        .iter()
        .map(|key| Signature::sign(digest, key))
        .collect();
    let validator = |v: &Validator| json!({"address": v.address, "power": v.power});
    check(
        "checkpoint",
        &json!({
            "chain_id": genesis.evm_chain_id,
            "anchor": anchor,
            "sidechain_id": checkpoint.sidechain_id,
            "checkpoint": {
                "epoch": checkpoint.epoch,
                "first_height": checkpoint.first_height,
                "last_height": checkpoint.last_height,
                "blocks_root": checkpoint.blocks_root,
                "state_root": checkpoint.state_root,
                "payout_root": checkpoint.payout_root,
                "recordings_root": checkpoint.recordings_root,
                "total_released": checkpoint.total_released as u64,
                "next_validators_hash": checkpoint.next_validators_hash,
            },
            "validators": genesis.validators.as_slice().iter().map(validator).collect::<Vec<_>>(),
            "validators_hash": genesis.validators.hash(),
            "digest": digest,
            "rest_hash": checkpoint.rest_hash(),
            "commitment": checkpoint_commitment(checkpoint.payout_root, checkpoint.rest_hash()),
            "signatures": signatures,
        }),
    );
}

#[test]
fn payout_words_chunks_and_proofs() {
    let mut payouts: Vec<Payout> = (0..300u64)
        .map(|i| Payout {
            account: address(&format!("holder {i}")),
            released: 49 * (i + 1),
        })
        .collect();
    payouts.sort_by_key(|payout| payout.account);
    let settlement = Settlement::new(payouts);
    check(
        "payouts",
        &json!({
            "payouts": settlement.payouts(),
            "chunks": settlement.chunks(),
            "payout_root": settlement.root(),
        }),
    );
}

#[test]
fn transaction_digests_and_signatures() {
    let mut chain = Chain::new(genesis());
    let lines = vec![Line {
        sku: "khinkali".into(),
        name: "ხინკალი".into(),
        quantity: 2,
        unit_price: 849,
    }];
    let salt = keccak256("salt");
    let sale = Sale {
        lines_hash: lines_hash(salt, &lines),
        ..chain.sale(1, 5, BuyerKind::Receipt)
    };
    let transactions = [
        chain.sign_sale(sale),
        chain.register_outlet(9, OutletKind::Franchised, 3),
        chain.register_terminal(1, "till 9"),
        chain.revoke_terminal(1, "till 1"),
        chain.claim(1, 5, "guest 0"),
        chain.request_payout("guest 0"),
        chain.full_settlement(),
        chain.set_anchor(3),
        chain.refund(1, 5, 1, 849, "till 1"),
        chain.set_bonding("owner 1", 250_000),
        chain.unbond("owner 1", 7),
        chain.register_validator(1, "validator 4"),
        chain.heartbeat("validator 4"),
        chain.unjail(1, "validator 4"),
        chain.evidence(
            "validator 4",
            chain.double_vote("validator 4", 3),
            "validator 0",
        ),
        chain.set_parameters(Parameters::DEFAULT),
        chain.cancel_change(7),
        chain.consent(1, 7, 0),
        chain.legal_basis(1, 8),
        chain.revoke_consent(keccak256("consent"), "guest 0"),
        chain.pin(chain.recording(1, 7, keccak256("consent"), 1)),
        chain.erase(1, 1, "owner 1"),
    ];
    let entry = |transaction: &SignedTransaction| {
        json!({
            "transaction": transaction,
            "id": transaction.id(chain.ledger.domain()),
            "signer": transaction.signer(chain.ledger.domain()).unwrap(),
            "encoded": alloy_primitives::hex::encode_prefixed(transaction.encode()),
        })
    };
    check(
        "transactions",
        &json!({
            "chain_id": 31337,
            "sidechain_id": chain.ledger.sidechain_id(),
            "till_1_key": alloy_primitives::hex::encode_prefixed(key("till 1").secret_bytes()),
            "till_1": address_of_secret(&key("till 1")),
            "lines": lines,
            "lines_salt": salt,
            "transactions": transactions.iter().map(entry).collect::<Vec<_>>(),
        }),
    );
}

#[test]
fn the_state_digest_of_a_short_chain() {
    let mut chain = Chain::with_agents(genesis());
    let set = chain.set_anchor(chain.ledger.epoch());
    chain.block(&[set]).unwrap();
    for number in 0..10 {
        let kind = [BuyerKind::None, BuyerKind::Wallet, BuyerKind::Receipt][number as usize % 3];
        let sale = chain.sign_sale(chain.sale(1 + number % 2, number, kind));
        chain.block(&[sale]).unwrap();
    }
    let (consent, basis) = (chain.consent(1, 7, 0), chain.legal_basis(2, 8));
    let (id, basis_id) = (chain.id(&consent), chain.id(&basis));
    chain.block(&[consent, basis]).unwrap();
    let pins = [
        chain.pin(chain.recording(1, 7, id, 1)),
        chain.pin(chain.recording(2, 8, basis_id, 2)),
    ];
    chain.block(&pins).unwrap();
    let ends = [
        chain.revoke_consent(id, "guest 0"),
        chain.erase(1, 1, "agent 1"),
    ];
    chain.block(&ends).unwrap();
    chain.finish_epoch();
    check_text("chain.jsonl", &export::lines(&chain));
    let last = chain.checkpoints.last().unwrap();
    check(
        "chain",
        &json!({
            "height": chain.ledger.height(),
            "head_hash": chain.ledger.head_hash(),
            "state_digest": chain.ledger.state_digest(),
            "checkpoint": last.checkpoint,
            "supply_issued": chain.ledger.supply().issued,
        }),
    );
}

/// What the contract's `verifyRecording` takes.
#[test]
fn recordings_and_erasures_under_a_checkpoint() {
    let mut chain = Chain::with_agents(genesis());
    let set = chain.set_anchor(chain.ledger.epoch());
    chain.block(&[set]).unwrap();
    let consent = chain.consent(1, 7, 0);
    chain.block(std::slice::from_ref(&consent)).unwrap();
    let id = chain.id(&consent);
    let pins: Vec<_> = (0..4)
        .map(|number| chain.pin(chain.recording(1, 7, id, number)))
        .collect();
    chain.block(&pins).unwrap();
    let erase = chain.erase(1, 2, "agent 1");
    chain.block(&[erase]).unwrap();
    while chain.ledger.height()
        > chain
            .checkpoints
            .last()
            .map_or(0, |closed| closed.checkpoint.last_height)
    {
        chain.block(&[]).unwrap();
    }
    let entries: Vec<RecordingEntry> = chain.recording_entries();
    let proofs = entries.iter().map(|entry| {
        let closed = chain
            .checkpoints
            .iter()
            .find(|closed| closed.checkpoint.last_height >= entry.height())
            .unwrap();
        let index = closed
            .recording_leaves
            .iter()
            .position(|leaf| *leaf == entry.leaf())
            .unwrap();
        json!({
            "entry": entry,
            "encoded": alloy_primitives::hex::encode_prefixed(entry.encode()),
            "leaf": entry.leaf(),
            "proof": merkle::proof(&closed.recording_leaves, index).unwrap(),
            "recordings_root": closed.checkpoint.recordings_root,
        })
    });
    check(
        "recordings",
        &json!({"recordings": proofs.collect::<Vec<_>>()}),
    );
}
