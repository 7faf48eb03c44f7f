//! Validators alone, without EVM and database, told as a story: `network.crash(&[2])`, `network.partition(&[0], &[1])`.

use crate::network::{Turn, example, hotpot};
use crate::wires::Wires;
use serde_json::{Value, json};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Goal after a fault has ended; a busy machine is given more.
const RECOVERY: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a chain without two thirds is watched.
const WATCH: Duration = Duration::from_secs(3);
/// A chain that goes on has a new height each time; what was late is heard of once.
const STANDSTILL_TRIES: u32 = 3;
const POLL: Duration = Duration::from_millis(50);
/// Without sales a block follows after this: heights pass quickly.
const HEARTBEAT_MS: u64 = 300;
/// What a validator ends with that followed until it may vote.
const FOLLOWED: &str = "start again to vote";

/// One process. Its folder holds data and guard; configuration and log lie beside it.
pub struct Validator {
    number: usize,
    pub folder: PathBuf,
    pub http: u16,
    pub p2p: u16,
    process: Option<Child>,
    /// Where the log was when it was started last.
    log_start: usize,
}

impl Validator {
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub fn store(&self) -> PathBuf {
        self.data().join("store.redb")
    }

    pub fn guard(&self) -> PathBuf {
        self.folder.join("guard")
    }

    /// The engine's log of this height.
    pub fn consensus_log(&self) -> PathBuf {
        self.data().join("consensus.wal")
    }

    fn config(&self) -> PathBuf {
        self.folder.with_extension("toml")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.with_extension("log")
    }

    fn whole_log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    /// What it has logged since it was started last.
    pub fn log(&self) -> String {
        self.whole_log().split_off(self.log_start)
    }

    /// `null` while nobody answers.
    pub fn get(&self, path: &str) -> Value {
        let client = reqwest::blocking::Client::builder()
            .timeout(Duration::from_secs(2))
            .build()
            .unwrap();
        let url = format!("http://127.0.0.1:{}{path}", self.http);
        client
            .get(url)
            .send()
            .and_then(|answer| answer.json())
            .unwrap_or_default()
    }

    pub fn height(&self) -> u64 {
        self.get("/readyz")["height"].as_u64().unwrap_or(0)
    }

    fn votes(&self) -> bool {
        let status = self.get("/readyz");
        status["ready"] == true && status["validator"].is_string()
    }

    fn signal(&self, name: &str) {
        let pid = self.process.as_ref().unwrap().id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn has_ended(&mut self) -> bool {
        self.process
            .as_mut()
            .is_none_or(|process| process.try_wait().unwrap().is_some())
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            process.wait().unwrap();
        }
    }

    fn start(&mut self) {
        self.log_start = self.whole_log().len();
        self.process = Some(run(&self.config(), &self.log_file()));
    }
}

impl Drop for Validator {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(config: &Path, log: &Path) -> Child {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(log)
        .unwrap();
    hotpot()
        .arg("node")
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn free_port() -> u16 {
    local_services::free_port().unwrap()
}

/// Some validators on wires of their own.
pub struct Validators {
    dir: TempDir,
    nodes: Vec<Validator>,
    wires: Wires,
    sold: u32,
    _turn: Turn,
}

impl Validators {
    /// A network with so many of them, all voting.
    pub fn start(count: usize) -> Self {
        let turn = Turn::alone();
        let dir = tempfile::tempdir().unwrap();
        let mut genesis = hotpot();
        genesis.args([
            "genesis",
            "--epoch-blocks",
            "16",
            "--validators",
            &count.to_string(),
            "--data-dir",
        ]);
        assert!(
            genesis
                .arg(dir.path())
                .stdout(Stdio::null())
                .status()
                .unwrap()
                .success()
        );
        let mut network = Self {
            dir,
            nodes: Vec::new(),
            wires: Wires::default(),
            sold: 0,
            _turn: turn,
        };
        for _ in 0..count {
            network.add_node();
        }
        network.connect();
        let all: Vec<usize> = (0..count).collect();
        network.restart(&all);
        network.expect_votes(&all);
        network
    }

    fn add_node(&mut self) {
        let number = self.nodes.len();
        let folder = self.dir.path().join(format!("node-{number}"));
        std::fs::create_dir(&folder).unwrap();
        let (http, p2p) = (free_port(), free_port());
        self.nodes.push(Validator {
            number,
            folder,
            http,
            p2p,
            process: None,
            log_start: 0,
        });
    }

    /// Every validator reaches every other one over wires that can be cut.
    fn connect(&mut self) {
        for node in &self.nodes {
            let others = || {
                self.nodes
                    .iter()
                    .filter(|other| other.number != node.number)
            };
            let wire = |port: fn(&Validator) -> u16| -> Vec<u16> {
                others()
                    .map(|other| self.wires.lay(node.number, other.number, port(other)))
                    .collect()
            };
            let config = self.config_text(
                node,
                &node.data(),
                &node.guard(),
                &wire(|n| n.http),
                &wire(|n| n.p2p),
            );
            std::fs::write(node.config(), config).unwrap();
        }
    }

    fn config_text(
        &self,
        node: &Validator,
        data: &Path,
        guard: &Path,
        http: &[u16],
        p2p: &[u16],
    ) -> String {
        let keys = self.dir.path().join("keys");
        let urls: Vec<String> = http
            .iter()
            .map(|port| format!("http://127.0.0.1:{port}"))
            .collect();
        let addresses: Vec<String> = p2p
            .iter()
            .map(|port| format!("/ip4/127.0.0.1/tcp/{port}"))
            .collect();
        format!(
            "data_dir = {data:?}\ngenesis_file = {:?}\n[validator]\nkeystore_file = {:?}\npassphrase_file = {:?}\n\
             guard_file = {guard:?}\n[http]\nlisten = \"127.0.0.1:{}\"\npeers = {urls:?}\n\
             [p2p]\nlisten = \"/ip4/127.0.0.1/tcp/{}\"\npeers = {addresses:?}\n[consensus]\nheartbeat_ms = {HEARTBEAT_MS}\n",
            self.dir.path().join("genesis.json"),
            keys.join(format!("validator-{}.json", node.number)),
            keys.join("passphrase"),
            node.http,
            node.p2p,
        )
    }

    pub fn node(&self, number: usize) -> &Validator {
        &self.nodes[number]
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// kill -9 of these.
    pub fn crash(&mut self, victims: &[usize]) {
        for victim in victims {
            self.nodes[*victim].kill();
        }
    }

    /// As an operator stops it: it closes its files.
    pub fn stop(&mut self, victim: usize) {
        let node = &mut self.nodes[victim];
        node.signal("-TERM");
        node.process.take().unwrap().wait().unwrap();
    }

    pub fn restart(&mut self, victims: &[usize]) {
        for victim in victims {
            self.nodes[*victim].kill();
            self.nodes[*victim].start();
        }
    }

    pub fn freeze(&self, victim: usize) {
        self.nodes[victim].signal("-STOP");
    }

    pub fn thaw(&self, victim: usize) {
        self.nodes[victim].signal("-CONT");
    }

    /// Nothing passes between the two sides.
    pub fn partition(&self, one: &[usize], other: &[usize]) {
        for from in one {
            for to in other {
                self.wires.cut(*from, *to);
                self.wires.cut(*to, *from);
            }
        }
    }

    /// Nothing that one sends arrives at the others; what they send does.
    pub fn silence(&self, from: usize, to: &[usize]) {
        to.iter().for_each(|to| self.wires.cut(from, *to));
    }

    pub fn heal(&self) {
        self.wires.heal();
    }

    /// Whatever one sends to another takes so long from now on.
    pub fn delay(&self, by: Duration) {
        self.wires.delay(by);
    }

    /// The height of who is furthest.
    pub fn height(&self) -> u64 {
        self.nodes.iter().map(Validator::height).max().unwrap_or(0)
    }

    fn wait_for(
        &mut self,
        what: &str,
        patience: Duration,
        mut done: impl FnMut(&mut Self) -> bool,
    ) {
        let deadline = Instant::now() + patience;
        while !done(self) {
            assert!(
                Instant::now() < deadline,
                "no {what} within {patience:?}: {}",
                self.states()
            );
            std::thread::sleep(POLL);
        }
    }

    /// What each says of itself, and last said in its log.
    fn states(&self) -> String {
        let state = |node: &Validator| {
            let log = node.log();
            let tail: Vec<&str> = log.lines().rev().take(5).collect();
            format!(
                "\nnode {}: {}\n  {}",
                node.number,
                node.get("/readyz"),
                tail.join("\n  ")
            )
        };
        self.nodes.iter().map(state).collect()
    }

    /// These have reached a height.
    pub fn expect_height(&mut self, who: &[usize], height: u64) {
        self.wait_for(&format!("height {height}"), PATIENCE, |network| {
            who.iter()
                .all(|number| network.node(*number).height() >= height)
        });
    }

    /// More than two thirds take part: there is a new height soon.
    pub fn expect_progress(&mut self) {
        let before = self.height();
        self.wait_for("new height", RECOVERY, |network| network.height() > before);
    }

    /// Less take part: there is none, whoever asks.
    pub fn expect_standstill(&self) {
        // What was under way may still be decided, and on a busy machine heard of late.
        std::thread::sleep(WATCH / 3);
        let stands = (0..STANDSTILL_TRIES).any(|_| {
            let before = self.height();
            assert!(before > 0);
            std::thread::sleep(WATCH);
            self.height() == before
        });
        assert!(
            stands,
            "heights are decided without two thirds, now {}",
            self.height()
        );
    }

    /// These vote, at the height of all others. One that has followed until it may vote is started again, as its
    /// supervisor would do.
    pub fn expect_votes(&mut self, who: &[usize]) {
        self.wait_for(&format!("votes of {who:?}"), PATIENCE, |network| {
            network.revive(who);
            let height = network.height();
            who.iter().all(|number| {
                network.node(*number).votes() && network.node(*number).height() + 1 >= height
            })
        });
    }

    /// It signs one more block than it has.
    pub fn expect_signature(&mut self, who: usize) {
        let signed = |network: &Self| {
            network.node(who).get("/readyz")["signed"]["signed"]
                .as_u64()
                .unwrap_or(0)
        };
        let before = signed(self);
        self.wait_for(&format!("signature of node {who}"), PATIENCE, |network| {
            signed(network) > before
        });
    }

    fn revive(&mut self, who: &[usize]) {
        for number in who {
            let node = &mut self.nodes[*number];
            if node.process.is_some() && node.has_ended() {
                assert!(
                    node.log().contains(FOLLOWED),
                    "node {number} ended: {}",
                    node.log()
                );
                let log_start = node.log_start;
                node.start();
                node.log_start = log_start;
            }
        }
    }

    /// It ends by itself and says this.
    pub fn expect_refusal(&mut self, who: usize, words: &str) {
        self.wait_for("end of the process", PATIENCE, |network| {
            network.nodes[who].has_ended()
        });
        let log = self.nodes[who].log();
        assert!(log.contains(words), "expected {words:?}, found {log}");
    }

    /// It says this.
    pub fn expect_log(&mut self, who: usize, words: &str) {
        self.wait_for(
            &format!("{words:?} in the log of node {who}"),
            PATIENCE,
            |network| network.node(who).log().contains(words),
        );
    }

    /// Sells so much through all validators, and waits for every acknowledgement.
    pub fn sell(&mut self, sales: u32) {
        let range = self.sold..self.sold + sales;
        self.sold = range.end;
        let all: Vec<u16> = self.nodes.iter().map(|node| node.http).collect();
        let report = self.import(&range, &all);
        assert_eq!(
            (&report["new"], &report["rejected"]),
            (&json!(sales), &json!(0)),
            "{report}"
        );
    }

    /// Each validator has every sale that was ever acknowledged, with the same content: sending it again says so.
    /// And all have the same blocks, and nobody saw a double signature.
    pub fn expect_nothing_lost(&mut self) {
        let all: Vec<usize> = (0..self.nodes.len()).collect();
        self.expect_votes(&all);
        for node in &self.nodes {
            let report = self.import(&(0..self.sold), &[node.http]);
            let expected = json!({"new": 0, "known": self.sold, "rejected": 0});
            assert_eq!(report, expected, "node {}", node.number);
        }
        self.expect_same_blocks();
        self.expect_no_double_signatures();
    }

    /// Whatever one has, all have, as far as each is: blocks under certificates, executed anew.
    pub fn expect_same_blocks(&self) {
        let urls = self
            .nodes
            .iter()
            .map(|node| format!("http://127.0.0.1:{}", node.http));
        let output = hotpot()
            .args(["verify", "--json"])
            .args(urls.flat_map(|url| ["--node".to_owned(), url]))
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let summary = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{summary}");
    }

    /// What the engines of all of them say of each other.
    pub fn expect_no_double_signatures(&self) {
        for node in &self.nodes {
            let log = node.whole_log();
            let seen = log
                .lines()
                .find(|line| line.contains("equivocation was seen"));
            assert_eq!(seen, None, "node {} saw a double signature", node.number);
        }
    }

    fn import(&self, orders: &Range<u32>, nodes: &[u16]) -> Value {
        let rows: String = orders
            .clone()
            .map(|order| format!("F{order},1,tea,Tea,,1,\"3,00\"\n"))
            .collect();
        let file = self.dir.path().join("orders.csv");
        std::fs::write(
            &file,
            format!("order,outlet,code,dish,note,pieces,price\n{rows}"),
        )
        .unwrap();
        self.write_network_file(nodes);
        let mut command = hotpot();
        command.arg("import").arg(&file).args([
            "--json",
            "--map",
            &example("georgia.toml"),
            "--data-dir",
        ]);
        let output = command
            .arg(self.dir.path())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What `hotpot import` reads; the parts of a whole system stand there with nothing behind them.
    fn write_network_file(&self, nodes: &[u16]) {
        let zero = "0x0000000000000000000000000000000000000000";
        let nodes: Vec<Value> = nodes
            .iter()
            .map(|port| json!({"http": format!("http://127.0.0.1:{port}")}))
            .collect();
        let none = json!({"http": ""});
        let file = json!({
            "sidechain_id": format!("0x{}", "0".repeat(64)),
            "evm_chain_id": 31337, "evm_rpc": "",
            "contracts": {"token": zero, "anchor": zero, "start_block": 0},
            "nodes": nodes, "relayer": none, "indexer": none, "gateway": none,
            "database_url_file": "",
        });
        std::fs::write(self.dir.path().join("network.json"), file.to_string()).unwrap();
    }

    /// A second process with a validator's key, from a copy of its folder; the guard is the one given.
    pub fn twin(&self, of: usize, guard: &Path) -> Validator {
        let original = &self.nodes[of];
        let folder = self.dir.path().join("twin");
        let (http, p2p) = (free_port(), free_port());
        let mut twin = Validator {
            number: of,
            folder,
            http,
            p2p,
            process: None,
            log_start: 0,
        };
        std::fs::create_dir(&twin.folder).unwrap();
        copy_folder(&original.data(), &twin.data());
        let others = || self.nodes.iter().filter(|other| other.number != of);
        let (urls, addresses): (Vec<u16>, Vec<u16>) =
            others().map(|other| (other.http, other.p2p)).unzip();
        std::fs::write(
            twin.config(),
            self.config_text(&twin, &twin.data(), guard, &urls, &addresses),
        )
        .unwrap();
        twin.start();
        twin
    }
}

impl Validator {
    /// Waits until it ends by itself; gives what it said.
    pub fn ended(mut self) -> String {
        let deadline = Instant::now() + PATIENCE;
        while !self.has_ended() {
            assert!(Instant::now() < deadline, "it runs on: {}", self.log());
            std::thread::sleep(POLL);
        }
        self.log()
    }
}

/// A folder with the files in it, and theirs.
pub fn copy_folder(from: &Path, to: &Path) {
    assert!(
        Command::new("cp")
            .arg("-a")
            .args([from, to])
            .status()
            .unwrap()
            .success()
    );
}
