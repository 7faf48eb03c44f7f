//! A node without a validator's key joins a running network with an empty folder.

use crate::network::{Folder, Running, example, hotpot};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// A node that is no part of `hotpot up`.
struct Follower {
    child: Child,
    url: String,
    config: PathBuf,
}

impl Follower {
    /// Writes the configuration that docs/OPERATING.md shows, into a folder that has nothing else.
    fn start(network: &Running<'_>, dir: &Path) -> Self {
        std::fs::create_dir(dir).unwrap();
        let genesis = network.get("/api/v1/genesis");
        std::fs::write(dir.join("genesis.json"), genesis.to_string()).unwrap();
        let file = network.network();
        let all = |field: &str| -> Vec<Value> {
            file["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node[field].clone())
                .collect()
        };
        let (http, p2p) = (free_port(), free_port());
        let config = format!(
            "data_dir = {:?}\ngenesis_file = {:?}\n\n[http]\nlisten = \"127.0.0.1:{http}\"\npeers = {}\n\n\
             [p2p]\nlisten = \"/ip4/127.0.0.1/tcp/{p2p}\"\npeers = {}\n",
            dir.join("data"),
            dir.join("genesis.json"),
            json!(all("http")),
            json!(all("p2p")),
        );
        let path = dir.join("node.toml");
        std::fs::write(&path, config).unwrap();
        Self {
            child: run(&path),
            url: format!("http://127.0.0.1:{http}"),
            config: path,
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn restart(&mut self) {
        self.child = run(&self.config);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(config: &Path) -> Child {
    hotpot()
        .arg("node")
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

fn free_port() -> u16 {
    local_services::free_port().unwrap()
}

/// `null` while nobody answers.
fn get(url: &str, path: &str) -> Value {
    reqwest::blocking::get(format!("{url}{path}"))
        .and_then(|answer| answer.json())
        .unwrap_or_default()
}

fn height(url: &str) -> u64 {
    get(url, "/readyz")["height"].as_u64().unwrap_or(0)
}

/// Imports orders of outlet 1 with prices that nobody else uses, through the network's own nodes.
fn import(folder: &Folder, orders: std::ops::Range<u32>) {
    let rows: String = orders
        .map(|order| format!("F{order},1,tea,Tea,,1,\"3,00\"\n"))
        .collect();
    let file = folder.path().join("orders.csv");
    std::fs::write(
        &file,
        format!("order,outlet,code,dish,note,pieces,price\n{rows}"),
    )
    .unwrap();
    let mut command = hotpot();
    command
        .arg("import")
        .arg(&file)
        .args(["--map", &example("georgia.toml"), "--data-dir"])
        .arg(folder.path());
    assert!(command.output().unwrap().status.success());
}

/// One more order, signed but not sent.
fn signed(folder: &Folder) -> Value {
    let file = folder.path().join("one.csv");
    std::fs::write(
        &file,
        "order,outlet,code,dish,note,pieces,price\nONE,1,tea,Tea,,1,\"3,00\"\n",
    )
    .unwrap();
    let mut command = hotpot();
    command.arg("import").arg(&file).args([
        "--map",
        &example("georgia.toml"),
        "--dry-run",
        "--print-signed",
    ]);
    let output = command
        .arg("--data-dir")
        .arg(folder.path())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The block as everybody must have it. Certificates may hold different signatures.
fn same_blocks(one: &str, other: &str, heights: std::ops::RangeInclusive<u64>) {
    for height in heights {
        let path = format!("/api/v1/blocks/{height}");
        let (found, expected) = (get(one, &path), get(other, &path));
        assert!(expected["hash"].is_string(), "{path}: {expected}");
        for field in ["hash", "header", "transactions"] {
            assert_eq!(found[field], expected[field], "{path}: {field}");
        }
    }
}

/// Of a moment in which nothing moves.
fn same_supply(network: &mut Running<'_>, follower: &str) {
    let node = network.node(1);
    let (mut found, mut expected) = (Value::Null, Value::Null);
    network.wait_for("the same supply", || {
        (found, expected) = (
            get(follower, "/api/v1/supply"),
            get(&node, "/api/v1/supply"),
        );
        expected["height"].is_u64() && found == expected
    });
}

#[test]
fn a_node_without_a_key_joins_follows_passes_sales_on_and_comes_back() {
    let folder = Folder::new();
    let mut network = folder.start(&[]);
    import(&folder, 0..40);
    let node = network.node(1);
    let outside = tempfile::tempdir().unwrap();
    let mut follower = Follower::start(&network, &outside.path().join("follower"));
    let url = follower.url.clone();

    network.wait_for("a follower that is ready", || {
        get(&url, "/readyz")["ready"] == true
    });
    let status = get(&url, "/readyz");
    assert_eq!(
        status["validator"],
        Value::Null,
        "it says that it is no validator: {status}"
    );
    assert_ne!(get(&node, "/readyz")["validator"], Value::Null);
    same_supply(&mut network, &url);
    same_blocks(&url, &node, 1..=height(&url));
    let data = outside.path().join("follower/data");
    assert!(
        !data.join("guard").exists(),
        "who signs nothing has no guard"
    );

    let client = reqwest::blocking::Client::new();
    let sale = signed(&folder).to_string();
    let posted = client
        .post(format!("{url}/api/v1/sales"))
        .body(sale.clone())
        .send()
        .unwrap();
    assert_eq!(posted.status().as_u16(), 201, "{:?}", posted.text());
    let again = client
        .post(format!("{node}/api/v1/sales"))
        .body(sale)
        .send()
        .unwrap();
    assert_eq!(again.status().as_u16(), 200, "the validators have it");
    network.wait_for("an empty mempool", || get(&url, "/readyz")["mempool"] == 0);

    follower.kill();
    let before = height(&node);
    import(&folder, 40..80);
    follower.restart();
    network.wait_for("the blocks that it missed", || {
        height(&url) > before && height(&url) + 1 >= height(&node)
    });
    same_supply(&mut network, &url);
    same_blocks(&url, &node, before..=height(&url));
    assert_eq!(get(&url, "/readyz")["validator"], Value::Null);
    assert!(!data.join("guard").exists(), "it still signs nothing");
    network.stop();
}

/// It takes over a state that the validators signed, has no block before it, and goes on from there.
#[test]
fn a_node_with_nothing_begins_with_a_state_that_the_validators_signed() {
    let folder = Folder::new();
    let mut network = folder.start(&["--snapshot-blocks".into(), "16".into()]);
    import(&folder, 0..40);
    let node = network.node(1);
    network.wait_for("a snapshot of each validator that holds the sales", || {
        (0..4).all(|number| {
            !get(&network_node(&folder, number), "/internal/v1/snapshots")[1].is_null()
        })
    });
    let outside = tempfile::tempdir().unwrap();
    let mut follower = Follower::start(&network, &outside.path().join("follower"));
    let url = follower.url.clone();
    network.wait_for("a follower that is ready", || {
        get(&url, "/readyz")["ready"] == true
    });
    same_supply(&mut network, &url);
    assert_eq!(get(&url, "/api/v1/supply")["sales"], 40);

    let list = get(&url, "/api/v1/blocks?limit=100");
    let first = list["data"].as_array().unwrap().last().unwrap()["height"]
        .as_u64()
        .unwrap();
    assert!(
        first > 1 && first.is_multiple_of(16),
        "it begins with the block of a snapshot, not with {first}"
    );
    assert_eq!(list["has_more"], false);
    assert_eq!(get(&url, "/api/v1/blocks/1")["status"], 410);
    same_blocks(&url, &node, first..=height(&url));
    let epoch = get(&node, "/readyz")["epoch"].as_u64().unwrap();
    import(&folder, 40..60);
    network.wait_for("a checkpoint of a later epoch", || {
        get(&url, &format!("/api/v1/checkpoints/{epoch}"))["quorum"] == true
    });
    let path = format!("/api/v1/checkpoints/{epoch}");
    assert_eq!(
        get(&url, &path)["digest"],
        get(&node, &path)["digest"],
        "it leads to the same checkpoint"
    );

    follower.kill();
    follower.restart();
    network.wait_for("the follower again", || {
        get(&url, "/readyz")["ready"] == true
    });
    same_supply(&mut network, &url);
    network.stop();
}

fn network_node(folder: &Folder, number: usize) -> String {
    let text = std::fs::read_to_string(folder.path().join("network.json")).unwrap();
    let network: Value = serde_json::from_str(&text).unwrap();
    network["nodes"][number]["http"]
        .as_str()
        .unwrap()
        .to_owned()
}
