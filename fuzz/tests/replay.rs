//! Every target over its corpus, and over copies of it that are cut off, flipped and spliced.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use fuzz::{TARGETS, Target};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Changed copies of each entry: a few seconds for all targets.
const COPIES: u64 = 300;

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn entries(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = corpus().join(target.name);
    let files =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

/// Bytes as a fault or an attacker would change them; the same for the same seed.
fn change(bytes: &[u8], other: &[u8], seed: u64) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut changed = bytes.to_vec();

    for _ in 0..random.gen_range(1..4) {
        let at = random.gen_range(0..=changed.len());
        match random.gen_range(0..5) {
            0 => changed.truncate(at),
            1 if at < changed.len() => changed[at] ^= 1 << random.gen_range(0..8),
            // Lengths stand in the bytes: the largest, zero, and one more.
            2 if at < changed.len() => changed[at] = [0xff, 0, 0x7f, 0x80][random.gen_range(0..4)],
            3 => changed
                .splice(at..at, other.iter().take(32).copied())
                .for_each(drop),
            _ => changed.push(random.r#gen()),
        }
    }
    changed
}

#[test]
fn every_target_stands_its_corpus_and_changed_copies_of_it() {
    for target in TARGETS {
        let entries = entries(target);
        assert!(!entries.is_empty(), "{} has no corpus", target.name);
        (target.run)(&[]);

        for (number, (path, bytes)) in entries.iter().enumerate() {
            eprintln!("{}", path.display());
            (target.run)(bytes);
            let (_, other) = &entries[(number + 1) % entries.len()];
            for seed in 0..COPIES {
                (target.run)(&change(bytes, other, seed));
            }
        }
    }
}

#[test]
fn every_corpus_has_a_target() {
    let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names.len(), TARGETS.len(), "two targets of one name");
    for folder in std::fs::read_dir(corpus()).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(
            names.contains(name.as_str()),
            "corpus/{name} belongs to no target"
        );
    }
}
