//! The API described: `/api/openapi.json`, and Swagger UI at `/docs`, served from here under the pages' policy.

use super::Api;
use super::pages::{CONTENT_SECURITY_POLICY, REVALIDATE, answer_file};
use alloy_primitives::keccak256;
use axum::Router;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Redirect, Response};
use axum::routing::get;
use problem::{Path, Refusal};
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
        .route("/docs/", get(show_index))
        .route("/docs/{*path}", get(show_file))
}

async fn show_document(asked: HeaderMap) -> Response {
    let text = DOCUMENT_JSON.as_str();
    answer_file(
        "application/json",
        text,
        &keccak256(text),
        REVALIDATE,
        &asked,
    )
}

async fn show_index(asked: HeaderMap) -> Result<Response, Refusal> {
    serve_swagger("", &asked)
}

async fn show_file(Path(path): Path<String>, asked: HeaderMap) -> Result<Response, Refusal> {
    serve_swagger(&path, &asked)
}

fn serve_swagger(path: &str, asked: &HeaderMap) -> Result<Response, Refusal> {
    let missing = || Refusal::not_found(format!("there is no file {path}"));
    let found = utoipa_swagger_ui::serve(path, Arc::clone(&SWAGGER));
    let SwaggerFile {
        bytes,
        content_type,
        ..
    } = found.ok().flatten().ok_or_else(missing)?;

    let digest = keccak256(&bytes);
    let bytes = bytes.into_owned();
    let mut response = answer_file(&content_type, bytes, &digest, REVALIDATE, asked);
    let policy = CONTENT_SECURITY_POLICY.replace("style-src 'self'", SWAGGER_STYLE);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use axum::http::StatusCode;

    async fn text_of(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn the_one_style_of_the_page_is_the_one_that_is_allowed() {
        let page = text_of(serve_swagger("", &HeaderMap::new()).unwrap()).await;
        let styles: Vec<_> = page.match_indices("<style").collect();
        assert!(styles.len() <= 1, "{page}");
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("swagger-initializer.js"), "{page}");
    }

    #[tokio::test]
    async fn the_page_asks_for_our_document() {
        let settings =
            text_of(serve_swagger("swagger-initializer.js", &HeaderMap::new()).unwrap()).await;
        assert!(settings.contains(DOCUMENT), "{settings}");
    }

    #[tokio::test]
    async fn what_is_known_is_not_sent_again() {
        let first = show_document(HeaderMap::new()).await;
        let etag = first.headers()[header::ETAG].clone();
        assert_eq!(first.headers()[header::CONTENT_TYPE], "application/json");

        let asked = HeaderMap::from_iter([(header::IF_NONE_MATCH, etag)]);
        let second = show_document(asked).await;
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(text_of(second).await, "");
    }
}
