//! Puts the gateway together from its configuration and runs it until it is told to stop.

use crate::config::Config;
use crate::http::{self, Api};
use crate::io::agents::Agents;
use crate::io::journal::Journal;
use crate::io::mirror::Mirror;
use crate::io::nodes::Nodes;
use crate::io::sets::Sets;
use crate::tasks::events::{self, Hub};
use crate::tasks::pulse::{self, Watcher};
use anyhow::{Context as _, Result};
use service_kit::doors::Doors;
use service_kit::http::{Readiness, health_router};
use service_kit::telemetry;
use sqlx::postgres::PgConnectOptions;
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

/// Readers that may read from the database what they missed, at once: the others' answers need connections too.
const REPLAYS_MAX: usize = 2;

/// Serves until the token is cancelled. Whatever is down is waited for; an error means that the configuration is wrong
/// or the port is taken.
pub async fn run(config: Config, stop: CancellationToken) -> Result<()> {
    config.check()?;
    let url = config.database.location().read_url()?;
    let options: PgConnectOptions = url.expose().parse().context("database.url")?;

    let listen = config.http.listen;
    let doors = Doors::open(listen, config.http.limits)
        .await?
        .with_metrics_at(config.http.metrics_listen)
        .await?;

    let recorder = telemetry::init_metrics();
    let mirror = Arc::new(Mirror::new(options, &config.database));
    let hub = Arc::new(Hub::new(Arc::clone(&mirror)));
    let node = &config.node;
    let nodes = Arc::new(Nodes::new(&node.urls, node.choice, &node.weights));
    let watcher = Arc::new(Watcher::new(Arc::clone(&nodes), Arc::clone(&mirror)));
    let api = Api {
        nodes,
        watcher: Arc::clone(&watcher),
        sets: Arc::new(Sets::default()),
        agents: Arc::new(Agents::new(&config.video.agents)),
        mirror,
        journal: Arc::new(Journal::default()),
        hub: Arc::clone(&hub),
        readers: Arc::new(Semaphore::new(config.http.event_readers_max)),
        replays: Arc::new(Semaphore::new(REPLAYS_MAX)),
        supply: Arc::new(Mutex::new(None)),
        extent: Arc::new(Mutex::new(None)),
        explorer: config.web.explorer.clone(),
        stop: stop.clone(),
    };

    let readiness = Readiness::starting();
    let router = http::router(api, config.http.write_origins);
    let router = router.merge(health_router(readiness.clone()));
    let doors = doors.showing(move || recorder.render());
    tracing::info!(%listen, "gateway starts");

    let tasks = stop.child_token();
    let result = tokio::select! {
        served = doors.serve(router, stop) => served.context("serve"),
        () = events::run(hub, tasks.clone()) => Ok(()),
        () = pulse::run(watcher, readiness) => Ok(()),
    };

    tasks.cancel();
    result
}
