//! `tools/doors` against a network: every door that a founder, an owner, a terminal, a guest or a stranger can use.

use crate::network::Folder;
use ::doors::{Plan, Through};

/// Fewer mean that a story walks past some.
const DOORS_MIN: usize = 286;

#[test]
fn every_door_answers_and_moves_the_supply_as_the_protocol_says() {
    let folder = Folder::new();
    let network = folder.start(&[]);

    let verdict = ::doors::run(&Plan {
        data_dir: folder.path().to_owned(),
        hotpot: env!("CARGO_BIN_EXE_hotpot").into(),
        through: Through::ALL.to_vec(),
    })
    .unwrap();

    assert_eq!(verdict.wrong, 0, "the doors printed above");
    assert!(verdict.doors >= DOORS_MIN, "{} doors", verdict.doors);
    network.stop();
}
