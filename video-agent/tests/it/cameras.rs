//! Cameras fail alone, and are tried again.

use crate::world::{Says, World, config, decode, film, is_solid, yes};
use gstreamer as gst;
use gstreamer_rtsp_server::prelude::*;
use gstreamer_rtsp_server::{RTSPMediaFactory, RTSPServer};
use std::time::Duration;
use video_agent::CameraKind;

/// A camera on loopback that also hears, sound first; gives its address.
fn rtsp_camera() -> String {
    gst::init().unwrap();
    let server = RTSPServer::new();
    server.set_address("127.0.0.1");
    server.set_service("0");
    let factory = RTSPMediaFactory::new();
    factory.set_launch(
        "( audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay0 pt=8 \
         videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=20/1 \
         ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=20 ! rtph264pay config-interval=1 name=pay1 pt=96 )",
    );
    factory.set_shared(true);
    server
        .mount_points()
        .unwrap()
        .add_factory("/kitchen", factory);
    let context = gst::glib::MainContext::new();
    let _attached = server.attach(Some(&context)).unwrap();
    let port = server.bound_port();
    std::thread::spawn(move || {
        let _server = server;
        gst::glib::MainLoop::new(Some(&context), false).run();
    });
    format!("rtsp://127.0.0.1:{port}/kitchen")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rtsp_camera_is_recorded() {
    let cameras = format!(
        r#"[{{"camera": 1, "kind": "chef", "rtsp": "{}"}}]"#,
        rtsp_camera()
    );
    let world = World::start(config(&cameras), Says::Permits(yes())).await;
    let segments = world.until_segments(1, 3).await;
    assert!(
        decode(&segments[2].bytes)
            .iter()
            .any(|frame| !is_solid(frame))
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_camera_and_one_that_never_answers_stop_only_themselves() {
    // Takes connections, and says nothing.
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Nobody listens there any more.
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let cameras = format!(
        r#"[{{"camera": 1, "kind": "chef", "rtsp": "rtsp://{gone}/x"}},
            {{"camera": 2, "kind": "chef", "rtsp": "rtsp://user:geheim@{}/x"}},
            {{"camera": 3, "kind": "chef", "test": "ball"}}]"#,
        mute.local_addr().unwrap()
    );
    let world = World::start(config(&cameras), Says::Permits(yes())).await;
    for dead in [1, 2] {
        world
            .until_camera(dead, "it is down", |camera| {
                camera["alerts"] == serde_json::json!(["down"])
            })
            .await;
    }
    let before = world.sink.of(3).len();
    world.until_segments(3, before + 2).await;
    let metrics = world.get("/metrics").await.text().await.unwrap();
    assert!(!metrics.contains("geheim"));
    let cameras = world.get("/api/v1/cameras").await.text().await.unwrap();
    assert!(!cameras.contains("geheim"), "{cameras}");
    let sink = world.stop().await;
    assert!(sink.of(1).is_empty() && sink.of(2).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_that_is_garbage_is_a_camera_that_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.mp4");
    std::fs::write(&garbage, [0x5a; 100_000]).unwrap();
    let cameras = format!(
        r#"[{{"camera": 1, "kind": "chef", "file": "{}"}}]"#,
        garbage.display()
    );
    let world = World::start(config(&cameras), Says::Permits(yes())).await;
    world
        .until_camera(1, "it is down", |camera| camera["state"] == "down")
        .await;
    assert!(world.stop().await.of(1).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_refuses_ends_the_session_until_it_takes_again() {
    let world = World::start(
        config(r#"[{"camera": 1, "kind": "chef", "test": "ball"}]"#),
        Says::Permits(yes()),
    )
    .await;
    *world.sink.refuses.lock().unwrap() = true;
    world
        .until_camera(1, "it is down", |camera| camera["state"] == "down")
        .await;
    *world.sink.refuses.lock().unwrap() = false;
    world.until_segments(1, 1).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_model_leaves_every_frame_solid_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("centerface.onnx");
    std::fs::write(&model, b"no model").unwrap();
    let mut config = config(r#"[{"camera": 1, "kind": "chef", "test": "ball"}]"#);
    config.detector.model_file = Some(model);
    let world = World::start(config, Says::Permits(yes())).await;
    let readiness = world.get("/readyz").await;
    assert_eq!(readiness.status(), 503);
    assert!(readiness.text().await.unwrap().contains("checksum"));
    let segments = world.until_segments(1, 3).await;
    for segment in segments {
        assert_eq!(segment.mask_policy, "solid/1");
        assert!(decode(&segment.bytes).iter().all(|frame| is_solid(frame)));
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_a_table_is_not_shown_and_a_kitchen_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path(), &[("pattern=ball", 200)]);
    let mut config = config(&format!(
        r#"[{{"camera": 1, "kind": "customer", "file": "{0}"}}, {{"camera": 2, "kind": "security", "file": "{0}"}}]"#,
        path.display()
    ));
    config.cameras[0].kind = CameraKind::Customer;
    let world = World::start(config, Says::Permits(yes())).await;
    let (table, room) = (
        world.until_segments(1, 3).await,
        world.until_segments(2, 3).await,
    );
    assert!(
        table
            .iter()
            .all(|segment| decode(&segment.bytes).iter().all(|frame| is_solid(frame)))
    );
    assert!(
        room.iter()
            .any(|segment| decode(&segment.bytes).iter().any(|frame| !is_solid(frame)))
    );
    assert_eq!(world.get("/readyz").await.status(), 200);
    tokio::time::sleep(Duration::from_millis(10)).await;
    world.stop().await;
}

/// The model, and the film with its people, where they are.
fn model_and_film() -> Option<(std::path::PathBuf, std::path::PathBuf)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let model = root.join(".tools/video/centerface.onnx");
    let film = root.join("../shared/data/video/comp.mp4");
    let missing = [&model, &film].into_iter().find(|file| !file.exists());
    if let Some(file) = missing {
        println!(
            "SKIPPED: the real detector is not tested; {} is not here",
            file.display()
        );
        return None;
    }
    Some((model, film))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_detector_lets_a_table_be_seen() {
    let Some((model, film)) = model_and_film() else {
        return;
    };
    let mut config = config(&format!(
        r#"[{{"camera": 1, "kind": "customer", "file": "{}"}}]"#,
        film.display()
    ));
    config.detector.model_file = Some(model);
    let world = World::start(config, Says::Permits(yes())).await;
    assert_eq!(world.get("/readyz").await.status(), 200);
    let segments = world.until_segments(1, 4).await;
    assert_eq!(segments[0].mask_policy, "faces-and-silhouettes/1");
    let expected = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc";
    assert_eq!(hex::encode(segments[0].model_sha256.unwrap()), expected);
    let frames: Vec<Vec<u8>> = segments
        .iter()
        .flat_map(|segment| decode(&segment.bytes))
        .collect();
    let shown = frames.iter().filter(|frame| !is_solid(frame)).count();
    assert!(shown > 10, "{shown} of {} frames are shown", frames.len());
    world.stop().await;
}
