//! From the camera to the ledger and back: a real validator, the built-in block store, real keys.

use crate::world::{PATIENCE, config, now_ms};
use client::{NodeClient, RecordingAnswer};
use domain::consent::{BasisKind, Purposes, commitment};
use domain::crypto::address_of_secret;
use domain::eip712::WitnessedConsent;
use domain::genesis::EpochLength;
use domain::limits::QUOTA_UNLIMITED;
use domain::recording::EraseReason;
use domain::transaction::{
    EraseRecording, RecordConsent, RecordLegalBasis, RegisterOutlet, RegisterTerminal, RevokeConsent, RevokeTerminal,
};
use domain::{
    Address, B256, ElectionRules, Genesis, OutletKind, Parameters, Payload, Signature, SignedTransaction, TerminalKind,
    Validator, ValidatorSet,
};
use recording_vault::{Agent as Signer, MasterSecret, Settings, Vault};
use serde_json::{Value, json};
use sidechain::NodeConfig;
use sidechain::config::{HttpConfig, P2pConfig, ValidatorConfig};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use video_agent::{Config, Recordings};
use wallet::SecretKey;

const PASSPHRASE: &str = "of a test";
const KITCHEN: u64 = 1;
const TABLE: u64 = 2;

fn key(number: u8) -> SecretKey {
    SecretKey::from_byte_array([number; 32]).unwrap()
}

/// Who appears: founder, registrar, owner, till, guest.
fn people() -> [SecretKey; 5] {
    [1, 2, 3, 4, 5].map(key)
}

/// A validator alone, and an outlet.
struct Chain {
    dir: TempDir,
    genesis: Genesis,
    node: NodeClient,
    agent: SecretKey,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

fn write_private(path: &Path, text: &str) {
    wallet::write_secret(path, text).unwrap();
}

impl Chain {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        write_private(&at("passphrase"), PASSPHRASE);
        let validator = wallet::create(&at("validator.json"), PASSPHRASE).unwrap();
        let agent = wallet::create(&at("agent.json"), PASSPHRASE).unwrap();
        let genesis = genesis(&validator);
        std::fs::write(at("genesis.json"), serde_json::to_vec(&genesis).unwrap()).unwrap();
        let port = local_services::free_port().unwrap();
        let p2p = format!("/ip4/127.0.0.1/tcp/{}", local_services::free_port().unwrap());
        let config = NodeConfig {
            data_dir: at("node"),
            genesis_file: at("genesis.json"),
            validator: ValidatorConfig {
                keystore_file: Some(at("validator.json")),
                passphrase_file: Some(at("passphrase")),
                guard_file: None,
            },
            http: HttpConfig { listen: format!("127.0.0.1:{port}"), peers: Vec::new() },
            p2p: P2pConfig { listen: p2p, peers: Vec::new() },
            ..NodeConfig::default()
        };
        let stop = CancellationToken::new();
        let running = tokio::spawn(sidechain::run(config, stop.clone()));
        let node = NodeClient::new(&format!("http://127.0.0.1:{port}"));
        let chain = Self { dir, genesis, node, agent, stop, running };
        chain.open_outlet().await;
        chain
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    async fn submit(&self, payload: Payload, by: &SecretKey) -> B256 {
        let id = self.genesis.domain().transaction_digest(&payload);
        let transaction = SignedTransaction { payload, signature: Signature::sign(id, by) };
        let started = Instant::now();
        loop {
            match self.node.post_transaction(&transaction).await {
                Ok(_) => return id,
                Err(error) if error.is_retryable() && started.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    async fn nonce(&self, of: &SecretKey) -> u64 {
        self.node.account(address_of_secret(of)).await.unwrap().map_or(0, |account| account.nonce) + 1
    }

    async fn open_outlet(&self) {
        let [founder, registrar, owner, till, _] = people();
        let (approval_ref, approval_expires_at_ms) = (B256::repeat_byte(9), now_ms() + 3_600_000);
        let owner_address = address_of_secret(&owner);
        let approval = self.genesis.domain().approval_digest(1, owner_address, approval_ref, approval_expires_at_ms);
        let outlet = RegisterOutlet {
            outlet: 1,
            owner: owner_address,
            kind: OutletKind::OwnerOperated,
            city: "Tbilisi".into(),
            currency: "GEL".parse().unwrap(),
            quota_per_day: QUOTA_UNLIMITED,
            terminal_quota_per_day: QUOTA_UNLIMITED,
            approval_ref,
            approval_expires_at_ms,
            approval_signature: Signature::sign(approval, &registrar),
            nonce: 1,
        };
        self.submit(Payload::RegisterOutlet(outlet), &founder).await;
        self.enrol(address_of_secret(&till), TerminalKind::Physical).await;
    }

    async fn enrol(&self, terminal: Address, kind: TerminalKind) {
        let owner = key(3);
        let nonce = self.nonce(&owner).await;
        self.submit(Payload::RegisterTerminal(RegisterTerminal { outlet: 1, terminal, kind, nonce }), &owner).await;
    }

    /// The owner's legal basis for the kitchen.
    async fn basis(&self) -> B256 {
        let owner = key(3);
        let basis = RecordLegalBasis {
            outlet: 1,
            camera: KITCHEN,
            kind: BasisKind::Chef,
            notice_hash: B256::repeat_byte(1),
            retention_days: 3,
            until_ms: now_ms() + 3_600_000,
            nonce: self.nonce(&owner).await,
        };
        self.submit(Payload::RecordLegalBasis(basis), &owner).await
    }

    /// The guest's consent at the table, seen by the till.
    async fn consent(&self) -> B256 {
        let [.., till, guest] = people();
        let mut consent = RecordConsent {
            outlet: 1,
            camera: TABLE,
            purposes: Purposes::Recording,
            commitment: commitment(B256::repeat_byte(2), "table 2"),
            guest: address_of_secret(&guest),
            until_ms: now_ms() + 3_600_000,
            witness: address_of_secret(&till),
            witness_signature: Signature([0; 65]),
        };
        let digest = self.genesis.domain().consent_witness_digest(&WitnessedConsent::from(&consent));
        consent.witness_signature = Signature::sign(digest, &till);
        self.submit(Payload::RecordConsent(consent), &guest).await
    }

    async fn stands(&self, shown: &Value) -> RecordingAnswer {
        let cid = shown["cid"].as_str().unwrap().parse().unwrap();
        self.node.recording(cid).await.unwrap().unwrap()
    }

    fn agent_config(&self) -> Config {
        let cameras =
            r#"[{"camera": 1, "kind": "chef", "test": "ball"}, {"camera": 2, "kind": "customer", "test": "ball"}]"#;
        let mut value = serde_json::to_value(config(cameras)).unwrap();
        value["cameras"] = serde_json::from_str(cameras).unwrap();
        // A node that does not answer stands first: the next one is asked.
        value["node"] = json!({"urls": ["http://127.0.0.1:9", self.node.base()]});
        value["agent"] = json!({"keystore_file": self.path("agent.json"), "passphrase_file": self.path("passphrase")});
        value["vault"] = json!({"dir": self.path("vault"), "keys_dir": self.path("keys")});
        value["ipfs"] = json!({"block_store_dir": self.path("blocks")});
        serde_json::from_value(value).unwrap()
    }

    async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }
}

fn genesis(validator: &SecretKey) -> Genesis {
    let [founder, registrar, ..] = people().map(|key| address_of_secret(&key));
    let public_key = validator.public_key(secp256k1::SECP256K1).serialize().into();
    let validator = Validator { address: address_of_secret(validator), power: 100, public_key };
    Genesis {
        name: "one validator".into(),
        evm_chain_id: 31_337,
        time_ms: now_ms(),
        first_height: 1,
        parent_hash: B256::ZERO,
        founder,
        guardian: founder,
        registrar,
        epoch_length: EpochLength::Blocks(32),
        settlement_epochs: 1,
        maturity_ms: 0,
        change_delay_ms: 0,
        parameters: Parameters::DEFAULT,
        election: ElectionRules::default(),
        validators: ValidatorSet::try_from(vec![validator]).unwrap(),
    }
}

/// An agent that does what the program does.
struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    async fn start(mut config: Config) -> Self {
        let port = local_services::free_port().unwrap();
        config.http.listen = SocketAddr::from(([127, 0, 0, 1], port));
        let (address, stop) = (config.http.listen, CancellationToken::new());
        let task = tokio::spawn(video_agent::run(config, stop.clone()));
        Self { address, stop, task }
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let answer = reqwest::get(format!("http://{}{path}", self.address)).await.ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    async fn recordings(&self, camera: u64) -> Vec<Value> {
        let page = self.get(&format!("/api/v1/recordings?camera={camera}")).await.unwrap_or_default();
        page["data"].as_array().cloned().unwrap_or_default()
    }

    async fn state(&self, camera: u64) -> String {
        let cameras = self.get("/api/v1/cameras").await.unwrap_or_default();
        let all = cameras.as_array().cloned().unwrap_or_default();
        let found = all.into_iter().find(|shown| shown["camera"] == camera).unwrap_or_default();
        found["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Recordings of a camera at a stage, at least so many.
    async fn until(&self, camera: u64, stage: &str, count: usize) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let all = self.recordings(camera).await;
            let found: Vec<Value> = all.iter().filter(|shown| shown["stage"] == stage).cloned().collect();
            if found.len() >= count {
                return found;
            }
            assert!(!self.task.is_finished(), "the agent ended");
            assert!(started.elapsed() < PATIENCE, "no {count} recordings {stage}: {all:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

/// The agent's block store by its files: the agent itself has it open.
fn block(folder: &Path, cid: &ipfs::Cid) -> Option<PathBuf> {
    let name = cid.to_string();
    let mut paths = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    paths.find_map(|path| if path.is_dir() { block(&path, cid) } else { path.ends_with(&name).then_some(path) })
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
    assert_eq!(chain.node.recording(waiting[0]["cid"].as_str().unwrap().parse().unwrap()).await.unwrap(), None);
    chain.enrol(address_of_secret(&chain.agent), TerminalKind::VideoAgent).await;
    let done = agent.until(KITCHEN, "done", 3).await;
    for shown in &done {
        let stands = chain.stands(shown).await;
        assert_eq!((stands.outlet, stands.camera, stands.consent), (1, KITCHEN, basis));
        assert_eq!(
            (stands.sequence, stands.agent),
            (shown["sequence"].as_u64().unwrap(), address_of_secret(&chain.agent))
        );
        assert_eq!(stands.manifest_hash.to_string(), shown["manifest_hash"].as_str().unwrap());
        assert_eq!(stands.erased, None);
        let sealed = stored(&chain, &cid(shown));
        assert!(!sealed.windows(4).any(|window| window == b"moof" || window == b"ftyp"), "it is a film in clear");
    }
    assert!(agent.recordings(TABLE).await.is_empty(), "nobody consented at the table");
    agent.stop().await;

    // What came back from the store opens with the keys of this agent, and plays.
    let vault = open_vault(&chain);
    let sealed = stored(&chain, &cid(&done[0]));
    let film = vault.decrypt(&cid(&done[0]), &sealed, "a test", now_ms()).unwrap();
    assert!(!crate::world::decode(&film).is_empty());
    assert!(vault.decrypt(&cid(&done[1]), &sealed, "a test", now_ms()).is_err());
    chain.stop().await;
}

fn open_vault(chain: &Chain) -> Vault {
    let settings = Settings { dir: chain.path("vault"), keys_dir: chain.path("keys"), spool_bytes_max: 64 << 20 };
    let signer = Signer { outlet: 1, key: chain.agent, domain: chain.genesis.domain() };
    Vault::open(&settings, &MasterSecret::Keystore(&chain.agent), signer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_stops_the_camera_and_erases_what_it_recorded() {
    let chain = Chain::start().await;
    chain.enrol(address_of_secret(&chain.agent), TerminalKind::VideoAgent).await;
    let (consent, _basis) = (chain.consent().await, chain.basis().await);
    let agent = Running::start(chain.agent_config()).await;
    let done = agent.until(TABLE, "done", 2).await;
    let kept: Vec<(ipfs::Cid, Vec<u8>)> = done.iter().map(|shown| (cid(shown), stored(&chain, &cid(shown)))).collect();
    chain.stands(&done[0]).await;

    let said = Instant::now();
    chain.submit(Payload::RevokeConsent(RevokeConsent { consent }), &key(5)).await;
    let (mut stopped, mut closed) = (None, None);
    while stopped.is_none() || closed.is_none() {
        if stopped.is_none() && agent.state(TABLE).await == "waiting" {
            stopped = Some(said.elapsed());
        }
        if closed.is_none() && agent.recordings(TABLE).await.iter().all(|shown| shown["stage"] == "erasing") {
            closed = Some(said.elapsed());
        }
        assert!(said.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("after the revocation was sent: stopped {stopped:?}, keys destroyed {closed:?}");
    assert!(stopped.unwrap() < Duration::from_millis(3_000), "stopped after {stopped:?}");

    for shown in &done {
        let started = Instant::now();
        while chain.stands(shown).await.erased.is_none() {
            assert!(started.elapsed() < PATIENCE, "no tombstone");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(json!(chain.stands(shown).await.erased.unwrap().reason), "revoked");
        assert!(!is_stored(&chain, &cid(shown)), "the store has it still");
    }
    let started = Instant::now();
    while !agent.recordings(TABLE).await.is_empty() {
        assert!(started.elapsed() < PATIENCE, "{:?}", agent.recordings(TABLE).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(agent.state(KITCHEN).await, "live", "the kitchen is nobody's table");
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
async fn what_the_owner_erases_on_the_ledger_is_erased_here_too() {
    let chain = Chain::start().await;
    chain.enrol(address_of_secret(&chain.agent), TerminalKind::VideoAgent).await;
    chain.basis().await;
    let agent = Running::start(chain.agent_config()).await;
    let done = agent.until(KITCHEN, "done", 2).await;
    let (gone, sealed) = (cid(&done[0]), stored(&chain, &cid(&done[0])));
    let erase = EraseRecording { outlet: 1, cid: gone.to_string().parse().unwrap(), reason: EraseReason::Request };
    chain.submit(Payload::EraseRecording(erase), &key(3)).await;
    let started = Instant::now();
    while is_stored(&chain, &gone) {
        assert!(started.elapsed() < PATIENCE, "the store has it still");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let kept: Vec<ipfs::Cid> = agent.recordings(KITCHEN).await.iter().map(cid).collect();
    assert!(!kept.contains(&gone) && kept.contains(&cid(&done[1])), "{kept:?}");
    agent.stop().await;

    let vault = open_vault(&chain);
    assert!(vault.decrypt(&gone, &sealed, "a thief", now_ms()).is_err());
    let other = stored(&chain, &cid(&done[1]));
    vault.decrypt(&cid(&done[1]), &other, "a test", now_ms()).unwrap();
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
    chain.submit(Payload::RevokeConsent(RevokeConsent { consent }), &key(5)).await;
    let nonce = chain.nonce(&key(3)).await;
    let revoke = RevokeTerminal { outlet: 1, terminal: agent_address, nonce };
    chain.submit(Payload::RevokeTerminal(revoke), &key(3)).await;

    let agent = Running::start(chain.agent_config()).await;
    let started = Instant::now();
    while !agent
        .recordings(TABLE)
        .await
        .iter()
        .any(|shown| shown["cid"] == done[0]["cid"] && shown["stage"] == "erasing")
    {
        assert!(started.elapsed() < PATIENCE, "{:?}", agent.recordings(TABLE).await);
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
    let answer = reqwest::get(format!("http://{}/api/v1/recordings?camera=1", agent.address)).await.unwrap();
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.unwrap().contains("no vault"));
    agent.stop().await;
    chain.stop().await;
}
