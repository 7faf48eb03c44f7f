//! Candidates take seats one after the other, the contract follows, and everything agrees afterwards.

use crate::network::{Folder, Running, example, example_orders, hotpot, repository};
use serde_json::{Value, json};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

fn arguments() -> Vec<String> {
    let elections = [
        "--candidates",
        "7",
        "--election-epochs",
        "1",
        "--epoch-blocks",
        "8",
    ];
    elections
        .into_iter()
        .map(String::from)
        .chain(example_orders())
        .collect()
}

fn ask(url: &str) -> Value {
    reqwest::blocking::get(url)
        .ok()
        .and_then(|answer| answer.json().ok())
        .unwrap_or_default()
}

#[test]
#[ignore = "slow: scripts/test --slow"]
fn seven_candidates_take_seats_one_by_one_and_the_contract_follows() {
    let folder = Folder::alone();
    let mut running = folder.start(&arguments());
    let (validators, network) = (
        format!("{}/api/v1/validators", running.node(0)),
        gateway(&running) + "/api/v1/network",
    );
    assert_eq!(ask(&validators).as_array().map(Vec::len), Some(4));
    running.wait_for("seven seats", || {
        ask(&validators).as_array().map(Vec::len) == Some(7)
    });
    let candidates = running.get("/api/v1/candidates");
    assert!(
        candidates
            .as_array()
            .unwrap()
            .iter()
            .all(|candidate| candidate["seated"] == true),
        "{candidates}"
    );
    let set = running.get("/api/v1/validators");
    let powers: Vec<u64> = set
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["power"].as_u64().unwrap())
        .collect();
    assert!(
        powers
            .iter()
            .all(|power| power * 3 < powers.iter().sum::<u64>()),
        "{powers:?}"
    );

    // A checkpoint that the seven signed is anchored: the contract has followed every change before it.
    let epoch = running.get("/readyz")["epoch"].as_u64().unwrap();
    running.wait_for("an anchored checkpoint of the seven", || {
        ask(&network)["epochs"]["final"].as_u64() >= Some(epoch)
    });
    // Of the set that is elected, not of genesis'.
    running.wait_for("seven validators in the gateway's words", || {
        ask(&network)["sidechain"]["validators"] == 7
    });
    running.stop();
    let verified = hotpot()
        .args(["verify", "--data-dir"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(verified.success());
}

/// The configuration of a second process with a validator's key: its own folder and ports, a guard of its own.
fn twin_config(folder: &Folder, of: usize) -> String {
    let dir = folder.path();
    let config = std::fs::read_to_string(dir.join(format!("node-{of}.toml"))).unwrap();
    let mut config: toml::Table = config.parse().unwrap();
    let twin = dir.join("twin");
    assert!(
        Command::new("cp")
            .arg("-a")
            .args([dir.join(format!("node-{of}")), twin.clone()])
            .status()
            .unwrap()
            .success()
    );
    let _ = std::fs::remove_file(twin.join("network.key"));
    config["data_dir"] = twin.display().to_string().into();
    config["validator"]["guard_file"] = dir.join("twin-guard").display().to_string().into();
    let port = || local_services::free_port().unwrap();
    config["http"]["listen"] = format!("127.0.0.1:{}", port()).into();
    config["p2p"]["listen"] = format!("/ip4/127.0.0.1/tcp/{}", port()).into();
    config.to_string()
}

/// A second process with a validator's key.
struct Twin {
    config: PathBuf,
    process: Child,
}

impl Twin {
    fn start(config: PathBuf) -> Self {
        let process = Self::spawn(&config);
        Self { config, process }
    }

    fn spawn(config: &Path) -> Child {
        let log = File::options()
            .create(true)
            .append(true)
            .open(config.with_extension("log"))
            .unwrap();
        hotpot()
            .arg("node")
            .arg("--config")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// As its supervisor would: without a guard it follows at first, and has to be started again to vote.
    fn revive(&mut self) {
        if self.process.try_wait().unwrap().is_some() {
            self.process = Self::spawn(&self.config);
        }
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
#[ignore = "slow: scripts/test --slow"]
fn a_key_in_two_places_is_seen_reported_and_punished() {
    let folder = Folder::alone();
    let mut running = folder.start(&arguments());
    let validators = format!("{}/api/v1/validators", running.node(0));
    running.wait_for("seven seats", || {
        ask(&validators).as_array().map(Vec::len) == Some(7)
    });
    let offender = ask(&format!("{}/readyz", running.node(1)))["validator"].clone();
    let path = folder.path().join("twin.toml");
    std::fs::write(&path, twin_config(&folder, 1)).unwrap();
    let mut twin = Twin::start(path);

    // It signs what the other one does not: the engines of the others see it, and their nodes say so on the ledger.
    let evidence = format!("{}/api/v1/evidence", running.node(0));
    running.wait_for("punishment", || {
        twin.revive();
        ask(&evidence)
            .as_array()
            .is_some_and(|punished| !punished.is_empty())
    });
    drop(twin);
    let punished = ask(&evidence);
    assert_eq!(punished[0]["validator"], offender, "{punished}");
    let candidates = running.get("/api/v1/candidates");
    let jailed = candidates
        .as_array()
        .unwrap()
        .iter()
        .find(|candidate| candidate["address"] == offender)
        .unwrap();
    assert!(jailed["jailed_until_ms"].is_u64(), "{jailed}");
    // Whoever is in jail loses its seat at the next election, and the chain goes on.
    let seated = || {
        ask(&validators)
            .as_array()
            .is_some_and(|set| set.iter().any(|seat| seat["address"] == offender))
    };
    running.wait_for("a set without it", || !seated());
    running.stop();
    let verified = hotpot()
        .args(["verify", "--data-dir"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(verified.success());
}

/// Orders of one candidate's outlet: its days of sales, and what its owner may bond, depend on them.
fn sell(running: &Running<'_>, outlet: u64, orders: std::ops::Range<u64>) {
    let dir = running.folder.path();
    let rows: String = orders
        .map(|order| format!("E{outlet}-{order},{outlet},tea,Tea,,1,\"3,00\"\n"))
        .collect();
    let file = dir.join("orders.csv");
    std::fs::write(
        &file,
        format!("order,outlet,code,dish,note,pieces,price\n{rows}"),
    )
    .unwrap();
    let map = std::fs::read_to_string(example("georgia.toml")).unwrap();
    // The candidates' outlets stand on the ledger already.
    let map = map
        .split("[[outlets]]")
        .next()
        .unwrap()
        .replace("example-georgia", "elections");
    let map =
        format!("{map}[[outlets]]\nid = {outlet}\ncity = \"Tbilisi\"\nkind = \"owner_operated\"\n");
    std::fs::write(dir.join("orders.toml"), map).unwrap();
    let mut import = hotpot();
    import
        .arg("import")
        .arg(&file)
        .arg("--map")
        .arg(dir.join("orders.toml"))
        .arg("--data-dir")
        .arg(dir);
    let output = import.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The owner of an outlet bonds another share of what it earns from now on.
fn bond(running: &Running<'_>, outlet: u64, ppm: u64) {
    let keys = running.folder.path().join("keys");
    let outlets = running.get("/api/v1/outlets");
    let found = outlets
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["outlet"] == outlet)
        .unwrap();
    let file = running.folder.path().join("bond.json");
    let transaction = json!({"type": "set_bonding", "account": found["owner"], "bonding_ppm": ppm});
    std::fs::write(&file, transaction.to_string()).unwrap();
    let mut sign = hotpot();
    sign.args(["wallet", "sign"])
        .arg(&file)
        .arg("--key")
        .arg(keys.join(format!("owner-{outlet}.json")));
    sign.arg("--password-file")
        .arg(keys.join("passphrase"))
        .args(["--node", &running.node(0), "--send"]);
    let output = sign.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "slow: scripts/test --slow"]
fn thirty_epochs_of_changing_sales_and_stakes_and_everybody_agrees() {
    let folder = Folder::alone();
    let mut running = folder.start(&arguments());
    let node = running.node(0);
    let epoch = || {
        ask(&format!("{node}/readyz"))["epoch"]
            .as_u64()
            .unwrap_or(0)
    };
    let set = || ask(&format!("{node}/api/v1/validators")).to_string();
    // Until then the network itself makes their outlets and keys.
    let candidates = || {
        ask(&format!("{node}/api/v1/candidates"))
            .as_array()
            .map(Vec::len)
    };
    running.wait_for("seven candidates", || candidates() == Some(7));
    let (from, mut sets) = (epoch(), std::collections::BTreeSet::new());
    for round in 0.. {
        // Each round another outlet sells most, and other owners bond more of it.
        let outlet = 9_001 + round * 3 % 7;
        sell(&running, outlet, round * 10..round * 10 + 5 + round % 4);
        bond(&running, outlet, (round * 370_001) % 1_000_001);
        sets.insert(set());
        if epoch() >= from + 30 {
            break;
        }
    }
    assert!(
        sets.len() >= 10,
        "only {} different sets of validators",
        sets.len()
    );
    let last = epoch();
    let network = gateway(&running) + "/api/v1/network";
    running.wait_for("anchored checkpoints", || {
        ask(&network)["epochs"]["final"].as_u64() >= Some(last)
    });
    running.stop();
    let export = folder.path().join("blocks.jsonl");
    let dir = folder.path();
    let exported = hotpot()
        .args(["export", "blocks", "--data-dir"])
        .arg(dir)
        .arg("--output")
        .arg(&export)
        .status();
    assert!(exported.unwrap().success());
    let verified = hotpot()
        .args(["verify", "--data-dir"])
        .arg(dir)
        .status()
        .unwrap();
    assert!(verified.success());
    // The second implementation tells every height again.
    let replayed = Command::new(repository().join("scripts/replay"))
        .arg(&export)
        .status()
        .unwrap();
    assert!(replayed.success());
}

fn gateway(running: &Running<'_>) -> String {
    running.network()["gateway"]["http"]
        .as_str()
        .unwrap()
        .to_owned()
}
