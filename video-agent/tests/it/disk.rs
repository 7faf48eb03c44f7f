//! Raw frames stay in memory: the real program under strace, with a node that says yes.

use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Files that a process may open for writing: none of them is ever given a frame.
fn is_harmless(path: &str) -> bool {
    // GStreamer's list of plug-ins, and memory in which Orc compiles its inner loops.
    path.starts_with("/dev/null")
        || path.starts_with("/proc/")
        || path.contains("/gstreamer-1.0/registry")
        || path.contains("orcexec")
}

/// A node with one consent in force.
async fn node() -> u16 {
    let consent = json!([{
        "id": format!("0x{}", "11".repeat(32)), "kind": "chef", "outlet": 1, "camera": 1, "purposes": ["recording"],
        "recorded_at_ms": 0, "retention_days": 3, "until_ms": 4_000_000_000_000u64, "revoked_at_ms": null, "height": 1
    }]);
    let router = Router::new()
        .route("/readyz", get(|| async { Json(json!({"ready": true})) }))
        .route(
            "/api/v1/outlets/1/consents",
            get(move || async move { Json(consent) }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// Calls that open something for writing, or memory that has a name.
fn writes(line: &str) -> Option<String> {
    let opens = line.contains("open")
        && ["O_WRONLY", "O_RDWR", "O_CREAT"]
            .iter()
            .any(|flag| line.contains(flag));
    let named = line.contains("memfd_create(") || line.contains("creat(");
    if !opens && !named || line.contains(" = -1 ") {
        return None;
    }
    Some(line.split('"').nth(1).unwrap_or(line).to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_is_written() {
    if Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status()
        .is_err()
    {
        println!("SKIPPED: writing to disk is not watched; strace is not here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (trace, log) = (folder.path().join("trace"), folder.path().join("log"));
    let film = crate::world::film(folder.path(), &[("pattern=ball", 250)]);
    let config = folder.path().join("agent.toml");
    let http = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let text = format!(
        "outlet = 1\n[video]\nwidth = 320\nheight = 180\nsegment_ms = 1000\n[node]\nurls = [\"http://127.0.0.1:{}\"]\n\
         [http]\nlisten = \"{http}\"\n[[cameras]]\ncamera = 1\nkind = \"chef\"\nfile = \"{}\"\n",
        node().await,
        film.display()
    );
    std::fs::write(&config, text).unwrap();
    let mut agent = Command::new("strace")
        .args([
            "-f",
            "-e",
            "trace=open,openat,creat,memfd_create,rename,renameat2,truncate,ftruncate",
            "-o",
        ])
        .arg(&trace)
        .args([
            env!("CARGO_BIN_EXE_video-agent"),
            "--stop-on-stdin-close",
            "--config",
        ])
        .arg(&config)
        .env("RUST_LOG", "video_agent=debug")
        .stdin(Stdio::piped())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let read = || std::fs::read_to_string(&log).unwrap();
    while read().matches("a segment is dropped").count() < 4 {
        assert!(
            started.elapsed() < Duration::from_secs(90),
            "no segments: {}",
            read()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    let metrics = reqwest::get(format!("http://{http}/metrics"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for name in [
        r#"video_camera_alert{camera="1",alert="down"} 0"#,
        r#"video_frames_total{camera="1",result="masked"}"#,
        r#"video_segments_total{camera="1",result="accepted"}"#,
        r#"video_consent_questions_total{camera="1",answer="yes"}"#,
        "video_anonymise_seconds_bucket{",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    drop(agent.stdin.take());
    assert!(agent.wait().unwrap().success());
    let lines = BufReader::new(std::fs::File::open(&trace).unwrap())
        .lines()
        .map(Result::unwrap);
    let calls: Vec<String> = lines.collect();
    let written: Vec<String> = calls.iter().filter_map(|line| writes(line)).collect();
    println!(
        "{} calls watched, {} files opened for writing",
        calls.len(),
        written.len()
    );
    assert!(calls.len() > 100, "strace saw {} calls only", calls.len());
    assert!(written.iter().all(|path| is_harmless(path)), "{written:#?}");
}
