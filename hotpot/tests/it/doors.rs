//! `scripts/doors` against a network: every door that a founder, an owner, a terminal, a guest or a stranger can use.

use crate::network::{Folder, repository};
use std::process::Command;

/// Fewer mean that the script walked past some.
const DOORS_MIN: usize = 200;

#[test]
fn every_door_answers_and_moves_the_supply_as_the_protocol_says() {
    let folder = Folder::new();
    let network = folder.start(&[]);
    let output = Command::new(repository().join("scripts/doors"))
        .arg("--data-dir")
        .arg(folder.path())
        .env("HOTPOT", env!("CARGO_BIN_EXE_hotpot"))
        .output()
        .unwrap();
    let (walk, summary) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{walk}{summary}");
    let doors = summary
        .lines()
        .last()
        .and_then(|line| line.split_once(" doors, 0 wrong")?.0.rsplit(' ').next());
    assert!(
        doors
            .and_then(|doors| doors.parse().ok())
            .is_some_and(|doors: usize| doors >= DOORS_MIN),
        "{summary}"
    );
    network.stop();
}
