//! Puts the relayer together from its configuration and runs it until it is told to stop.

use crate::config::Config;
use crate::io::evm::Evm;
use crate::io::node::Node;
use crate::io::signer::Signer;
use crate::metrics;
use crate::tasks::{context, lock, relay};
use alloy::primitives::Address;
use anyhow::Context;
use service_kit::http::{Readiness, bind_listener, operations_router, serve};
use service_kit::{Secret, telemetry};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A relayer that is bound to its port and has not begun.
pub struct Relayer {
    config: Config,
    database_url: Secret,
    signer: Signer,
    listener: TcpListener,
    readiness: Readiness,
}

impl Relayer {
    /// Checks the configuration, opens the keystore and binds the port.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        config.check()?;

        let (signer, chain_id) = (config.signer.clone(), config.blockchain.chain_id);
        let signer = tokio::task::spawn_blocking(move || Signer::load(&signer, chain_id)).await??;
        let listen = config.http.listen;
        let listener = bind_listener(listen).await?;
        let database_url = config.database.read_url()?;

        Ok(Self {
            config,
            database_url,
            signer,
            listener,
            readiness: Readiness::starting(),
        })
    }

    /// Where `/healthz`, `/readyz` and `/metrics` are served.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
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
            listener,
            readiness,
        } = self;

        let router = operations_router(readiness.clone(), telemetry::init_metrics());
        metrics::describe();

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
            serve(listener, router, stop.clone())
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
