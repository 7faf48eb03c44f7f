//! Revocation, retention, requests: what is gone, and that nobody brings it back.

use crate::actors::{
    NOON, Paper, block_store, consent, decrypt, files, guest, kitchen, lies_in, noise, open,
    settings, worker,
};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use ipfs::{Backend, Cid, PinState};
use recording_vault::ledger::LedgerError;
use recording_vault::{KeyName, Reason, Segment, Vault, VaultError};
use std::path::Path;
use std::sync::Arc;

const DAY: u64 = 86_400_000;

async fn sealed(store: &Backend, cid: &Cid) -> Vec<u8> {
    store.read(cid, 1 << 20).await.unwrap()
}

fn key_file(dir: &Path, name: KeyName) -> std::path::PathBuf {
    dir.join("keys").join(format!("{name}.key"))
}

#[tokio::test]
async fn a_revoked_consent_leaves_nothing_that_opens() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, store, ledger) = (open(dir.path()), block_store(dir.path()), Paper::default());
    let bytes: Vec<Vec<u8>> = (0..4).map(|seed| noise(seed, 300_000)).collect();
    let cids: Vec<Cid> = bytes[..3]
        .iter()
        .map(|b| vault.accept(&guest(b, 1)).unwrap().manifest.cid)
        .collect();
    let other = vault.accept(&guest(&bytes[3], 2)).unwrap().manifest.cid;
    let worker = worker(&vault, store.clone(), Vec::new(), &ledger);
    worker.step(NOON).await;
    // Somebody keeps a copy of the ciphertext, as anybody on IPFS may.
    let mut copies = Vec::new();
    for cid in &cids {
        copies.push(sealed(&store, cid).await);
    }
    let key = key_file(
        dir.path(),
        KeyName::Consent {
            consent: consent(1),
        },
    );
    let wrapped = std::fs::read(&key).unwrap();
    let late = vault.accept(&guest(&bytes[0], 1)).unwrap().manifest.cid;

    assert_eq!(vault.revoke(consent(1), NOON).unwrap(), 4);
    assert!(!key.exists() && key.with_extension("gone").exists());
    assert!(matches!(
        vault.accept(&guest(&bytes[0], 1)),
        Err(VaultError::Revoked { .. })
    ));
    for (cid, copy) in cids.iter().zip(&copies) {
        assert!(matches!(
            decrypt(&vault, cid, copy),
            Err(VaultError::Erased { .. })
        ));
    }
    assert_eq!(worker.step(NOON).await.erased, 4);
    for cid in &cids {
        assert_eq!(store.state(cid).await.unwrap(), PinState::Absent);
        assert!(store.read(cid, 1 << 20).await.is_err());
        assert_eq!(ledger.0.lock().unwrap().erased[cid], Reason::Revoked as u8);
        assert_eq!(
            vault.tombstone(cid).unwrap().unwrap().reason,
            Reason::Revoked
        );
    }
    // What was never reported is not on the ledger, and its ciphertext is gone from the spool.
    assert!(!ledger.0.lock().unwrap().pins.contains_key(&late));
    assert_eq!(
        lies_in(&dir.path().join("vault/spool"), &wrapped[8..40]),
        None
    );
    // The wrapped key and the salts lie nowhere, nor does anything in clear.
    for secret in [
        &wrapped[32..64],
        &wrapped[80..112],
        &bytes[0][100_000..100_032],
    ] {
        assert_eq!(lies_in(dir.path(), secret), None);
    }
    // The other guest's recording is untouched.
    assert_eq!(
        decrypt(&vault, &other, &sealed(&store, &other).await)
            .unwrap()
            .as_slice(),
        bytes[3].as_slice()
    );
    drop((vault, worker));
    let vault = open(dir.path());
    assert!(matches!(
        decrypt(&vault, &cids[0], &copies[0]),
        Err(VaultError::Erased { .. })
    ));
    assert!(matches!(
        vault.accept(&guest(&bytes[0], 1)),
        Err(VaultError::Revoked { .. })
    ));
}

/// Who has the whole machine, the passphrase and every copy of the ciphertext still lacks what was overwritten.
#[tokio::test]
async fn erased_means_unreadable_even_with_the_master_key() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, store, ledger) = (open(dir.path()), block_store(dir.path()), Paper::default());
    let bytes = noise(1, 50_000);
    let [gone, kept] = [
        vault.accept(&guest(&bytes, 1)).unwrap(),
        vault.accept(&guest(&bytes, 1)).unwrap(),
    ];
    let worker = worker(&vault, store.clone(), Vec::new(), &ledger);
    worker.step(NOON).await;
    let copies = [
        sealed(&store, &gone.manifest.cid).await,
        sealed(&store, &kept.manifest.cid).await,
    ];
    vault
        .erase(&gone.manifest.cid, Reason::Request, NOON)
        .unwrap();
    worker.step(NOON).await;
    // The attacker's own program: unwraps the consent's key with the master key, tries every salt that is left.
    let master: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("keys/master.json")).unwrap())
            .unwrap();
    let salt = hex::decode(master["salt"].as_str().unwrap()).unwrap();
    let mut master_key = [0u8; 32];
    hkdf::Hkdf::<sha2::Sha256>::new(Some(&salt), &[8; 32])
        .expand(b"HotPot recording vault master 1", &mut master_key)
        .unwrap();
    let name = KeyName::Consent {
        consent: consent(1),
    };
    let file = std::fs::read(key_file(dir.path(), name)).unwrap();
    let label = name.to_string();
    let payload = Payload {
        msg: &file[32..80],
        aad: label.as_bytes(),
    };
    let shared = XChaCha20Poly1305::new(&master_key.into())
        .decrypt(XNonce::from_slice(&file[8..32]), payload)
        .unwrap();
    let shared = zeroize::Zeroizing::new(<[u8; 32]>::try_from(shared).unwrap());
    let opens = |signed: &recording_vault::SignedManifest, copy: &[u8]| {
        let capture = &signed.manifest.capture;
        file[80..].chunks_exact(32).any(|salt| {
            let salt = zeroize::Zeroizing::new(<[u8; 32]>::try_from(salt).unwrap());
            let key = recording_vault::core::envelope::segment_key(&shared, &salt, capture.hash());
            recording_vault::core::envelope::open(&key, capture.hash(), capture.sequence, copy)
                .is_ok()
        })
    };
    assert!(!opens(&gone, &copies[0]));
    assert!(
        opens(&kept, &copies[1]),
        "the attack works where nothing was erased"
    );
    assert_eq!(
        decrypt(&vault, &kept.manifest.cid, &copies[1])
            .unwrap()
            .as_slice(),
        bytes.as_slice()
    );
}

#[tokio::test]
async fn a_revocation_that_fails_halfway_is_finished_later() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, ledger, bytes) = (open(dir.path()), Paper::default(), noise(1, 9_000));
    let cid = vault.accept(&guest(&bytes, 1)).unwrap().manifest.cid;
    let worker = worker(&vault, block_store(dir.path()), Vec::new(), &ledger);
    assert_eq!(worker.step(NOON).await.done, 1);
    // The disk of the keys is away for a while.
    let key = key_file(
        dir.path(),
        KeyName::Consent {
            consent: consent(1),
        },
    );
    let (keys, away) = (dir.path().join("keys"), dir.path().join("away"));
    std::fs::rename(&keys, &away).unwrap();
    vault.revoke(consent(1), NOON).unwrap_err();
    let progress = worker.step(NOON).await;
    assert_eq!(
        (progress.erased, progress.held_up.len()),
        (0, 1),
        "{progress:?}"
    );
    std::fs::rename(&away, &keys).unwrap();
    assert!(key.exists());
    assert_eq!(worker.step(NOON).await.erased, 1);
    assert!(!key.exists());
    assert!(vault.tombstone(&cid).unwrap().is_some());
}

#[tokio::test]
async fn what_was_shared_goes_with_whoever_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, bytes) = (open(dir.path()), noise(1, 9_000));
    let at = |minute: u64| Segment {
        started_at_ms: NOON + minute * 60_000,
        ended_at_ms: NOON + (minute + 1) * 60_000,
        ..guest(&bytes, 1)
    };
    let cids: Vec<Cid> = (0..4)
        .map(|minute| vault.accept(&at(minute)).unwrap().manifest.cid)
        .collect();
    let (from, to) = (NOON + 90_000, NOON + 150_000);
    assert_eq!(vault.erase_shared(at(0).camera, from, to, to).unwrap(), 2);
    assert_eq!(
        vault.erase_shared(at(0).camera, from, to, to).unwrap(),
        0,
        "once is enough"
    );
    for (minute, cid) in cids.iter().enumerate() {
        assert_eq!(
            vault.record(cid).is_err(),
            minute == 1 || minute == 2,
            "minute {minute}"
        );
    }
    // What was in the making meanwhile is not taken; what begins later is.
    assert!(matches!(
        vault.accept(&at(2)),
        Err(VaultError::Revoked { .. })
    ));
    vault.accept(&at(4)).unwrap();
    let kitchen = vault
        .accept(&kitchen(&bytes, NOON + 100_000))
        .unwrap()
        .manifest;
    assert_eq!(
        vault
            .erase_shared(kitchen.capture.camera, from, to, to)
            .unwrap(),
        0,
        "kitchens have no guests"
    );
}

#[tokio::test]
async fn a_day_is_erased_when_its_time_is_over_and_not_before() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, store, ledger) = (open(dir.path()), block_store(dir.path()), Paper::default());
    let today = vault
        .accept(&kitchen(&noise(1, 5_000), NOON))
        .unwrap()
        .manifest;
    let tomorrow = vault
        .accept(&kitchen(&noise(2, 5_000), NOON + DAY))
        .unwrap()
        .manifest;
    let worker = worker(&vault, store.clone(), Vec::new(), &ledger);
    worker.step(NOON + DAY).await;
    let over = today.capture.keep_until_ms;
    assert_eq!(over, NOON - DAY / 2 + 3 * DAY);
    assert_eq!(worker.step(over - 1).await, Default::default());
    let copy = sealed(&store, &today.cid).await;
    assert!(decrypt(&vault, &today.cid, &copy).is_ok());
    assert_eq!(worker.step(over).await.erased, 1);
    assert!(decrypt(&vault, &today.cid, &copy).is_err());
    assert_eq!(
        ledger.0.lock().unwrap().erased[&today.cid],
        Reason::Retention as u8
    );
    assert!(decrypt(&vault, &tomorrow.cid, &sealed(&store, &tomorrow.cid).await).is_ok());
    // Nothing is recorded into a day whose key was destroyed.
    assert!(matches!(
        vault.accept(&kitchen(&noise(3, 100), NOON)),
        Err(VaultError::KeyGone { .. })
    ));
    // One key is left: tomorrow's.
    assert_eq!(
        files(&dir.path().join("keys"))
            .iter()
            .filter(|path| path.extension().is_some_and(|e| e == "key"))
            .count(),
        1
    );
}

#[tokio::test]
async fn an_erasure_waits_for_who_is_away_but_the_key_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let (vault, ledger) = (open(dir.path()), Paper::default());
    let store = block_store(dir.path());
    let cid = vault
        .accept(&guest(&noise(1, 5_000), 1))
        .unwrap()
        .manifest
        .cid;
    worker(&vault, store.clone(), Vec::new(), &ledger)
        .step(NOON)
        .await;
    let copy = sealed(&store, &cid).await;
    vault.erase(&cid, Reason::Request, NOON).unwrap();
    // A second place that does not answer.
    let nobody = ipfs::Kubo::new(
        &format!("http://127.0.0.1:{}", local_services::free_port().unwrap()),
        None,
    )
    .unwrap();
    let progress = worker(&vault, store.clone(), vec![Backend::Kubo(nobody)], &ledger)
        .step(NOON)
        .await;
    assert_eq!(
        (progress.erased, progress.held_up.len()),
        (0, 1),
        "{progress:?}"
    );
    assert!(decrypt(&vault, &cid, &copy).is_err());
    assert_eq!(store.state(&cid).await.unwrap(), PinState::Absent);
    // A new start; the ledger is away, then loses its answer, then has it.
    drop(vault);
    let vault = open(dir.path());
    ledger.0.lock().unwrap().faults = vec![LedgerError::Unreachable("no node".into())];
    ledger.0.lock().unwrap().lost_answers = 1;
    let worker = worker(&vault, store, Vec::new(), &ledger);
    assert_eq!(worker.step(NOON).await.erased, 0);
    assert_eq!(worker.step(NOON).await.erased, 0);
    assert_eq!(worker.step(NOON).await.erased, 1);
    assert_eq!(worker.step(NOON).await, Default::default());
    assert_eq!(ledger.0.lock().unwrap().erased.len(), 1);
}

#[test]
fn a_destruction_that_a_crash_stopped_is_finished_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let vault = open(dir.path());
    vault.accept(&guest(&noise(1, 5_000), 1)).unwrap();
    drop(vault);
    // Killed between the tombstone and the overwriting.
    let key = key_file(
        dir.path(),
        KeyName::Consent {
            consent: consent(1),
        },
    );
    std::fs::write(key.with_extension("gone"), b"").unwrap();
    let vault: Arc<Vault> = open(dir.path());
    assert!(!key.exists());
    assert!(matches!(
        vault.accept(&guest(&noise(2, 5_000), 1)),
        Err(VaultError::KeyGone { .. })
    ));
    assert!(settings(dir.path()).keys_dir.exists());
}
