//! The API described: `/api/openapi.json`, and Swagger UI at `/docs`, served from here under the pages' policy.

use super::Api;
use super::pages::{CONTENT_SECURITY_POLICY, REVALIDATE, harden_response};
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use problem::Refusal;
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::{Config, SwaggerFile};

/// The one style that Swagger UI 10 writes into its page itself.
const SWAGGER_STYLE: &str =
    "style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='";

const DOCUMENT: &str = "/api/openapi.json";

static DOCUMENT_JSON: LazyLock<String> =
    LazyLock::new(|| api_types::openapi().to_json().unwrap_or_default());

/// Swagger UI would ask a foreign server whether the document is valid.
static SWAGGER: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::from(DOCUMENT).validator_url("none")));

/// Routes of the description.
pub fn router() -> Router<Api> {
    Router::new()
        .route(DOCUMENT, get(show_document))
        .route("/docs", get(|| async { Redirect::to("/docs/") }))
        .route("/docs/", get(|| async { serve_swagger("") }))
        .route("/docs/{*path}", get(show_file))
}

async fn show_document() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    let mut response = (kind, DOCUMENT_JSON.as_str()).into_response();

    harden_response(&mut response, REVALIDATE);
    response
}

async fn show_file(Path(path): Path<String>) -> Result<Response, Refusal> {
    serve_swagger(&path)
}

fn serve_swagger(path: &str) -> Result<Response, Refusal> {
    let missing = || Refusal::not_found(format!("there is no file {path}"));
    let found = utoipa_swagger_ui::serve(path, Arc::clone(&SWAGGER));
    let SwaggerFile {
        bytes,
        content_type,
        ..
    } = found.ok().flatten().ok_or_else(missing)?;

    let mut response = bytes.into_owned().into_response();
    if let Ok(kind) = HeaderValue::from_str(&content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    harden_response(&mut response, REVALIDATE);
    let policy = CONTENT_SECURITY_POLICY.replace("style-src 'self'", SWAGGER_STYLE);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}
