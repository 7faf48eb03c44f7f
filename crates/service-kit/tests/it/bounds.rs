//! Clients that are slow, silent, large or many.

use crate::door::{ask, hear, hear_until, quick, say, serve, wait_until};
use service_kit::doors::{DoorLimits, Doors};
use tokio::net::TcpStream;

const HELLO: &str = "GET /hello HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn half_a_request_line_is_not_waited_for() {
    let limits = DoorLimits {
        idle_timeout_ms: 60_000,
        ..quick()
    };
    let door = serve(limits).await;

    let mut slow = say(door.address, "GET /hel").await;
    assert_eq!(hear(&mut slow).await, "");
}

#[tokio::test]
async fn a_silent_connection_is_closed_before_and_after_a_request() {
    let limits = DoorLimits {
        head_timeout_ms: 60_000,
        ..quick()
    };
    let door = serve(limits).await;

    let mut silent = TcpStream::connect(door.address).await.unwrap();
    assert_eq!(hear(&mut silent).await, "");

    let mut polite = say(door.address, HELLO).await;
    let heard = hear(&mut polite).await;
    assert!(heard.ends_with("hello"), "{heard}");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let door = serve(DoorLimits::default()).await;

    let mut stream = say(door.address, &format!("{HELLO}{HELLO}")).await;
    let first = hear_until(&mut stream, "hello").await;
    if first.matches("200 OK").count() < 2 {
        hear_until(&mut stream, "hello").await;
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_is_answered_408() {
    let door = serve(quick()).await;

    let words = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf";
    let mut slow = say(door.address, words).await;
    let heard = hear(&mut slow).await;

    assert!(heard.starts_with("HTTP/1.1 408 "), "{heard}");
    assert!(
        heard.contains("urn:hotpot:problem:request_timeout"),
        "{heard}"
    );
    assert!(heard.contains("connection: close"), "{heard}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_413() {
    let limits = DoorLimits {
        body_bytes_max: 100,
        ..DoorLimits::default()
    };
    let door = serve(limits).await;

    let body = "x".repeat(100_000);
    let more = format!("content-length: {}\r\n\r\n{body}", body.len());
    let heard = ask(door.address, "POST", "/echo", &more).await;
    assert!(heard.starts_with("HTTP/1.1 413 "), "{heard}");
    assert!(
        heard.contains("urn:hotpot:problem:body_too_large"),
        "{heard}"
    );

    let small = ask(
        door.address,
        "POST",
        "/echo",
        "content-length: 3\r\n\r\nabc",
    )
    .await;
    assert!(small.ends_with("abc"), "{small}");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_answered_431() {
    let limits = DoorLimits {
        head_bytes_max: 8_192,
        ..DoorLimits::default()
    };
    let door = serve(limits).await;

    let more = format!("x: {}\r\n", "a".repeat(20_000));
    let heard = ask(door.address, "GET", "/hello", &more).await;
    assert!(
        heard.is_empty() || heard.starts_with("HTTP/1.1 431 "),
        "{heard}"
    );
}

/// Whoever asks for much and reads nothing does not keep his place.
#[tokio::test]
async fn a_reader_that_stops_reading_is_dropped() {
    let limits = DoorLimits {
        connections_max: 1,
        idle_timeout_ms: 60_000,
        ..quick()
    };
    let door = serve(limits).await;

    let words = "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n";
    let stopped = say(door.address, words).await;
    stopped.readable().await.unwrap();
    wait_until("the place is free again", || async {
        ask(door.address, "GET", "/hello", "")
            .await
            .ends_with("hello")
    })
    .await;
    drop(stopped);
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_gets_them_back() {
    let limits = DoorLimits {
        connections_per_address_max: 2,
        ..DoorLimits::default()
    };
    let door = serve(limits).await;

    let mut held = say(door.address, HELLO).await;
    hear_until(&mut held, "hello").await;
    let mut other = say(door.address, HELLO).await;
    hear_until(&mut other, "hello").await;

    let mut refused = TcpStream::connect(door.address).await.unwrap();
    let heard = hear(&mut refused).await;
    assert!(heard.starts_with("HTTP/1.1 429 "), "{heard}");
    assert!(heard.contains("application/problem+json"), "{heard}");

    drop(held);
    wait_until("a place is free again", || async {
        ask(door.address, "GET", "/hello", "")
            .await
            .ends_with("hello")
    })
    .await;
}

#[tokio::test]
async fn there_are_so_many_connections_in_all() {
    let limits = DoorLimits {
        connections_max: 1,
        ..DoorLimits::default()
    };
    let door = serve(limits).await;

    let mut held = say(door.address, HELLO).await;
    hear_until(&mut held, "hello").await;

    let mut refused = TcpStream::connect(door.address).await.unwrap();
    let heard = hear(&mut refused).await;
    assert!(heard.starts_with("HTTP/1.1 503 "), "{heard}");
    assert!(heard.contains("too_many_connections"), "{heard}");
}

#[tokio::test]
async fn an_address_has_so_many_streams() {
    let limits = DoorLimits {
        streams_per_address_max: 1,
        ..DoorLimits::default()
    };
    let door = serve(limits).await;

    let words = "GET /events HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut reader = say(door.address, words).await;
    let head = hear_until(&mut reader, "\r\n\r\n").await;
    assert!(head.contains("x-accel-buffering: no"), "{head}");

    let refused = ask(door.address, "GET", "/events", "").await;
    assert!(refused.contains("too_many_streams"), "{refused}");

    drop(reader);
    wait_until("the stream's place is free again", || async {
        let mut next = say(door.address, words).await;
        hear_until(&mut next, "\r\n\r\n").await.contains("200 OK")
    })
    .await;
}

/// Who is silent or slow takes places, and nobody's time.
#[tokio::test]
async fn many_idle_and_slow_clients_hold_up_nobody() {
    let limits = DoorLimits {
        connections_per_address_max: 2_000,
        ..DoorLimits::default()
    };
    let door = serve(limits).await;

    let mut held = Vec::new();
    for number in 0..1_200 {
        let words = if number % 6 == 0 { "GET /hel" } else { "" };
        held.push(say(door.address, words).await);
    }

    let started = std::time::Instant::now();
    for _ in 0..20 {
        let heard = ask(door.address, "GET", "/hello", "").await;
        assert!(heard.ends_with("hello"), "{heard}");
    }
    let took = started.elapsed();
    assert!(took < std::time::Duration::from_secs(5), "{took:?}");
    assert_eq!(held.len(), 1_200);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = Doors::open("127.0.0.1:0", DoorLimits::default())
        .await
        .unwrap();
    let address = taken.local_addr().unwrap();

    let error = Doors::open(address, DoorLimits::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}
