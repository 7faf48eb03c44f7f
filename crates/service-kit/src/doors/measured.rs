//! `http_requests_total` and `http_request_duration_seconds` by method, route and status.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;

/// Measures one request. The route is the pattern that matched, or `unmatched`, so that labels stay few.
pub(super) async fn measure_request(request: Request, next: Next) -> Response {
    let method = name_of(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();

    let started = Instant::now();
    let response = next.run(request).await;

    let status = response.status().as_u16().to_string();
    let labels = [
        ("method", method.to_owned()),
        ("route", route),
        ("status", status),
    ];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels).record(started.elapsed());
    response
}

/// Anybody can make up methods; a label for each would grow for ever.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_method_makes_no_label_of_its_own() {
        let made_up = Method::from_bytes(b"BREW1").unwrap();
        assert_eq!(name_of(&made_up), "other");
        assert_eq!(name_of(&Method::POST), "POST");
    }
}
