//! How an API refuses: problem details that name the field and the request.

use crate::Problem;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::Instrument;

const PROBLEM_JSON: &str = "application/problem+json";
const REQUEST_ID: &str = "x-request-id";
/// Seconds after which a full mempool is worth another try.
const RETRY_AFTER_S: &str = "1";
/// Refusals that are logged in one second.
const REFUSALS_LOGGED_PER_S: u64 = 50;

/// A refusal on its way out.
#[derive(Debug)]
pub struct Refusal(pub Box<Problem>);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl Refusal {
    /// 404: there is nothing at this place, or not yet.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::from(Problem::new(404, "not_found", detail))
    }

    /// One field of the body or path is wrong.
    pub fn bad_field(field: &str, detail: impl Into<String>) -> Self {
        Self::from(Problem::new(422, "bad_field", detail).at(field))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self.0.as_ref())).into_response();

        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }

        response.extensions_mut().insert(*self.0);
        response
    }
}

/// Gives every answer the request's id, and every problem and its line in the log too.
pub async fn with_request_id(request: Request, next: Next) -> Response {
    static COUNTER: AtomicU64 = AtomicU64::new(0);

    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| !id.is_empty() && id.len() <= 64);
    let id = given.map_or_else(
        || {
            format!(
                "{:x}-{:x}",
                now_ms(),
                COUNTER.fetch_add(1, Ordering::Relaxed)
            )
        },
        str::to_owned,
    );

    // At the highest level, so that each line of a request has its id, however little is logged.
    let span = tracing::error_span!(
        "http_request",
        request_id = id,
        method = %request.method(),
        path = request.uri().path(),
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        span.in_scope(|| log_refusal(&problem));
        problem.request_id = Some(id.clone());
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(body);
    }

    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }

    response
}

/// A refusal's line in the log, where its reader looks for the id. That there is nothing is an ordinary answer; and whoever
/// floods us fills no disk.
fn log_refusal(problem: &Problem) {
    let Problem {
        status,
        kind,
        detail,
        ..
    } = problem;

    match status {
        404 => tracing::debug!(status, kind, detail, "a request is refused"),
        _ if !may_log() => {}
        500.. => tracing::warn!(status, kind, detail, "a request is refused"),
        _ => tracing::info!(status, kind, detail, "a request is refused"),
    }
}

/// Whether this second has a line left.
fn may_log() -> bool {
    static SECOND: AtomicU64 = AtomicU64::new(0);
    static LINES: AtomicU64 = AtomicU64::new(0);

    let now_s = u64::try_from(now_ms() / 1_000).unwrap_or(u64::MAX);
    if SECOND.swap(now_s, Ordering::Relaxed) != now_s {
        LINES.store(0, Ordering::Relaxed);
    }
    LINES.fetch_add(1, Ordering::Relaxed) < REFUSALS_LOGGED_PER_S
}

fn now_ms() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis()
}
