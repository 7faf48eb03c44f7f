//! A state that was written and read goes on like one that never was.

use crate::actors::{Chain, genesis};
use crate::properties::{Action, action, parameters, start, step};
use domain::ledger::{SNAPSHOT_VERSION, SnapshotError};
use domain::*;
use proptest::prelude::*;

/// Plays some actions, the last ones on a ledger that was read from its own bytes.
fn play(genesis: Genesis, actions: &[Action], read_after: Option<usize>) -> Chain {
    let (mut chain, mut waiting) = start(genesis);
    for (place, action) in actions.iter().enumerate() {
        if read_after == Some(place) {
            chain.ledger = Ledger::import(
                chain.ledger.genesis().clone(),
                chain.ledger.export().as_slice(),
            )
            .unwrap();
        }
        step(&mut chain, &mut waiting, action);
    }
    chain.finish_epoch();
    chain
}

fn some_state() -> Vec<u8> {
    let mut chain = Chain::with_agents(genesis());
    let sales: Vec<SignedTransaction> = (0..4)
        .map(|number| {
            let sale = chain.sale(1, number, BuyerKind::Receipt);
            chain.sign_sale(sale)
        })
        .collect();
    let _ = chain.block(&sales);
    let (consent, basis) = (chain.consent(1, 7, 0), chain.legal_basis(1, 8));
    let id = chain.id(&consent);
    let _ = chain.block(&[consent, basis]);
    let (pin, erase) = (
        chain.pin(chain.recording(1, 7, id, 1)),
        chain.erase(1, 1, "agent 1"),
    );
    let _ = chain.block(&[pin, erase]);
    chain.ledger.export()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_state_that_was_read_executes_further_blocks_to_the_same_digests(
        genesis in parameters(),
        actions in proptest::collection::vec(action(), 1..80),
        place in any::<prop::sample::Index>(),
    ) {
        let read_after = place.index(actions.len());
        let (one, other) = (play(genesis.clone(), &actions, None), play(genesis, &actions, Some(read_after)));
        prop_assert_eq!(one.ledger.state_digest(), other.ledger.state_digest());
        prop_assert_eq!(one.ledger.head_hash(), other.ledger.head_hash());
        prop_assert_eq!(&one.checkpoints, &other.checkpoints);
        prop_assert_eq!(one.ledger.export(), other.ledger.export());
        prop_assert!(other.ledger.conserves());
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Ledger::import(genesis(), bytes.as_slice()).is_err());
    }

    /// Behind a preamble that is right, lengths included, everything else may be wrong.
    #[test]
    fn a_changed_byte_never_panics(place in any::<prop::sample::Index>(), bits in 1..=255u8) {
        let mut bytes = some_state();
        let place = place.index(bytes.len());
        bytes[place] ^= bits;
        if let Ok(ledger) = Ledger::import(genesis(), bytes.as_slice()) {
            prop_assert_ne!(ledger.export(), some_state());
        }
    }

    #[test]
    fn bytes_that_end_early_are_refused(place in any::<prop::sample::Index>()) {
        let bytes = some_state();
        prop_assert!(Ledger::import(genesis(), &bytes[..place.index(bytes.len())]).is_err());
    }
}

/// Whoever changes what a state holds changes these bytes, and has to raise the version: a node would misread its own
/// snapshots otherwise.
#[test]
fn the_bytes_of_a_format_never_change() {
    let frozen = (SNAPSHOT_VERSION, keccak256(some_state()).to_string());
    assert_eq!(
        frozen,
        (
            3,
            "0xb98284dad5c7b67949c41f661cc80585523a393e4944f570b93e9ff6ca92e3d8".to_owned()
        )
    );
}

#[test]
fn a_snapshot_of_another_chain_or_format_is_refused_by_name() {
    let bytes = some_state();
    let other = Genesis {
        name: "other".into(),
        ..genesis()
    };
    assert!(matches!(
        Ledger::import(other, bytes.as_slice()),
        Err(SnapshotError::OtherChain { .. })
    ));
    let mut newer = bytes.clone();
    newer[..2].copy_from_slice(&(SNAPSHOT_VERSION + 1).to_le_bytes());
    let found = SNAPSHOT_VERSION + 1;
    assert!(
        matches!(Ledger::import(genesis(), newer.as_slice()), Err(SnapshotError::Version { found: is }) if is == found)
    );
    let longer = [bytes, vec![0]].concat();
    assert!(matches!(
        Ledger::import(genesis(), longer.as_slice()),
        Err(SnapshotError::Malformed(_))
    ));
}
