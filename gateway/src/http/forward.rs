//! What nodes answer.

use super::Api;
use crate::io::nodes::is_plain;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use problem::{Refusal, read_body};

/// Routes that a node answers.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/sales/batch", post(pass_on))
        .route("/api/v1/transactions", post(pass_on))
        .route("/api/v1/transactions/{id}", get(pass_on))
        .route("/api/v1/blocks", get(pass_on))
        .route("/api/v1/blocks/{height}", get(pass_on))
        .route("/api/v1/checkpoints/{epoch}", get(pass_on))
        .route("/api/v1/checkpoints/{epoch}/payouts", get(pass_on))
        .route(
            "/api/v1/checkpoints/{epoch}/payouts/{account}",
            get(pass_on),
        )
        .route("/api/v1/sales/{outlet}/{sale_id}/proof", get(pass_on))
        .route("/api/v1/validators", get(pass_on))
        .route("/api/v1/candidates", get(pass_on))
        .route("/api/v1/evidence", get(pass_on))
        .route("/api/v1/parameters", get(pass_on))
        .route("/api/v1/outlets", get(pass_on))
        .route("/api/v1/outlets/{outlet}/consents", get(pass_on))
        .route("/api/v1/outlets/{outlet}/erasures", get(pass_on))
        .route("/api/v1/outlets/{outlet}/revocations", get(pass_on))
        .route("/api/v1/consents/{id}", get(pass_on))
        .route("/api/v1/recordings/{cid}", get(pass_on))
        .route("/api/v1/recordings/{cid}/proof", get(pass_on))
        .route("/api/v1/genesis", get(pass_on))
}

async fn pass_on(State(api): State<Api>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = Bytes::from(read_body(body).await?);

    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if !is_plain(path) {
        return Err(Refusal::not_found(
            "no such path: it holds dots, percent signs or backslashes",
        ));
    }

    Ok(api
        .nodes
        .send(&parts.method, path, &parts.headers, body)
        .await?
        .into_response())
}
