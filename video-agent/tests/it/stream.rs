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
    Command::new("/usr/sbin/nginx").arg("-c").arg(&file).arg("-p").arg(folder).spawn().unwrap()
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
    let router = Router::new().route("/begin", note("begin")).route("/end", note("end"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    Platform { nginx: nginx(folder, port, hooks), port, events }
}

impl Platform {
    fn count(&self, what: &str) -> usize {
        self.events.lock().unwrap().iter().filter(|event| event.starts_with(what)).count()
    }

    async fn until(&self, what: &str, count: usize) -> Duration {
        let started = Instant::now();
        while self.count(what) < count {
            assert!(started.elapsed() < PATIENCE, "{what} {count}: {:?}", self.events.lock().unwrap());
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
    let answer = reqwest::Client::new().put(url).json(&serde_json::json!({ "on": on })).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_public_stream_is_seen_killed_and_connected_again() {
    if !Path::new(MODULE).exists() {
        println!("SKIPPED: no public stream is tested; {MODULE} is not here (apt-get install libnginx-mod-rtmp)");
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
    let recording_only = Permission { stream: None, ..yes() };
    let world = World::start(config(&cameras), Says::Permits(recording_only)).await;
    world.until_segments(1, 2).await;
    assert_eq!(platform.count("begin"), 0, "nobody consented to a public stream");

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
    world.stop().await;
}
