//! Faults of the sidechain: four validators alone, one fault each, and what must hold afterwards. Each test fails when
//! the protection that it is about is taken out.

use crate::validators::{Validators, copy_folder};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Bytes of a slot of the guard.
const GUARD_SLOT: u64 = 8 * 1024;
/// With this a proposal comes later than the first round waits for it, 600 ms: a message opens a stream of its own.
const LATE: Duration = Duration::from_millis(250);
/// Room on the disk that gets full; a store takes some megabytes.
const SMALL_DISK: &str = "size=32m,mode=700";

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

fn truncate(path: &Path, length: u64) {
    std::fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(length)
        .unwrap();
}

/// Flips a bit in every place where these bytes stand.
fn flip_every(path: &Path, needle: &[u8]) -> usize {
    let mut bytes = std::fs::read(path).unwrap();
    let places: Vec<usize> = (0..bytes.len() - needle.len())
        .filter(|at| bytes[*at..].starts_with(needle))
        .collect();
    places
        .iter()
        .for_each(|at| bytes[at + needle.len() / 2] ^= 1);
    std::fs::write(path, bytes).unwrap();
    places.len()
}

// Quorum

#[test]
fn two_of_four_down_stop_the_chain_and_it_goes_on_when_they_are_back() {
    let mut network = Validators::start(4);
    network.sell(10);
    network.crash(&[1, 2]);
    network.expect_standstill();
    network.restart(&[1, 2]);
    network.expect_progress();
    network.sell(10);
    network.expect_nothing_lost();
}

#[test]
fn halves_decide_nothing_and_a_silent_validator_hinders_nobody() {
    let mut network = Validators::start(4);
    network.sell(10);
    network.partition(&[0, 1], &[2, 3]);
    network.expect_standstill();
    network.heal();
    network.expect_progress();
    network.silence(3, &[0, 1, 2]);
    network.expect_progress();
    network.heal();
    network.sell(10);
    network.expect_nothing_lost();
}

#[test]
#[ignore = "slow: scripts/test --slow"]
fn when_messages_take_longer_than_a_round_rounds_become_longer() {
    let mut network = Validators::start(4);
    network.sell(10);
    network.delay(LATE);
    let height = network.height();
    // The first of these heights may have begun before.
    network.expect_height(&[0, 1, 2, 3], height + 3);
    network.delay(Duration::ZERO);
    network.expect_progress();
    network.sell(10);
    network.expect_nothing_lost();
}

#[test]
#[ignore = "slow: scripts/test --slow"]
fn all_killed_at_once_again_and_again_lose_nothing() {
    let mut network = Validators::start(4);
    for _ in 0..5 {
        network.sell(20);
        network.crash(&[0, 1, 2, 3]);
        network.restart(&[0, 1, 2, 3]);
        network.expect_votes(&[0, 1, 2, 3]);
        network.expect_progress();
    }
    network.expect_nothing_lost();
}

#[test]
#[ignore = "slow: scripts/test --slow"]
fn one_that_stands_still_for_long_catches_up() {
    let mut network = Validators::start(4);
    network.freeze(2);
    network.sell(100);
    let height = network.height();
    network.thaw(2);
    network.expect_height(&[2], height);
    network.expect_nothing_lost();
}

// The double-sign guard

#[test]
fn a_second_process_cannot_sign_with_the_same_guard() {
    let mut network = Validators::start(4);
    network.sell(10);
    let twin = network.twin(1, &network.node(1).guard());
    assert!(twin.ended().contains("in use by another process"));
    network.sell(10);
    network.expect_nothing_lost();
}

#[test]
fn an_older_copy_of_the_data_follows_until_what_was_signed_is_decided() {
    let mut network = Validators::start(4);
    network.sell(10);
    network.crash(&[1]);
    let old = network.dir().join("old");
    copy_folder(&network.node(1).data(), &old);
    network.restart(&[1]);
    network.expect_votes(&[1]);
    network.sell(10);
    network.expect_signature(1);
    network.crash(&[1]);
    std::fs::remove_dir_all(network.node(1).data()).unwrap();
    copy_folder(&old, &network.node(1).data());
    network.restart(&[1]);
    network.expect_log(1, "it follows until then");
    network.expect_votes(&[1]);
    network.sell(10);
    network.expect_nothing_lost();
}

#[test]
fn without_its_guard_a_validator_sits_its_next_height_out() {
    let mut network = Validators::start(4);
    network.sell(10);
    network.crash(&[2]);
    std::fs::remove_file(network.node(2).guard()).unwrap();
    network.restart(&[2]);
    network.expect_log(2, "not signing at this height");
    network.expect_votes(&[2]);
    network.expect_nothing_lost();
}

#[test]
fn a_guard_that_nobody_can_read_keeps_a_validator_from_starting() {
    let mut network = Validators::start(4);
    network.sell(10);
    network.crash(&[2]);
    let guard = network.node(2).guard();
    let clean = std::fs::read(&guard).unwrap();
    overwrite(&guard, 50, &[0xff; 8]);
    overwrite(&guard, GUARD_SLOT + 50, &[0xff; 8]);
    network.restart(&[2]);
    network.expect_refusal(2, "do not restore an old one");
    network.expect_progress();
    // With one good slot it comes back.
    std::fs::write(&guard, &clean).unwrap();
    overwrite(&guard, 50, &[0xff; 8]);
    network.restart(&[2]);
    network.expect_log(2, "not signing at this height");
    network.expect_votes(&[2]);
    network.expect_nothing_lost();
}

// The store

#[test]
fn a_flipped_byte_in_a_stored_block_is_refused_and_an_empty_folder_repairs_it() {
    let mut network = Validators::start(4);
    network.sell(10);
    network.stop(3);
    let flipped = flip_every(&network.node(3).store(), b"Tbilisi");
    assert!(flipped > 0, "the registration of the outlet is in a block");
    network.restart(&[3]);
    network.expect_refusal(3, "of blocks is damaged");
    std::fs::remove_dir_all(network.node(3).data()).unwrap();
    network.restart(&[3]);
    network.expect_log(3, "it follows until then");
    network.sell(10);
    network.expect_nothing_lost();
}

#[test]
#[ignore = "slow: scripts/test --slow"]
fn a_store_that_was_cut_off_is_refused() {
    let mut network = Validators::start(4);
    network.sell(10);
    let whole = std::fs::metadata(network.node(3).store()).unwrap().len();
    for length in [whole / 2, 4096, 100] {
        network.crash(&[3]);
        truncate(&network.node(3).store(), length);
        network.restart(&[3]);
        network.expect_refusal(3, "store.redb: ");
        std::fs::remove_dir_all(network.node(3).data()).unwrap();
        network.restart(&[3]);
        network.expect_votes(&[3]);
    }
    network.sell(10);
    network.expect_nothing_lost();
}

// The engine's log

#[test]
#[ignore = "slow: scripts/test --slow"]
fn flips_in_the_consensus_log_lead_to_no_second_signature() {
    let mut network = Validators::start(4);
    for at in [8, 16, 20, 24, 40, 100, 200] {
        network.sell(5);
        network.crash(&[1]);
        let log = network.node(1).consensus_log();
        let byte = std::fs::read(&log).unwrap().get(at).copied();
        if let Some(byte) = byte {
            overwrite(&log, at as u64, &[byte ^ 1]);
        }
        network.restart(&[1]);
        network.expect_progress();
        network.crash(&[1]);
        // What the handbook says when the engine does not come back from it.
        std::fs::remove_file(&log).unwrap();
        network.restart(&[1]);
        network.expect_votes(&[1]);
    }
    network.expect_nothing_lost();
}

// The disk

/// A file system in memory, gone with the test.
struct SmallDisk<'p>(&'p Path);

impl<'p> SmallDisk<'p> {
    fn mount(folder: &'p Path) -> Self {
        let mount = ["-t", "tmpfs", "-o", SMALL_DISK, "hotpot-test"];
        let mounted = Command::new("mount")
            .args(mount)
            .arg(folder)
            .status()
            .unwrap()
            .success();
        assert!(mounted, "a full disk needs root");
        Self(folder)
    }

    fn fill(&self) {
        let full = Command::new("dd")
            .args(["if=/dev/zero", "bs=64k", "status=none"])
            .arg(self.of())
            .output()
            .unwrap();
        assert!(
            String::from_utf8_lossy(&full.stderr).contains("No space left"),
            "{full:?}"
        );
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filling")).unwrap();
    }

    fn of(&self) -> String {
        format!("of={}", self.0.join("filling").display())
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[test]
#[ignore = "slow: scripts/test --slow"]
fn on_a_full_disk_nothing_is_signed_and_nothing_lost_and_it_goes_on_with_room() {
    let mut network = Validators::start(4);
    network.crash(&[0]);
    let folder = network.node(0).folder.clone();
    let aside = network.dir().join("aside");
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let disk = SmallDisk::mount(&folder);
    assert!(
        Command::new("cp")
            .arg("-a")
            .arg(aside.join("."))
            .arg(&folder)
            .status()
            .unwrap()
            .success()
    );
    network.restart(&[0]);
    network.expect_votes(&[0]);
    disk.fill();
    network.sell(50);
    network.expect_refusal(0, "No space left on device");
    network.expect_progress();
    disk.free();
    network.restart(&[0]);
    network.expect_votes(&[0]);
    network.sell(10);
    network.expect_nothing_lost();
    network.crash(&[0]);
}

// A key in two places

#[test]
#[ignore = "slow: scripts/test --slow"]
fn a_second_process_on_another_machine_does_no_harm_to_the_chain() {
    let mut network = Validators::start(4);
    network.sell(10);
    // It has its own guard: nobody can keep it from signing, so the others must bear it.
    let elsewhere = network.dir().join("guard-elsewhere");
    std::fs::copy(network.node(1).guard(), &elsewhere).unwrap();
    let twin = network.twin(1, &elsewhere);
    network.sell(40);
    std::thread::sleep(Duration::from_secs(5));
    network.expect_progress();
    drop(twin);
    network.sell(10);
    network.expect_votes(&[0, 1, 2, 3]);
    network.expect_same_blocks();
}
