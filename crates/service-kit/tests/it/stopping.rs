//! A stop waits for answers, and for no client.

use crate::door::{PATIENCE, Running, hear, hear_until, say, serve};
use service_kit::doors::DoorLimits;
use std::time::{Duration, Instant};

/// Stops; gives how long that took.
async fn stop(door: Running) -> Duration {
    let started = Instant::now();
    door.stop.cancel();
    let ended = tokio::time::timeout(PATIENCE, door.ended).await;
    ended.expect("it stops").unwrap().unwrap();
    started.elapsed()
}

/// All limits are far away: nothing but the stop itself can end these connections.
#[tokio::test]
async fn a_stop_does_not_wait_for_idle_and_slow_clients() {
    let limits = DoorLimits {
        stop_grace_ms: 15_000,
        ..DoorLimits::default()
    };
    let door = serve(limits).await;

    let mut idle = say(door.address, "GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await;
    hear_until(&mut idle, "hello").await;
    let _half_a_line = say(door.address, "GET /hel").await;
    let half_a_body = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf";
    let _half_a_body = say(door.address, half_a_body).await;
    let endless = "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n";
    let stopped_reader = say(door.address, endless).await;
    stopped_reader.readable().await.unwrap();

    let took = stop(door).await;
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn a_request_under_way_is_answered() {
    let door = serve(DoorLimits::default()).await;

    let mut asked = say(door.address, "GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop(door).await;
    let heard = hear(&mut asked).await;
    assert!(heard.ends_with("late"), "{heard}");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let limits = DoorLimits {
        stop_grace_ms: 100,
        ..DoorLimits::default()
    };
    let door = serve(limits).await;

    let mut reader = say(door.address, "GET /events HTTP/1.1\r\nhost: x\r\n\r\n").await;
    hear_until(&mut reader, "\r\n\r\n").await;
    let took = stop(door).await;
    assert!(took < Duration::from_secs(10), "{took:?}");
}
