//! What every process serves: health, readiness, metrics.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use std::fmt::Display;
use std::sync::{Arc, RwLock};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio_util::sync::CancellationToken;

/// Whether a process can do its work, and why not; shared between its tasks and `/readyz`.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<RwLock<Option<String>>>);

impl Readiness {
    /// Not ready yet.
    pub fn starting() -> Self {
        let readiness = Self::default();
        readiness.set(Err("starting".into()));
        readiness
    }

    /// Ready, or the reason why not.
    pub fn set(&self, state: Result<(), String>) {
        if let Ok(mut reason) = self.0.write() {
            *reason = state.err();
        }
    }

    /// Why the process is not ready; `None` when it is.
    pub fn reason(&self) -> Option<String> {
        self.0
            .read()
            .map_or_else(|_| Some("a task panicked".into()), |reason| reason.clone())
    }
}

/// What a process says of itself; the body of `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReadinessAnswer {
    /// Whether it can do its work.
    pub ready: bool,
    /// Why it cannot; absent while it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `/healthz`, `/readyz` (alias `/health`, `/api/status`) and `/metrics`.
pub fn operations_router(readiness: Readiness, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/health", get(ready))
        .route("/api/status", get(ready))
        .with_state(readiness)
        .merge(metrics_router(move || metrics.render()))
}

/// `/metrics` alone, for a process with a readiness answer of its own.
pub fn metrics_router(render: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    Router::new().route("/metrics", get(move || async move { render() }))
}

async fn ready(State(readiness): State<Readiness>) -> (StatusCode, Json<ReadinessAnswer>) {
    let reason = readiness.reason();
    let ready = reason.is_none();
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };

    (status, Json(ReadinessAnswer { ready, reason }))
}

/// Takes a port; the error names the address.
pub async fn bind_listener(address: impl ToSocketAddrs + Display) -> std::io::Result<TcpListener> {
    let named = |error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("listen on {address}: {error}"))
    };

    TcpListener::bind(&address).await.map_err(named)
}

/// Serves until the token is cancelled; requests under way are finished.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}
