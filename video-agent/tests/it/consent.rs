//! Nothing is recorded that is not permitted, and stopping takes two seconds at most.

use crate::world::{CONSENT, Says, World, config, decode, is_solid, now_ms, yes};
use std::time::{Duration, Instant};
use video_agent::{Grant, Permission};

const KITCHEN: &str = r#"[{"camera": 1, "kind": "chef", "test": "ball"}]"#;
/// What the user was promised.
const STOP_MS_MAX: u64 = 2_000;

async fn recording(says: Says) -> World {
    let world = World::start(config(KITCHEN), says).await;
    world.until_segments(1, 1).await;
    world
}

/// Says no in one way or another, and looks how long frames were recorded after it.
async fn stops_after(says: Says) {
    let world = recording(Says::Permits(yes())).await;
    let said_ms = now_ms();
    world.gate.says(says);
    world
        .until_camera(1, "it waits", |camera| camera["state"] == "waiting")
        .await;
    let stopped_ms = now_ms() - said_ms;
    assert_eq!(
        world
            .get("/api/v1/cameras/1/preview/index.m3u8")
            .await
            .status(),
        404
    );
    tokio::time::sleep(Duration::from_secs(3)).await;
    let sink = world.stop().await;
    let last = sink
        .of(1)
        .iter()
        .map(|segment| segment.ended_at_ms)
        .max()
        .unwrap();
    let recorded_ms = last.saturating_sub(said_ms);
    println!(
        "stopped after {stopped_ms} ms; the last frame was taken {recorded_ms} ms after the no"
    );
    assert!(
        recorded_ms <= STOP_MS_MAX,
        "recorded {recorded_ms} ms after the no"
    );
    assert!(
        stopped_ms <= STOP_MS_MAX + 500,
        "waiting after {stopped_ms} ms"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_stops_it() {
    stops_after(Says::Permits(Permission::default())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_be_asked_stops_it() {
    stops_after(Says::CannotBeAsked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_never_answers_stops_it() {
    stops_after(Says::NeverAnswers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_consent_no_frame_is_taken() {
    for says in [
        Says::Permits(Permission::default()),
        Says::CannotBeAsked,
        Says::NeverAnswers,
    ] {
        let world = World::start(config(KITCHEN), says).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(world.camera(1).await["state"], "waiting");
        assert_eq!(
            world
                .get("/api/v1/cameras/1/preview/index.m3u8")
                .await
                .status(),
            404
        );
        assert!(world.stop().await.of(1).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_by_itself_at_the_end_of_the_consent() {
    let until_ms = now_ms() + 8_000;
    let grant = Grant {
        consent: CONSENT,
        until_ms,
        retention_days: None,
    };
    let world = recording(Says::Permits(Permission {
        recording: Some(grant),
        stream: None,
    }))
    .await;
    world
        .until_camera(1, "it waits", |camera| camera["state"] == "waiting")
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let last = world
        .stop()
        .await
        .of(1)
        .iter()
        .map(|segment| segment.ended_at_ms)
        .max()
        .unwrap();
    assert!(last <= until_ms, "recorded {} ms too long", last - until_ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_to_stream_alone_records_nothing() {
    let permission = Permission {
        recording: None,
        ..yes()
    };
    let world = World::start(config(KITCHEN), Says::Permits(permission)).await;
    world
        .until_camera(1, "it is live", |camera| camera["state"] == "live")
        .await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(world.stop().await.of(1).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_belongs_to_one_consent() {
    let world = recording(Says::Permits(yes())).await;
    let other = Grant {
        consent: [9; 32],
        until_ms: now_ms() + 3_600_000,
        retention_days: None,
    };
    world.gate.says(Says::Permits(Permission {
        recording: Some(other),
        stream: None,
    }));
    let started = Instant::now();
    while !world
        .sink
        .of(1)
        .iter()
        .any(|segment| segment.consent == [9; 32])
    {
        assert!(started.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let segments = world.stop().await.of(1);
    let numbers: Vec<u64> = segments.iter().map(|segment| segment.sequence).collect();
    assert_eq!(numbers, (0..segments.len() as u64).collect::<Vec<_>>());
    for pair in segments.windows(2) {
        assert!(
            pair[0].ended_at_ms <= pair[1].started_at_ms + 80,
            "{pair:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_plays_alone_and_begins_solid() {
    let world = recording(Says::Permits(yes())).await;
    world.until_segments(1, 3).await;
    let segments = world.stop().await.of(1);
    for segment in &segments {
        assert_eq!(
            (segment.outlet, segment.camera, segment.consent),
            (1, 1, CONSENT)
        );
        assert_eq!(
            (segment.mask_policy, segment.model_sha256),
            ("silhouettes/1", None)
        );
        let frames = decode(&segment.bytes);
        assert!(!frames.is_empty());
        let lasts_ms = segment.ended_at_ms - segment.started_at_ms;
        let by_frames = frames.len() as u64 * 80;
        assert!(
            lasts_ms.abs_diff(by_frames) < 1_500,
            "{} frames in {lasts_ms} ms",
            frames.len()
        );
    }
    let first = decode(&segments[0].bytes);
    assert!(
        first[..10].iter().all(|frame| is_solid(frame)),
        "the room is being learned"
    );
    let last = decode(&segments[2].bytes);
    assert!(
        last.iter().any(|frame| !is_solid(frame)),
        "then it is shown"
    );
}
