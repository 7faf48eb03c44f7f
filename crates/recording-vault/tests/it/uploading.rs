//! From the spool to the ledger, with backends and ledgers that fail.

use crate::actors::{NOON, Paper, block_store, decrypt, guest, noise, open, worker};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use ipfs::{Backend, Kubo, PinState, PinningService};
use recording_vault::ledger::LedgerError;
use recording_vault::{Backends, Stage, VaultError};
use serde_json::{Value, json};
use service_kit::Secret;
use std::sync::{Arc, Mutex};

fn stages(vault: &recording_vault::Vault) -> Vec<Stage> {
    vault
        .recordings(4)
        .unwrap()
        .into_iter()
        .map(|record| record.stage)
        .collect()
}

#[tokio::test]
async fn every_recording_reaches_the_ledger_once() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, store, ledger) = (open(dir.path()), block_store(dir.path()), Paper::default());
    let mut accepted = Vec::new();
    for seed in 0..5 {
        let bytes = noise(seed, 400_000);
        accepted.push((vault.accept(&guest(&bytes, 1)).unwrap().manifest, bytes));
    }
    let worker = worker(&vault, store.clone(), Vec::new(), &ledger);
    let progress = worker.step(NOON).await;
    assert_eq!(
        (progress.moved, progress.done, progress.held_up),
        (5, 5, Vec::new())
    );
    assert_eq!(vault.waiting().unwrap(), (0, 0));
    assert_eq!(worker.step(NOON).await, Default::default());
    let books = ledger.0.lock().unwrap();
    assert_eq!((books.pins.len(), books.heard), (5, 5));
    for (manifest, bytes) in accepted {
        let pin = &books.pins[&manifest.cid];
        assert_eq!(
            (pin.manifest_hash, pin.sequence),
            (manifest.hash(), manifest.capture.sequence)
        );
        let Backend::BuiltIn(store) = &store else {
            unreachable!()
        };
        let sealed = store.read(&manifest.cid, 1 << 20).unwrap();
        assert_eq!(
            decrypt(&vault, &manifest.cid, &sealed).unwrap().as_slice(),
            bytes
        );
    }
}

#[tokio::test]
async fn days_without_a_node_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, ledger) = (open(dir.path()), Paper::default());
    for seed in 0..20 {
        vault.accept(&guest(&noise(seed, 5_000), 1)).unwrap();
    }
    let nobody = Kubo::new(
        &format!("http://127.0.0.1:{}", local_services::free_port().unwrap()),
        None,
    )
    .unwrap();
    let progress = worker(&vault, Backend::Kubo(nobody), Vec::new(), &ledger)
        .step(NOON)
        .await;
    assert_eq!(
        (progress.moved, progress.held_up.len()),
        (0, 1),
        "{progress:?}"
    );
    assert!(progress.held_up[0].contains("no answer"), "{progress:?}");
    let store = block_store(dir.path());
    // The ledger is away now; what was pinned stays pinned.
    ledger.0.lock().unwrap().faults = vec![LedgerError::Unreachable("no node".into()); 1];
    let worker = worker(&vault, store, Vec::new(), &ledger);
    assert_eq!(worker.step(NOON).await.held_up.len(), 1);
    assert_eq!(stages(&vault)[0], Stage::Pinned);
    ledger.0.lock().unwrap().faults = vec![LedgerError::NotAllowed("not enrolled".into())];
    assert!(worker.step(NOON).await.held_up[0].contains("not enrolled"));
    let progress = worker.step(NOON).await;
    assert_eq!((progress.done, vault.waiting().unwrap()), (20, (0, 0)));
    assert_eq!(ledger.0.lock().unwrap().heard, 20);
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_not_reported_again() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, ledger) = (open(dir.path()), Paper::default());
    vault.accept(&guest(&noise(1, 5_000), 1)).unwrap();
    ledger.0.lock().unwrap().lost_answers = 1;
    let worker = worker(&vault, block_store(dir.path()), Vec::new(), &ledger);
    assert_eq!(worker.step(NOON).await.done, 0);
    assert_eq!(worker.step(NOON).await.done, 1);
    assert_eq!(ledger.0.lock().unwrap().heard, 1);
}

#[tokio::test]
async fn what_the_ledger_refuses_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, store, ledger) = (open(dir.path()), block_store(dir.path()), Paper::default());
    let cids: Vec<ipfs::Cid> = (0..3)
        .map(|seed| {
            vault
                .accept(&guest(&noise(seed, 5_000), 1))
                .unwrap()
                .manifest
                .cid
        })
        .collect();
    ledger.0.lock().unwrap().faults = vec![LedgerError::Refused("the consent is revoked".into())];
    let worker = worker(&vault, store.clone(), Vec::new(), &ledger);
    let progress = worker.step(NOON).await;
    assert_eq!((progress.refused, progress.done), (1, 2), "{progress:?}");
    assert_eq!(worker.step(NOON).await.erased, 1);
    assert_eq!(store.state(&cids[0]).await.unwrap(), PinState::Absent);
    assert!(vault.tombstone(&cids[0]).unwrap().is_some());
    assert!(matches!(
        vault.record(&cids[0]),
        Err(VaultError::Erased { .. })
    ));
    assert_eq!(ledger.0.lock().unwrap().pins.len(), 2);
}

/// A pinning service whose requests all have the status that is set.
async fn pinning_service() -> (Backend, Arc<Mutex<(Vec<String>, &'static str)>>) {
    type Shared = Arc<Mutex<(Vec<String>, &'static str)>>;
    fn object(cid: &str, status: &str) -> Value {
        json!({"requestid": cid, "status": status, "created": "2026-11-27T10:00:00Z", "pin": {"cid": cid}, "delegates": []})
    }
    async fn list(State(shared): State<Shared>) -> Json<Value> {
        let shared = shared.lock().unwrap();
        let results: Vec<Value> = shared.0.iter().map(|cid| object(cid, shared.1)).collect();
        Json(json!({"count": results.len(), "results": results}))
    }
    async fn ask(State(shared): State<Shared>, Json(pin): Json<Value>) -> impl IntoResponse {
        let cid = pin["cid"].as_str().unwrap().to_owned();
        let mut shared = shared.lock().unwrap();
        shared.0.push(cid.clone());
        (StatusCode::ACCEPTED, Json(object(&cid, shared.1)))
    }
    let shared: Shared = Arc::new(Mutex::new((Vec::new(), "queued")));
    let router = Router::new()
        .route("/pins", get(list).post(ask))
        .with_state(Arc::clone(&shared));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (
        Backend::PinningService(
            PinningService::new(&url, Secret::new("token"), Vec::new()).unwrap(),
        ),
        shared,
    )
}

#[tokio::test]
async fn the_ledger_hears_of_it_when_every_backend_says_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, ledger) = (open(dir.path()), Paper::default());
    let (service, shared) = pinning_service().await;
    let manifests: Vec<_> = (0..3)
        .map(|seed| vault.accept(&guest(&noise(seed, 5_000), 1)).unwrap())
        .collect();
    let worker = worker(&vault, block_store(dir.path()), vec![service], &ledger);
    for status in ["queued", "pinning", "failed"] {
        shared.lock().unwrap().1 = status;
        worker.step(NOON).await;
        assert_eq!(ledger.0.lock().unwrap().heard, 0, "{status}");
    }
    assert_eq!(stages(&vault), [Stage::Added; 3]);
    shared.lock().unwrap().1 = "pinned";
    assert_eq!(worker.step(NOON).await.done, manifests.len());
    assert_eq!(ledger.0.lock().unwrap().heard, 3);
}

#[tokio::test]
async fn a_backend_that_forgot_is_given_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, store, ledger) = (open(dir.path()), block_store(dir.path()), Paper::default());
    let (service, shared) = pinning_service().await;
    let cid = vault
        .accept(&guest(&noise(1, 5_000), 1))
        .unwrap()
        .manifest
        .cid;
    let worker = worker(&vault, store.clone(), vec![service], &ledger);
    worker.step(NOON).await;
    assert_eq!(stages(&vault), [Stage::Added]);
    store.release(&cid).await.unwrap();
    store.collect_garbage().await.unwrap();
    shared.lock().unwrap().1 = "pinned";
    worker.step(NOON).await;
    assert_eq!(store.state(&cid).await.unwrap(), PinState::Pinned);
    worker.step(NOON).await;
    assert_eq!(stages(&vault), [Stage::Done]);
}

#[tokio::test]
async fn a_service_that_takes_names_only_cannot_be_the_first() {
    let (service, _) = pinning_service().await;
    assert!(matches!(
        Backends::new(service, Vec::new()),
        Err(VaultError::FirstBackend { .. })
    ));
}

/// Where `setup_kubo` of scripts/lib/common.sh puts the program.
fn programs() -> Vec<std::path::PathBuf> {
    let home = service_kit::config::environment_variable("HOME");
    home.map(|home| std::path::PathBuf::from(home).join(".cache/hotpot/bin"))
        .into_iter()
        .collect()
}

#[tokio::test]
async fn a_real_kubo_keeps_recordings_and_forgets_them() {
    let dir = tempfile::tempdir().unwrap();
    let port = local_services::free_port().unwrap();
    let options = local_services::KuboOptions {
        dir: dir.path().join("kubo"),
        port,
        programs: programs(),
    };
    if options.program().is_none() {
        println!("SKIPPED: Kubo is not here; setup_kubo of scripts/lib/common.sh builds it");
        return;
    }
    let node = local_services::Kubo::start(&options).await.unwrap();
    let kubo = Kubo::new(&node.url(), None).unwrap();
    let (vault, ledger) = (open(dir.path()), Paper::default());
    let bytes: Vec<Vec<u8>> = (0..10).map(|seed| noise(seed, 750_000)).collect();
    let cids: Vec<ipfs::Cid> = (0..10)
        .map(|number| {
            vault
                .accept(&guest(&bytes[number], number as u8 % 2 + 1))
                .unwrap()
                .manifest
                .cid
        })
        .collect();
    let worker = worker(
        &vault,
        Backend::Kubo(kubo.clone()),
        vec![block_store(dir.path())],
        &ledger,
    );
    let progress = worker.step(NOON).await;
    assert_eq!((progress.done, &progress.held_up), (10, &Vec::new()));
    for (cid, bytes) in cids.iter().zip(&bytes) {
        assert_eq!(
            decrypt(&vault, cid, &kubo.cat(cid, 1 << 20).await.unwrap())
                .unwrap()
                .as_slice(),
            bytes.as_slice()
        );
    }
    vault.revoke(crate::actors::consent(1), NOON).unwrap();
    assert_eq!(worker.step(NOON).await.erased, 5);
    for (number, cid) in cids.iter().enumerate() {
        assert_eq!(kubo.has(cid).await.unwrap(), number % 2 == 1);
        assert_eq!(kubo.is_pinned(cid).await.unwrap(), number % 2 == 1);
    }
    node.stop().await.unwrap();
}
