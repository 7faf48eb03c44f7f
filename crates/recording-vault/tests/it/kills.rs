//! A real process that is killed with -9 again and again, at moments that chance chooses, while it records, uploads and
//! erases. The ledger is another process's: it hears what was sent and outlives the killed one.

use crate::actors::{NOON, block_store, consent, decrypt, guest, noise, open};
use axum::extract::{Path as UrlPath, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::B256;
use ipfs::{Backend, Cid};
use recording_vault::ledger::{EraseReport, Ledger, LedgerError, LedgerState, PinReport};
use recording_vault::{Backends, Stage, Vault, Worker, check_chain};
use serde_json::{Value, json};
use service_kit::config::environment_variable;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SEGMENTS: u64 = 500;
/// The child is told by these what to do.
const TASK: &str = "RECORDING_VAULT_TEST_TASK";
const DIR: &str = "RECORDING_VAULT_TEST_DIR";
const LEDGER: &str = "RECORDING_VAULT_TEST_LEDGER";

/// The content of a segment; a few have several blocks.
fn content(sequence: u64) -> Vec<u8> {
    let length = if sequence.is_multiple_of(50) {
        600_000
    } else {
        1_000 + (sequence * 137 % 9_000) as usize
    };
    noise(sequence + 1, length)
}

fn guest_of(sequence: u64) -> u8 {
    (sequence % 5) as u8 + 1
}

#[derive(Default)]
struct Books {
    /// CID → (manifest hash, how often it was written)
    pins: BTreeMap<String, (String, usize)>,
    erased: BTreeMap<String, usize>,
    heard: usize,
}

type Shared = Arc<Mutex<Books>>;

/// A ledger behind HTTP: idempotent by CID, slow at times.
async fn serve_ledger(books: Shared) -> String {
    async fn pin(State(books): State<Shared>, Json(pin): Json<Value>) -> Json<Value> {
        let cid = pin["cid"].as_str().unwrap().to_owned();
        let (known, heard) = {
            let mut books = books.lock().unwrap();
            books.heard += 1;
            (books.pins.contains_key(&cid), books.heard)
        };
        if !known {
            books
                .lock()
                .unwrap()
                .pins
                .entry(cid)
                .or_insert((pin["manifest_hash"].as_str().unwrap().to_owned(), 0))
                .1 += 1;
        }
        // It stands there; the answer takes its time.
        tokio::time::sleep(Duration::from_millis((heard % 7) as u64)).await;
        Json(json!({}))
    }
    async fn erase(State(books): State<Shared>, Json(erasure): Json<Value>) -> Json<Value> {
        *books
            .lock()
            .unwrap()
            .erased
            .entry(erasure["cid"].as_str().unwrap().to_owned())
            .or_insert(0) += 1;
        tokio::time::sleep(Duration::from_millis(3)).await;
        Json(json!({}))
    }
    async fn state(State(books): State<Shared>, UrlPath(cid): UrlPath<String>) -> Json<Value> {
        let books = books.lock().unwrap();
        Json(
            json!({"pinned": books.pins.get(&cid).map(|pin| &pin.0), "erased": books.erased.contains_key(&cid)}),
        )
    }
    let router = Router::new()
        .route("/pin", post(pin))
        .route("/erase", post(erase))
        .route("/state/{cid}", get(state))
        .with_state(books);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// The child's side of it.
struct Remote {
    http: reqwest::Client,
    url: String,
}

impl Remote {
    async fn post(&self, path: &str, body: Value) -> Result<(), LedgerError> {
        let sent = self
            .http
            .post(format!("{}{path}", self.url))
            .json(&body)
            .send()
            .await;
        sent.map(|_| ())
            .map_err(|error| LedgerError::Unreachable(error.to_string()))
    }
}

impl Ledger for Remote {
    async fn state(&self, cid: &Cid) -> Result<LedgerState, LedgerError> {
        let unreachable = |error: reqwest::Error| LedgerError::Unreachable(error.to_string());
        let answer = self
            .http
            .get(format!("{}/state/{cid}", self.url))
            .send()
            .await
            .map_err(unreachable)?;
        let answer: Value = answer.json().await.map_err(unreachable)?;
        if answer["erased"] == json!(true) {
            return Ok(LedgerState::Erased);
        }
        let pinned = answer["pinned"]
            .as_str()
            .map(|hash| hash.parse::<B256>().unwrap());
        Ok(
            pinned.map_or(LedgerState::Unknown, |manifest_hash| LedgerState::Pinned {
                manifest_hash,
            }),
        )
    }

    async fn pin(&self, report: &PinReport) -> Result<(), LedgerError> {
        self.post(
            "/pin",
            json!({"cid": report.cid, "manifest_hash": report.manifest_hash}),
        )
        .await
    }

    async fn erase(&self, report: &EraseReport) -> Result<(), LedgerError> {
        self.post("/erase", json!({"cid": report.cid})).await
    }
}

/// Not a test: the process that is killed. It ends when its task is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of the tests beside it"]
async fn child() {
    let (Some(task), Some(dir), Some(url)) = (
        environment_variable(TASK),
        environment_variable(DIR),
        environment_variable(LEDGER),
    ) else {
        return;
    };
    let dir = Path::new(&dir);
    let vault = open(dir);
    let backends = Backends::new(block_store(dir), Vec::new()).unwrap();
    let worker = Worker::new(
        Arc::clone(&vault),
        backends,
        Remote {
            http: reqwest::Client::new(),
            url,
        },
    );
    if task == "erase" {
        for number in [2, 4] {
            vault.revoke(consent(number), NOON).unwrap();
            println!("revoked {number}");
        }
    }
    let recording = (task == "record").then(|| {
        let vault = Arc::clone(&vault);
        std::thread::spawn(move || record(&vault))
    });
    loop {
        let progress = worker.step(NOON).await;
        let idle = progress == Default::default();
        let recorded = recording.as_ref().is_none_or(|thread| thread.is_finished());
        if idle && recorded && vault.waiting().unwrap() == (0, 0) {
            println!("complete");
            return;
        }
        if idle {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

fn record(vault: &Vault) {
    loop {
        let sequence = vault.recordings(4).unwrap().len() as u64;
        if sequence == SEGMENTS {
            return;
        }
        let bytes = content(sequence);
        let signed = vault.accept(&guest(&bytes, guest_of(sequence))).unwrap();
        assert_eq!(signed.manifest.capture.sequence, sequence);
        println!("accepted {}", signed.manifest.cid);
    }
}

/// Runs the child until it completes, killing it every now and then. Gives how often, and what it said it accepted.
fn run_and_kill(
    task: &str,
    dir: &Path,
    url: &str,
    pause_ms: std::ops::Range<u64>,
    seed: u64,
) -> (usize, BTreeSet<Cid>) {
    let (mut kills, mut accepted, mut seed) = (0, BTreeSet::new(), seed);
    let deadline = Instant::now() + Duration::from_secs(420);
    loop {
        assert!(
            Instant::now() < deadline,
            "killed {kills} times, accepted {}",
            accepted.len()
        );
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kills::child", "--ignored", "--nocapture"])
            .env(TASK, task)
            .env(DIR, dir)
            .env(LEDGER, url)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (said, heard) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .inspect(|line| drop(said.send(line.clone())))
                .collect::<Vec<String>>()
        });
        let mut chance = |below: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        // By what it did rather than by time alone: a fast machine is killed as often as a slow one.
        let (mut left, until) = (
            chance(20),
            Instant::now() + Duration::from_millis(pause_ms.start + chance(pause_ms.end)),
        );
        while left > 0 && Instant::now() < until && child.try_wait().unwrap().is_none() {
            let accepted = heard
                .recv_timeout(Duration::from_millis(2))
                .is_ok_and(|line| line.contains("accepted "));
            left -= u64::from(accepted);
        }
        std::thread::sleep(Duration::from_micros(chance(8_000)));
        let ended = child.try_wait().unwrap();
        if ended.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        let lines = reader.join().unwrap();
        accepted.extend(
            lines
                .iter()
                .filter_map(|line| line.split("accepted ").nth(1))
                .filter_map(|cid| cid.parse::<Cid>().ok()),
        );
        if let Some(status) = ended {
            assert!(
                status.success() && lines.iter().any(|line| line.contains("complete")),
                "{lines:?}"
            );
            return (kills, accepted);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_segments_survive_kills_each_pinned_and_reported_once() {
    let dir = tempfile::tempdir().unwrap();
    let books = Shared::default();
    let url = serve_ledger(Arc::clone(&books)).await;
    let path = dir.path().to_owned();
    let at = url.clone();
    let killed =
        tokio::task::spawn_blocking(move || run_and_kill("record", &path, &at, 300..700, 11));
    let (kills, accepted) = killed.await.unwrap();

    let vault = open(dir.path());
    let records = vault.recordings(4).unwrap();
    assert_eq!(records.len() as u64, SEGMENTS);
    check_chain(records.iter().map(|record| &record.signed.manifest)).unwrap();
    assert!(records.iter().all(|record| record.stage == Stage::Done));
    assert_eq!(vault.waiting().unwrap(), (0, 0));
    let Backend::BuiltIn(store) = block_store(dir.path()) else {
        unreachable!()
    };
    let cids: BTreeSet<Cid> = records.iter().map(|record| record.cid()).collect();
    assert!(
        cids.is_superset(&accepted),
        "something that was accepted is not there"
    );
    assert_eq!(
        store.pins().unwrap(),
        cids,
        "something else is pinned, or something is not"
    );
    for (sequence, record) in records.iter().enumerate() {
        let sealed = store.read(&record.cid(), 1 << 20).unwrap();
        let opened = decrypt(&vault, &record.cid(), &sealed).unwrap();
        assert_eq!(
            opened.as_slice(),
            content(sequence as u64).as_slice(),
            "segment {sequence}"
        );
    }
    let books = books.lock().unwrap();
    assert_eq!(books.pins.len() as u64, SEGMENTS);
    assert!(books.pins.values().all(|(_, times)| *times == 1));
    for record in &records {
        assert_eq!(
            books.pins[&record.cid().to_string()].0,
            record.signed.manifest.hash().to_string()
        );
    }
    println!(
        "{kills} kills; the ledger heard {} reports of {SEGMENTS} recordings; {} accepts were seen",
        books.heard,
        accepted.len()
    );
    assert!(kills >= 20, "only {kills} kills: this shows little");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasures_survive_kills() {
    const COUNT: u64 = 60;
    let dir = tempfile::tempdir().unwrap();
    let books = Shared::default();
    let url = serve_ledger(Arc::clone(&books)).await;
    let (mut copies, vault) = (BTreeMap::new(), open(dir.path()));
    {
        let store = block_store(dir.path());
        let backends = Backends::new(store.clone(), Vec::new()).unwrap();
        let remote = Remote {
            http: reqwest::Client::new(),
            url: url.clone(),
        };
        let worker = Worker::new(Arc::clone(&vault), backends, remote);
        for sequence in 0..COUNT {
            let bytes = content(sequence);
            let cid = vault
                .accept(&guest(&bytes, guest_of(sequence)))
                .unwrap()
                .manifest
                .cid;
            copies.insert(cid, (sequence, Vec::new()));
        }
        worker.step(NOON).await;
        for (cid, (_, copy)) in &mut copies {
            *copy = store.read(cid, 1 << 20).await.unwrap();
        }
    }
    drop(vault);
    let path = dir.path().to_owned();
    let (kills, _) =
        tokio::task::spawn_blocking(move || run_and_kill("erase", &path, &url, 15..120, 5))
            .await
            .unwrap();
    let vault = open(dir.path());
    let Backend::BuiltIn(store) = block_store(dir.path()) else {
        unreachable!()
    };
    let books = books.lock().unwrap();
    for (cid, (sequence, copy)) in &copies {
        let gone = [2, 4].contains(&guest_of(*sequence));
        assert_eq!(
            vault.tombstone(cid).unwrap().is_some(),
            gone,
            "segment {sequence}"
        );
        assert_eq!(store.is_pinned(cid) || store.has(cid), !gone);
        assert_eq!(books.erased.contains_key(&cid.to_string()), gone);
        assert_eq!(decrypt(&vault, cid, copy).is_err(), gone);
    }
    let keys = crate::actors::files(&dir.path().join("keys"));
    let left: Vec<_> = keys
        .iter()
        .filter(|path| path.extension().is_some_and(|kind| kind == "key"))
        .collect();
    assert_eq!(left.len(), 3, "{left:?}");
    println!("{kills} kills; {} erasures", books.erased.len());
}
