//! Starts `hotpot up` and talks to it.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Networks at once: each has eight processes, which wait most of the time.
const PLACES: usize = 2;
static FREE_PLACES: Mutex<usize> = Mutex::new(PLACES);
static PLACE_BECAME_FREE: Condvar = Condvar::new();
/// Shown of each log when a test has failed.
const LINES_OF_A_LOG: usize = 12;
const PATIENCE: Duration = Duration::from_secs(180);

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

pub fn example(name: &str) -> String {
    repository()
        .join("examples")
        .join(name)
        .display()
        .to_string()
}

pub fn example_orders() -> Vec<String> {
    vec![
        "--sales".into(),
        example("georgia.csv"),
        "--map".into(),
        example("georgia.toml"),
    ]
}

pub fn hotpot() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotpot"));
    command.current_dir(repository());
    command
}

/// Who has it may run a network.
pub struct Turn {
    places: usize,
}

impl Turn {
    /// Beside one other network.
    pub fn take() -> Self {
        Self::of(1)
    }

    /// While no other network runs: for tests of how long something takes.
    pub fn alone() -> Self {
        Self::of(PLACES)
    }

    fn of(places: usize) -> Self {
        let free = FREE_PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = PLACE_BECAME_FREE
            .wait_while(free, |free| *free < places)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= places;
        Self { places }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *FREE_PLACES.lock().unwrap_or_else(PoisonError::into_inner) += self.places;
        PLACE_BECAME_FREE.notify_all();
    }
}

/// A folder for one network.
pub struct Folder {
    pub dir: TempDir,
    _turn: Turn,
}

impl Folder {
    pub fn new() -> Self {
        Self::with(Turn::take())
    }

    /// For a network beside which no other runs.
    pub fn alone() -> Self {
        Self::with(Turn::alone())
    }

    fn with(turn: Turn) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            _turn: turn,
        }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    fn up(&self, arguments: &[String]) -> Command {
        let mut command = hotpot();
        command
            .args([
                "up",
                "--json",
                "--free-ports",
                "--anvil-block-ms",
                "300",
                "--data-dir",
            ])
            .arg(self.path())
            .args(arguments);
        command
    }

    /// Runs until settled; gives the exit's success and the summary.
    pub fn settle(&self, arguments: &[String]) -> (bool, Value) {
        let output = self
            .up(arguments)
            .arg("--exit-when-settled")
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let last = text.lines().last().unwrap_or("null");
        (output.status.success(), serde_json::from_str(last).unwrap())
    }

    /// Starts a network and waits until it takes sales.
    pub fn start(&self, arguments: &[String]) -> Running<'_> {
        let out = std::fs::File::create(self.path().join("out.jsonl")).unwrap();
        let child = self.up(arguments).stdout(out).spawn().unwrap();
        let mut running = Running {
            folder: self,
            child,
        };
        let path = self.path().join("network.json");
        running.wait_for("network.json", || path.exists());
        running
    }
}

impl Drop for Folder {
    /// What every part said last, if the test failed: the folder goes away with it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let logs = std::fs::read_dir(self.path().join("logs"));
            logs.into_iter()
                .flatten()
                .flatten()
                .for_each(|log| print_end_of(&log.path()));
        }
    }
}

fn print_end_of(log: &Path) {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();

    eprintln!("--- the end of {}", log.display());
    for line in &lines[lines.len().saturating_sub(LINES_OF_A_LOG)..] {
        eprintln!("{line}");
    }
}

/// A network that runs; stopped like by Ctrl-C.
pub struct Running<'f> {
    pub folder: &'f Folder,
    child: Child,
}

impl Running<'_> {
    pub fn network(&self) -> Value {
        let text = std::fs::read_to_string(self.folder.path().join("network.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    pub fn wait_for(&mut self, what: &str, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < deadline, "no {what} within {PATIENCE:?}");
            assert!(
                self.child.try_wait().unwrap().is_none(),
                "hotpot up ended before {what}"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn node(&self, number: usize) -> String {
        self.network()["nodes"][number]["http"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.node(0));
        reqwest::blocking::get(url).unwrap().json().unwrap()
    }

    /// Status, media type and body of a POST.
    pub fn post(
        &self,
        path: &str,
        body: impl Into<reqwest::blocking::Body>,
    ) -> (u16, String, Value) {
        let client = reqwest::blocking::Client::new();
        let answer = client
            .post(format!("{}{path}", self.node(1)))
            .body(body)
            .send()
            .unwrap();
        let status = answer.status().as_u16();
        let media = answer
            .headers()
            .get("content-type")
            .map(|v| v.to_str().unwrap().to_owned());
        (
            status,
            media.unwrap_or_default(),
            answer.json().unwrap_or(Value::Null),
        )
    }

    pub fn rpc(&self, method: &str, params: Value) -> Value {
        let url = self.network()["evm_rpc"].as_str().unwrap().to_owned();
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer: Value = reqwest::blocking::Client::new()
            .post(url)
            .json(&body)
            .send()
            .unwrap()
            .json()
            .unwrap();
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The newest block of the EVM chain.
    pub fn evm_head(&self) -> u64 {
        let head = self.rpc("eth_blockNumber", json!([]));
        u64::from_str_radix(head.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }

    /// From here on anvil makes no block of its own.
    pub fn pause_evm(&self) {
        self.rpc("evm_setIntervalMining", json!([0]));
    }

    /// Replaces the last blocks of the EVM chain. A block that anvil makes in the middle of it doubles transactions, so
    /// it makes none meanwhile.
    pub fn reorganise(&self, depth: u64) {
        self.pause_evm();
        self.rpc("anvil_reorg", json!([depth, []]));
        self.rpc("evm_setIntervalMining", json!([1]));
    }

    pub fn pid(&self, pointer: &str) -> u64 {
        self.network()
            .pointer(pointer)
            .and_then(Value::as_u64)
            .unwrap_or(0)
    }

    /// Ends it without a chance to stop anything.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn stop(mut self) {
        self.interrupt();
    }

    fn interrupt(&mut self) {
        let _ = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_none() {
            self.interrupt();
        }
    }
}

/// Sends a signal, such as `-STOP`, to one process.
pub fn signal(name: &str, pid: u64) {
    assert_ne!(pid, 0);
    let sent = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Number of live processes that work in a folder.
pub fn processes_of(folder: &Path) -> usize {
    let needle = folder.display().to_string();
    let is_ours = |entry: &std::fs::DirEntry| {
        let command_line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command_line).contains(&needle)
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(is_ours)
        .count()
}
