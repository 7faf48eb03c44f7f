//! Refusals in one form, and headers.

use crate::door::{ask, serve};
use problem::Problem;
use service_kit::doors::DoorLimits;

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    let line = |line: &'a str| line.split_once(": ").filter(|(found, _)| *found == name);
    head.lines().find_map(line).map(|(_, value)| value)
}

fn problem_of(answer: &str) -> Problem {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[tokio::test]
async fn every_refusal_is_a_problem_with_the_requests_id() {
    let door = serve(DoorLimits::default()).await;
    let json = "content-type: application/json\r\ncontent-length: 1\r\n\r\nx";

    for (status, method, path, more) in [
        (404, "GET", "/nowhere", ""),
        (405, "POST", "/hello", "content-length: 0\r\n"),
        (405, "BREW", "/hello", ""),
        (422, "GET", "/numbers/many", ""),
        (400, "GET", "/bare/many", ""),
        (422, "GET", "/list?limit=many", ""),
        (415, "POST", "/json", "content-length: 1\r\n\r\n1"),
        (400, "POST", "/json", json),
    ] {
        let answer = ask(door.address, method, path, more).await;
        let problem = problem_of(&answer);

        assert_eq!(problem.status, status, "{method} {path}: {answer}");
        assert_eq!(
            header(&answer, "content-type"),
            Some("application/problem+json"),
            "{answer}"
        );
        assert_eq!(
            header(&answer, "x-request-id"),
            problem.request_id.as_deref(),
            "{answer}"
        );
        assert!(problem.request_id.is_some(), "{answer}");
        assert!(!problem.detail.is_empty(), "{answer}");
    }
}

#[tokio::test]
async fn an_id_that_was_given_is_kept() {
    let door = serve(DoorLimits::default()).await;

    let answer = ask(door.address, "GET", "/nowhere", "x-request-id: mine-1\r\n").await;
    assert_eq!(header(&answer, "x-request-id"), Some("mine-1"));
    let answer = ask(door.address, "GET", "/nowhere", "x-request-id: \r\n").await;
    assert_ne!(header(&answer, "x-request-id"), Some(""));
}

#[tokio::test]
async fn answers_are_not_guessed_at_and_not_kept() {
    let door = serve(DoorLimits::default()).await;

    let text = ask(door.address, "GET", "/hello", "").await;
    assert_eq!(header(&text, "x-content-type-options"), Some("nosniff"));
    assert_eq!(header(&text, "cache-control"), None);

    let refused = ask(door.address, "GET", "/nowhere", "").await;
    assert_eq!(header(&refused, "cache-control"), Some("no-store"));
}

#[tokio::test]
async fn head_has_no_body_and_options_name_the_methods() {
    let door = serve(DoorLimits::default()).await;

    let head = ask(door.address, "HEAD", "/hello", "").await;
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    assert!(head.ends_with("\r\n\r\n"), "{head}");
    let missing = ask(door.address, "HEAD", "/nowhere", "").await;
    assert!(missing.starts_with("HTTP/1.1 404 "), "{missing}");
    assert!(missing.ends_with("\r\n\r\n"), "{missing}");

    let options = ask(door.address, "OPTIONS", "/hello", "").await;
    assert!(options.starts_with("HTTP/1.1 204 "), "{options}");
    assert_eq!(header(&options, "allow"), Some("GET,HEAD"), "{options}");
}
