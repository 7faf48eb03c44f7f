//! How an API answers: JSON, or problem details that name the field and the request.

use crate::Problem;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde::de::DeserializeOwned;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const PROBLEM_JSON: &str = "application/problem+json";
const REQUEST_ID: &str = "x-request-id";
/// The largest body of a public request; a sale of 500 lines is well below.
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// How much of a body that is too large is read before the connection is closed.
const BODY_BYTES_DRAINED_MAX: usize = 32 * 1024 * 1024;
/// Seconds after which a full mempool is worth another try.
const RETRY_AFTER_S: &str = "1";

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

/// A JSON body whose errors name the field.
pub struct JsonBody<T>(pub T);

/// Reads a body within its bound. What is beyond is read and thrown away, so that the client, who is still sending,
/// gets the answer rather than a broken connection.
pub async fn read_body(body: Body) -> Result<Vec<u8>, Refusal> {
    let (mut kept, mut found) = (Vec::new(), 0);
    let mut chunks = body.into_data_stream();

    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Problem::new(400, "body_cut_off", error.to_string()))?;
        found += chunk.len();
        if found <= BODY_BYTES_MAX {
            kept.extend_from_slice(&chunk);
        } else if found > BODY_BYTES_DRAINED_MAX {
            break;
        }
    }

    if found > BODY_BYTES_MAX {
        return Err(Problem::new(
            413,
            "body_too_large",
            format!("a body has at most {BODY_BYTES_MAX} bytes"),
        )
        .into());
    }

    Ok(kept)
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let bytes = read_body(request.into_body()).await?;
        parse_json(&bytes).map(Self)
    }
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = error
            .path()
            .to_string()
            .replace(['.', '['], "/")
            .replace(']', "");
        let cause = error.into_inner();

        if cause.is_data() {
            let missing = cause.to_string().split('`').nth(1).map(str::to_owned);
            let field = if cause.to_string().starts_with("missing field") {
                missing
            } else {
                None
            };
            let field = field.unwrap_or_else(|| pointer.trim_matches('/').to_owned());
            let field = if field == "." { String::new() } else { field };
            return Refusal::from(Problem::new(422, "bad_field", cause.to_string()).at(&field));
        }

        malformed_json(&cause)
    })?;

    deserializer.end().map_err(|error| malformed_json(&error))?;
    Ok(value)
}

fn malformed_json(error: &serde_json::Error) -> Refusal {
    Refusal::from(Problem::new(
        400,
        "malformed_json",
        format!("the body is not JSON: {error}"),
    ))
}

/// Gives every answer the request's id, and every problem too.
pub async fn with_request_id(request: Request, next: Next) -> Response {
    static COUNTER: AtomicU64 = AtomicU64::new(0);

    let given = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| id.len() <= 64);
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

    let mut response = next.run(request).await;
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
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

fn now_ms() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis()
}
