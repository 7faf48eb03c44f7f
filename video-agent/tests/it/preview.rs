//! The preview by its door.

use crate::world::{Says, World, config, decode, now_ms, yes};
use std::time::{Duration, Instant};

const CAMERA: &str = "/api/v1/cameras/1/preview";

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_plays_and_is_seconds_behind() {
    let world = World::start(
        config(r#"[{"camera": 1, "kind": "chef", "test": "ball"}]"#),
        Says::Permits(yes()),
    )
    .await;
    let started = Instant::now();
    let playlist = loop {
        let answer = world.get(&format!("{CAMERA}/index.m3u8")).await;
        if answer.status() == 200 {
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let text = answer.text().await.unwrap();
            if text.matches(".m4s").count() >= 3 {
                break text;
            }
        }
        assert!(started.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let mut film = world
        .get(&format!("{CAMERA}/init.mp4"))
        .await
        .bytes()
        .await
        .unwrap()
        .to_vec();
    for name in playlist.lines().filter(|line| line.ends_with(".m4s")) {
        film.extend(
            world
                .get(&format!("{CAMERA}/{name}"))
                .await
                .bytes()
                .await
                .unwrap(),
        );
    }
    assert!(decode(&film).len() >= 30);
    for wrong in [
        "/api/v1/cameras/9/preview/index.m3u8",
        "/api/v1/cameras/1/preview/..%2f..%2fetc",
        "/api/v1/cameras/1/preview/99.m4s",
    ] {
        let answer = world.get(wrong).await;
        assert_eq!(answer.status(), 404, "{wrong}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    println!(
        "first fragments {:?} after the start, at {}",
        started.elapsed(),
        now_ms()
    );
    world.stop().await;
}
