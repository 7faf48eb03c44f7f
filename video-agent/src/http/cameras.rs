//! `/api/v1/cameras`: what they do, and the kill switch of their public streams.

use super::Api;
use crate::core::alerts::Alert;
use crate::tasks::camera::{Camera, State};
use axum::extract::{Path, State as Shared};
use axum::routing::{get, put};
use axum::{Json, Router};
use problem::{Problem, Refusal};
use serde::{Deserialize, Serialize};

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/cameras", get(list))
        .route("/api/v1/cameras/{camera}/push", put(switch))
        .route(
            "/api/v1/cameras/{camera}/view",
            axum::routing::delete(forget_view),
        )
}

#[derive(Serialize)]
struct Shown {
    camera: u64,
    kind: crate::core::consent::CameraKind,
    mask_policy: &'static str,
    #[serde(flatten)]
    state: State,
    alerts: Vec<&'static str>,
    /// `off` after the kill switch, `none` where no platform is configured.
    push: &'static str,
    /// Of the public stream, as its platform says; absent while nobody can say.
    #[serde(skip_serializing_if = "Option::is_none")]
    viewers: Option<u64>,
}

impl Shown {
    fn of(camera: &Camera) -> Self {
        Self {
            camera: camera.asked.camera,
            kind: camera.asked.kind,
            mask_policy: camera.setup.policy.name(),
            state: camera.state(),
            alerts: camera.alerts().into_iter().map(Alert::name).collect(),
            push: match (&camera.push_to, camera.push_is_on()) {
                (None, _) => "none",
                (Some(_), true) => "on",
                (Some(_), false) => "off",
            },
            viewers: camera.viewers(),
        }
    }
}

async fn list(Shared(api): Shared<Api>) -> Json<Vec<Shown>> {
    Json(api.cameras.iter().map(|camera| Shown::of(camera)).collect())
}

#[derive(Deserialize)]
struct Switch {
    on: bool,
}

async fn switch(
    Shared(api): Shared<Api>,
    Path(camera): Path<u64>,
    Json(Switch { on }): Json<Switch>,
) -> Result<Json<Shown>, Refusal> {
    let camera = api.camera(camera)?;
    if let Err(error) = camera.switch_push(on) {
        tracing::error!(
            error = crate::error::in_full(&error),
            on,
            "the kill switch cannot be remembered"
        );
        let said = "the switch could not be remembered: off holds until a restart only, on was not done; the log says why";
        return Err(Problem::new(500, "internal", said).into());
    }
    Ok(Json(Shown::of(camera)))
}

/// An operator has turned the camera on purpose: what it shows from now on is its usual view.
async fn forget_view(
    Shared(api): Shared<Api>,
    Path(camera): Path<u64>,
) -> Result<Json<Shown>, Refusal> {
    let camera = api.camera(camera)?;
    camera.forget_view();
    Ok(Json(Shown::of(camera)))
}
