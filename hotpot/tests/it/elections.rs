//! Candidates take seats one after the other, the contract follows, and everything agrees afterwards.

use crate::network::{Folder, Running, example_orders, hotpot};
use serde_json::Value;

fn arguments() -> Vec<String> {
    let elections = ["--candidates", "7", "--election-epochs", "1", "--epoch-blocks", "8"];
    elections.into_iter().map(String::from).chain(example_orders()).collect()
}

fn ask(url: &str) -> Value {
    reqwest::blocking::get(url).ok().and_then(|answer| answer.json().ok()).unwrap_or_default()
}

#[test]
#[ignore = "slow: scripts/test --slow"]
fn seven_candidates_take_seats_one_by_one_and_the_contract_follows() {
    let folder = Folder::new();
    let mut running = folder.start(&arguments());
    let (validators, network) =
        (format!("{}/api/v1/validators", running.node(0)), gateway(&running) + "/api/v1/network");
    assert_eq!(ask(&validators).as_array().map(Vec::len), Some(4));
    running.wait_for("seven seats", || ask(&validators).as_array().map(Vec::len) == Some(7));
    let candidates = running.get("/api/v1/candidates");
    assert!(candidates.as_array().unwrap().iter().all(|candidate| candidate["seated"] == true), "{candidates}");
    let set = running.get("/api/v1/validators");
    let powers: Vec<u64> = set.as_array().unwrap().iter().map(|v| v["power"].as_u64().unwrap()).collect();
    assert!(powers.iter().all(|power| power * 3 < powers.iter().sum::<u64>()), "{powers:?}");

    // A checkpoint that the seven signed is anchored: the contract has followed every change before it.
    let epoch = running.get("/readyz")["epoch"].as_u64().unwrap();
    running
        .wait_for("an anchored checkpoint of the seven", || ask(&network)["epochs"]["final"].as_u64() >= Some(epoch));
    running.stop();
    let verified = hotpot().args(["verify", "--data-dir"]).arg(folder.path()).status().unwrap();
    assert!(verified.success());
}

fn gateway(running: &Running<'_>) -> String {
    running.network()["gateway"]["http"].as_str().unwrap().to_owned()
}
