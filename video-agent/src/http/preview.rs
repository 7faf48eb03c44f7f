//! `/api/v1/cameras/{camera}/preview/…`: the last seconds of the anonymised stream as HLS.

use super::Api;
use api_types::CameraState;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use problem::{Path, Refusal};
use std::time::Duration;

/// A player that is told "not yet" by a refusal shows an error; less than the gateway waits for an agent.
const FIRST_FRAGMENT_PATIENCE: Duration = Duration::from_secs(4);

pub(super) fn router() -> Router<Api> {
    Router::new()
        .route(
            "/api/v1/cameras/{camera}/preview/index.m3u8",
            get(show_playlist),
        )
        .route("/api/v1/cameras/{camera}/preview/init.mp4", get(show_init))
        .route(
            "/api/v1/cameras/{camera}/preview/{fragment}",
            get(show_fragment),
        )
}

/// Nothing may keep it: after a revocation it is gone here, and has to be gone elsewhere.
fn uncached_response(kind: &'static str, body: impl Into<Bytes>) -> Response {
    (
        [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store")],
        body.into(),
    )
        .into_response()
}

fn nothing_shown() -> Refusal {
    Refusal::not_found("the camera shows nothing now")
}

async fn show_playlist(
    State(api): State<Api>,
    Path(camera): Path<u64>,
) -> Result<Response, Refusal> {
    let camera = api.camera(camera)?;
    let patience = match camera.state() {
        CameraState::Live { .. } => FIRST_FRAGMENT_PATIENCE,
        _ => Duration::ZERO,
    };

    let playlist = camera.preview.wait_for_playlist(patience).await;
    let playlist = playlist.ok_or_else(nothing_shown)?;
    Ok(uncached_response("application/vnd.apple.mpegurl", playlist))
}

async fn show_init(State(api): State<Api>, Path(camera): Path<u64>) -> Result<Response, Refusal> {
    Ok(uncached_response(
        "video/mp4",
        api.camera(camera)?
            .preview
            .init()
            .ok_or_else(nothing_shown)?,
    ))
}

async fn show_fragment(
    State(api): State<Api>,
    Path((camera, fragment)): Path<(u64, String)>,
) -> Result<Response, Refusal> {
    let number = fragment
        .strip_suffix(".m4s")
        .and_then(|number| number.parse().ok());
    let number = number.ok_or_else(|| Refusal::not_found("no such file"))?;

    Ok(uncached_response(
        "video/iso.segment",
        api.camera(camera)?
            .preview
            .fragment(number)
            .ok_or_else(nothing_shown)?,
    ))
}
