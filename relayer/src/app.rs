//! Puts the relayer together from its configuration and runs it until it is told to stop.

use crate::config::Config;
use crate::io::evm::Evm;
use crate::io::node::Node;
use crate::io::signer::Signer;
use crate::metrics;
use crate::tasks::{context, lock, relay};
use alloy::primitives::Address;
use anyhow::Context;
use service_kit::doors::Doors;
use service_kit::http::{Readiness, health_router};
use service_kit::{Secret, telemetry};
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;

/// A relayer that is bound to its port and has not begun.
pub struct Relayer {
    config: Config,
    database_url: Secret,
    signer: Signer,
    doors: Doors,
    readiness: Readiness,
}

impl Relayer {
    /// Checks the configuration, opens the keystore and binds the port.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        config.check()?;

        let (signer, chain_id) = (config.signer.clone(), config.blockchain.chain_id);
        let signer = tokio::task::spawn_blocking(move || Signer::load(&signer, chain_id)).await??;
        let doors = Doors::open(config.http.listen, config.http.limits)
            .await?
            .with_metrics_at(config.http.metrics_listen)
            .await?;
        let database_url = config.database.read_url()?;

        Ok(Self {
            config,
            database_url,
            signer,
            doors,
            readiness: Readiness::starting(),
        })
    }

    /// Where `/healthz` and `/readyz` are served.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.doors.local_addr()
    }

    /// Who pays for gas.
    pub fn signer(&self) -> Address {
        self.signer.address()
    }

    /// What `/readyz` answers, also after [`Relayer::run`] has begun.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Works until `stop`. An error means that the process should be started again, for example because the
    /// connection that holds the signer's lock is gone.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self {
            config,
            database_url,
            signer,
            doors,
            readiness,
        } = self;

        let recorder = telemetry::init_metrics();
        metrics::describe();
        let router = health_router(readiness.clone());
        let doors = doors.showing(move || recorder.render());

        let evm = Evm::new(&config.blockchain)?;
        let timeout = config.blockchain.request_timeout();
        let nodes = config
            .node
            .urls
            .iter()
            .map(|url| Node::new(url, timeout))
            .collect();

        let work = async {
            let claim = lock::Claim {
                database_url: &database_url,
                chain_id: config.blockchain.chain_id,
                anchor: config.blockchain.anchor,
                signer: signer.address(),
            };
            let store = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                store = lock::acquire(&claim, &readiness) => store,
            };
            tracing::info!(signer = %signer.address(), anchor = %config.blockchain.anchor, "holds the signer's lock");

            let context = context::Context {
                evm,
                nodes,
                store,
                signer,
                config: config.blockchain,
            };
            relay::run(context, &readiness, &stop)
                .await
                .context("relay")
        };

        let serving = async {
            doors
                .serve(router, stop.clone())
                .await
                .context("serve HTTP")
        };

        tokio::try_join!(work, serving).map(|_| ())
    }
}

/// Builds and runs a relayer until `stop`.
pub async fn run(config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    Relayer::build(config).await?.run(stop).await
}
