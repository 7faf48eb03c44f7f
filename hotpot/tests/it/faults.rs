//! Processes die and the EVM chain reorganises; the books still agree.

use crate::network::{Folder, Running, example_orders};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

/// Blocks that are replaced; `finalized` stands eight below the head.
const REORG_DEPTH: u64 = 3;

fn kill(network: &Running<'_>, pointer: &str) {
    let pid = network.pid(pointer);
    assert_ne!(pid, 0, "{pointer}");
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

#[test]
fn kill_9_of_a_validator_the_relayer_and_the_indexer_changes_nothing() {
    let folder = Folder::new();
    let arguments =
        [example_orders(), vec!["--rate".into(), "6/s".into(), "--epoch-blocks".into(), "8".into()]].concat();
    let mut network = folder.start(&arguments);
    for pointer in ["/nodes/1/pid", "/relayer/pid", "/indexer/pid", "/nodes/3/pid"] {
        std::thread::sleep(Duration::from_millis(1500));
        let before = network.pid(pointer);
        kill(&network, pointer);
        let path = folder.path().join("network.json");
        network.wait_for("a new process", || {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let network: Value = serde_json::from_str(&text).unwrap_or_default();
            network.pointer(pointer).and_then(Value::as_u64).is_some_and(|pid| pid != 0 && pid != before)
        });
    }
    network.stop();
    let (ok, summary) = folder.settle(&example_orders());
    assert!(ok, "{summary}");
    assert_eq!(summary["sales_final"], 60);
}

#[test]
fn a_reorganisation_over_a_checkpoint_and_a_payout_comes_right() {
    let folder = Folder::new();
    let arguments =
        [example_orders(), vec!["--rate".into(), "5/s".into(), "--epoch-blocks".into(), "8".into()]].concat();
    let mut network = folder.start(&arguments);
    let contracts = network.network()["contracts"].clone();
    let rpc = network.network()["evm_rpc"].as_str().unwrap().to_owned();
    // Logs of the last blocks: a checkpoint by the anchor and a payout by the token.
    let recent_logs = |address: &Value| logs_since(&rpc, address, REORG_DEPTH - 1);
    network.wait_for("a checkpoint and a payout in the last blocks", || {
        !recent_logs(&contracts["anchor"]).is_empty() && !recent_logs(&contracts["token"]).is_empty()
    });
    network.rpc("anvil_reorg", json!([REORG_DEPTH, []]));
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
        reqwest::blocking::Client::new().post(rpc).json(&body).send().unwrap().json::<Value>().unwrap()["result"]
            .clone()
    };
    let head = call("eth_blockNumber", json!([]));
    let head = u64::from_str_radix(head.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    let from = format!("0x{:x}", head.saturating_sub(depth));
    let logs = call("eth_getLogs", json!([{"address": address, "fromBlock": from, "toBlock": "latest"}]));
    logs.as_array().cloned().unwrap_or_default()
}
