use crate::actors::{Chain, address, genesis};
use domain::evidence::Offence;
use domain::ledger::{BlockExecution, Supply};
use domain::limits::DAY_MS;
use domain::sale::Beneficiary;
use domain::*;

fn with(parameters: Parameters) -> Chain {
    Chain::with_outlets(Genesis {
        parameters,
        ..genesis()
    })
}

fn defaults() -> Parameters {
    genesis().parameters
}

/// Sells at outlet 1 and ends the epoch.
fn sell(chain: &mut Chain, number: u64, kind: BuyerKind) {
    let sale = chain.sign_sale(chain.sale(1, number, kind));
    chain.block(&[sale]).unwrap();
    chain.finish_epoch();
}

fn released(chain: &Chain, name: &str) -> u64 {
    chain
        .ledger
        .account(address(name))
        .map_or(0, |account| account.released)
}

#[test]
fn a_share_of_what_matures_is_bonded_and_comes_back_after_the_unbonding_time() {
    let mut chain = with(Parameters {
        unbonding_ms: 10_000,
        ..defaults()
    });
    sell(&mut chain, 1, BuyerKind::None);
    assert_eq!(released(&chain, "owner 1"), 51);
    let set = chain.set_bonding("owner 1", 500_000);
    chain.block(&[set]).unwrap();
    sell(&mut chain, 2, BuyerKind::None);
    assert_eq!(
        (released(&chain, "owner 1"), chain.ledger.supply().bonded),
        (51 + 26, 25)
    );

    let unbond = chain.unbond("owner 1", 20);
    chain.block(&[unbond]).unwrap();
    chain.finish_epoch();
    assert_eq!(
        (released(&chain, "owner 1"), chain.ledger.supply().bonded),
        (77, 25),
        "not before its time"
    );
    chain.now_ms += 10_000;
    chain.finish_epoch();
    assert_eq!(
        (released(&chain, "owner 1"), chain.ledger.supply().bonded),
        (97, 5)
    );
    assert!(chain.ledger.conserves());
}

#[test]
fn staking_is_rejected_by_name_for_each_thing_wrong_with_it() {
    let mut chain = with(defaults());
    chain.add_candidate(4, "Batumi");
    let stranger = chain.set_bonding("stranger", 1);
    assert_eq!(
        chain.block(&[stranger]),
        Err(Rejection::NothingHeld {
            found: address("stranger")
        })
    );
    sell(&mut chain, 1, BuyerKind::None);
    let too_much = chain.set_bonding("owner 1", 1_000_001);
    assert_eq!(
        chain.block(&[too_much]),
        Err(Rejection::BondingOutOfBounds { found: 1_000_001 })
    );
    let nothing = chain.unbond("owner 1", 1);
    assert_eq!(
        chain.block(&[nothing]),
        Err(Rejection::UnbondOutOfBounds { max: 0, found: 1 })
    );

    let second = chain.register_validator(14, "validator 5");
    let found = address("validator 4");
    assert_eq!(
        chain.block(&[second]),
        Err(Rejection::OutletHasValidator { outlet: 14, found })
    );
    let again = chain.register_validator(1, "validator 4");
    assert_eq!(
        chain.block(&[again]),
        Err(Rejection::ValidatorExists { found })
    );
    let mut other = chain.register_validator(1, "validator 5");
    if let Payload::RegisterValidator(register) = &mut other.payload {
        register.consent.0[7] ^= 1;
        other = chain.sign(other.payload.clone(), "owner 1");
    }
    assert_eq!(
        chain.block(&[other]),
        Err(Rejection::BadConsent {
            expected: address("validator 5")
        })
    );

    let heartbeat = chain.heartbeat("validator 4");
    let (epoch, height) = (chain.ledger.epoch(), chain.ledger.next_height());
    assert_eq!(
        chain.block(&[heartbeat.clone(), heartbeat.clone()]),
        Err(Rejection::AlreadyIncluded { height })
    );
    chain.finish_epoch();
    let late = Rejection::WrongEpoch {
        expected: chain.ledger.epoch(),
        found: epoch,
    };
    assert_eq!(chain.block(&[heartbeat]), Err(late));
    let unknown = chain.heartbeat("validator 7");
    assert_eq!(
        chain.block(&[unknown]),
        Err(Rejection::UnknownValidator {
            found: address("validator 7")
        })
    );
    let free = chain.unjail(14, "validator 4");
    assert_eq!(chain.block(&[free]), Err(Rejection::NotJailed { found }));
}

/// Validator 4 of outlet 14, whose owner bonded 51 units and is unbonding 20 of them.
fn bonded_validator(parameters: Parameters) -> Chain {
    let mut chain = with(parameters);
    chain.add_candidate(4, "Batumi");
    let sale = |number| chain.sale(14, number, BuyerKind::None);
    let (first, second) = (chain.sign_sale(sale(1)), chain.sign_sale(sale(2)));
    chain.block(&[first]).unwrap();
    chain.finish_epoch();
    let set = chain.set_bonding("owner 14", 1_000_000);
    chain.block(&[set, second]).unwrap();
    chain.finish_epoch();
    let unbond = chain.unbond("owner 14", 20);
    chain.block(&[unbond]).unwrap();
    chain
}

#[test]
fn evidence_slashes_and_jails_once_whatever_else_the_validator_did_before() {
    let mut chain = bonded_validator(Parameters {
        slash_ppm: 100_000,
        jail_ms: 60_000,
        ..defaults()
    });
    let (first, second) = (
        chain.double_vote("validator 4", 3),
        chain.double_vote("validator 4", 4),
    );
    let report = chain.evidence("validator 4", first, "validator 0");
    chain.block(std::slice::from_ref(&report)).unwrap();
    let Supply {
        bonded, slashed, ..
    } = chain.ledger.supply();
    assert_eq!(
        (bonded, slashed),
        (28 + 18, 5),
        "31 and 20 lose a tenth each, rounded down"
    );
    assert!(chain.ledger.conserves());
    for again in [report, chain.evidence("validator 4", second, "validator 1")] {
        assert_eq!(chain.block(&[again]), Err(Rejection::AlreadyPunished));
    }
    let early = chain.unjail(14, "validator 4");
    assert!(matches!(
        chain.block(&[early]),
        Err(Rejection::StillJailed { .. })
    ));
    chain.now_ms += 60_000;
    let free = chain.unjail(14, "validator 4");
    chain.block(&[free]).unwrap();
    let old = chain.evidence("validator 4", second, "validator 1");
    assert_eq!(
        chain.block(&[old]),
        Err(Rejection::AlreadyPunished),
        "from before it was let out"
    );
    let new = chain.evidence(
        "validator 4",
        chain.double_vote("validator 4", chain.ledger.height()),
        "validator 1",
    );
    chain.block(&[new]).unwrap();
    assert_eq!(chain.ledger.supply().slashed, 5 + 2 + 1);
    assert_eq!(chain.ledger.punished().count(), 2);
}

#[test]
fn evidence_that_proves_nothing_is_refused() {
    let mut chain = bonded_validator(Parameters {
        unbonding_ms: 5_000,
        ..defaults()
    });
    let vote = chain.double_vote("validator 4", 3);
    let stranger = chain.evidence("validator 4", vote, "stranger");
    assert!(matches!(
        chain.block(&[stranger]),
        Err(Rejection::UnknownValidator { .. })
    ));
    let Offence::DoubleVote {
        step,
        height,
        round,
        first,
        second,
    } = vote
    else {
        unreachable!()
    };
    let same = Offence::DoubleVote {
        step,
        height,
        round,
        first,
        second: first,
    };
    let moved = Offence::DoubleVote {
        step,
        height,
        round: 1,
        first,
        second,
    };
    for bad in [same, moved, chain.double_vote("validator 5", 3)] {
        let report = chain.evidence("validator 4", bad, "validator 0");
        assert!(
            matches!(chain.block(&[report]), Err(Rejection::BadEvidence { .. })),
            "{bad:?}"
        );
    }
    let ahead = chain.evidence(
        "validator 4",
        chain.double_vote("validator 4", 1_000),
        "validator 0",
    );
    assert!(matches!(
        chain.block(&[ahead]),
        Err(Rejection::EvidenceOutOfTime { .. })
    ));
    chain.now_ms += 10_000;
    chain.finish_epoch();
    chain.finish_epoch();
    let old = chain.evidence("validator 4", vote, "validator 0");
    assert!(matches!(
        chain.block(&[old]),
        Err(Rejection::EvidenceOutOfTime { .. })
    ));
    assert_eq!(chain.ledger.supply().slashed, 0);
}

#[test]
fn two_checkpoints_of_one_epoch_are_an_offence_too() {
    let mut chain = bonded_validator(defaults());
    let set = chain.set_anchor(chain.ledger.epoch());
    chain.block(&[set]).unwrap();
    chain.finish_epoch();
    let checkpoint = chain.checkpoints.last().unwrap().checkpoint;
    let domain = domain::eip712::DomainSeparator::checkpoints(31337, address("anchor"));
    let signed = |checkpoint: Checkpoint| domain::evidence::SignedSummary {
        checkpoint,
        signature: Signature::sign(
            domain.checkpoint_digest(&checkpoint),
            &crate::actors::key("validator 4"),
        ),
    };
    let other = Checkpoint {
        state_root: B256::repeat_byte(1),
        ..checkpoint
    };
    let offence = Offence::DoubleCheckpoint {
        anchor: address("anchor"),
        first: signed(checkpoint),
        second: signed(other),
    };
    let report = chain.evidence("validator 4", offence, "validator 0");
    chain.block(&[report]).unwrap();
    assert!(chain.ledger.supply().slashed > 0);
}

#[test]
fn a_receipt_that_nobody_claims_in_time_goes_to_the_pool() {
    let mut chain = with(Parameters {
        receipt_ms: 20_000,
        ..defaults()
    });
    sell(&mut chain, 1, BuyerKind::Receipt);
    sell(&mut chain, 2, BuyerKind::Receipt);
    let claim = chain.claim(1, 2, "guest 0");
    chain.block(&[claim]).unwrap();
    assert_eq!(
        (chain.ledger.supply().receipts, chain.ledger.supply().pool),
        (49, 0)
    );
    chain.now_ms += 20_000;
    chain.finish_epoch();
    assert_eq!(
        (chain.ledger.supply().receipts, chain.ledger.supply().pool),
        (0, 49)
    );
    let late = chain.claim(1, 1, "guest 1");
    assert!(matches!(
        chain.block(&[late]),
        Err(Rejection::NoReceipt { .. })
    ));
    assert_eq!(released(&chain, "guest 0"), 49);
    let entry = chain
        .ledger
        .sale(chain.sale(1, 1, BuyerKind::None).key())
        .unwrap();
    assert_eq!(
        chain.ledger.holder(&entry, &entry.shares[1]),
        Beneficiary::Pool
    );
    assert!(chain.ledger.conserves());

    let refund = chain.refund(1, 1, 1, 1698, "till 1");
    chain.block(&[refund]).unwrap();
    assert_eq!(
        (chain.ledger.supply().pool, chain.ledger.supply().debt),
        (0, 51),
        "the pool gives what it got"
    );
    assert!(chain.ledger.conserves());
}

#[test]
fn a_receipt_that_expires_after_the_pool_was_shared_out_is_given_back_by_the_pool() {
    let mut chain = with(Parameters {
        receipt_ms: 150_000,
        pool_ms: 100_000,
        ..defaults()
    });
    sell(&mut chain, 1, BuyerKind::Receipt);
    chain.now_ms += 100_000;
    chain.finish_epoch();
    assert_eq!(
        (chain.ledger.supply().receipts, chain.ledger.supply().pool),
        (49, 0)
    );
    chain.now_ms += 50_000;
    chain.finish_epoch();
    assert_eq!(
        (chain.ledger.supply().receipts, chain.ledger.supply().pool),
        (0, 49),
        "the pool has them"
    );
    let refund = chain.refund(1, 1, 1, 1698, "till 1");
    chain.block(&[refund]).unwrap();
    assert_eq!(
        (chain.ledger.supply().pool, chain.ledger.supply().debt),
        (0, 51),
        "and gives them back"
    );
    assert!(chain.ledger.conserves());
}

#[test]
fn what_expired_and_was_shared_out_is_the_owners_debt() {
    let mut chain = with(Parameters {
        receipt_ms: 20_000,
        pool_ms: 60_000,
        ..defaults()
    });
    sell(&mut chain, 1, BuyerKind::Receipt);
    chain.now_ms += 60_000;
    chain.finish_epoch();
    assert_eq!(
        (chain.ledger.supply().receipts, chain.ledger.supply().pool),
        (0, 0)
    );
    let refund = chain.refund(1, 1, 1, 1698, "till 1");
    chain.block(&[refund]).unwrap();
    assert_eq!(chain.ledger.supply().debt, 100);
    assert!(chain.ledger.conserves());
}

#[test]
fn a_longer_time_for_receipts_brings_none_back_and_a_shorter_one_counts_at_once() {
    let mut chain = with(Parameters {
        receipt_ms: 20_000,
        ..defaults()
    });
    sell(&mut chain, 1, BuyerKind::Receipt);
    let longer = chain.set_parameters(Parameters {
        receipt_ms: DAY_MS,
        ..defaults()
    });
    chain.block(&[longer]).unwrap();
    chain.now_ms += 20_000;
    chain.finish_epoch();
    assert_eq!(
        chain.ledger.supply().pool,
        49,
        "the parameters came into force after it expired"
    );
    sell(&mut chain, 2, BuyerKind::Receipt);
    chain.now_ms += 20_000;
    chain.finish_epoch();
    assert_eq!(
        (chain.ledger.supply().receipts, chain.ledger.supply().pool),
        (49, 49)
    );
    let shorter = chain.set_parameters(Parameters {
        receipt_ms: 1,
        ..defaults()
    });
    chain.block(&[shorter]).unwrap();
    chain.finish_epoch();
    chain.finish_epoch();
    assert_eq!(
        (chain.ledger.supply().receipts, chain.ledger.supply().pool),
        (0, 98)
    );
    assert!(chain.ledger.conserves());
}

/// An epoch of ten minutes may have half a million sales: its last block must not write them all again.
#[test]
fn what_an_epochs_end_writes_does_not_grow_with_its_sales() {
    let written = |sales: u64| {
        let mut chain = with(defaults());
        chain.finish_epoch();
        let sold: Vec<_> = (0..sales)
            .map(|n| chain.sign_sale(chain.sale(1, n, BuyerKind::Receipt)))
            .collect();
        chain.block(&sold).unwrap();
        chain.block(&[]).unwrap();
        let last = BlockExecution::begin(&chain.ledger, chain.now_ms + 1);
        let executed = last.finish(B256::ZERO, chain.last_commit.as_ref());
        assert_eq!(
            executed.supply().released,
            100 + 51 * sales,
            "it is the epoch's last block"
        );
        borsh::to_vec(&executed.changes).unwrap().len()
    };
    assert_eq!(written(1), written(40));
}

#[test]
fn the_pool_is_shared_by_what_is_released_and_bonded_with_the_largest_remainder_first() {
    let mut chain = with(Parameters {
        pool_ms: 60_000,
        ..defaults()
    });
    sell(&mut chain, 1, BuyerKind::None);
    let bond = chain.set_bonding("owner 1", 1_000_000);
    chain.block(&[bond]).unwrap();
    sell(&mut chain, 2, BuyerKind::None);
    // Holders: founder 100 released; owner 1: 51 released and 51 bonded. Pool: 98.
    chain.now_ms += 60_000;
    chain.finish_epoch();
    let supply = chain.ledger.supply();
    assert_eq!((supply.pool, supply.bonded), (0, 51));
    // 98 × 100 ÷ 202 = 48.51…, 98 × 102 ÷ 202 = 49.48…: the remainder .51 gets the last unit.
    assert_eq!(
        (released(&chain, "founder"), released(&chain, "owner 1")),
        (100 + 49, 51 + 49)
    );
    assert!(chain.ledger.conserves());

    let refund = chain.refund(1, 1, 1, 1698, "till 1");
    chain.block(&[refund]).unwrap();
    assert_eq!(
        chain.ledger.account(address("owner 1")).unwrap().debt,
        100,
        "what was shared out is the owner's debt"
    );
    assert!(chain.ledger.conserves());
}

#[test]
fn parameters_change_after_the_delay_unless_the_guardian_cancels() {
    let mut chain = Chain::with_outlets(Genesis {
        change_delay_ms: 10_000,
        ..genesis()
    });
    let next = Parameters {
        sale_total_min: 7,
        ..defaults()
    };
    let set = chain.set_parameters(next);
    let Payload::SetParameters(domain::transaction::SetParameters { nonce: change, .. }) =
        set.payload
    else {
        unreachable!()
    };
    chain.block(&[set]).unwrap();
    chain.finish_epoch();
    assert_eq!(chain.ledger.parameters().sale_total_min, 0);
    chain.now_ms += 10_000;
    chain.finish_epoch();
    assert_eq!(chain.ledger.parameters().sale_total_min, 7);
    assert_eq!(chain.ledger.waiting_changes().count(), 0);

    let set = chain.set_parameters(defaults());
    let Payload::SetParameters(domain::transaction::SetParameters { nonce: second, .. }) =
        set.payload
    else {
        unreachable!()
    };
    chain.block(&[set]).unwrap();
    let cancel = chain.cancel_change(second);
    let founder = chain.sign(cancel.payload.clone(), "founder");
    assert!(matches!(
        chain.block(&[founder]),
        Err(Rejection::WrongSigner { .. })
    ));
    let gone = chain.cancel_change(change);
    assert_eq!(
        chain.block(&[gone]),
        Err(Rejection::UnknownChange { found: change })
    );
    chain.block(&[cancel]).unwrap();
    chain.now_ms += DAY_MS;
    chain.finish_epoch();
    assert_eq!(chain.ledger.parameters().sale_total_min, 7);

    let wild = chain.set_parameters(Parameters {
        slash_ppm: 500_001,
        ..defaults()
    });
    let expected = Rejection::ParameterOutOfBounds {
        field: "slash_ppm",
        min: 0,
        max: 500_000,
        found: 500_001,
    };
    assert_eq!(chain.block(&[wild]), Err(expected));
}
