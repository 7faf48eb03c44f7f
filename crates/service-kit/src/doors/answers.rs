//! What every answer has: a refusal says what it refuses, in one form, and headers say how an answer may be read.

use super::body::BodyBound;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use problem::{Problem, Refusal};

/// How much of a bare refusal is shown; axum's own are a line.
const DETAIL_BYTES_MAX: usize = 1024;
const NO_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Turns bare refusals into problem details, and adds the headers that no handler should have to think of.
pub(super) async fn complete_answer(request: Request, next: Next) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    let bound = request.extensions().get::<BodyBound>().cloned();

    let response = next.run(request).await;
    let mut response = match bound.and_then(|bound| bound.fault()) {
        Some(fault) if !response.status().is_success() => close_after(fault.refusal()),
        _ if is_options && response.status() == StatusCode::METHOD_NOT_ALLOWED => {
            // The router adds which methods are allowed.
            StatusCode::NO_CONTENT.into_response()
        }
        _ if is_bare_refusal(&response) => describe_refusal(response).await,
        _ => response,
    };

    add_headers(response.headers_mut());
    response
}

/// The rest of such a body would be read as a next request.
fn close_after(refusal: Refusal) -> Response {
    let mut response = refusal.into_response();
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn content_type(headers: &HeaderMap) -> &str {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
}

/// A refusal without a body or in plain text: axum's, not ours.
fn is_bare_refusal(response: &Response) -> bool {
    let status = response.status();
    let kind = content_type(response.headers());

    (status.is_client_error() || status.is_server_error())
        && (kind.is_empty() || kind.starts_with("text/plain"))
}

async fn describe_refusal(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let said = read_detail(body).await;
    let usual = parts.status.canonical_reason().unwrap_or("refused");
    // What a failure says is for the log.
    let detail = if said.is_empty() || parts.status.is_server_error() {
        usual
    } else {
        said.as_str()
    };

    let problem = Problem::new(parts.status.as_u16(), code_of(parts.status), detail);
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let mut described = Refusal::from(problem).into_response();
    described.headers_mut().extend(parts.headers);
    described
}

async fn read_detail(body: Body) -> String {
    let bytes = to_bytes(body, DETAIL_BYTES_MAX).await.unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// The kinds of problem that our own refusals have, where there is one.
fn code_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::REQUEST_TIMEOUT => "request_timeout",
        StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        StatusCode::UNPROCESSABLE_ENTITY => "bad_field",
        status if status.is_server_error() => "internal",
        _ => "bad_request",
    }
}

fn add_headers(headers: &mut HeaderMap) {
    let kind = content_type(headers);
    let is_json = kind.starts_with("application/json") || kind.starts_with("application/problem");
    let is_stream = kind.starts_with("text/event-stream");

    add_missing(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if is_json {
        add_missing(headers, header::CACHE_CONTROL, "no-store");
    }
    if is_stream {
        // nginx would collect events until its buffer is full.
        add_missing(headers, NO_BUFFERING, "no");
    }
}

fn add_missing(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers
        .entry(name)
        .or_insert(HeaderValue::from_static(value));
}
