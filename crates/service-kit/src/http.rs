//! What every process serves: health, readiness, metrics. How it is served: [`crate::doors`].

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use std::sync::{Arc, RwLock};

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

/// `/healthz` and `/readyz` (alias `/health`, `/api/status`).
pub fn health_router(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/health", get(ready))
        .route("/api/status", get(ready))
        .with_state(readiness)
}

/// `/metrics` alone: it is shown where [`crate::doors::Doors`] says.
pub(crate) fn metrics_router(
    render: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> Router {
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
