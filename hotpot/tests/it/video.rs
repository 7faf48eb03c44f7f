//! `hotpot up --with-video`: from cameras to a verified chain, and back out of it.

use crate::described::Description;
use crate::network::{Folder, Running, example_orders, hotpot};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const KITCHEN: u64 = 1;
const TABLE: u64 = 2;

fn ask(url: &str) -> Value {
    reqwest::blocking::get(url)
        .ok()
        .and_then(|answer| answer.json().ok())
        .unwrap_or_default()
}

fn agent(running: &Running<'_>) -> String {
    running.network()["video_agent"]["http"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// What the agent holds of a camera at a stage.
fn recordings(agent: &str, camera: u64, stage: &str) -> Vec<Value> {
    let page = ask(&format!(
        "{agent}/api/v1/recordings?camera={camera}&limit=500"
    ));
    let all = page["data"].as_array().cloned().unwrap_or_default();
    all.into_iter()
        .filter(|shown| shown["stage"] == stage)
        .collect()
}

fn state(agent: &str, camera: u64) -> Value {
    let cameras = ask(&format!("{agent}/api/v1/cameras"));
    let all = cameras.as_array().cloned().unwrap_or_default();
    all.into_iter()
        .find(|shown| shown["camera"] == camera)
        .map(|shown| shown["state"].clone())
        .unwrap_or_default()
}

fn on_chain(node: &str, recording: &Value) -> Value {
    ask(&format!(
        "{node}/api/v1/recordings/{}",
        recording["cid"].as_str().unwrap()
    ))
}

fn verify(folder: &Folder) {
    let output = hotpot()
        .args(["verify", "--json", "--data-dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

/// The guest says it no longer, with the command that guests have.
fn revoke(folder: &Folder, node: &str, consent: &Value) {
    let file = folder.path().join("revoke.json");
    std::fs::write(
        &file,
        json!({"type": "revoke_consent", "consent": consent}).to_string(),
    )
    .unwrap();
    let key = folder.path().join("keys/guest-0.json");
    let status = hotpot()
        .args(["wallet", "sign", "--send", "--node", node, "--key"])
        .arg(key)
        .arg(file)
        .status()
        .unwrap();
    assert!(status.success());
}

fn program_is_here() -> bool {
    let here = Path::new(env!("CARGO_BIN_EXE_hotpot"))
        .with_file_name("video-agent")
        .is_file();
    if !here {
        eprintln!("SKIPPED: video-agent is not beside hotpot; cargo build --workspace builds it");
    }
    here
}

#[test]
fn recordings_are_pinned_anchored_indexed_verified_and_erased_when_the_guest_revokes() {
    if !program_is_here() {
        return;
    }
    let folder = Folder::alone();
    let arguments = [vec!["--with-video".to_owned()], example_orders()].concat();
    let mut running = folder.start(&arguments);
    let agent = agent(&running);
    running.wait_for("three recordings of each camera", || {
        [KITCHEN, TABLE]
            .iter()
            .all(|camera| recordings(&agent, *camera, "done").len() >= 3)
    });
    let (kitchen, table) = (
        recordings(&agent, KITCHEN, "done"),
        recordings(&agent, TABLE, "done"),
    );
    let node = running.node(0);
    let first = on_chain(&node, &table[0]);
    assert_eq!(
        (&first["camera"], &first["erased"]),
        (&json!(TABLE), &Value::Null)
    );

    let consent = &table[0]["consent"];
    let said = Instant::now();
    revoke(&folder, &node, consent);
    running.wait_for("the table's camera to stop", || {
        state(&agent, TABLE) == "waiting"
    });
    println!(
        "the camera stopped {:?} after the revocation was typed",
        said.elapsed()
    );
    assert!(said.elapsed() < Duration::from_secs(10));
    running.wait_for("tombstones", || {
        table
            .iter()
            .all(|one| on_chain(&node, one)["erased"].is_object())
    });
    running.wait_for("nothing of the table", || {
        ask(&format!("{agent}/api/v1/recordings?camera=2"))["data"] == json!([])
    });
    assert_eq!(state(&agent, KITCHEN), "live");

    // A checkpoint over pins and erasures is anchored and final, and everything agrees.
    let gateway = running.network()["gateway"]["http"]
        .as_str()
        .unwrap()
        .to_owned();
    let indexed = format!(
        "{gateway}/api/v1/recordings?outlet={}&camera={TABLE}",
        first["outlet"]
    );
    let head = running.get("/readyz")["epoch"].as_u64();
    running.wait_for("the tombstones anchored and indexed", || {
        let last = ask(&format!("{gateway}/api/v1/network"))["epochs"]["final"].as_u64();
        let rows = ask(&indexed)["data"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        rows.len() >= table.len()
            && rows.iter().all(|one| one["erased"].is_object())
            && last >= head
    });
    assert!(on_chain(&node, &kitchen[0])["epoch"].as_u64() <= head);
    video_answers_are_as_described(&gateway, &table[0]);
    running.stop();
    verify(&folder);
    let left = Command::new("find")
        .arg(folder.path().join("video/keys"))
        .args(["-name", "consent-*.key"])
        .output()
        .unwrap();
    assert!(
        left.stdout.is_empty(),
        "a guest's key is left: {}",
        String::from_utf8_lossy(&left.stdout)
    );
}

/// Of what a network without cameras has not: `gateway.rs` asks for the rest.
fn video_answers_are_as_described(gateway: &str, recording: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed = ask(&format!("{gateway}/api/v1/recordings"));
    let known = [
        ("outlet", listed["data"][0]["outlet"].to_string()),
        ("cid", text(&recording["cid"])),
        ("id", text(&recording["consent"])),
    ];

    let successes = Description::read().check_reads(gateway, &known);

    for path in [
        "/api/v1/consents",
        "/api/v1/consents/{id}",
        "/api/v1/outlets/{outlet}/erasures",
        "/api/v1/outlets/{outlet}/revocations",
        "/api/v1/recordings",
        "/api/v1/recordings/{cid}",
        "/api/v1/recordings/{cid}/proof",
    ] {
        assert!(successes.contains(path), "{path} was not answered");
    }
}
