use crate::actors::{Chain, address, genesis, key};
use domain::crypto::address_of_secret;
use domain::election::{Candidacy, Scored, elect_validators, score_candidates};
use domain::*;
use proptest::prelude::*;
use secp256k1::SECP256K1;

fn rules() -> ElectionRules {
    let city_weights = [
        ("Tbilisi", 300_000),
        ("Batumi", 600_000),
        ("Kutaisi", 900_000),
        ("Gori", 900_000),
    ];
    let city_weights = city_weights
        .into_iter()
        .map(|(city, weight)| (city.to_owned(), weight))
        .collect();
    ElectionRules {
        city_weights,
        ..ElectionRules::default()
    }
}

fn electing() -> Genesis {
    let parameters = Parameters {
        election_epochs: 1,
        ..genesis().parameters
    };
    let city_weights = CITIES
        .into_iter()
        .map(|city| (city.to_owned(), 600_000))
        .collect();
    Genesis {
        parameters,
        election: ElectionRules {
            city_weights,
            ..rules()
        },
        ..genesis()
    }
}

const CITIES: [&str; 4] = ["Tbilisi", "Batumi", "Kutaisi", "Gori"];

/// Validators 0 to n - 1 are registered, two in each city.
fn chain_with(n: usize) -> Chain {
    let mut chain = Chain::with_outlets(electing());
    for i in 0..n {
        chain.add_candidate(i, CITIES[i % 4]);
    }
    chain
}

/// An epoch in which these send their heartbeats.
fn epoch(chain: &mut Chain, alive: impl Iterator<Item = usize>) {
    chain.finish_epoch();
    let heartbeats: Vec<_> = alive
        .map(|i| chain.heartbeat(&format!("validator {i}")))
        .collect();
    chain.block(&heartbeats).unwrap();
    chain.finish_epoch();
}

fn seated(chain: &Chain) -> Vec<usize> {
    (0..12)
        .filter(|i| {
            chain
                .ledger
                .validators()
                .get(address(&format!("validator {i}")))
                .is_some()
        })
        .collect()
}

#[test]
fn one_seat_at_a_time_until_there_are_seven() {
    let mut chain = chain_with(8);
    let mut sizes = vec![];
    for _ in 0..6 {
        epoch(&mut chain, 0..8);
        sizes.push(seated(&chain).len());
    }
    assert_eq!(sizes, [5, 6, 7, 7, 7, 7]);
}

#[test]
fn the_silent_and_the_jailed_lose_their_seats_one_after_the_other_while_four_are_electable() {
    let mut chain = chain_with(6);
    epoch(&mut chain, 0..6);
    assert_eq!(seated(&chain), [0, 1, 2, 3], "six are not seven");
    epoch(&mut chain, 2..6);
    let after_one = seated(&chain);
    assert_eq!(after_one.len(), 4);
    assert_eq!(
        after_one.iter().filter(|i| **i < 2).count(),
        1,
        "one of the two silent ones left: {after_one:?}"
    );
    epoch(&mut chain, 2..6);
    assert_eq!(seated(&chain), [2, 3, 4, 5]);

    epoch(&mut chain, 3..6);
    assert_eq!(
        seated(&chain),
        [2, 3, 4, 5],
        "three are too few: the set stays"
    );
    let report = chain.evidence(
        "validator 3",
        chain.double_vote("validator 3", chain.ledger.height()),
        "validator 4",
    );
    chain.block(&[report]).unwrap();
    epoch(&mut chain, (0..6).filter(|i| *i != 3));
    assert!(!seated(&chain).contains(&3));
}

#[test]
fn who_does_not_sign_loses_participation_and_is_passed_over_as_proposer() {
    let mut chain = chain_with(4);
    chain.silent = vec!["validator 2".into()];
    for _ in 0..12 {
        chain.block(&[]).unwrap();
    }
    let participation = chain.ledger.participation();
    let (signed, certificates) = participation[&address("validator 2")];
    assert!(signed < certificates);
    assert_eq!(
        participation[&address("validator 1")],
        (certificates, certificates)
    );
    assert_eq!(chain.ledger.absent(), [address("validator 2")]);
    chain.silent.clear();
    chain.block(&[]).unwrap();
    chain.block(&[]).unwrap();
    assert_eq!(chain.ledger.absent(), Vec::<Address>::new());
}

#[test]
fn sales_make_an_outlet_regular_until_they_are_refunded() {
    let mut chain = chain_with(4);
    let regularity = |chain: &Chain| {
        chain.ledger.standings()[&address("validator 0")]
            .scored
            .as_ref()
            .unwrap()
            .score
            .regularity
    };
    epoch(&mut chain, 0..4);
    assert_eq!(regularity(&chain), 0);
    let sales = [1, 2].map(|number| chain.sign_sale(chain.sale(10, number, BuyerKind::None)));
    chain.block(&sales).unwrap();
    assert_eq!(regularity(&chain), 33_333);
    let refunds = [1, 2].map(|number| chain.refund(10, number, 1, 10, "till 10"));
    chain.block(&refunds).unwrap();
    assert_eq!(regularity(&chain), 0);
}

#[test]
fn a_rotation_goes_through_the_checkpoint() {
    let mut chain = chain_with(8);
    let set = chain.set_anchor(chain.ledger.epoch());
    chain.block(&[set]).unwrap();
    for _ in 0..4 {
        epoch(&mut chain, 0..8);
    }
    let mut present = genesis().validators;
    let mut changes = 0;
    for closed in &chain.checkpoints {
        assert_eq!(closed.validators, present, "the epoch's own set signs");
        assert_eq!(
            closed.checkpoint.next_validators_hash,
            closed.next_validators.hash()
        );
        changes += usize::from(closed.next_validators != present);
        present.clone_from(&closed.next_validators);
    }
    assert!(changes >= 3);
    let mut replayed = Ledger::new(electing()).unwrap();
    for block in &chain.blocks {
        let executed = replayed.replay(block).unwrap();
        replayed.commit(executed);
    }
    assert_eq!(replayed.state_digest(), chain.ledger.state_digest());
}

/// The worked example of docs/PROTOCOL.md, Election.
#[test]
fn the_worked_example() {
    let scored = score_candidates(example(), &rules());
    let totals: Vec<_> = scored
        .iter()
        .map(|s| (s.candidacy.outlet, s.score.reputation, s.score.total))
        .collect();
    assert_eq!(
        totals,
        [
            (3, 539_999, 725_999),
            (4, 549_999, 489_999),
            (1, 960_000, 489_000),
            (2, 640_547, 436_218),
            (5, 530_000, 257_000)
        ]
    );
    assert_eq!(
        scored.iter().map(|s| s.electable).collect::<Vec<_>>(),
        [true, true, true, true, true]
    );
}

fn example() -> Vec<Candidacy> {
    let one = |outlet: u64, city: &str, signed, sale_days, tenure_days, stake| {
        let key = key(&format!("validator {outlet}"));
        let (address, public_key) = (
            address_of_secret(&key),
            key.public_key(SECP256K1).serialize().into(),
        );
        let owner = crate::actors::address(&format!("owner {outlet}"));
        Candidacy {
            address,
            public_key,
            outlet,
            owner,
            city: city.into(),
            signed,
            sale_days,
            tenure_days,
            stake,
        }
    };
    vec![
        one(1, "Tbilisi", (980, 1_000), 27, 365, 100),
        one(2, "Batumi", (1_000, 1_000), 14, 1, 0),
        one(3, "Kutaisi", (1_000, 1_000), 4, 0, 400),
        one(4, "Gori", (1_000, 1_000), 5, 0, 0),
        one(5, "Tbilisi", (0, 0), 3, 0, 0),
    ]
}

/// City, owner, certificates signed, days with sales, days registered, stake.
type Drawn = (usize, u8, u64, u64, u64, u64);

/// Any candidates: few cities and owners, so that caps matter.
fn candidacies() -> impl Strategy<Value = Vec<Candidacy>> {
    let one = (
        0..4usize,
        0..6u8,
        0..=1_000u64,
        0..=40u64,
        0..800u64,
        prop_oneof![Just(0u64), 0..u64::MAX / 64],
    );
    proptest::collection::vec(one, 0..12).prop_map(|all| {
        let one = |(i, (city, owner, signed, sale_days, tenure_days, stake)): (usize, Drawn)| {
            let key = key(&format!("validator {i}"));
            Candidacy {
                address: address_of_secret(&key),
                public_key: key.public_key(SECP256K1).serialize().into(),
                outlet: i as u64,
                owner: Address::repeat_byte(owner),
                city: CITIES[city].into(),
                signed: (signed, if signed % 7 == 0 { 0 } else { 1_000 }),
                sale_days,
                tenure_days,
                stake,
            }
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

fn members(set: &ValidatorSet) -> std::collections::BTreeSet<Address> {
    set.as_slice()
        .iter()
        .map(|validator| validator.address)
        .collect()
}

fn electable(scored: &[Scored]) -> usize {
    scored
        .iter()
        .filter(|candidate| candidate.electable)
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever the order in which candidates are listed, the result is the same.
    #[test]
    fn the_order_of_candidates_does_not_matter(all in candidacies(), by in 0..12usize) {
        let mut other = all.clone();
        other.rotate_left(by.min(all.len()));
        other.reverse();
        prop_assert_eq!(score_candidates(all, &rules()), score_candidates(other, &rules()));
    }

    /// No seat changes but one, never fewer than four, nobody near a third, no seat for who may not have one.
    #[test]
    fn every_election_is_safe(rounds in proptest::collection::vec(candidacies(), 1..8)) {
        let mut present = genesis().validators;
        for candidacies in rounds {
            let scored = score_candidates(candidacies, &rules());
            let next = elect_validators(&present, &scored);
            let (before, after) = (members(&present), members(&next));
            let (lost, won) = (before.difference(&after).count(), after.difference(&before).count());
            prop_assert!(lost <= 1 && won <= 1);
            if electable(&scored) < 4 {
                prop_assert_eq!(&next, &present);
            }
            let total = next.total_power();
            prop_assert!(next.as_slice().len() >= 4 && next.as_slice().len() <= 7);
            prop_assert!(next.as_slice().iter().all(|v| v.power * 3 < total && v.power <= 1_000_000));
            let may = |address: &Address| scored.iter().any(|s| s.electable && s.candidacy.address == *address);
            prop_assert!(after.difference(&before).all(may), "a new seat is for an electable one only");
            let without_right = before.iter().filter(|address| !may(address)).count();
            if electable(&scored) >= 4 && without_right > 0 {
                prop_assert!(after.iter().filter(|address| !may(address)).count() < without_right);
            }
            present = next;
        }
    }

    /// Scores stay within bounds and caps hold among the electable.
    #[test]
    fn scores_and_caps_hold(all in candidacies()) {
        let scored = score_candidates(all, &rules());
        for candidate in &scored {
            prop_assert!(candidate.score.total <= 1_000_000 && candidate.score.reputation <= 1_000_000);
            prop_assert!(!candidate.electable || candidate.score.total >= 200_000);
        }
        for city in CITIES {
            let there = scored.iter().filter(|s| s.electable && s.candidacy.city == city).count();
            prop_assert!(there <= 2);
        }
        let owners: Vec<Address> = scored.iter().filter(|s| s.electable).map(|s| s.candidacy.owner).collect();
        let distinct: std::collections::BTreeSet<_> = owners.iter().collect();
        prop_assert_eq!(owners.len(), distinct.len());
    }
}
