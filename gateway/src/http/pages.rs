//! The web pages, with headers that let them load nothing from elsewhere.

use super::Api;
use crate::io::pages;
use alloy_primitives::hex;
use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use problem::{Path, Problem, Refusal};

pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";
/// Names of assets hold a hash of their content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// A page is asked for again each time; its ETag makes that cheap.
pub(super) const REVALIDATE: &str = "no-cache";

/// Routes of the pages.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/", get(show_index))
        .route("/{page}", get(show_page))
        .route("/assets/{*path}", get(show_asset))
}

async fn show_index(headers: HeaderMap) -> Result<Response, Refusal> {
    let not_built = || {
        let detail = "this gateway was built without its pages: run scripts/setup and build it again; the API works";
        Problem::new(503, "pages_not_built", detail)
    };
    serve_file("index.html", REVALIDATE, &headers).ok_or_else(|| not_built().into())
}

async fn show_page(Path(page): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    serve_file(&page, REVALIDATE, &headers)
        .ok_or_else(|| Refusal::not_found(format!("there is no page {page}")))
}

async fn show_asset(Path(path): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let found = serve_file(&format!("assets/{path}"), IMMUTABLE, &headers);
    found.ok_or_else(|| Refusal::not_found(format!("there is no file {path}")))
}

fn media_type(of_file: &str) -> String {
    if of_file.starts_with("text/") {
        format!("{of_file}; charset=utf-8")
    } else {
        of_file.to_owned()
    }
}

fn serve_file(path: &str, cache: &'static str, asked: &HeaderMap) -> Option<Response> {
    let file = pages::file(path)?;
    let digest = file.metadata.sha256_hash();
    let kind = media_type(file.metadata.mimetype());

    Some(answer_file(
        &kind,
        file.data.into_owned(),
        &digest,
        cache,
        asked,
    ))
}

/// A file, or that the reader has it already: its ETag is the beginning of a digest of it.
pub(super) fn answer_file(
    kind: &str,
    bytes: impl IntoResponse,
    digest: &[u8; 32],
    cache: &'static str,
    asked: &HeaderMap,
) -> Response {
    let short: [u8; 16] = std::array::from_fn(|place| digest[place]);
    let etag = format!("\"{}\"", hex::encode(short));
    let known = asked
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == etag.as_bytes());

    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        bytes.into_response()
    };
    harden_response(&mut response, cache);

    let named = [(header::CONTENT_TYPE, kind), (header::ETAG, &etag)];
    for (name, value) in named {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// What a page may load, and how long it may be kept.
pub(super) fn harden_response(response: &mut Response, cache: &'static str) {
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];

    response
        .headers_mut()
        .extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
}
