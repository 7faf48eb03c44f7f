//! What a handler takes from a request. axum's own extractors refuse in plain text; these with problem details that name
//! the field.

use crate::{Problem, Refusal};
use axum::body::{Body, Bytes};
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use futures::StreamExt;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// The largest body of a public request; a sale of 500 lines is well below.
pub const BODY_BYTES_MAX: usize = 512 * 1024;
/// How much of a body that is too large is read before the connection is closed.
const BODY_BYTES_DRAINED_MAX: usize = 32 * 1024 * 1024;

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
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(refuse_value)?;
    deserializer.end().map_err(|error| malformed_json(&error))?;
    Ok(value)
}

/// 422 with the field that is wrong or missing; 400 when it is no JSON at all.
fn refuse_value(error: serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let mut path = pointer_to(error.path());
    let cause = error.into_inner();
    if !cause.is_data() {
        return malformed_json(&cause);
    }

    // The path of a missing field is that of what it is missing in; serde names the field in its message alone.
    let text = cause.to_string();
    let missing = text
        .strip_prefix("missing field")
        .and_then(|rest| rest.split('`').nth(1));
    path.extend(missing.map(escape_token));

    Refusal::from(Problem::new(422, "bad_field", text.as_str()).at(&path.join("/")))
}

/// The parts of a JSON pointer (RFC 6901) to where reading stopped.
fn pointer_to(path: &serde_path_to_error::Path) -> Vec<String> {
    let token = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(escape_token(key)),
        // A variant is no level of its own in our JSON.
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(token).collect()
}

fn escape_token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn malformed_json(error: &serde_json::Error) -> Refusal {
    Refusal::from(Problem::new(
        400,
        "malformed_json",
        format!("the body is not JSON: {error}"),
    ))
}

/// A body as it came, of at most [`BODY_BYTES_MAX`].
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let bytes = read_body(request.into_body()).await?;
        Ok(Self(bytes.into()))
    }
}

/// The parts of a path, as [`axum::extract::Path`] reads them.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let taken = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        taken
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|rejection| refuse_path(&rejection))
    }
}

fn refuse_path(rejection: &PathRejection) -> Refusal {
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
        return Problem::new(500, "internal", rejection.body_text()).into();
    };
    let field = match failed.kind() {
        ErrorKind::ParseErrorAtKey { key, .. }
        | ErrorKind::DeserializeError { key, .. }
        | ErrorKind::InvalidUtf8InPathParam { key } => key.as_str(),
        _ => "",
    };

    Refusal::bad_field(field, failed.kind().to_string())
}

/// The parameters behind the question mark, as [`axum::extract::Query`] reads them.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let taken = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        taken
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| refuse_query(&rejection))
    }
}

/// serde says which parameter in words only: ``duplicate field `after` ``, or `limit: invalid digit found in string`.
fn refuse_query(rejection: &QueryRejection) -> Refusal {
    let text = rejection.body_text();
    let cause = text
        .strip_prefix("Failed to deserialize query string: ")
        .unwrap_or(&text);

    let quoted = cause.split('`').nth(1);
    let leading = cause.split_once(": ").map(|(name, _)| name);
    let is_name = |name: &&str| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let field = leading.filter(is_name).or(quoted).unwrap_or_default();
    Refusal::bad_field(field, cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it is read")]
    struct Wanted {
        after: Option<u64>,
    }

    async fn refused(uri: &str) -> Problem {
        let (mut parts, ()) = Request::builder().uri(uri).body(()).unwrap().into_parts();
        let taken = Query::<Wanted>::from_request_parts(&mut parts, &()).await;
        *taken.err().expect("it is refused").0
    }

    #[test]
    fn a_field_is_found_wherever_it_is_missing_or_wrong() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only whether it is read")]
        struct Line {
            sku: String,
            #[serde(rename = "a/b")]
            odd: Option<u8>,
        }

        let at = |text: &str| {
            let refused = parse_json::<Vec<Line>>(text.as_bytes()).unwrap_err();
            refused.0.errors[0].pointer.clone()
        };
        assert_eq!(at(r#"[{"sku": "a"}, {}]"#), "/1/sku");
        assert_eq!(at(r#"[{"sku": 7}]"#), "/0/sku");
        assert_eq!(at(r#"[{"sku": "a", "a/b": 300}]"#), "/0/a~1b");
    }

    #[tokio::test]
    async fn a_wrong_parameter_is_named() {
        for uri in ["/?after=1&after=2", "/?after=many", "/?after="] {
            let problem = refused(uri).await;
            assert_eq!(problem.status, 422, "{uri}");
            assert_eq!(problem.errors[0].pointer, "/after", "{uri}: {problem:?}");
        }

        let unknown = refused("/?behind=1").await;
        assert_eq!(unknown.errors[0].pointer, "/behind", "{unknown:?}");
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_bound() {
        let request = |bytes: usize| Request::new(Body::from(vec![0; bytes]));

        let taken = RawBody::from_request(request(BODY_BYTES_MAX), &()).await;
        assert_eq!(taken.ok().unwrap().0.len(), BODY_BYTES_MAX);
        let refused = RawBody::from_request(request(BODY_BYTES_MAX + 1), &()).await;
        assert_eq!(refused.err().unwrap().0.status, 413);
    }
}
