//! From the camera to the ledger and back: a real validator, the built-in block store, real keys.

use crate::chain::{Chain, KITCHEN, Running, TABLE, key};
use crate::world::{PATIENCE, now_ms};
use domain::crypto::address_of_secret;
use domain::recording::EraseReason;
use domain::transaction::{EraseRecording, RevokeConsent, RevokeTerminal};
use domain::{Payload, TerminalKind};
use recording_vault::{Agent as Signer, MasterSecret, Settings, Vault};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use video_agent::Recordings;

/// The agent's block store by its files: the agent itself has it open.
fn block(folder: &Path, cid: &ipfs::Cid) -> Option<PathBuf> {
    let name = cid.to_string();
    let mut paths = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    paths.find_map(|path| {
        if path.is_dir() {
            block(&path, cid)
        } else {
            path.ends_with(&name).then_some(path)
        }
    })
}

fn is_stored(chain: &Chain, cid: &ipfs::Cid) -> bool {
    block(&chain.path("blocks/blocks"), cid).is_some()
}

/// Of a segment of one block, as all of these small ones are.
fn stored(chain: &Chain, cid: &ipfs::Cid) -> Vec<u8> {
    let content = std::fs::read(block(&chain.path("blocks/blocks"), cid).unwrap()).unwrap();
    assert_eq!(ipfs::unixfs::cid_of(&content), *cid);
    content
}

fn cid(shown: &Value) -> ipfs::Cid {
    shown["cid"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_camera_records_stands_on_the_ledger_once_the_agent_is_enrolled() {
    let chain = Chain::start().await;
    let basis = chain.basis().await;
    let agent = Running::start(chain.agent_config()).await;
    // Nobody has enrolled the agent: what it records waits, and is not lost.
    let waiting = agent.until(KITCHEN, "pinned", 1).await;
    assert_eq!(
        chain
            .node
            .recording(waiting[0]["cid"].as_str().unwrap().parse().unwrap())
            .await
            .unwrap(),
        None
    );
    chain
        .enrol(address_of_secret(&chain.agent), TerminalKind::VideoAgent)
        .await;
    let done = agent.until(KITCHEN, "done", 3).await;
    for shown in &done {
        let stands = chain.stands(shown).await;
        assert_eq!(
            (stands.outlet, stands.camera, stands.consent),
            (1, KITCHEN, basis)
        );
        assert_eq!(
            (stands.sequence, stands.agent),
            (
                shown["sequence"].as_u64().unwrap(),
                address_of_secret(&chain.agent)
            )
        );
        assert_eq!(
            stands.manifest_hash.to_string(),
            shown["manifest_hash"].as_str().unwrap()
        );
        assert_eq!(stands.erased, None);
        let sealed = stored(&chain, &cid(shown));
        assert!(
            !sealed
                .windows(4)
                .any(|window| window == b"moof" || window == b"ftyp"),
            "it is a film in clear"
        );
    }
    assert!(
        agent.recordings(TABLE).await.is_empty(),
        "nobody consented at the table"
    );
    agent.stop().await;

    // What came back from the store opens with the keys of this agent, and plays.
    let vault = open_vault(&chain);
    let sealed = stored(&chain, &cid(&done[0]));
    let film = vault
        .decrypt(&cid(&done[0]), &sealed, "a test", now_ms())
        .unwrap();
    assert!(!crate::world::decode(&film).is_empty());
    assert!(
        vault
            .decrypt(&cid(&done[1]), &sealed, "a test", now_ms())
            .is_err()
    );
    chain.stop().await;
}

fn open_vault(chain: &Chain) -> Vault {
    let settings = Settings {
        dir: chain.path("vault"),
        keys_dir: chain.path("keys"),
        spool_bytes_max: 64 << 20,
    };
    let signer = Signer {
        outlet: 1,
        key: chain.agent,
        domain: chain.genesis.domain(),
    };
    Vault::open(&settings, &MasterSecret::Keystore(&chain.agent), signer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_stops_the_camera_and_erases_what_it_recorded() {
    let chain = Chain::start().await;
    chain
        .enrol(address_of_secret(&chain.agent), TerminalKind::VideoAgent)
        .await;
    let (consent, _basis) = (chain.consent().await, chain.basis().await);
    let agent = Running::start(chain.agent_config()).await;
    let done = agent.until(TABLE, "done", 2).await;
    let kept: Vec<(ipfs::Cid, Vec<u8>)> = done
        .iter()
        .map(|shown| (cid(shown), stored(&chain, &cid(shown))))
        .collect();
    chain.stands(&done[0]).await;

    let said = Instant::now();
    chain
        .submit(Payload::RevokeConsent(RevokeConsent { consent }), &key(5))
        .await;
    let (mut stopped, mut closed) = (None, None);
    while stopped.is_none() || closed.is_none() {
        if stopped.is_none() && agent.state(TABLE).await == "waiting" {
            stopped = Some(said.elapsed());
        }
        if closed.is_none()
            && agent
                .recordings(TABLE)
                .await
                .iter()
                .all(|shown| shown["stage"] == "erasing")
        {
            closed = Some(said.elapsed());
        }
        assert!(said.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("after the revocation was sent: stopped {stopped:?}, keys destroyed {closed:?}");
    assert!(
        stopped.unwrap() < Duration::from_millis(3_000),
        "stopped after {stopped:?}"
    );

    for shown in &done {
        let started = Instant::now();
        while chain.stands(shown).await.erased.is_none() {
            assert!(started.elapsed() < PATIENCE, "no tombstone");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(
            json!(chain.stands(shown).await.erased.unwrap().reason),
            "revoked"
        );
        assert!(!is_stored(&chain, &cid(shown)), "the store has it still");
    }
    let started = Instant::now();
    while !agent.recordings(TABLE).await.is_empty() {
        assert!(
            started.elapsed() < PATIENCE,
            "{:?}",
            agent.recordings(TABLE).await
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(
        agent.state(KITCHEN).await,
        "live",
        "the kitchen is nobody's table"
    );
    agent.until(KITCHEN, "done", 1).await;
    agent.stop().await;

    // Whoever kept the bytes and has the agent's key and folders sees nothing.
    let vault = open_vault(&chain);
    for (cid, sealed) in &kept {
        assert!(vault.decrypt(cid, sealed, "a thief", now_ms()).is_err());
    }
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_of_two_guests_leaves_the_camera_stops_and_what_shows_both_goes() {
    let chain = Chain::start().await;
    chain
        .enrol(address_of_secret(&chain.agent), TerminalKind::VideoAgent)
        .await;
    chain.consent().await;
    let agent = Running::start(chain.agent_config()).await;
    let alone = agent.until(TABLE, "done", 1).await;
    let second = chain.consent_of(&key(6)).await;
    let before = agent.recordings(TABLE).await.len();
    let together = agent.until(TABLE, "done", before + 2).await;
    chain
        .submit(
            Payload::RevokeConsent(RevokeConsent { consent: second }),
            &key(6),
        )
        .await;
    let started = Instant::now();
    while agent.state(TABLE).await != "waiting" {
        assert!(
            started.elapsed() < Duration::from_millis(3_000),
            "{}",
            agent.state(TABLE).await
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Newest first: the last two began after the second guest had come.
    for shown in &together[..2] {
        while chain.stands(shown).await.erased.is_none() {
            assert!(started.elapsed() < PATIENCE, "no tombstone of {shown}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let first = &alone[alone.len() - 1];
    assert_eq!(
        chain.stands(first).await.erased,
        None,
        "the second guest was not there yet"
    );
    assert!(
        agent
            .recordings(TABLE)
            .await
            .iter()
            .any(|shown| shown["cid"] == first["cid"])
    );
    // Whoever stays consents anew.
    chain.consent_of(&key(7)).await;
    agent.until(TABLE, "done", 2).await;
    agent.stop().await;
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_owner_erases_on_the_ledger_is_erased_here_too() {
    let chain = Chain::start().await;
    chain
        .enrol(address_of_secret(&chain.agent), TerminalKind::VideoAgent)
        .await;
    chain.basis().await;
    let agent = Running::start(chain.agent_config()).await;
    let done = agent.until(KITCHEN, "done", 2).await;
    let (gone, sealed) = (cid(&done[0]), stored(&chain, &cid(&done[0])));
    let erase = EraseRecording {
        outlet: 1,
        cid: gone.to_string().parse().unwrap(),
        reason: EraseReason::Request,
    };
    chain.submit(Payload::EraseRecording(erase), &key(3)).await;
    let started = Instant::now();
    while is_stored(&chain, &gone) {
        assert!(started.elapsed() < PATIENCE, "the store has it still");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let kept: Vec<ipfs::Cid> = agent.recordings(KITCHEN).await.iter().map(cid).collect();
    assert!(
        !kept.contains(&gone) && kept.contains(&cid(&done[1])),
        "{kept:?}"
    );
    agent.stop().await;

    let vault = open_vault(&chain);
    assert!(vault.decrypt(&gone, &sealed, "a thief", now_ms()).is_err());
    let other = stored(&chain, &cid(&done[1]));
    vault
        .decrypt(&cid(&done[1]), &other, "a test", now_ms())
        .unwrap();
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_counts_that_came_while_the_agent_was_off_or_revoked_itself() {
    let chain = Chain::start().await;
    let agent_address = address_of_secret(&chain.agent);
    chain.enrol(agent_address, TerminalKind::VideoAgent).await;
    let consent = chain.consent().await;
    let agent = Running::start(chain.agent_config()).await;
    let done = agent.until(TABLE, "done", 1).await;
    agent.stop().await;
    chain
        .submit(Payload::RevokeConsent(RevokeConsent { consent }), &key(5))
        .await;
    let nonce = chain.nonce(&key(3)).await;
    let revoke = RevokeTerminal {
        outlet: 1,
        terminal: agent_address,
        nonce,
    };
    chain.submit(Payload::RevokeTerminal(revoke), &key(3)).await;

    let agent = Running::start(chain.agent_config()).await;
    let started = Instant::now();
    while !agent
        .recordings(TABLE)
        .await
        .iter()
        .any(|shown| shown["cid"] == done[0]["cid"] && shown["stage"] == "erasing")
    {
        assert!(
            started.elapsed() < PATIENCE,
            "{:?}",
            agent.recordings(TABLE).await
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The ledger takes no erasure of an agent that is revoked itself; the keys are gone all the same.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(chain.stands(&done[0]).await.erased, None);
    assert!(!is_stored(&chain, &cid(&done[0])));
    agent.stop().await;
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_vault_it_says_that_it_keeps_nothing() {
    let chain = Chain::start().await;
    chain.basis().await;
    let mut config = chain.agent_config();
    (config.vault, config.ipfs.block_store_dir) = (None, None);
    let recordings = Recordings::open(&config).await.unwrap();
    assert!(recordings.is_none());
    let agent = Running::start(config).await;
    let started = Instant::now();
    while agent.state(KITCHEN).await != "live" {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answer = reqwest::get(format!(
        "http://{}/api/v1/recordings?camera=1",
        agent.address
    ))
    .await
    .unwrap();
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.unwrap().contains("no vault"));
    agent.stop().await;
    chain.stop().await;
}
