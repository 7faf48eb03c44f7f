//! A real validator, an outlet, and the agent as the program runs it.

use crate::world::{PATIENCE, config, now_ms};
use client::{NodeClient, RecordingAnswer};
use domain::consent::{BasisKind, Purposes, consent_commitment};
use domain::crypto::address_of_secret;
use domain::eip712::WitnessedConsent;
use domain::genesis::EpochLength;
use domain::limits::QUOTA_UNLIMITED;
use domain::transaction::{RecordConsent, RecordLegalBasis, RegisterOutlet, RegisterTerminal};
use domain::{
    Address, B256, ElectionRules, Genesis, OutletKind, Parameters, Payload, Signature,
    SignedTransaction, TerminalKind, Validator, ValidatorSet,
};
use serde_json::{Value, json};
use sidechain::NodeConfig;
use sidechain::config::{HttpConfig, P2pConfig, ValidatorConfig};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use video_agent::Config;
use wallet::SecretKey;

const PASSPHRASE: &str = "of a test";
pub const KITCHEN: u64 = 1;
pub const TABLE: u64 = 2;

pub fn key(number: u8) -> SecretKey {
    SecretKey::from_byte_array([number; 32]).unwrap()
}

/// Who appears: founder, registrar, owner, till, guest.
fn people() -> [SecretKey; 5] {
    [1, 2, 3, 4, 5].map(key)
}

/// A validator alone, and an outlet.
pub struct Chain {
    pub dir: TempDir,
    pub genesis: Genesis,
    pub node: NodeClient,
    pub agent: SecretKey,
    pub stop: CancellationToken,
    pub running: JoinHandle<anyhow::Result<()>>,
}

fn write_private(path: &Path, text: &str) {
    wallet::write_secret(path, text).unwrap();
}

impl Chain {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        write_private(&at("passphrase"), PASSPHRASE);
        let validator = wallet::create_key(&at("validator.json"), PASSPHRASE).unwrap();
        let agent = wallet::create_key(&at("agent.json"), PASSPHRASE).unwrap();
        let genesis = genesis(&validator);
        std::fs::write(at("genesis.json"), serde_json::to_vec(&genesis).unwrap()).unwrap();
        let port = local_services::free_port().unwrap();
        let p2p = format!(
            "/ip4/127.0.0.1/tcp/{}",
            local_services::free_port().unwrap()
        );
        let config = NodeConfig {
            data_dir: at("node"),
            genesis_file: at("genesis.json"),
            validator: ValidatorConfig {
                keystore_file: Some(at("validator.json")),
                passphrase_file: Some(at("passphrase")),
                guard_file: None,
            },
            http: HttpConfig {
                listen: format!("127.0.0.1:{port}"),
                ..HttpConfig::default()
            },
            p2p: P2pConfig {
                listen: p2p,
                peers: Vec::new(),
            },
            ..NodeConfig::default()
        };
        let stop = CancellationToken::new();
        let running = tokio::spawn(sidechain::run(config, stop.clone()));
        let node = NodeClient::new(&format!("http://127.0.0.1:{port}"));
        let chain = Self {
            dir,
            genesis,
            node,
            agent,
            stop,
            running,
        };
        chain.open_outlet().await;
        chain
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub async fn submit(&self, payload: Payload, by: &SecretKey) -> B256 {
        let id = self.genesis.domain().transaction_digest(&payload);
        let transaction = SignedTransaction {
            payload,
            signature: Signature::sign(id, by),
        };
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

    pub async fn nonce(&self, of: &SecretKey) -> u64 {
        self.node
            .account(address_of_secret(of))
            .await
            .unwrap()
            .map_or(0, |account| account.nonce)
            + 1
    }

    pub async fn open_outlet(&self) {
        let [founder, registrar, owner, till, _] = people();
        let (approval_ref, approval_expires_at_ms) = (B256::repeat_byte(9), now_ms() + 3_600_000);
        let owner_address = address_of_secret(&owner);
        let approval = self.genesis.domain().approval_digest(
            1,
            owner_address,
            approval_ref,
            approval_expires_at_ms,
        );
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
        self.enrol(address_of_secret(&till), TerminalKind::Physical)
            .await;
    }

    pub async fn enrol(&self, terminal: Address, kind: TerminalKind) {
        let owner = key(3);
        let nonce = self.nonce(&owner).await;
        self.submit(
            Payload::RegisterTerminal(RegisterTerminal {
                outlet: 1,
                terminal,
                kind,
                nonce,
            }),
            &owner,
        )
        .await;
    }

    /// The owner's legal basis for the kitchen.
    pub async fn basis(&self) -> B256 {
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
    pub async fn consent(&self) -> B256 {
        self.consent_of(&key(5)).await
    }

    /// Another guest's.
    pub async fn consent_of(&self, guest: &SecretKey) -> B256 {
        let [.., till, _] = people();
        let mut consent = RecordConsent {
            outlet: 1,
            camera: TABLE,
            purposes: Purposes::Recording,
            commitment: consent_commitment(B256::repeat_byte(2), "table 2"),
            guest: address_of_secret(guest),
            until_ms: now_ms() + 3_600_000,
            witness: address_of_secret(&till),
            witness_signature: Signature([0; 65]),
        };
        let digest = self
            .genesis
            .domain()
            .consent_witness_digest(&WitnessedConsent::from(&consent));
        consent.witness_signature = Signature::sign(digest, &till);
        self.submit(Payload::RecordConsent(consent), guest).await
    }

    pub async fn stands(&self, shown: &Value) -> RecordingAnswer {
        let cid = shown["cid"].as_str().unwrap().parse().unwrap();
        self.node.recording(cid).await.unwrap().unwrap()
    }

    pub fn agent_config(&self) -> Config {
        let cameras = r#"[{"camera": 1, "kind": "chef", "test": "ball"}, {"camera": 2, "kind": "customer", "test": "ball"}]"#;
        let mut value = serde_json::to_value(config(cameras)).unwrap();
        value["cameras"] = serde_json::from_str(cameras).unwrap();
        // A node that does not answer stands first: the next one is asked.
        value["node"] = json!({"urls": ["http://127.0.0.1:9", self.node.base()]});
        value["agent"] = json!({"keystore_file": self.path("agent.json"), "passphrase_file": self.path("passphrase")});
        value["vault"] = json!({"dir": self.path("vault"), "keys_dir": self.path("keys")});
        value["ipfs"] = json!({"block_store_dir": self.path("blocks")});
        serde_json::from_value(value).unwrap()
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }
}

fn genesis(validator: &SecretKey) -> Genesis {
    let [founder, registrar, ..] = people().map(|key| address_of_secret(&key));
    let public_key = validator
        .public_key(secp256k1::SECP256K1)
        .serialize()
        .into();
    let validator = Validator {
        address: address_of_secret(validator),
        power: 100,
        public_key,
    };
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
pub struct Running {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub task: JoinHandle<anyhow::Result<()>>,
}

impl Running {
    pub async fn start(mut config: Config) -> Self {
        let port = local_services::free_port().unwrap();
        config.http.listen = SocketAddr::from(([127, 0, 0, 1], port));
        let (address, stop) = (config.http.listen, CancellationToken::new());
        let task = tokio::spawn(video_agent::run(config, stop.clone()));
        Self {
            address,
            stop,
            task,
        }
    }

    pub async fn get(&self, path: &str) -> Option<Value> {
        let answer = reqwest::get(format!("http://{}{path}", self.address))
            .await
            .ok()?;
        answer.error_for_status().ok()?.json().await.ok()
    }

    pub async fn recordings(&self, camera: u64) -> Vec<Value> {
        let page = self
            .get(&format!("/api/v1/recordings?camera={camera}"))
            .await
            .unwrap_or_default();
        page["data"].as_array().cloned().unwrap_or_default()
    }

    pub async fn state(&self, camera: u64) -> String {
        let cameras = self.get("/api/v1/cameras").await.unwrap_or_default();
        let all = cameras.as_array().cloned().unwrap_or_default();
        let found = all
            .into_iter()
            .find(|shown| shown["camera"] == camera)
            .unwrap_or_default();
        found["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Recordings of a camera at a stage, at least so many.
    pub async fn until(&self, camera: u64, stage: &str, count: usize) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let all = self.recordings(camera).await;
            let found: Vec<Value> = all
                .iter()
                .filter(|shown| shown["stage"] == stage)
                .cloned()
                .collect();
            if found.len() >= count {
                return found;
            }
            assert!(!self.task.is_finished(), "the agent ended");
            assert!(
                started.elapsed() < PATIENCE,
                "no {count} recordings {stage}: {all:?}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}
