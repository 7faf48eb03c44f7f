//! Everything around the relayer.

use crate::node::{self, SIDECHAIN_ID, Shared, Sidechain};
use crate::proxy::Proxy;
use alloy::network::EthereumWallet;
use alloy::primitives::aliases::U48;
use alloy::primitives::{Address, B256, U256};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::json_rpc::{RpcRecv, RpcSend};
use alloy::signers::local::PrivateKeySigner;
use contract_bindings::{CheckpointAnchor, FranchiseToken, ICheckpointAnchor, ValidatorSets};
use domain::payout::Chunk;
use local_services::{Anvil, AnvilOptions, Postgres, free_port};
use relayer::{Config, Relayer};
use service_kit::http::Readiness;
use service_kit::{Secret, SecretUrl};
use sqlx::{Connection, PgConnection};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const CHAIN_ID: u64 = 31_337;
const POSTGRES_DIR: &str = "postgres";
const PASSPHRASE: &str = "for tests";
const PATIENCE: Duration = Duration::from_secs(40);
/// The first of anvil's well-known funded keys: whoever is not the relayer.
const STRANGER: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

pub struct World {
    pub config: Config,
    pub sidechain: Shared,
    pub proxy: Proxy,
    /// Talks to anvil directly, as the stranger.
    pub provider: DynProvider,
    pub anchor: CheckpointAnchor::CheckpointAnchorInstance<DynProvider>,
    pub token: FranchiseToken::FranchiseTokenInstance<DynProvider>,
    pub signer: PrivateKeySigner,
    postgres: Option<Postgres>,
    _anvil: Anvil,
    dir: TempDir,
}

/// A relayer at work; killed without a goodbye when dropped.
pub struct Running {
    pub readiness: Readiness,
    task: JoinHandle<anyhow::Result<()>>,
    stop: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        (&mut self.task).await.unwrap()
    }

    pub async fn ended(mut self) -> anyhow::Result<()> {
        tokio::time::timeout(PATIENCE, &mut self.task)
            .await
            .expect("it goes on")
            .unwrap()
    }
}

pub struct Slot {
    pub nonce: i64,
    pub stage: String,
    pub outcome: Option<String>,
    pub variants: i64,
}

impl World {
    /// `finality`: how many blocks `finalized` stands behind the head, an even number.
    pub async fn new(finality: u64) -> Self {
        Self::with_issue_limit(finality, u128::from(u64::MAX), 1).await
    }

    /// The token issues at most `capacity` at once and `refill` a second.
    pub async fn with_issue_limit(finality: u64, capacity: u128, refill: u128) -> Self {
        // RUST_LOG=relayer=info shows what it does.
        service_kit::telemetry::init_logs("off");
        let dir = tempfile::tempdir().unwrap();
        let programs =
            vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/.bin")];
        let options = AnvilOptions {
            dir: dir.path().join("anvil"),
            port: free_port().unwrap(),
            chain_id: CHAIN_ID,
            block_time: Some(Duration::from_secs(1)),
            slots_in_an_epoch: finality / 2,
            programs,
        };
        let postgres_dir = dir.path().join(POSTGRES_DIR);
        let (anvil, postgres) =
            tokio::join!(Anvil::start(&options), Postgres::start(&postgres_dir));
        let (anvil, postgres) = (anvil.unwrap(), postgres.unwrap());
        migrate(&postgres).await;
        let provider = stranger(&anvil.url());
        let sidechain = Arc::new(Mutex::new(Sidechain::new(CHAIN_ID)));
        let (token, anchor) = deploy(&provider, &sidechain, capacity, refill).await;
        let proxy = Proxy::new(anvil.url());
        let config = configure(
            &dir,
            &postgres,
            &proxy,
            &sidechain,
            *anchor.address(),
            *token.address(),
        )
        .await;
        let key = wallet::load_key(&config.signer.keystore_file, PASSPHRASE).unwrap();
        let signer = PrivateKeySigner::from_bytes(&B256::from(key.secret_bytes())).unwrap();
        let world = Self {
            config,
            sidechain,
            proxy,
            provider,
            anchor,
            token,
            signer,
            postgres: Some(postgres),
            _anvil: anvil,
            dir,
        };
        let () = world
            .rpc(
                "anvil_setBalance",
                (world.signer.address(), U256::from(10).pow(U256::from(20))),
            )
            .await;
        world
    }

    pub async fn start(&self) -> Running {
        let relayer = Relayer::build(self.config.clone()).await.unwrap();
        let (readiness, stop) = (relayer.readiness(), CancellationToken::new());
        let task = tokio::spawn(relayer.run(stop.clone()));
        Running {
            readiness,
            task,
            stop,
        }
    }

    pub async fn rpc<Answer: RpcRecv>(&self, method: &'static str, params: impl RpcSend) -> Answer {
        self.provider
            .raw_request(method.into(), params)
            .await
            .unwrap()
    }

    pub async fn mine(&self, blocks: u64) {
        let () = self.rpc("anvil_mine", (U256::from(blocks),)).await;
    }

    pub async fn stop_postgres(&mut self) {
        self.postgres.take().unwrap().stop().await.unwrap();
    }

    pub async fn start_postgres(&mut self) {
        self.postgres = Some(
            Postgres::start(&self.dir.path().join(POSTGRES_DIR))
                .await
                .unwrap(),
        );
    }

    pub async fn journal(&self) -> PgConnection {
        PgConnection::connect(self.config.database.url.expose())
            .await
            .unwrap()
    }

    /// How many transactions of the relayer's key the chain holds.
    pub async fn sent(&self) -> u64 {
        self.provider
            .get_transaction_count(self.signer.address())
            .await
            .unwrap()
    }

    pub async fn head_epoch(&self) -> u64 {
        self.anchor.head().call().await.unwrap().epoch
    }

    /// Whether every account holds exactly what the sidechain released.
    pub async fn is_settled(&self) -> bool {
        let (total, epochs) = {
            let sidechain = self.sidechain.lock().unwrap();
            (sidechain.total_released(), sidechain.epochs.len() as u64)
        };
        self.head_epoch().await == epochs && self.token.minted().call().await.unwrap() == total
    }

    pub async fn assert_amounts(&self) {
        let released = self.sidechain.lock().unwrap().released();
        for (account, units) in released {
            assert_eq!(
                self.token.issuedTo(account).call().await.unwrap(),
                u128::from(units),
                "{account}"
            );
            assert_eq!(
                self.token.balanceOf(account).call().await.unwrap(),
                U256::from(units),
                "{account}"
            );
        }
    }

    /// Waits until all is issued and every intent is closed.
    pub async fn wait_until_settled(&self) {
        wait("settled", async || self.is_settled().await).await;
        self.assert_amounts().await;
        wait("all closed", async || {
            self.stages()
                .await
                .iter()
                .all(|(_, _, stage)| is_closed(stage))
        })
        .await;
    }

    /// Kind, epoch and stage of every intent.
    pub async fn stages(&self) -> Vec<(String, i64, String)> {
        let query = "SELECT kind, epoch, stage FROM relayer.intents ORDER BY epoch, kind, chunk";
        sqlx::query_as(query)
            .fetch_all(&mut self.journal().await)
            .await
            .unwrap()
    }

    pub async fn slots(&self) -> Vec<Slot> {
        let query = "SELECT nonce, stage, outcome, (SELECT count(*) FROM relayer.variants WHERE slot_id = id)
                     FROM relayer.slots ORDER BY id";
        let rows: Vec<(i64, String, Option<String>, i64)> = sqlx::query_as(query)
            .fetch_all(&mut self.journal().await)
            .await
            .unwrap();
        rows.into_iter()
            .map(|(nonce, stage, outcome, variants)| Slot {
                nonce,
                stage,
                outcome,
                variants,
            })
            .collect()
    }

    /// The stranger submits a checkpoint with all signatures.
    pub async fn submit_as_stranger(&self, epoch: usize) {
        let (checkpoint, validators, signatures) = {
            let sidechain = self.sidechain.lock().unwrap();
            let signed = &sidechain.epochs[epoch - 1].signed;
            let signatures = signed
                .signatures
                .iter()
                .map(|signature| signature.signature.to_compact());
            (
                signed.checkpoint,
                signed.validators.clone(),
                signatures.collect::<Vec<_>>(),
            )
        };
        let checkpoint = ICheckpointAnchor::Checkpoint {
            sidechainId: checkpoint.sidechain_id,
            epoch: checkpoint.epoch,
            firstHeight: checkpoint.first_height,
            lastHeight: checkpoint.last_height,
            blocksRoot: checkpoint.blocks_root,
            stateRoot: checkpoint.state_root,
            payoutRoot: checkpoint.payout_root,
            recordingsRoot: checkpoint.recordings_root,
            totalReleased: checkpoint.total_released,
            nextValidatorsHash: checkpoint.next_validators_hash,
        };
        let signatures = signatures
            .into_iter()
            .map(|(r, vs)| ValidatorSets::Signature { r, vs })
            .collect();
        let call = self.anchor.submit(
            checkpoint,
            abi_set(&validators),
            U256::from(0b1111),
            signatures,
            Vec::new(),
        );
        assert!(
            call.send()
                .await
                .unwrap()
                .get_receipt()
                .await
                .unwrap()
                .status()
        );
    }

    /// The stranger issues a chunk.
    pub async fn issue_as_stranger(&self, epoch: usize, index: usize) {
        let (chunk, rest): (Chunk, B256) = {
            let sidechain = self.sidechain.lock().unwrap();
            let epoch = &sidechain.epochs[epoch - 1];
            (
                epoch.settlement.chunks().remove(index),
                epoch.signed.checkpoint.rest_hash(),
            )
        };
        let words = chunk
            .words
            .iter()
            .map(|word| U256::from_be_bytes(word.0))
            .collect();
        let proof = chunk.proof.into_iter().chain([rest]).collect();
        let call = self.anchor.issueChunk(epoch as u64, words, proof);
        assert!(
            call.send()
                .await
                .unwrap()
                .get_receipt()
                .await
                .unwrap()
                .status()
        );
    }
}

pub fn is_closed(stage: &str) -> bool {
    stage == "final" || stage == "obsolete"
}

pub async fn wait(what: &str, condition: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "not {what} in {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn migrate(postgres: &Postgres) {
    let mut connection = PgConnection::connect(&postgres.url("postgres"))
        .await
        .unwrap();
    sqlx::raw_sql(include_str!("../../../migrations/0001_relayer.sql"))
        .execute(&mut connection)
        .await
        .unwrap();
}

fn stranger(url: &str) -> DynProvider {
    let key: PrivateKeySigner = STRANGER.parse().unwrap();
    let provider = ProviderBuilder::new()
        .wallet(EthereumWallet::from(key))
        .connect_http(url.parse().unwrap());
    provider
        .client()
        .set_poll_interval(Duration::from_millis(100));
    provider.erased()
}

fn abi_set(validators: &domain::ValidatorSet) -> Vec<ValidatorSets::Validator> {
    let validator = |v: &domain::Validator| ValidatorSets::Validator {
        account: v.address,
        power: v.power,
    };
    validators.as_slice().iter().map(validator).collect()
}

async fn deploy(
    provider: &DynProvider,
    sidechain: &Shared,
    capacity: u128,
    refill: u128,
) -> (
    FranchiseToken::FranchiseTokenInstance<DynProvider>,
    CheckpointAnchor::CheckpointAnchorInstance<DynProvider>,
) {
    let key: PrivateKeySigner = STRANGER.parse().unwrap();
    let admin = key.address();
    let delay = U48::from(0);
    let anchor_address = admin.create(1);
    let () = provider
        .raw_request("evm_setAutomine".into(), (true,))
        .await
        .unwrap();
    let token = FranchiseToken::deploy(
        provider.clone(),
        anchor_address,
        admin,
        delay,
        capacity,
        refill,
    );
    let token = token.await.unwrap();
    let validators = abi_set(&sidechain.lock().unwrap().validators());
    let guardian = Address::repeat_byte(9);
    let (token_address, provider) = (*token.address(), provider.clone());
    let anchor = CheckpointAnchor::deploy(
        provider.clone(),
        token_address,
        SIDECHAIN_ID,
        1,
        1,
        validators,
        admin,
        delay,
        guardian,
    );
    let anchor = anchor.await.unwrap();
    assert_eq!(*anchor.address(), anchor_address);
    let () = provider
        .raw_request("evm_setAutomine".into(), (false,))
        .await
        .unwrap();
    let () = provider
        .raw_request("evm_setIntervalMining".into(), (1,))
        .await
        .unwrap();
    sidechain.lock().unwrap().bind(anchor_address);
    (token, anchor)
}

async fn configure(
    dir: &TempDir,
    postgres: &Postgres,
    proxy: &Proxy,
    sidechain: &Shared,
    anchor: Address,
    token: Address,
) -> Config {
    let mut config = Config::default();
    config.database.url = Secret::new(postgres.url("postgres"));
    config.blockchain.rpc_url = SecretUrl::new(serve(proxy.router()).await);
    config.blockchain.chain_id = CHAIN_ID;
    config.blockchain.anchor = anchor;
    config.blockchain.token = token;
    config.blockchain.bump_after_blocks = 2;
    config.blockchain.poll_interval_ms = 100;
    config.node.urls = vec![serve(node::router(sidechain.clone())).await];
    config.signer.keystore_file = dir.path().join("relayer.json");
    config.signer.passphrase_file = dir.path().join("passphrase");
    config.http.listen.set_port(0);
    wallet::create_key(&config.signer.keystore_file, PASSPHRASE).unwrap();
    std::fs::write(&config.signer.passphrase_file, PASSPHRASE).unwrap();
    config
}

async fn serve(router: axum::Router) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
