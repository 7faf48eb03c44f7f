//! An outlet's cameras and their previews, for its owner and its video agents alone: handed on to the outlet's agent.

use super::Api;
use crate::core::claims::{Verdict, decide_right};
use crate::core::watch::{Pass, may_watch};
use api_types::{OutletAnswer, PushSwitch};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::{get, put};
use domain::Address;
use problem::{Path, Problem, RawBody, Refusal};
use service_kit::clock::now_ms;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/outlets/{outlet}/cameras", get(list_cameras))
        .route(
            "/api/v1/outlets/{outlet}/cameras/{camera}/preview/{file}",
            get(show_preview),
        )
        .route(
            "/api/v1/outlets/{outlet}/cameras/{camera}/push",
            put(switch_push),
        )
}

async fn list_cameras(
    State(api): State<Api>,
    Path(outlet): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    check_access(&api, outlet, &headers).await?;
    api.agents.get(outlet, "/api/v1/cameras").await
}

async fn show_preview(
    State(api): State<Api>,
    Path((outlet, camera, file)): Path<(u64, u64, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    check_access(&api, outlet, &headers).await?;

    let is_plain = file
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        && !file.starts_with('.');
    if !is_plain {
        return Err(Refusal::not_found("no such file"));
    }

    api.agents
        .get(outlet, &format!("/api/v1/cameras/{camera}/preview/{file}"))
        .await
}

/// The kill switch of the public stream: whoever may look may end it, and let it go on where consent allows it.
async fn switch_push(
    State(api): State<Api>,
    Path((outlet, camera)): Path<(u64, u64)>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Refusal> {
    check_access(&api, outlet, &headers).await?;

    let bad = |error: serde_json::Error| {
        Refusal::bad_field(
            "on",
            format!("the body is {{\"on\": true}} or {{\"on\": false}}: {error}"),
        )
    };

    let switch: PushSwitch = serde_json::from_slice(&body).map_err(bad)?;
    let json = Bytes::from(serde_json::to_vec(&switch).map_err(bad)?);

    api.agents
        .put(outlet, &format!("/api/v1/cameras/{camera}/push"), json)
        .await
}

/// Asked each time, of all nodes that keep up: who was revoked looks no longer, whatever one of them says.
async fn check_access(api: &Api, outlet: u64, headers: &HeaderMap) -> Result<(), Refusal> {
    if !api.agents.knows(outlet) {
        return Err(Refusal::not_found(
            "this gateway knows no video agent of this outlet",
        ));
    }

    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let unsigned = || {
        Problem::new(
            401,
            "not_signed",
            "the outlet's owner or video agent signs WatchCameras to look",
        )
    };

    let pass = cookies
        .filter_map(Pass::parse)
        .next()
        .ok_or_else(unsigned)?;
    let domain = api.mirror.genesis().await?.domain();
    let who = pass
        .signer(&domain, outlet, now_ms())
        .ok_or_else(unsigned)?;

    check_right(api, outlet, who).await
}

async fn check_right(api: &Api, outlet: u64, who: Address) -> Result<(), Refusal> {
    let may = |outlets: &Vec<OutletAnswer>| {
        let mut here = outlets.iter().filter(|one| one.outlet == outlet);
        here.any(|one| may_watch(one, who))
    };
    let answers: Vec<bool> = api.nodes.outlets().await.iter().map(may).collect();

    let (status, kind, detail) = match decide_right(&answers, api.nodes.configured()) {
        Verdict::Granted => return Ok(()),
        Verdict::Denied => (
            403,
            "wrong_signer",
            "not the outlet's owner, and no active video agent of it",
        ),
        Verdict::Unknown => (
            503,
            "no_node_answers",
            "too few nodes of the sidechain answer to say who may look",
        ),
    };
    Err(Problem::new(status, kind, detail).into())
}
