//! What operators see of a network: `hotpot node status`, readiness, metrics, blocks and validators.

use crate::network::{Folder, Running, hotpot, repository};
use serde_json::{Value, json};
use std::process::Command;

/// Exit code and the one JSON object of `hotpot node status`.
fn status(arguments: &[&str], folder: &Folder) -> (Option<i32>, Value) {
    let mut command = hotpot();
    command.args(["node", "status", "--json"]).args(arguments);
    if arguments.is_empty() {
        command.arg("--data-dir").arg(folder.path());
    }
    let output = command.output().unwrap();
    (
        output.status.code(),
        serde_json::from_slice(&output.stdout).unwrap(),
    )
}

/// Status and body.
fn get(node: &str, path: &str) -> (u16, Value) {
    let answer = reqwest::blocking::get(format!("{node}{path}")).unwrap();
    (answer.status().as_u16(), answer.json().unwrap())
}

/// The value of a line of `/metrics`.
fn metric(node: &str, line: &str) -> Option<f64> {
    let text = reqwest::blocking::get(format!("{node}/metrics"))
        .unwrap()
        .text()
        .unwrap();
    let value = text.lines().find_map(|found| {
        found
            .strip_prefix(line)?
            .strip_prefix(' ')
            .map(str::to_owned)
    });
    value.and_then(|value| value.parse().ok())
}

fn signal(name: &str, pid: u64) {
    assert_ne!(pid, 0);
    assert!(
        Command::new("kill")
            .args([name, &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

/// Each service reads the documents' one file for all of them: nothing is unknown, and the port that it has no use for is
/// named with what to set instead.
#[test]
fn the_documents_configuration_is_understood_by_every_service() {
    let file = repository().join("crates/service-kit/tests/documents/config.toml");
    for service in ["node", "relayer", "indexer", "gateway"] {
        let mut command = hotpot();
        let output = command.args([service, "--config"]).arg(&file).output();
        let output = output.unwrap();

        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{service}: {said}");
        assert!(
            said.contains("observability.prometheus_port"),
            "{service}: {said}"
        );
        assert!(said.contains("http.listen"), "{service}: {said}");
        assert!(!said.contains("unknown field"), "{service}: {said}");
    }
}

fn missed(node: &str, validator: &Value) -> f64 {
    metric(
        node,
        &format!("hotpot_node_blocks_missed_total{{validator={validator}}}"),
    )
    .unwrap()
}

/// One of four absent: the others go on and count what it misses. Two of four absent: nobody is ready.
#[test]
fn operators_see_which_validator_is_absent_and_when_nothing_is_decided() {
    let folder = Folder::new();
    let mut network = folder.start(&[]);
    let (node, away) = (network.node(0), network.node(3));
    let pids = ["/nodes/3/pid", "/nodes/2/pid"].map(|pointer| network.pid(pointer));
    network.wait_for("four nodes that are ready", || {
        status(&[], &folder).0 == Some(0)
    });
    let (_, all) = status(&[], &folder);
    assert_eq!(all["nodes"].as_array().unwrap().len(), 4);
    let validator = all["nodes"][3]["validator"].clone();
    let own = &all["nodes"][0];
    assert!(
        own["signed"]["blocks"].as_u64() > Some(0)
            && own["version"].is_string()
            && own["power"] != 0,
        "{own}"
    );
    assert_eq!(metric(&node, "hotpot_node_ready"), Some(1.0));
    assert_eq!(metric(&node, "hotpot_node_safety_failure"), Some(0.0));
    assert!(metric(&node, "hotpot_node_commit_duration_seconds_count") > Some(0.0));
    assert!(metric(&node, "hotpot_node_block_time_seconds_bucket{le=\"60\"}") > Some(0.0));

    let before = missed(&node, &validator);
    signal("-STOP", pids[0]);
    network.wait_for("blocks without it", || {
        missed(&node, &validator) > before + 1.0
    });
    assert_eq!(metric(&node, "hotpot_node_power_online_ratio"), Some(0.75));
    let (code, asked) = status(&["--node", &away, "--node", &node], &folder);
    assert_eq!(
        (
            code,
            &asked["nodes"][0]["answers"],
            &asked["nodes"][1]["ready"]
        ),
        (Some(1), &json!(false), &json!(true))
    );
    assert!(asked["nodes"][0]["reason"].is_string());

    signal("-STOP", pids[1]);
    network.wait_for("a node that is not ready", || {
        get(&node, "/readyz").0 == 503
    });
    let (_, halted) = get(&node, "/readyz");
    let reason = halted["reason"].as_str().unwrap();
    assert!(
        reason.contains("s old: still catching up, or two thirds of the power do not answer"),
        "{reason}"
    );
    assert_eq!(metric(&node, "hotpot_node_ready"), Some(0.0));
    pids.iter().for_each(|pid| signal("-CONT", *pid));
    network.wait_for("four nodes that are ready again", || {
        status(&[], &folder).0 == Some(0)
    });

    blocks_are_listed_newest_first(&mut network, &node);
    validators_are_those_of_the_height(&network, &node);
    network.stop();
}

fn blocks_are_listed_newest_first(network: &mut Running<'_>, node: &str) {
    network.wait_for("ten blocks", || {
        get(node, "/readyz").1["height"].as_u64() > Some(10)
    });
    let gateway = network.network()["gateway"]["http"]
        .as_str()
        .unwrap()
        .to_owned();
    for url in [node, gateway.as_str()] {
        let (mut heights, mut path) = (Vec::new(), "/api/v1/blocks?limit=3&cursor=9".to_owned());
        loop {
            let (status, page) = get(url, &path);
            assert_eq!(status, 200, "{page}");
            heights.extend(
                page["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|block| block["height"].as_u64().unwrap()),
            );
            assert_eq!(page["has_more"], page["next_cursor"].is_string(), "{page}");
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            path = format!("/api/v1/blocks?limit=3&cursor={cursor}");
        }
        assert_eq!(heights, [8, 7, 6, 5, 4, 3, 2, 1]);
    }
    let listed = &get(node, "/api/v1/blocks?limit=1&cursor=9").1["data"][0];
    let whole = get(node, "/api/v1/blocks/8").1;
    assert_eq!(listed["hash"], whole["hash"]);
    assert_eq!(listed["proposer"], whole["header"]["proposer"]);
    assert_eq!(
        listed["transactions"],
        whole["transactions"].as_array().unwrap().len()
    );
    let signers: Vec<&Value> = whole["certificate"]["signatures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|signed| &signed["validator"])
        .collect();
    assert_eq!(listed["signers"], json!(signers));
    assert!(
        get(node, "/api/v1/blocks").1["data"]
            .as_array()
            .unwrap()
            .len()
            > 8,
        "20 without a limit"
    );
}

fn validators_are_those_of_the_height(network: &Running<'_>, node: &str) {
    let genesis = network.get("/api/v1/genesis")["validators"].clone();
    for height in ["1", "8"] {
        assert_eq!(
            get(node, &format!("/api/v1/validators?height={height}")),
            (200, genesis.clone())
        );
    }
    assert_eq!(
        get(node, "/api/v1/validators?height=0").0,
        404,
        "before the first block"
    );
    assert_eq!(
        get(node, "/api/v1/validators?height=1000000").0,
        404,
        "long after the last one"
    );
    assert_eq!(get(node, "/api/v1/validators?height=ten").0, 422);
}
