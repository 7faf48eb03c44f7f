//! Nodes start from their snapshots, and without a good one from their blocks.

use crate::network::{Folder, example_orders};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A snapshot at every eighth block, so that a short chain has some.
fn arguments() -> Vec<String> {
    [
        example_orders(),
        vec!["--snapshot-blocks".into(), "8".into()],
    ]
    .concat()
}

/// Heights of a node's snapshots, the newest first.
fn heights(folder: &Folder, node: usize) -> Vec<u64> {
    let entries = std::fs::read_dir(folder.path().join(format!("node-{node}/snapshots"))).unwrap();
    let height = |path: PathBuf| path.file_stem()?.to_str()?.parse().ok();
    let mut heights: Vec<u64> = entries
        .flatten()
        .filter_map(|entry| height(entry.path()))
        .collect();
    heights.sort_unstable_by(|one, other| other.cmp(one));
    heights
}

fn snapshot(folder: &Folder, node: usize, height: u64) -> PathBuf {
    folder
        .path()
        .join(format!("node-{node}/snapshots/{height}.snapshot"))
}

fn flip_a_byte(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// What a node's log says from a length on.
fn logged(folder: &Folder, node: usize, from: usize) -> Vec<Value> {
    let text =
        std::fs::read_to_string(folder.path().join(format!("logs/node-{node}.log"))).unwrap();
    text[from..]
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// The heights that a message names, in order.
fn named(log: &[Value], message: &str) -> Vec<u64> {
    log.iter()
        .filter(|line| line["message"] == message)
        .map(|line| line["metadata"]["height"].as_u64().unwrap())
        .collect()
}

#[test]
fn a_node_starts_from_its_newest_good_snapshot_and_executes_only_what_follows() {
    let folder = Folder::new();
    let (ok, summary) = folder.settle(&arguments());
    assert!(ok, "{summary}");
    let kept: Vec<Vec<u64>> = (0..4).map(|node| heights(&folder, node)).collect();
    for heights in &kept {
        assert_eq!(heights.len(), 2, "the two newest are kept: {kept:?}");
    }
    // Node 0 has all; node 1 a damaged newest one; node 2 two damaged ones; node 3 none of its own blocks.
    flip_a_byte(&snapshot(&folder, 1, kept[1][0]));
    kept[2]
        .iter()
        .for_each(|height| flip_a_byte(&snapshot(&folder, 2, *height)));
    std::fs::rename(
        snapshot(&folder, 3, kept[3][0]),
        snapshot(&folder, 3, 1_000_000),
    )
    .unwrap();

    let lengths: Vec<u64> = (0..4)
        .map(|n| {
            folder
                .path()
                .join(format!("logs/node-{n}.log"))
                .metadata()
                .unwrap()
                .len()
        })
        .collect();
    let (ok, summary) = folder.settle(&arguments());
    assert!(ok, "{summary}");
    assert_eq!(summary["sales_final"], 60);
    let logs: Vec<Vec<Value>> = lengths
        .iter()
        .enumerate()
        .map(|(node, from)| logged(&folder, node, *from as usize))
        .collect();
    let taken = |node: usize| named(&logs[node], "the state is that of a snapshot");
    let passed_over = |node: usize| {
        named(
            &logs[node],
            "a snapshot is of no use: an older state is taken",
        )
    };
    assert_eq!((taken(0), passed_over(0)), (vec![kept[0][0]], vec![]));
    assert_eq!(
        (taken(1), passed_over(1)),
        (vec![kept[1][1]], vec![kept[1][0]])
    );
    assert_eq!((taken(2), passed_over(2)), (vec![], kept[2].clone()));
    assert_eq!(
        (taken(3), passed_over(3)),
        (vec![kept[3][1]], vec![1_000_000])
    );
    let executed = |node: usize| {
        let line = logs[node]
            .iter()
            .find(|line| line["message"] == "stored blocks are executed")
            .unwrap();
        let said = &line["metadata"];
        (
            said["blocks"].as_u64().unwrap(),
            said["height"].as_u64().unwrap(),
        )
    };
    assert!(executed(0).0 < 8, "{:?} after {}", executed(0), kept[0][0]);
    assert_eq!(executed(2).0, executed(2).1, "from the first block on");
}

/// Status of an answer.
fn status(url: &str) -> u16 {
    reqwest::blocking::get(url).map_or(0, |answer| answer.status().as_u16())
}

/// The JSON of an answer.
fn get(url: &str) -> Value {
    reqwest::blocking::get(url).unwrap().json().unwrap()
}

#[test]
fn old_blocks_are_forgotten_and_payouts_can_be_proved_all_the_same() {
    let folder = Folder::new();
    let keeping = [
        "--keep-blocks",
        "8",
        "--snapshot-blocks",
        "4",
        "--epoch-blocks",
        "4",
    ]
    .map(String::from);
    let mut running = folder.start(&[example_orders(), keeping.to_vec()].concat());
    let node = running.node(0);
    running.wait_for("all sales", || {
        get(&format!("{node}/api/v1/supply"))["sales"] == 60
    });
    running.wait_for("block 1 to go", || {
        status(&format!("{node}/api/v1/blocks/1")) == 410
    });
    let height = running.get("/readyz")["height"].as_u64().unwrap();
    assert_eq!(status(&format!("{node}/api/v1/blocks/{height}")), 200);
    let gone = running.get("/api/v1/blocks/1");
    assert_eq!(gone["type"], "urn:hotpot:problem:block_not_kept", "{gone}");

    // The ledger and the checkpoints are whole.
    let founder = running.get("/api/v1/genesis")["founder"]
        .as_str()
        .unwrap()
        .to_owned();
    let first = (1..)
        .find(|epoch| status(&format!("{node}/api/v1/checkpoints/{epoch}")) == 200)
        .unwrap();
    assert_eq!(
        status(&format!(
            "{node}/api/v1/checkpoints/{first}/payouts/{founder}"
        )),
        200
    );
    running.stop();

    // A start needs no more than what was kept.
    let (ok, summary) = folder.settle(&[example_orders(), keeping.to_vec()].concat());
    assert!(ok, "{summary}");
    assert_eq!(summary["sales_final"], 60);
}
