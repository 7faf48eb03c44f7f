use crate::actors::{Chain, START_MS, address, cid, genesis, key};
use domain::consent::{Consent, Grounds, Purposes};
use domain::eip712::WitnessedConsent;
use domain::limits::{
    BASES_PER_CAMERA_MAX, CAMERA_MAX, CONSENT_MS_MAX, CONSENTS_PER_CAMERA_MAX,
    CONSENTS_PER_DAY_MAX, DAY_MS, RECORDINGS_PER_DAY_MAX, SEQUENCE_MAX,
};
use domain::proof::{RecordingProof, RecordingStep};
use domain::recording::RecordingEntry;
use domain::transaction::{
    EraseRecording, PinRecording, RecordConsent, RecordLegalBasis, RevokeConsent,
};
use domain::*;

/// The code of what a block of these transactions is refused for.
fn code(chain: &mut Chain, transaction: SignedTransaction) -> &'static str {
    chain.block(&[transaction]).unwrap_err().code()
}

fn consent_of(transaction: &SignedTransaction) -> RecordConsent {
    match transaction.payload.clone() {
        Payload::RecordConsent(consent) => consent,
        _ => unreachable!("it signs nothing else"),
    }
}

/// A chain on which guest 0 allows camera 7 of outlet 1.
fn allowed() -> (Chain, B256) {
    let mut chain = Chain::with_agents(genesis());
    let consent = chain.consent(1, 7, 0);
    chain.block(std::slice::from_ref(&consent)).unwrap();
    let id = chain.id(&consent);
    (chain, id)
}

fn in_force(chain: &Chain, outlet: u64, camera: u64) -> Vec<B256> {
    chain
        .ledger
        .consents_in_force(outlet, camera)
        .map(|(id, _)| id)
        .collect()
}

#[test]
fn a_consent_is_in_force_from_its_block_until_its_end_or_revocation() {
    let (mut chain, id) = allowed();
    let consent = *chain.ledger.consent(id).unwrap();
    let guest = address("guest 0");
    assert!(matches!(consent.grounds, Grounds::Guest { guest: by, .. } if by == guest));
    assert_eq!(
        (consent.kind(), consent.recorded_at_ms),
        ("guest", chain.ledger.head_time_ms())
    );
    assert_eq!(in_force(&chain, 1, 7), [id]);
    assert!(in_force(&chain, 1, 8).is_empty());
    assert!(in_force(&chain, 2, 7).is_empty());
    assert!(
        chain.ledger.account(guest).is_none(),
        "a key that holds nothing leaves no account behind"
    );

    chain.now_ms += 3_600_000;
    chain.block(&[]).unwrap();
    assert!(in_force(&chain, 1, 7).is_empty());
    let second = chain.consent(1, 7, 1);
    let second_id = chain.id(&second);
    chain.block(&[second]).unwrap();
    assert_eq!(in_force(&chain, 1, 7), [second_id]);
    let revoke = chain.revoke_consent(second_id, "guest 1");
    chain.block(&[revoke]).unwrap();
    assert!(in_force(&chain, 1, 7).is_empty());
    assert_eq!(
        chain.ledger.consent(second_id).unwrap().revoked_at_ms,
        Some(chain.ledger.head_time_ms())
    );
}

#[test]
fn the_same_consent_again_is_a_duplicate_and_never_revives_a_revoked_one() {
    let (mut chain, id) = allowed();
    let first = chain.blocks.last().unwrap().transactions[0].clone();
    assert_eq!(code(&mut chain, first.clone()), "already_included");
    let revoke = chain.revoke_consent(id, "guest 0");
    chain.block(std::slice::from_ref(&revoke)).unwrap();
    assert_eq!(code(&mut chain, revoke), "already_revoked");
    assert_eq!(code(&mut chain, first), "already_included");
    assert!(in_force(&chain, 1, 7).is_empty());
}

#[test]
fn a_consent_is_rejected_by_name_for_each_thing_wrong_with_it() {
    let mut chain = Chain::with_agents(genesis());
    let good = consent_of(&chain.consent(1, 7, 0));
    let now_ms = chain.now_ms;
    let cases: [(&str, RecordConsent); 7] = [
        (
            "unknown_terminal",
            RecordConsent {
                witness: address("stranger"),
                ..good.clone()
            },
        ),
        (
            "wrong_outlet",
            RecordConsent {
                witness: address("till 2"),
                ..good.clone()
            },
        ),
        (
            "wrong_terminal_kind",
            RecordConsent {
                witness: address("agent 1"),
                ..good.clone()
            },
        ),
        (
            "camera_out_of_bounds",
            RecordConsent {
                camera: CAMERA_MAX + 1,
                ..good.clone()
            },
        ),
        (
            "camera_out_of_bounds",
            RecordConsent {
                camera: u64::MAX,
                ..good.clone()
            },
        ),
        (
            "until_out_of_bounds",
            RecordConsent {
                until_ms: now_ms,
                ..good.clone()
            },
        ),
        (
            "until_out_of_bounds",
            RecordConsent {
                until_ms: now_ms + 20_000 + CONSENT_MS_MAX,
                ..good.clone()
            },
        ),
    ];
    for (expected, consent) in cases {
        let signed = chain.witnessed(consent);
        assert_eq!(code(&mut chain, signed), expected);
    }
    let stolen = chain.sign(chain.witnessed(good.clone()).payload, "guest 1");
    assert_eq!(code(&mut chain, stolen), "wrong_signer");
    assert_eq!(chain.ledger.supply().sales, 0);
}

/// Each field that the guest signs is one that the terminal saw.
#[test]
fn what_the_witness_did_not_sign_is_refused() {
    let mut chain = Chain::with_agents(genesis());
    let good = consent_of(&chain.consent(1, 7, 0));
    let changed = [
        RecordConsent {
            camera: 8,
            ..good.clone()
        },
        RecordConsent {
            purposes: Purposes::Both,
            ..good.clone()
        },
        RecordConsent {
            commitment: B256::ZERO,
            ..good.clone()
        },
        RecordConsent {
            until_ms: good.until_ms + 1,
            ..good.clone()
        },
        RecordConsent {
            witness_signature: Signature([7; 65]),
            ..good.clone()
        },
    ];
    for consent in changed {
        let signed = chain.sign(Payload::RecordConsent(consent), "guest 0");
        assert_eq!(code(&mut chain, signed), "bad_witness_signature");
    }
    let other = RecordConsent {
        guest: address("guest 1"),
        ..good.clone()
    };
    let other = chain.sign(Payload::RecordConsent(other), "guest 1");
    assert_eq!(
        code(&mut chain, other),
        "bad_witness_signature",
        "a consent seen for one guest is no other's"
    );
    let digest = chain
        .ledger
        .domain()
        .consent_witness_digest(&WitnessedConsent::from(&good));
    let forged = RecordConsent {
        witness_signature: Signature::sign(digest, &key("guest 0")),
        ..good
    };
    let forged = chain.sign(Payload::RecordConsent(forged), "guest 0");
    assert_eq!(
        code(&mut chain, forged),
        "bad_witness_signature",
        "a free key cannot be its own witness"
    );
}

#[test]
fn a_revoked_terminal_witnesses_nothing_and_revokes_nothing() {
    let (mut chain, id) = allowed();
    let revoke = chain.revoke_terminal(1, "till 1");
    chain.block(&[revoke]).unwrap();
    let consent = chain.consent(1, 7, 1);
    assert_eq!(code(&mut chain, consent), "revoked_terminal");
    let by_witness = chain.revoke_consent(id, "till 1");
    assert_eq!(code(&mut chain, by_witness), "revoked_terminal");
    assert_eq!(
        in_force(&chain, 1, 7),
        [id],
        "what it saw before is the guest's or the owner's to end"
    );
    let by_owner = chain.revoke_consent(id, "owner 1");
    chain.block(&[by_owner]).unwrap();
    assert!(in_force(&chain, 1, 7).is_empty());
}

#[test]
fn a_consent_is_ended_by_the_guest_the_witness_or_the_owner_alone() {
    for (by, expected) in [
        ("guest 0", Ok(())),
        ("till 1", Ok(())),
        ("owner 1", Ok(())),
        ("guest 1", Err("wrong_signer")),
        ("till 2", Err("wrong_signer")),
        ("owner 2", Err("wrong_signer")),
        ("agent 1", Err("wrong_signer")),
        ("founder", Err("wrong_signer")),
    ] {
        let (mut chain, id) = allowed();
        let revoke = chain.revoke_consent(id, by);
        assert_eq!(
            chain.block(&[revoke]).map_err(|error| error.code()),
            expected,
            "{by}"
        );
    }
    let (mut chain, _) = allowed();
    let unknown = chain.revoke_consent(B256::repeat_byte(1), "guest 0");
    assert_eq!(code(&mut chain, unknown), "unknown_consent");
    let basis = chain.legal_basis(1, 9);
    let id = chain.id(&basis);
    chain.block(&[basis]).unwrap();
    let by_till = chain.revoke_consent(id, "till 1");
    assert_eq!(code(&mut chain, by_till), "wrong_signer");
}

#[test]
fn a_legal_basis_is_the_owners_and_rejected_by_name() {
    let mut chain = Chain::with_agents(genesis());
    let good = chain.legal_basis(1, 9);
    let Payload::RecordLegalBasis(basis) = good.payload.clone() else {
        unreachable!("it signs nothing else")
    };
    let cases: [(&str, RecordLegalBasis, &str); 8] = [
        (
            "unknown_outlet",
            RecordLegalBasis {
                outlet: 9,
                ..basis.clone()
            },
            "owner 1",
        ),
        ("wrong_signer", basis.clone(), "owner 2"),
        ("wrong_signer", basis.clone(), "agent 1"),
        (
            "camera_out_of_bounds",
            RecordLegalBasis {
                camera: CAMERA_MAX + 1,
                ..basis.clone()
            },
            "owner 1",
        ),
        (
            "retention_out_of_bounds",
            RecordLegalBasis {
                retention_days: 0,
                ..basis.clone()
            },
            "owner 1",
        ),
        (
            "retention_out_of_bounds",
            RecordLegalBasis {
                retention_days: 31,
                ..basis.clone()
            },
            "owner 1",
        ),
        (
            "until_out_of_bounds",
            RecordLegalBasis {
                until_ms: START_MS + 401 * DAY_MS,
                ..basis.clone()
            },
            "owner 1",
        ),
        (
            "stale_nonce",
            RecordLegalBasis {
                nonce: 1,
                ..basis.clone()
            },
            "owner 1",
        ),
    ];
    for (expected, basis, by) in cases {
        let signed = chain.sign(Payload::RecordLegalBasis(basis), by);
        assert_eq!(code(&mut chain, signed), expected);
    }
    let id = chain.id(&good);
    chain.block(&[good]).unwrap();
    assert_eq!(chain.ledger.consent(id).unwrap().kind(), "chef");
    assert_eq!(
        chain.ledger.consent(id).unwrap().purposes(),
        Purposes::Recording,
        "never a public stream"
    );
}

#[test]
fn a_recording_is_pinned_once_for_ever() {
    let (mut chain, id) = allowed();
    let recording = chain.recording(1, 7, id, 1);
    let pin = chain.pin(recording.clone());
    chain.block(std::slice::from_ref(&pin)).unwrap();
    assert_eq!(code(&mut chain, pin.clone()), "already_included");
    let other = chain.pin(PinRecording {
        sequence: 2,
        ..recording
    });
    assert_eq!(code(&mut chain, other), "recording_conflict");
    let (revoke, agent) = (
        chain.revoke_consent(id, "guest 0"),
        chain.revoke_terminal(1, "agent 1"),
    );
    chain.block(&[revoke, agent]).unwrap();
    chain.now_ms += 100 * DAY_MS;
    assert_eq!(
        code(&mut chain, pin),
        "already_included",
        "whatever became of agent, consent and time"
    );
}

#[test]
fn a_pin_is_rejected_by_name_for_each_thing_wrong_with_it() {
    let (mut chain, id) = allowed();
    let stream = chain.consent_to(1, 7, 1, Purposes::Stream);
    let stream_id = chain.id(&stream);
    chain.block(&[stream]).unwrap();
    let good = chain.recording(1, 7, id, 1);
    let now_ms = chain.now_ms;
    let recorded_at_ms = chain.ledger.consent(id).unwrap().recorded_at_ms;
    let until_ms = chain.ledger.consent(id).unwrap().until_ms;
    let at = |started_at_ms, ended_at_ms| PinRecording {
        started_at_ms,
        ended_at_ms,
        ..good.clone()
    };
    let cases: [(&str, PinRecording, &str); 17] = [
        ("unknown_terminal", good.clone(), "stranger"),
        ("unknown_terminal", good.clone(), "owner 1"),
        ("wrong_outlet", good.clone(), "agent 2"),
        ("wrong_terminal_kind", good.clone(), "till 1"),
        (
            "unknown_consent",
            PinRecording {
                consent: B256::repeat_byte(1),
                ..good.clone()
            },
            "agent 1",
        ),
        (
            "wrong_consent",
            PinRecording {
                camera: 8,
                ..good.clone()
            },
            "agent 1",
        ),
        (
            "wrong_consent",
            PinRecording {
                outlet: 2,
                ..good.clone()
            },
            "agent 2",
        ),
        (
            "purpose_not_allowed",
            PinRecording {
                consent: stream_id,
                ..good.clone()
            },
            "agent 1",
        ),
        (
            "outside_consent",
            at(recorded_at_ms - 10_001, now_ms),
            "agent 1",
        ),
        ("outside_consent", at(now_ms, until_ms + 10_001), "agent 1"),
        ("outside_consent", at(0, u64::MAX), "agent 1"),
        (
            "sequence_out_of_bounds",
            PinRecording {
                sequence: SEQUENCE_MAX + 1,
                ..good.clone()
            },
            "agent 1",
        ),
        ("recording_length", at(now_ms, now_ms), "agent 1"),
        ("recording_length", at(now_ms, now_ms - 1), "agent 1"),
        ("recording_length", at(now_ms, now_ms + 600_001), "agent 1"),
        ("recording_ahead", at(now_ms, now_ms + 30_000), "agent 1"),
        ("outside_consent", at(u64::MAX, u64::MAX), "agent 1"),
    ];
    for (expected, recording, by) in cases {
        let signed = chain.sign(Payload::PinRecording(recording.clone()), by);
        assert_eq!(code(&mut chain, signed), expected, "{recording:?}");
    }
    let tolerated = at(recorded_at_ms - 10_000, now_ms);
    let pin = chain.pin(tolerated);
    chain.block(&[pin]).unwrap();
}

#[test]
fn after_a_revocation_a_guests_recordings_are_refused_and_an_owners_are_those_of_before() {
    let (mut chain, id) = allowed();
    let basis = chain.legal_basis(1, 9);
    let basis_id = chain.id(&basis);
    chain.block(&[basis]).unwrap();
    let late = [
        chain.pin(chain.recording(1, 7, id, 1)),
        chain.pin(chain.recording(1, 9, basis_id, 2)),
    ];
    let ends = [
        chain.revoke_consent(id, "guest 0"),
        chain.revoke_consent(basis_id, "owner 1"),
    ];
    chain.block(&ends).unwrap();
    let [guests, owners] = late;
    assert_eq!(
        code(&mut chain, guests),
        "consent_revoked",
        "though it was recorded before"
    );
    chain.block(&[owners]).unwrap();
    chain.now_ms += 60_000;
    let after = chain.pin(chain.recording(1, 9, basis_id, 3));
    assert_eq!(code(&mut chain, after), "outside_consent");
}

#[test]
fn a_spool_may_be_late_but_not_later_than_a_recording_may_be_kept() {
    let (mut chain, id) = allowed();
    let basis = chain.legal_basis(1, 9);
    let basis_id = chain.id(&basis);
    chain.block(&[basis]).unwrap();
    let pin = |chain: &Chain, camera, consent, number| {
        chain.pin(chain.recording(1, camera, consent, number))
    };
    let (guests, owners) = (pin(&chain, 7, id, 1), pin(&chain, 9, basis_id, 2));
    let (guests_too_late, owners_too_late) = (pin(&chain, 7, id, 3), pin(&chain, 9, basis_id, 4));
    chain.now_ms += 3 * DAY_MS - 1_000;
    chain.block(&[owners]).unwrap();
    chain.now_ms += 2_000;
    assert_eq!(code(&mut chain, owners_too_late), "recording_too_late");
    chain.now_ms += 27 * DAY_MS - 3_000;
    chain.block(&[guests]).unwrap();
    chain.now_ms += 2_000;
    assert_eq!(code(&mut chain, guests_too_late), "recording_too_late");
}

#[test]
fn a_revoked_agent_neither_pins_nor_erases() {
    let (mut chain, id) = allowed();
    let pin = chain.pin(chain.recording(1, 7, id, 1));
    let revoke = chain.revoke_terminal(1, "agent 1");
    chain.block(&[pin, revoke]).unwrap();
    let pin = chain.pin(chain.recording(1, 7, id, 2));
    assert_eq!(code(&mut chain, pin), "revoked_terminal");
    let erase = chain.erase(1, 1, "agent 1");
    assert_eq!(code(&mut chain, erase), "revoked_terminal");
}

#[test]
fn a_video_agent_sells_and_refunds_nothing() {
    let (mut chain, _) = allowed();
    let by_agent = Sale {
        terminal: address("agent 1"),
        ..chain.sale(1, 0, BuyerKind::None)
    };
    let by_agent = chain.sign(Payload::Sale(by_agent), "agent 1");
    assert_eq!(code(&mut chain, by_agent), "wrong_terminal_kind");
    let sale = chain.sign_sale(chain.sale(1, 0, BuyerKind::None));
    chain.block(&[sale]).unwrap();
    let refund = chain.refund(1, 0, 1, 1, "agent 1");
    assert_eq!(code(&mut chain, refund), "wrong_terminal_kind");
}

#[test]
fn a_recording_is_erased_once_and_leaves_a_tombstone() {
    let (mut chain, id) = allowed();
    let pins: Vec<_> = (1..3)
        .map(|number| chain.pin(chain.recording(1, 7, id, number)))
        .collect();
    chain.block(&pins).unwrap();
    for (expected, outlet, number, by) in [
        ("unknown_recording", 1, 9, "agent 1"),
        ("wrong_recording_outlet", 2, 1, "agent 2"),
        ("wrong_outlet", 1, 1, "agent 2"),
        ("unknown_terminal", 1, 1, "owner 2"),
        ("unknown_terminal", 1, 1, "guest 0"),
        ("wrong_terminal_kind", 1, 1, "till 1"),
    ] {
        let erase = chain.erase(outlet, number, by);
        assert_eq!(code(&mut chain, erase), expected, "{by}");
    }
    for (number, by) in [(1, "agent 1"), (2, "owner 1")] {
        let erase = chain.erase(1, number, by);
        chain.block(std::slice::from_ref(&erase)).unwrap();
        assert_eq!(code(&mut chain, erase), "already_erased");
        let erased = chain
            .ledger
            .recording(cid(&format!("recording {number}")))
            .unwrap()
            .erased
            .unwrap();
        assert_eq!(
            (erased.by, erased.height),
            (address(by), chain.ledger.height() - 1)
        );
    }
    let erased = |ledger: &Ledger, after| {
        ledger
            .erasures_after(1, after)
            .map(|one| one.pinned.cid)
            .collect::<Vec<_>>()
    };
    let last = chain.ledger.height() - 1;
    let ids = [1, 2].map(|number| cid(&format!("recording {number}")));
    let read = Ledger::import(
        chain.ledger.genesis().clone(),
        chain.ledger.export().as_slice(),
    )
    .unwrap();
    for ledger in [&chain.ledger, &read] {
        assert_eq!(erased(ledger, 0), ids);
        assert_eq!(erased(ledger, last - 1), ids[1..]);
        assert_eq!(erased(ledger, last), []);
        assert_eq!(ledger.erasures_after(2, 0).count(), 0, "another outlet's");
    }
    let again = chain.recording(1, 7, id, 1);
    let again = chain.pin(again);
    assert_eq!(
        code(&mut chain, again),
        "recording_conflict",
        "erased content does not come back"
    );
}

#[test]
fn who_stays_when_another_guest_leaves_consents_anew() {
    let (mut chain, stays) = allowed();
    let (leaving, basis) = (chain.consent(1, 7, 1), chain.legal_basis(1, 7));
    let (leaves, basis_id) = (chain.id(&leaving), chain.id(&basis));
    chain.block(&[leaving, basis]).unwrap();
    assert_eq!(in_force(&chain, 1, 7), [stays, leaves, basis_id]);
    let revoke = chain.revoke_consent(leaves, "guest 1");
    chain.block(&[revoke]).unwrap();
    let since = chain.ledger.head_time_ms();
    let read = Ledger::import(
        chain.ledger.genesis().clone(),
        chain.ledger.export().as_slice(),
    )
    .unwrap();
    for ledger in [&chain.ledger, &read] {
        let found: Vec<B256> = ledger.consents_in_force(1, 7).map(|(id, _)| id).collect();
        assert_eq!(
            found,
            [basis_id],
            "a picture that was shared is no longer the other's alone to allow"
        );
        let revoked = |after| {
            ledger
                .revocations_after(1, after)
                .map(|(id, _)| id)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            (revoked(0), revoked(since - 1), revoked(since)),
            (vec![leaves], vec![leaves], vec![])
        );
        assert_eq!(ledger.revocations_after(2, 0).count(), 0);
    }
    let again = chain.consent(1, 7, 2);
    let again_id = chain.id(&again);
    chain.block(&[again]).unwrap();
    assert_eq!(in_force(&chain, 1, 7), [basis_id, again_id]);

    // Whoever takes back what was over long ago stops nobody who came later.
    chain.now_ms += 3_600_000;
    let (old, new) = (again_id, chain.consent(1, 7, 3));
    let new_id = chain.id(&new);
    chain.block(&[new]).unwrap();
    let late = chain.revoke_consent(old, "guest 2");
    chain.block(&[late]).unwrap();
    assert!(in_force(&chain, 1, 7).contains(&new_id));
}

#[test]
fn a_camera_has_so_many_consents_in_force_and_no_more() {
    let mut chain = Chain::with_agents(genesis());
    let consents: Vec<_> = (0..CONSENTS_PER_CAMERA_MAX as u64)
        .map(|guest| chain.consent(1, 7, guest))
        .collect();
    chain.block(&consents).unwrap();
    let one_more = chain.consent(1, 7, 90);
    assert_eq!(code(&mut chain, one_more), "too_many_consents");
    let elsewhere = chain.consent(1, 8, 90);
    chain.block(&[elsewhere]).unwrap();
    for _ in 0..BASES_PER_CAMERA_MAX {
        let basis = chain.legal_basis(1, 7);
        chain.block(&[basis]).unwrap();
    }
    let one_more = chain.legal_basis(1, 7);
    assert_eq!(
        code(&mut chain, one_more),
        "too_many_consents",
        "the owner's are counted for themselves"
    );
    let first = chain.id(&consents[0]);
    let revoke = chain.revoke_consent(first, "guest 0");
    let again = chain.consent(1, 7, 91);
    chain.block(&[revoke, again]).unwrap();
}

/// Fills a day by writing its count into the state, which would take thousands of signatures otherwise.
fn with_a_full_day(chain: &mut Chain, outlet: u64, before: (u32, u32), after: (u32, u32)) {
    let day = chain.now_ms / DAY_MS;
    let entry = |(consents, recordings): (u32, u32)| {
        borsh::to_vec(&(outlet, day, consents, recordings)).unwrap()
    };
    let (mut bytes, wanted) = (chain.ledger.export(), entry(before));
    let places: Vec<usize> = (0..bytes.len() - wanted.len())
        .filter(|at| bytes[*at..].starts_with(&wanted))
        .collect();
    assert_eq!(places.len(), 1);
    bytes[places[0]..places[0] + wanted.len()].copy_from_slice(&entry(after));
    chain.ledger = Ledger::import(chain.ledger.genesis().clone(), bytes.as_slice()).unwrap();
}

#[test]
fn an_outlets_day_is_bounded_whatever_keys_it_makes() {
    let (mut chain, id) = allowed();
    with_a_full_day(
        &mut chain,
        1,
        (1, 0),
        (CONSENTS_PER_DAY_MAX - 1, RECORDINGS_PER_DAY_MAX - 1),
    );
    let (consent, pin) = (
        chain.consent(1, 8, 1),
        chain.pin(chain.recording(1, 7, id, 1)),
    );
    chain.block(&[consent, pin]).unwrap();
    let (consent, pin) = (
        chain.consent(1, 8, 2),
        chain.pin(chain.recording(1, 7, id, 2)),
    );
    assert_eq!(code(&mut chain, consent), "day_full");
    assert_eq!(code(&mut chain, pin.clone()), "day_full");
    let basis = chain.legal_basis(1, 9);
    assert_eq!(code(&mut chain, basis), "day_full");
    let elsewhere = chain.consent(2, 8, 2);
    chain.block(&[elsewhere]).unwrap();
    chain.now_ms += DAY_MS;
    chain.block(&[pin]).unwrap();
}

#[test]
fn an_early_end_outlives_a_late_one() {
    let consent = Consent {
        outlet: 1,
        camera: 1,
        grounds: Grounds::Guest {
            purposes: Purposes::Both,
            commitment: B256::ZERO,
            guest: Address::ZERO,
            witness: Address::ZERO,
        },
        height: 1,
        recorded_at_ms: 10,
        until_ms: 100,
        revoked_at_ms: None,
    };
    assert_eq!(consent.ends_at_ms(), 100);
    assert_eq!(
        Consent {
            revoked_at_ms: Some(50),
            ..consent
        }
        .ends_at_ms(),
        50
    );
    assert_eq!(
        Consent {
            revoked_at_ms: Some(150),
            ..consent
        }
        .ends_at_ms(),
        100
    );
    assert!(consent.is_in_force(99) && !consent.is_in_force(100));
}

#[test]
fn purposes_are_words_each_at_most_once() {
    let read = |text: &str| serde_json::from_str::<Purposes>(text).ok();
    assert_eq!(read(r#"["recording"]"#), Some(Purposes::Recording));
    assert_eq!(read(r#"["stream","recording"]"#), Some(Purposes::Both));
    assert_eq!(
        serde_json::to_string(&Purposes::Both).unwrap(),
        r#"["recording","stream"]"#
    );
    for refused in [
        "[]",
        r#"["recording","recording"]"#,
        r#"["photo"]"#,
        "3",
        r#""recording""#,
        r#"["stream","recording","stream"]"#,
    ] {
        assert_eq!(read(refused), None, "{refused}");
    }
    for byte in 0..=u8::MAX {
        assert_eq!(
            borsh::from_slice::<Purposes>(&[byte]).is_ok(),
            (1..=3).contains(&byte)
        );
    }
}

/// A pin and its erasure in different checkpoints, each with its proof.
fn proved() -> [RecordingProof; 2] {
    let (mut chain, id) = allowed();
    let set = chain.set_anchor(chain.ledger.epoch());
    chain.block(&[set]).unwrap();
    let pins: Vec<_> = (1..6)
        .map(|number| chain.pin(chain.recording(1, 7, id, number)))
        .collect();
    chain.block(&pins).unwrap();
    chain.finish_epoch();
    let erase = chain.erase(1, 2, "agent 1");
    chain.block(&[erase]).unwrap();
    chain.finish_epoch();
    let wanted = cid("recording 2");
    let of = |entry: &RecordingEntry| match entry {
        RecordingEntry::Pinned(pinned) => pinned.cid == wanted,
        RecordingEntry::Erased(erased) => erased.cid == wanted,
    };
    let entries: Vec<RecordingEntry> = chain.recording_entries().into_iter().filter(of).collect();
    let proof = |entry: &RecordingEntry| {
        let covering = |checkpoint: &Checkpoint| {
            (checkpoint.first_height..=checkpoint.last_height).contains(&entry.height())
        };
        let closed = chain
            .checkpoints
            .iter()
            .find(|closed| covering(&closed.checkpoint))
            .unwrap();
        let at = closed
            .recording_leaves
            .iter()
            .position(|leaf| *leaf == entry.leaf())
            .unwrap();
        RecordingProof {
            evm_chain_id: 31337,
            sidechain_id: chain.ledger.sidechain_id(),
            anchor: closed.anchor,
            entry: *entry,
            proof: merkle::proof(&closed.recording_leaves, at).unwrap(),
            checkpoint: closed.checkpoint,
        }
    };
    [proof(&entries[0]), proof(&entries[1])]
}

#[test]
fn a_recording_and_its_erasure_are_proved_up_to_what_the_contract_keeps() {
    for proof in proved() {
        let kept = payout::checkpoint_commitment(
            proof.checkpoint.payout_root,
            proof.checkpoint.rest_hash(),
        );
        assert_eq!(proof.check(), Ok(kept));
        let json = serde_json::to_string(&proof).unwrap();
        assert_eq!(
            serde_json::from_str::<RecordingProof>(&json).unwrap(),
            proof
        );
        let mut other = proof.clone();
        other.checkpoint.first_height = other.entry.height() + 1;
        assert_eq!(other.check().unwrap_err().step, RecordingStep::Checkpoint);
        let mut other = proof.clone();
        other.sidechain_id.0[0] ^= 1;
        assert_eq!(other.check().unwrap_err().step, RecordingStep::Checkpoint);
        let mut other = proof;
        match &mut other.entry {
            RecordingEntry::Pinned(pinned) => pinned.ended_at_ms += 1,
            RecordingEntry::Erased(erased) => erased.by = address("owner 1"),
        }
        assert_eq!(other.check().unwrap_err().step, RecordingStep::Entry);
    }
}

#[test]
fn a_recording_asks_for_the_blocks_up_to_its_checkpoint() {
    let (mut chain, id) = allowed();
    let pin = chain.pin(chain.recording(1, 7, id, 1));
    chain.block(&[pin]).unwrap();
    chain.finish_epoch();
    assert!(
        !chain.ledger.wants_blocks(),
        "there is no contract to go to"
    );
    let set = chain.set_anchor(chain.ledger.epoch());
    chain.block(&[set]).unwrap();
    chain.finish_epoch();
    assert!(!chain.ledger.wants_blocks());
    let pin = chain.pin(chain.recording(1, 7, id, 2));
    chain.block(&[pin]).unwrap();
    assert!(chain.ledger.wants_blocks());
    chain.finish_epoch();
    assert!(!chain.ledger.wants_blocks());
}

#[test]
fn what_comes_in_an_epochs_last_block_is_in_its_checkpoint() {
    let (mut chain, id) = allowed();
    let set = chain.set_anchor(chain.ledger.epoch() + 1);
    chain.block(&[set]).unwrap();
    for number in 0..9 {
        let pin = chain.pin(chain.recording(1, 7, id, number));
        chain.block(&[pin]).unwrap();
    }
    chain.finish_epoch();
    let anchored: usize = chain
        .checkpoints
        .iter()
        .map(|closed| closed.recording_leaves.len())
        .sum();
    assert_eq!((anchored, chain.checkpoints.len() > 1), (9, true));
}

/// Everything that says nothing but its own content is refused from a key without a right, before it costs much.
#[test]
fn free_keys_leave_nothing_behind() {
    let (mut chain, id) = allowed();
    let before = chain.ledger.export().len();
    for number in 0..20u64 {
        let by = format!("nobody {number}");
        let good = consent_of(&chain.consent(1, 7, 0));
        let consent = RecordConsent {
            guest: address(&by),
            ..good
        };
        let all = [
            Payload::RecordConsent(consent),
            Payload::RevokeConsent(RevokeConsent { consent: id }),
            Payload::PinRecording(chain.recording(1, 7, id, number)),
            Payload::EraseRecording(EraseRecording {
                outlet: 1,
                cid: cid("recording 1"),
                reason: domain::recording::EraseReason::Other,
            }),
        ];
        for payload in all {
            let signed = chain.sign(payload, &by);
            assert!(chain.block(&[signed]).is_err());
        }
    }
    assert!(chain.ledger.accounts().count() < 10);
    // Blocks leave the certificates' signers behind, and nothing else.
    assert!(chain.ledger.export().len() < before + 20 * 4 * (8 + 8 + 32 + 8 + 8));
}
