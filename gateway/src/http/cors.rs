//! Which pages of other origins may talk to the gateway through a browser. Every page may read what everybody may see: a
//! cookie is never taken from another origin's page. What is written is signed, and still only named pages may write.

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, header};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may keep the answer.
const MAX_AGE: Duration = Duration::from_secs(3_600);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Reads for everybody, writes for these origins.
pub fn allow_origins(write_origins: Vec<String>) -> CorsLayer {
    let is_allowed = move |origin: &HeaderValue, request: &Parts| {
        is_read(request)
            || write_origins
                .iter()
                .any(|allowed| allowed.as_bytes() == origin.as_bytes())
    };

    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT])
        .allow_headers([header::CONTENT_TYPE, REQUEST_ID, LAST_EVENT_ID])
        .expose_headers([REQUEST_ID, header::RETRY_AFTER])
        .max_age(MAX_AGE)
}

/// Before it writes, a browser asks with OPTIONS and names the method.
fn is_read(request: &Parts) -> bool {
    let asked = request.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    let is_preflight = request.method == Method::OPTIONS;

    match asked.filter(|_| is_preflight) {
        Some(method) => matches!(method.as_bytes(), b"GET" | b"HEAD"),
        None => matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn parts(method: Method, asked: Option<&str>) -> Parts {
        let mut request = Request::builder().method(method);
        if let Some(asked) = asked {
            request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, asked);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_question_before_a_write_is_no_read() {
        assert!(is_read(&parts(Method::GET, None)));
        assert!(is_read(&parts(Method::OPTIONS, Some("GET"))));
        assert!(!is_read(&parts(Method::OPTIONS, Some("POST"))));
        assert!(!is_read(&parts(Method::POST, None)));
        assert!(!is_read(&parts(Method::POST, Some("GET"))));
    }
}
