//! `/api/v1/cameras`: what they do, and the kill switch of their public streams.

use super::Api;
use crate::camera::Camera;
use crate::core::alerts::Alert;
use crate::core::consent::CameraKind;
use api_types::{CameraAlert, CameraAnswer, PushState, PushSwitch};
use axum::extract::State as Shared;
use axum::routing::{get, put};
use axum::{Json, Router};
use problem::{JsonBody, Path, Problem, Refusal};

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/cameras", get(list_cameras))
        .route("/api/v1/cameras/{camera}/push", put(switch_push))
        .route(
            "/api/v1/cameras/{camera}/view",
            axum::routing::delete(forget_view),
        )
}

fn camera_answer(camera: &Camera) -> CameraAnswer {
    CameraAnswer {
        camera: camera.asked.camera,
        kind: api_kind(camera.asked.kind),
        mask_policy: camera.setup.policy.name().to_owned(),
        state: camera.state(),
        alerts: camera.alerts().into_iter().map(api_alert).collect(),
        push: match (&camera.push_to, camera.push_is_on()) {
            (None, _) => PushState::None,
            (Some(_), true) => PushState::On,
            (Some(_), false) => PushState::Off,
        },
        viewers: camera.viewers(),
    }
}

const fn api_alert(alert: Alert) -> CameraAlert {
    match alert {
        Alert::Down => CameraAlert::Down,
        Alert::Covered => CameraAlert::Covered,
        Alert::Moved => CameraAlert::Moved,
        Alert::Frozen => CameraAlert::Frozen,
        Alert::DetectorLate => CameraAlert::DetectorLate,
    }
}

const fn api_kind(kind: CameraKind) -> api_types::CameraKind {
    match kind {
        CameraKind::Security => api_types::CameraKind::Security,
        CameraKind::Chef => api_types::CameraKind::Chef,
        CameraKind::Customer => api_types::CameraKind::Customer,
    }
}

async fn list_cameras(Shared(api): Shared<Api>) -> Json<Vec<CameraAnswer>> {
    Json(
        api.cameras
            .iter()
            .map(|camera| camera_answer(camera))
            .collect(),
    )
}

async fn switch_push(
    Shared(api): Shared<Api>,
    Path(camera): Path<u64>,
    JsonBody(PushSwitch { on }): JsonBody<PushSwitch>,
) -> Result<Json<CameraAnswer>, Refusal> {
    let camera = api.camera(camera)?;
    if let Err(error) = camera.switch_push(on) {
        tracing::error!(
            error = service_kit::error::in_full(&error),
            on,
            "the kill switch cannot be remembered"
        );
        let said = "the switch could not be remembered: off holds until a restart only, on was not done; the log says why";
        return Err(Problem::new(500, "internal", said).into());
    }

    Ok(Json(camera_answer(camera)))
}

/// An operator has turned the camera on purpose: what it shows from now on is its usual view.
async fn forget_view(
    Shared(api): Shared<Api>,
    Path(camera): Path<u64>,
) -> Result<Json<CameraAnswer>, Refusal> {
    let camera = api.camera(camera)?;
    camera.forget_view();
    Ok(Json(camera_answer(camera)))
}
