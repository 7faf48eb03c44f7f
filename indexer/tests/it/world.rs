//! Everything around an indexer, owned by one test.

use crate::evm;
use indexer::Config;
use local_services::{Anvil, AnvilOptions, Postgres, free_port};
use read_model::Totals;
use service_kit::{Secret, SecretUrl};
use sqlx::{AssertSqlSafe, PgPool, Row};
use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long anything may take to become true.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every table whose content follows from the two chains, with the columns that count.
const TABLES: [(&str, &str); 19] = [
    (
        "cursor",
        "stream, identity, scope, position, hash, finalized",
    ),
    ("evm_block", "*"),
    ("raw_log", "*"),
    ("token_transfer", "*"),
    ("chunk_issued", "*"),
    ("payout", "*"),
    ("checkpoint_anchored", "*"),
    ("balance", "*"),
    ("sidechain", "*"),
    ("sidechain_block", "*"),
    ("outlet", "*"),
    ("terminal", "*"),
    ("sale", "*"),
    ("sale_share", "*"),
    ("receipt_claim", "*"),
    ("release", "*"),
    ("epoch_checkpoint", "*"),
    ("consent", "*"),
    ("recording", "*"),
];

pub struct World {
    pub dir: TempDir,
    pub postgres: Option<Postgres>,
    pub anvil: Option<Anvil>,
    pub anvil_options: AnvilOptions,
}

impl World {
    pub async fn start(slots_in_an_epoch: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bin = PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../contracts/node_modules/.bin"
        ));
        let anvil_options = AnvilOptions {
            dir: dir.path().join("anvil"),
            port: free_port().unwrap(),
            chain_id: 31337,
            block_time: None,
            slots_in_an_epoch,
            programs: vec![bin],
        };
        let folder = dir.path().join("postgres");
        let (postgres, anvil) =
            tokio::join!(Postgres::start(&folder), Anvil::start(&anvil_options));
        Self {
            dir,
            postgres: Some(postgres.unwrap()),
            anvil: Some(anvil.unwrap()),
            anvil_options,
        }
    }

    pub fn evm_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.anvil_options.port)
    }

    pub fn database_url(&self, name: &str) -> String {
        self.postgres.as_ref().unwrap().url(name)
    }

    /// A new database with the schema.
    pub async fn database(&self, name: &str) -> PgPool {
        let admin = PgPool::connect(&self.database_url("postgres"))
            .await
            .unwrap();
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&admin)
            .await
            .unwrap();
        let pool = PgPool::connect(&self.database_url(name)).await.unwrap();
        sqlx::migrate!("../migrations").run(&pool).await.unwrap();
        pool
    }

    pub async fn stop_postgres(&mut self) {
        self.postgres.take().unwrap().stop().await.unwrap();
    }

    pub async fn start_postgres(&mut self) {
        self.postgres = Some(
            Postgres::start(&self.dir.path().join("postgres"))
                .await
                .unwrap(),
        );
    }

    pub fn config(&self, database: &str, evm: &evm::Chain, node_url: &str) -> Config {
        let mut config = Config::default();
        config.database.url = Secret::new(self.database_url(database));
        config.blockchain.rpc_url = SecretUrl::new(self.evm_url());
        config.blockchain.token = *evm.token.address();
        config.blockchain.anchor = evm.anchor;
        config.blockchain.range_blocks_max = 7;
        config.blockchain.poll_ms = 20;
        config.node.urls = vec![node_url.to_owned()];
        config.node.poll_ms = 20;
        config.node.batch_blocks_max = 5;
        config
    }
}

/// A running indexer with a runtime of its own, so that it can be killed at any point.
pub struct Indexer {
    runtime: Option<Runtime>,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
    port: u16,
}

impl Indexer {
    pub fn start(config: &Config) -> Self {
        service_kit::telemetry::init_logs("off");
        metrics();
        let mut config = config.clone();
        let port = free_port().unwrap();
        config.http.listen = ([127, 0, 0, 1], port).into();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let stop = CancellationToken::new();
        let task = runtime.spawn(indexer::run(config, stop.clone()));
        Self {
            runtime: Some(runtime),
            stop,
            task,
            port,
        }
    }

    /// As a crash: nothing gets the chance to finish.
    pub fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    pub async fn stop(mut self) {
        self.stop.cancel();
        (&mut self.task).await.unwrap().unwrap();
        self.runtime.take().unwrap().shutdown_background();
    }

    /// Body of an operations page.
    pub async fn page(&self, path: &str) -> String {
        let Ok(mut stream) = tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await else {
            return String::new();
        };
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    pub async fn wait_until_ready(&self) {
        eventually("ready", || async {
            self.page("/readyz").await.contains("200 OK")
        })
        .await;
    }

    pub async fn wait_for_reason(&self, text: &str) {
        eventually(text, || async {
            let page = self.page("/readyz").await;
            page.contains("503") && page.contains(text)
        })
        .await;
    }
}

/// What all indexers of this process have measured.
pub fn metrics() -> String {
    static RENDER: OnceLock<Box<dyn Fn() -> String + Send + Sync>> = OnceLock::new();
    let init = || -> Box<dyn Fn() -> String + Send + Sync> {
        let recorder = service_kit::telemetry::init_metrics();
        Box::new(move || recorder.render())
    };
    RENDER.get_or_init(init)()
}

impl Drop for Indexer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !check().await {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub async fn totals(pool: &PgPool) -> Totals {
    read_model::read_totals(pool).await.unwrap()
}

/// Until the mirror stands at the chain's very head.
pub async fn caught_up(pool: &PgPool, evm: &evm::Chain) {
    use alloy::eips::BlockNumberOrTag::Latest;
    use alloy::providers::Provider;
    eventually("the EVM's head is mirrored", || async {
        let head = evm
            .provider
            .get_block_by_number(Latest)
            .await
            .unwrap()
            .unwrap()
            .header;
        let row = sqlx::query("SELECT position, hash FROM chain.cursor WHERE stream = 'evm'");
        let Some(row) = row.fetch_optional(pool).await.unwrap() else {
            return false;
        };
        let hash: Option<Vec<u8>> = row.get("hash");
        row.get::<i64, _>("position") == head.number as i64
            && hash.as_deref() == Some(head.hash.as_slice())
    })
    .await;
}

/// Every table's content in one figure each.
pub async fn digests(pool: &PgPool) -> BTreeMap<&'static str, String> {
    let mut digests = BTreeMap::new();
    for (table, columns) in TABLES {
        let sql = format!(
            "SELECT count(*) || ' rows ' || md5(COALESCE(string_agg(t::text, E'\\n' ORDER BY t::text), ''))
             FROM (SELECT {columns} FROM chain.{table}) AS t"
        );
        let digest: String = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(pool)
            .await
            .unwrap();
        digests.insert(table, digest);
    }
    digests
}

/// Raw logs, transfers and balances are those of the chain.
pub async fn assert_equals_the_chain(pool: &PgPool, evm: &evm::Chain) {
    use contract_bindings::FranchiseToken::Transfer;
    let truth = evm.logs().await;
    let raw = sqlx::query("SELECT * FROM chain.raw_log ORDER BY block_number, log_index")
        .fetch_all(pool)
        .await
        .unwrap();
    assert_eq!(raw.len(), truth.len(), "raw logs");
    for (row, log) in raw.iter().zip(&truth) {
        assert_eq!(
            row.get::<i64, _>("block_number") as u64,
            log.block_number.unwrap()
        );
        assert_eq!(
            row.get::<i64, _>("log_index") as u64,
            log.log_index.unwrap()
        );
        assert_eq!(
            row.get::<Vec<u8>, _>("block_hash"),
            log.block_hash.unwrap().to_vec()
        );
        assert_eq!(
            row.get::<Vec<u8>, _>("tx_hash"),
            log.transaction_hash.unwrap().to_vec()
        );
        assert_eq!(row.get::<Vec<u8>, _>("address"), log.address().to_vec());
        assert_eq!(row.get::<Vec<u8>, _>("topic0"), log.topics()[0].to_vec());
        let topic2: Option<Vec<u8>> = row.get("topic2");
        assert_eq!(topic2, log.topics().get(2).map(|topic| topic.to_vec()));
        assert_eq!(row.get::<Vec<u8>, _>("data"), log.data().data.to_vec());
    }
    let transfers: Vec<Transfer> = truth
        .iter()
        .filter_map(|log| log.log_decode().ok())
        .map(|log| log.inner.data)
        .collect();
    let rows = sqlx::query(
        "SELECT sender, recipient, value::text FROM chain.token_transfer ORDER BY block_number, log_index",
    );
    let rows = rows.fetch_all(pool).await.unwrap();
    assert_eq!(rows.len(), transfers.len(), "transfers");
    for (row, transfer) in rows.iter().zip(&transfers) {
        assert_eq!(row.get::<Vec<u8>, _>("sender"), transfer.from.to_vec());
        assert_eq!(row.get::<Vec<u8>, _>("recipient"), transfer.to.to_vec());
        assert_eq!(row.get::<String, _>("value"), transfer.value.to_string());
    }
    let minted = transfers.iter().filter(|transfer| transfer.from.is_zero());
    let totals = totals(pool).await;
    assert_eq!(totals.payouts, minted.clone().count() as u64);
    assert_eq!(
        totals.minted,
        minted
            .map(|transfer| transfer.value.to::<u128>())
            .sum::<u128>()
    );
    assert_eq!(totals.minted, evm.token.minted().call().await.unwrap());
    assert_balances(
        pool,
        evm,
        &transfers
            .iter()
            .map(|transfer| transfer.to)
            .collect::<Vec<_>>(),
    )
    .await;
}

async fn assert_balances(pool: &PgPool, evm: &evm::Chain, holders: &[alloy::primitives::Address]) {
    let mut expected = BTreeMap::new();
    for holder in holders {
        let balance = evm.balance(*holder).await;
        if balance > 0 {
            expected.insert(*holder, balance);
        }
    }
    let found = read_model::token_balances(pool).await.unwrap();
    let found: BTreeMap<_, _> = found
        .into_iter()
        .map(|balance| (balance.holder, balance.units))
        .collect();
    assert_eq!(found, expected, "balances");
}
