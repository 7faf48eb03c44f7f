//! Processes die and the EVM chain reorganises; the books still agree.

use crate::network::{Folder, example_orders, processes_of, signal};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Blocks that are replaced; `finalized` stands eight below the head.
const REORG_DEPTH: u64 = 3;

#[test]
fn killed_or_stopped_services_come_back_and_nothing_is_lost() {
    let folder = Folder::new();
    let arguments = [
        example_orders(),
        vec![
            "--rate".into(),
            "6/s".into(),
            "--epoch-blocks".into(),
            "8".into(),
        ],
    ]
    .concat();
    let mut network = folder.start(&arguments);
    let signals = [
        ("/nodes/1/pid", "-9"),
        ("/postgres/pid", "-9"),
        ("/relayer/pid", "-9"),
        ("/indexer/pid", "-TERM"),
        ("/postgres/pid", "-9"),
        ("/nodes/3/pid", "-TERM"),
    ];
    for (pointer, name) in signals {
        std::thread::sleep(Duration::from_millis(1500));
        let before = network.pid(pointer);
        signal(name, before);
        let path = folder.path().join("network.json");
        network.wait_for("a new process", || {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let network: Value = serde_json::from_str(&text).unwrap_or_default();
            network
                .pointer(pointer)
                .and_then(Value::as_u64)
                .is_some_and(|pid| pid != 0 && pid != before)
        });
    }
    network.stop();
    let (ok, summary) = folder.settle(&example_orders());
    assert!(ok, "{summary}");
    assert_eq!(summary["sales_final"], 60);
}

fn height(node: &str) -> u64 {
    let status: Value = reqwest::blocking::get(format!("{node}/readyz"))
        .unwrap()
        .json()
        .unwrap();
    status["height"].as_u64().unwrap()
}

/// The chain is idle then: blocks follow each other slowly, and catching up must not.
#[test]
fn a_validator_that_was_away_for_many_blocks_catches_up_on_an_idle_chain() {
    const MISSED_BLOCKS: u64 = 40;
    let folder = Folder::alone();
    let arguments = [
        example_orders(),
        vec![
            "--epoch-blocks".into(),
            "16".into(),
            "--rate".into(),
            "4/s".into(),
        ],
    ]
    .concat();
    let mut network = folder.start(&arguments);
    let (others, away, pid) = (
        network.node(0),
        network.node(2),
        network.pid("/nodes/2/pid"),
    );
    let before = height(&away);
    signal("-STOP", pid);
    network.wait_for("many blocks without it", || {
        height(&others) > before + MISSED_BLOCKS
    });
    signal("-CONT", pid);
    let resumed = Instant::now();
    network.wait_for("the same height", || height(&away) + 1 >= height(&others));
    assert!(
        resumed.elapsed() < Duration::from_secs(30),
        "{:?}",
        resumed.elapsed()
    );
    network.stop();
}

/// Whether a node votes, and how far it is.
fn duty(node: &str) -> (bool, u64) {
    let answer = reqwest::blocking::get(format!("{node}/readyz")).and_then(|answer| answer.json());
    let status: Value = answer.unwrap_or_default();
    (
        status["validator"].is_string(),
        status["height"].as_u64().unwrap_or(0),
    )
}

/// Without its blocks, and then without its guard: it follows until what it may have signed is decided, then it votes.
#[test]
fn a_validator_that_lost_its_store_or_its_guard_comes_back_and_votes() {
    let folder = Folder::new();
    let (ok, summary) = folder.settle(&example_orders());
    assert!(ok, "{summary}");
    let log = folder.path().join("logs/node-3.log");
    let lost_paths = ["node-3", "guards/node-3"].map(|name| folder.path().join(name));
    for lost in lost_paths {
        let (before, is_file) = (std::fs::read_to_string(&log).unwrap().len(), lost.is_file());
        if is_file {
            std::fs::remove_file(&lost).unwrap()
        } else {
            std::fs::remove_dir_all(&lost).unwrap()
        }
        std::fs::remove_file(folder.path().join("network.json")).unwrap();
        let mut network = folder.start(&[]);
        let (others, back) = (network.node(0), network.node(3));
        network.wait_for("its vote", || {
            let (votes, at) = duty(&back);
            votes && at > 0 && at + 1 >= duty(&others).1
        });
        network.stop();
        let log = std::fs::read_to_string(&log).unwrap().split_off(before);
        assert!(
            log.contains("it follows until then"),
            "{}: {log}",
            lost.display()
        );
        assert!(
            !log.contains("guard refuses"),
            "{}: it never tried to sign: {log}",
            lost.display()
        );
    }
}

#[test]
fn after_kill_9_of_up_itself_the_next_one_takes_over() {
    let folder = Folder::new();
    let network = folder.start(&example_orders());
    network.kill();
    let (ok, summary) = folder.settle(&example_orders());
    assert!(ok, "{summary}");
    assert_eq!(summary["sales_final"], 60);
    assert_eq!(
        processes_of(folder.path()),
        0,
        "nothing is left of the first one"
    );
}

#[test]
fn a_reorganisation_over_a_checkpoint_and_a_payout_comes_right() {
    let folder = Folder::new();
    let arguments = [
        example_orders(),
        vec![
            "--rate".into(),
            "5/s".into(),
            "--epoch-blocks".into(),
            "8".into(),
        ],
    ]
    .concat();
    let mut network = folder.start(&arguments);
    let contracts = network.network()["contracts"].clone();
    let rpc = network.network()["evm_rpc"].as_str().unwrap().to_owned();
    // Logs of the last blocks: a checkpoint by the anchor and a payout by the token.
    let recent_logs = |address: &Value| logs_since(&rpc, address, REORG_DEPTH - 1);
    network.wait_for("a checkpoint and a payout in the last blocks", || {
        !recent_logs(&contracts["anchor"]).is_empty()
            && !recent_logs(&contracts["token"]).is_empty()
    });
    network.reorganise(REORG_DEPTH);
    std::thread::sleep(Duration::from_secs(2));
    network.stop();

    let (ok, summary) = folder.settle(&example_orders());
    assert!(ok, "{summary}");
    assert_eq!(summary["sales_final"], 60);
    assert_eq!(summary["minted"], summary["released"]);
}

fn logs_since(rpc: &str, address: &Value, depth: u64) -> Vec<Value> {
    let call = |method: &str, params: Value| -> Value {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        reqwest::blocking::Client::new()
            .post(rpc)
            .json(&body)
            .send()
            .unwrap()
            .json::<Value>()
            .unwrap()["result"]
            .clone()
    };
    let head = call("eth_blockNumber", json!([]));
    let head = u64::from_str_radix(head.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    let from = format!("0x{:x}", head.saturating_sub(depth));
    let logs = call(
        "eth_getLogs",
        json!([{"address": address, "fromBlock": from, "toBlock": "latest"}]),
    );
    logs.as_array().cloned().unwrap_or_default()
}
