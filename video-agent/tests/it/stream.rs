//! The public stream, into nginx's RTMP module in the place of a platform.

use crate::world::{PATIENCE, Says, World, config, yes};
use axum::Router;
use axum::routing::post;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use video_agent::Permission;

const MODULE: &str = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

struct Platform {
    nginx: Child,
    port: u16,
    events: Arc<Mutex<Vec<String>>>,
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.nginx.kill();
        let _ = self.nginx.wait();
    }
}

fn nginx(folder: &Path, port: u16, events: u16) -> Child {
    let at = folder.display();
    let configuration = format!(
        "load_module {MODULE}; daemon off; master_process off; pid {at}/pid; error_log {at}/error.log;
         events {{ worker_connections 64; }}
         rtmp {{ access_log off; server {{ listen 127.0.0.1:{port}; application live {{ live on; record off;
           on_publish http://127.0.0.1:{events}/begin; on_publish_done http://127.0.0.1:{events}/end; }} }} }}"
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, configuration).unwrap();
    Command::new("/usr/sbin/nginx")
        .arg("-c")
        .arg(&file)
        .arg("-p")
        .arg(folder)
        .spawn()
        .unwrap()
}

async fn platform(folder: &Path) -> Platform {
    let events = Arc::new(Mutex::new(Vec::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hooks = listener.local_addr().unwrap().port();
    let note = |what: &'static str| {
        let events = Arc::clone(&events);
        post(move |body: String| async move {
            events.lock().unwrap().push(format!("{what} {body}"));
        })
    };
    let router = Router::new()
        .route("/begin", note("begin"))
        .route("/end", note("end"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    Platform {
        nginx: nginx(folder, port, hooks),
        port,
        events,
    }
}

impl Platform {
    fn count(&self, what: &str) -> usize {
        self.events
            .lock()
            .unwrap()
            .iter()
            .filter(|event| event.starts_with(what))
            .count()
    }

    async fn until(&self, what: &str, count: usize) -> Duration {
        let started = Instant::now();
        while self.count(what) < count {
            assert!(
                started.elapsed() < PATIENCE,
                "{what} {count}: {:?}",
                self.events.lock().unwrap()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        started.elapsed()
    }

    /// Pictures that a viewer gets.
    fn watch(&self) {
        let location = format!("rtmp://127.0.0.1:{}/live/topsecret", self.port);
        let description = format!(
            "rtmp2src location={location} ! flvdemux name=d d.audio ! queue ! fakesink sync=false \
             d.video ! queue ! h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=I420 ! appsink name=frames sync=false"
        );
        assert_eq!(crate::world::frames_of(&description, 20).len(), 20);
    }
}

async fn switch(world: &World, on: bool) {
    let url = format!("http://{}/api/v1/cameras/1/push", world.address);
    let answer = reqwest::Client::new()
        .put(url)
        .json(&serde_json::json!({ "on": on }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_stream_is_seen_killed_and_connected_again() {
    if !Path::new(MODULE).exists() {
        println!(
            "SKIPPED: no public stream is tested; {MODULE} is not here (apt-get install libnginx-mod-rtmp)"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut platform = platform(folder.path()).await;
    let key = folder.path().join("key");
    std::fs::write(&key, "topsecret\n").unwrap();
    let cameras = format!(
        r#"[{{"camera": 1, "kind": "chef", "test": "ball", "push_url": "rtmp://127.0.0.1:{}/live", "push_key_file": "{}"}}]"#,
        platform.port,
        key.display()
    );
    let recording_only = Permission {
        stream: None,
        ..yes()
    };
    let mut config = config(&cameras);
    config.state_dir = Some(folder.path().join("state"));
    let world = World::start(config.clone(), Says::Permits(recording_only)).await;
    world.until_segments(1, 2).await;
    assert_eq!(
        platform.count("begin"),
        0,
        "nobody consented to a public stream"
    );

    world.gate.says(Says::Permits(yes()));
    platform.until("begin", 1).await;
    let seen = tokio::task::spawn_blocking(move || {
        platform.watch();
        platform
    });
    platform = seen.await.unwrap();

    switch(&world, false).await;
    let took = platform.until("end", 1).await;
    println!("the kill switch took {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(world.camera(1).await["push"], "off");
    let recorded = world.sink.of(1).len();
    world.until_segments(1, recorded + 1).await;

    switch(&world, true).await;
    platform.until("begin", 2).await;
    // The platform goes away and comes back.
    platform.nginx.kill().unwrap();
    platform.nginx.wait().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let port = platform.port;
    let hooks = std::fs::read_to_string(folder.path().join("nginx.conf")).unwrap();
    assert!(hooks.contains(&port.to_string()));
    platform.nginx = Command::new("/usr/sbin/nginx")
        .arg("-c")
        .arg(folder.path().join("nginx.conf"))
        .arg("-p")
        .arg(folder.path())
        .spawn()
        .unwrap();
    platform.until("begin", 3).await;

    world.gate.says(Says::Permits(recording_only));
    let took = platform.until("end", 2).await;
    println!("a revocation of the stream took {took:?}");
    assert!(took < Duration::from_millis(2_500), "{took:?}");

    // A restart does not forget the kill switch.
    switch(&world, false).await;
    world.stop().await;
    let world = World::start(config, Says::Permits(yes())).await;
    world.until_segments(1, 1).await;
    assert_eq!(
        (
            world.camera(1).await["push"].as_str(),
            platform.count("begin")
        ),
        (Some("off"), 3)
    );
    switch(&world, true).await;
    platform.until("begin", 4).await;
    world.stop().await;
}

/// A YouTube account with one stream, as far as the agent asks for it; `said` is what it was told.
#[derive(Clone, Default)]
struct Account {
    said: Arc<Mutex<Vec<String>>>,
}

impl Account {
    async fn serve(&self) -> String {
        let account = self.clone();
        let answer = move |request: axum::extract::Request| {
            let account = account.clone();
            async move { axum::Json(account.answer(&request)) }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        format!("http://{address}")
    }

    fn answer(&self, request: &axum::extract::Request) -> serde_json::Value {
        use serde_json::json;
        let (method, path, query) = (
            request.method(),
            request.uri().path(),
            request.uri().query().unwrap_or_default(),
        );
        let said = |what: &str| self.said.lock().unwrap().push(what.to_owned());
        let id = json!({"items": [{"id": "b", "status": {"lifeCycleStatus": "live"}}]});
        match (method.as_str(), path) {
            ("POST", "/token") => json!({"access_token": "a"}),
            ("GET", "/liveStreams") => {
                json!({"items": [{"id": "s", "cdn": {"ingestionInfo": {"streamName": "topsecret"}}}]})
            }
            ("GET", "/liveBroadcasts") if query.contains("id=b") => id,
            ("GET", "/liveBroadcasts") => json!({"items": []}),
            ("POST", "/liveBroadcasts") => {
                said("made");
                json!({"id": "b"})
            }
            ("POST", "/liveBroadcasts/bind") => {
                assert!(query.contains("streamId=s"), "{query}");
                said("bound");
                json!({"id": "b"})
            }
            ("POST", "/liveBroadcasts/transition") => {
                said(if query.contains("complete") {
                    "ended"
                } else {
                    "begun"
                });
                json!({"id": "b"})
            }
            ("GET", "/videos") => {
                json!({"items": [{"liveStreamingDetails": {"concurrentViewers": "17"}}]})
            }
            other => panic!("{other:?}"),
        }
    }

    async fn until(&self, expected: &[&str]) {
        let started = Instant::now();
        while *self.said.lock().unwrap() != expected {
            assert!(
                started.elapsed() < PATIENCE,
                "{:?}, expected {expected:?}",
                self.said.lock().unwrap()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_told_of_the_stream_and_of_its_end() {
    let (folder, account) = (tempfile::tempdir().unwrap(), Account::default());
    let url = account.serve().await;
    let at = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let (key, secret, token) = (at("key", "topsecret"), at("secret", "s"), at("token", "t"));
    // Nobody takes the pictures: the page is kept all the same.
    let cameras = format!(
        r#"[{{"camera": 1, "kind": "chef", "test": "ball", "push_url": "rtmp://127.0.0.1:9/live", "push_key_file": "{key}",
            "platform": {{"kind": "youtube", "title": "The kitchen", "client_id": "c", "client_secret_file": "{secret}",
            "refresh_token_file": "{token}", "api_url": "{url}", "token_url": "{url}/token"}}}}]"#
    );
    let mut config = config(&cameras);
    config.state_dir = Some(folder.path().join("state"));
    let world = World::start(
        config,
        Says::Permits(Permission {
            stream: None,
            ..yes()
        }),
    )
    .await;
    world.until_segments(1, 1).await;
    account.until(&[]).await;
    world.gate.says(Says::Permits(yes()));
    account.until(&["made", "bound"]).await;
    let started = Instant::now();
    while world.camera(1).await["viewers"] != 17 {
        assert!(started.elapsed() < PATIENCE, "{:?}", world.camera(1).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    switch(&world, false).await;
    account.until(&["made", "bound", "ended"]).await;
    assert_eq!(world.camera(1).await.get("viewers"), None);
    switch(&world, true).await;
    account
        .until(&["made", "bound", "ended", "made", "bound"])
        .await;
    // The agent stops, and nothing is left on air.
    world.stop().await;
    account
        .until(&["made", "bound", "ended", "made", "bound", "ended"])
        .await;
}
