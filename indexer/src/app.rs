//! Puts the indexer together from its configuration and runs it until it is told to stop.

use crate::config::Config;
use crate::io::evm::Evm;
use crate::io::store::Stream;
use crate::metrics;
use crate::pulse::Pulse;
use crate::tasks::health::Health;
use crate::tasks::{Context, audit, evm, pulse, sidechain};
use anyhow::{Context as _, Result, bail};
use service_kit::doors::Doors;
use service_kit::http::health_router;
use service_kit::telemetry;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long the checkpoint comparison and the pulse wait for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// After this Postgres itself gives a comparison up: nobody waits for it any more.
const STATEMENT_TIMEOUT: &str = "30s";

/// Mirrors both chains until the token is cancelled. Whatever is down is waited for; an error means that the
/// configuration is wrong or the port is taken.
pub async fn run(config: Config, stop: CancellationToken) -> Result<()> {
    config.check()?;
    let url = config.database.read_url()?;
    let database: PgConnectOptions = url.expose().parse().context("database.url")?;
    let database = database.application_name("indexer");
    let chain = &config.blockchain;
    let pulse = Pulse::starting();
    let evm = Evm::new(
        chain.rpc_url(),
        [chain.token, chain.anchor],
        chain.finality_depth,
        pulse.clone(),
    )
    .context("blockchain.rpc_url")?;
    let doors = Doors::open(config.http.listen, config.http.limits)
        .await?
        .with_metrics_at(config.http.metrics_listen)
        .await?;
    let recorder = telemetry::init_metrics();
    metrics::describe();

    let health = Health::starting(&[Stream::Evm.name(), Stream::Sidechain.name(), audit::NAME]);
    let interval_max = config.blockchain.block_interval_max();
    let context = Context {
        config: Arc::new(config),
        database: database.clone(),
        health: health.clone(),
        pulse: pulse.clone(),
    };
    let pool = PgPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(database.options([("statement_timeout", STATEMENT_TIMEOUT)]));
    let mut tasks = JoinSet::new();
    tasks.spawn(evm::run(context.clone(), evm));
    tasks.spawn(sidechain::run(context));
    tasks.spawn(audit::run(pool.clone(), health.clone()));
    tasks.spawn(pulse::run(pool, pulse, health.clone(), interval_max));

    let doors = doors.showing(move || recorder.render());
    let router = health_router(health.readiness());
    tokio::select! {
        served = doors.serve(router, stop.clone()) => served.context("serve"),
        Some(Err(ended)) = tasks.join_next() => bail!("a task ended: {ended}"),
    }
}
