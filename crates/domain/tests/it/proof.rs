use crate::actors::{Chain, address, genesis};
use domain::checkpoint::block_leaf;
use domain::proof::{PayoutProof, ProofStep, SaleProof};
use domain::transaction::transaction_leaf;
use domain::*;
use proptest::prelude::*;

/// The third sale of a block of five, proved from scratch; the buyer and the owner are paid in the same epoch.
fn proved() -> (SaleProof, B256) {
    let mut chain = Chain::with_outlets(genesis());
    let epoch = chain.ledger.epoch();
    let set = chain.set_anchor(epoch);
    chain.block(&[set]).unwrap();
    let sales: Vec<_> = (0..5)
        .map(|n| chain.sign_sale(chain.sale(1, n, BuyerKind::Wallet)))
        .collect();
    chain.block(&sales).unwrap();
    let block = chain.blocks.last().unwrap().clone();
    chain.finish_epoch();
    let closed = chain
        .checkpoints
        .iter()
        .find(|c| c.checkpoint.last_height >= block.header.height)
        .unwrap()
        .clone();
    let domain = chain.ledger.domain();
    let leaves: Vec<B256> = (0u32..)
        .zip(&sales)
        .map(|(i, t)| transaction_leaf(i, t.id(domain), &t.signature))
        .collect();
    let blocks: Vec<B256> = closed
        .block_hashes
        .iter()
        .map(|hash| block_leaf(*hash))
        .collect();
    let at = usize::try_from(block.header.height - closed.checkpoint.first_height).unwrap();
    let payout = |name: &str| {
        let (payout, proof) = closed.settlement.proof_of(address(name)).unwrap();
        let (payout_root, rest_hash) =
            (closed.checkpoint.payout_root, closed.checkpoint.rest_hash());
        PayoutProof {
            epoch: closed.checkpoint.epoch,
            payout,
            proof,
            payout_root,
            rest_hash,
        }
    };
    let proof = SaleProof {
        evm_chain_id: 31337,
        sidechain_id: chain.ledger.sidechain_id(),
        token: address("token"),
        anchor: closed.anchor,
        sale: sales[2].clone(),
        index: 2,
        transaction_proof: merkle::proof(&leaves, 2).unwrap(),
        header: block.header,
        block_proof: merkle::proof(&blocks, at).unwrap(),
        checkpoint: closed.checkpoint,
        payouts: {
            let mut payouts = vec![payout("owner 1"), payout("guest 2")];
            payouts.sort_by_key(|paid| paid.payout.account);
            payouts
        },
    };
    let kept =
        payout::checkpoint_commitment(closed.checkpoint.payout_root, closed.checkpoint.rest_hash());
    (proof, kept)
}

#[test]
fn a_good_proof_ends_at_what_the_contract_keeps() {
    let (proof, kept) = proved();
    let commitments = proof.check().unwrap();
    assert_eq!(commitments.len(), 3);
    assert!(commitments.iter().all(|commitment| commitment.hash == kept));
    let json = serde_json::to_string(&proof).unwrap();
    assert_eq!(serde_json::from_str::<SaleProof>(&json).unwrap(), proof);
}

#[test]
fn each_tampering_breaks_its_own_step() {
    let tampered = |change: &dyn Fn(&mut SaleProof)| {
        let (mut proof, _) = proved();
        change(&mut proof);
        proof.check().unwrap_err().step
    };
    let total = |proof: &mut SaleProof| {
        if let Payload::Sale(sale) = &mut proof.sale.payload {
            sale.total += 1;
        }
    };
    assert_eq!(tampered(&total), ProofStep::Sale);
    assert_eq!(
        tampered(&|proof| proof.sidechain_id.0[0] ^= 1),
        ProofStep::Sale
    );
    assert_eq!(tampered(&|proof| proof.index = 3), ProofStep::Block);
    assert_eq!(
        tampered(&|proof| proof.transaction_proof[0].0[5] ^= 1),
        ProofStep::Block
    );
    assert_eq!(
        tampered(&|proof| proof.header.time_ms += 1),
        ProofStep::Checkpoint
    );
    assert_eq!(
        tampered(&|proof| proof.checkpoint.first_height = proof.header.height + 1),
        ProofStep::Checkpoint
    );
    assert_eq!(
        tampered(&|proof| proof.payouts[0].payout.released += 1),
        ProofStep::Payout
    );
    assert_eq!(
        tampered(&|proof| proof.payouts[1].epoch -= 1),
        ProofStep::Payout
    );
    let buyer = address("guest 2");
    assert_eq!(
        tampered(&|proof| proof.payouts.retain(|paid| paid.payout.account != buyer)),
        ProofStep::Payout
    );
    assert_eq!(
        tampered(&|proof| proof.payouts.insert(0, proof.payouts[0].clone())),
        ProofStep::Payout
    );
}

/// Every leaf of a JSON value, as something to be changed.
fn flip_digit(text: &str, at: usize) -> Option<String> {
    let digits: Vec<usize> = text
        .char_indices()
        .filter(|(_, c)| c.is_ascii_digit())
        .map(|(i, _)| i)
        .collect();
    let place = *digits.get(at % digits.len())?;
    let digit = text.as_bytes()[place];
    let other = if digit == b'9' {
        '1'
    } else {
        char::from(digit + 1)
    };
    Some(format!("{}{other}{}", &text[..place], &text[place + 1..]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// One digit of the file changed: it is refused, or what it leads to is not what the contract keeps, or the digit
    /// was of the token's or anchor's address, which the checker compares with what he knows.
    #[test]
    fn one_changed_digit_never_passes_for_the_same_proof(at in any::<usize>()) {
        let (proof, kept) = proved();
        let json = serde_json::to_string(&proof).unwrap();
        let changed = flip_digit(&json, at).unwrap();
        let Ok(changed) = serde_json::from_str::<SaleProof>(&changed) else { return Ok(()) };
        let Ok(commitments) = changed.check() else { return Ok(()) };
        let same_contracts = (changed.token, changed.anchor) == (proof.token, proof.anchor);
        let same_epochs = commitments.iter().map(|c| c.epoch).eq(proof.check().unwrap().iter().map(|c| c.epoch));
        let leads_there = commitments.iter().all(|commitment| commitment.hash == kept);
        prop_assert!(!(same_contracts && same_epochs && leads_there), "{changed:?}");
    }
}
