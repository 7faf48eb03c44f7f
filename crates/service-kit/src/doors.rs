//! The one way in which a process of ours answers HTTP: whoever comes gets a bounded share of it, for a bounded time.
//! HTTP/1.1 only; TLS and HTTP/2 belong to the proxy before it (docs/adr/0021).

mod accept;
mod alarm;
mod answers;
mod body;
mod connection;
mod counters;
mod descriptors;
mod limits;
mod measured;
mod places;
mod pulse;
mod refused;
mod watched;

pub use body::bound_body;
pub use limits::DoorLimits;
pub use places::{StreamPlace, Visitor};

use crate::http::metrics_router;
use accept::Door;
use axum::Router;
use axum::middleware::from_fn;
use std::fmt::{Debug, Display};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio_util::sync::CancellationToken;

/// Scrapers of metrics at once; there is one, or a few.
const SCRAPERS_MAX: usize = 64;

type Render = Arc<dyn Fn() -> String + Send + Sync>;

/// Ports that are taken, and whom they let in.
pub struct Doors {
    listener: TcpListener,
    metrics_listener: Option<TcpListener>,
    render: Option<Render>,
    limits: DoorLimits,
}

impl Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doors")
            .field("listener", &self.listener)
            .field("metrics_listener", &self.metrics_listener)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Doors {
    /// Takes a port; an error names the address. The process gets all the descriptors that it may have, and where they
    /// are too few for `connections_max`, fewer connections are taken.
    pub async fn open(
        address: impl ToSocketAddrs + Display,
        limits: DoorLimits,
    ) -> io::Result<Self> {
        let descriptors = descriptors::raise_limit();
        let connections_max = descriptors::fit_connections(limits.connections_max, descriptors);
        if connections_max < limits.connections_max {
            tracing::warn!(
                descriptors,
                connections_max,
                configured = limits.connections_max,
                "too few descriptors for http.limits.connections_max: fewer connections are taken; raise the limit of open files (ulimit -n, LimitNOFILE)"
            );
        }

        Ok(Self {
            listener: bind_listener(address).await?,
            metrics_listener: None,
            render: None,
            limits: DoorLimits {
                connections_max,
                ..limits
            },
        })
    }

    /// Takes a port of its own for `/metrics`, `http.metrics_listen`. Without one, `/metrics` is shown on the main port
    /// if that is on loopback, and else nowhere.
    pub async fn with_metrics_at(mut self, address: Option<SocketAddr>) -> io::Result<Self> {
        if let Some(address) = address {
            self.metrics_listener = Some(bind_listener(address).await?);
        }
        Ok(self)
    }

    /// What `/metrics` shows.
    #[must_use]
    pub fn showing(mut self, render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.render = Some(Arc::new(render));
        self
    }

    /// Where everything but perhaps the metrics is served.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Where metrics are served, if they have a port of their own.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_listener.as_ref()?.local_addr().ok()
    }

    /// Serves until the token is cancelled. Requests under way then have `stop_grace_ms`; a client that keeps us waiting
    /// is left at once.
    pub async fn serve(self, router: Router, stop: CancellationToken) -> io::Result<()> {
        let is_loopback = self.listener.local_addr()?.ip().is_loopback();
        let page = self.render.map(|render| metrics_router(move || render()));

        let (router, scraped) = match (page, self.metrics_listener) {
            (Some(page), Some(listener)) => (router, Some((listener, page))),
            (Some(page), None) if is_loopback => (router.merge(page), None),
            (page, _) => {
                if page.is_some() {
                    tracing::info!(
                        "metrics are shown nowhere: http.listen is not on loopback and http.metrics_listen is not set"
                    );
                }
                (router, None)
            }
        };

        let public = Door::new(self.listener, finish_router(router), self.limits);
        let Some((listener, page)) = scraped else {
            public.serve(stop).await;
            return Ok(());
        };

        let scrapers = Door::new(listener, finish_router(page), for_scrapers(self.limits));
        tokio::join!(public.serve(stop.clone()), scrapers.serve(stop));
        Ok(())
    }
}

fn for_scrapers(limits: DoorLimits) -> DoorLimits {
    DoorLimits {
        connections_max: SCRAPERS_MAX,
        connections_per_address_max: SCRAPERS_MAX,
        ..limits
    }
}

/// What every answer of every service has in common, from the handlers outwards.
fn finish_router(router: Router) -> Router {
    router
        .layer(from_fn(answers::complete_answer))
        .layer(from_fn(measured::measure_request))
        .layer(from_fn(problem::with_request_id))
}

async fn bind_listener(address: impl ToSocketAddrs + Display) -> io::Result<TcpListener> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("listen on {address}: {error}"));

    TcpListener::bind(&address).await.map_err(named)
}
