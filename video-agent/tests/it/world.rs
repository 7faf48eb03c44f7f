//! What the tests have in common: a gate and a sink that can be told what to do, films, waiting.

use async_trait::async_trait;
use gstreamer as gst;
use gstreamer::prelude::*;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use video_agent::{
    Agent, Asked, Config, ConsentGate, GateError, Grant, Permission, Segment, SegmentSink,
    SinkError,
};

pub const CONSENT: [u8; 32] = [7; 32];
/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn now_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis() as u64
}

/// Both purposes, for an hour.
pub fn yes() -> Permission {
    let grant = Grant {
        consent: CONSENT,
        until_ms: now_ms() + 3_600_000,
        retention_days: None,
    };
    Permission {
        recording: Some(grant),
        stream: Some(grant),
    }
}

#[derive(Clone, Copy)]
pub enum Says {
    Permits(Permission),
    CannotBeAsked,
    NeverAnswers,
}

#[derive(Clone)]
pub struct Gate(pub Arc<Mutex<Says>>);

impl Gate {
    pub fn new(says: Says) -> Self {
        Self(Arc::new(Mutex::new(says)))
    }

    pub fn says(&self, says: Says) {
        *self.0.lock().unwrap() = says;
    }
}

#[async_trait]
impl ConsentGate for Gate {
    async fn ask(&self, _: &Asked) -> Result<Permission, GateError> {
        let says = *self.0.lock().unwrap();
        match says {
            Says::Permits(permission) => Ok(permission),
            Says::CannotBeAsked => Err(GateError::Unreachable { source: None }),
            Says::NeverAnswers => std::future::pending().await,
        }
    }
}

#[derive(Clone, Default)]
pub struct Sink {
    pub segments: Arc<Mutex<Vec<Segment>>>,
    pub refuses: Arc<Mutex<bool>>,
}

impl Sink {
    pub fn of(&self, camera: u64) -> Vec<Segment> {
        self.segments
            .lock()
            .unwrap()
            .iter()
            .filter(|segment| segment.camera == camera)
            .cloned()
            .collect()
    }
}

#[async_trait]
impl SegmentSink for Sink {
    async fn next_sequence(&self, camera: u64) -> Result<u64, SinkError> {
        Ok(self.of(camera).len() as u64)
    }

    async fn accept(&self, segment: Segment) -> Result<(), SinkError> {
        if *self.refuses.lock().unwrap() {
            return Err(SinkError {
                source: "the disk is full".into(),
            });
        }
        self.segments.lock().unwrap().push(segment);
        Ok(())
    }
}

pub struct World {
    pub gate: Gate,
    pub sink: Sink,
    pub address: SocketAddr,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

/// Small frames and short segments, so that tests are quick.
pub fn config(cameras: &str) -> Config {
    let text = format!(
        r#"{{"outlet": 1, "video": {{"width": 320, "height": 180, "bitrate_kbps": 300, "segment_ms": 1900}},
            "http": {{"listen": "127.0.0.1:0"}}, "cameras": {cameras}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

impl World {
    pub async fn start(config: Config, says: Says) -> Self {
        let (gate, sink, stop) = (Gate::new(says), Sink::default(), CancellationToken::new());
        let agent = Agent::build(config, Arc::new(gate.clone()), Arc::new(sink.clone()))
            .await
            .unwrap();
        let address = agent.local_addr().unwrap();
        let running = tokio::spawn(agent.run(stop.clone()));
        Self {
            gate,
            sink,
            address,
            stop,
            running,
        }
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        reqwest::get(format!("http://{}{path}", self.address))
            .await
            .unwrap()
    }

    /// What `/api/v1/cameras` says of a camera.
    pub async fn camera(&self, number: u64) -> Value {
        let cameras: Vec<Value> = self.get("/api/v1/cameras").await.json().await.unwrap();
        cameras
            .into_iter()
            .find(|camera| camera["camera"] == number)
            .unwrap()
    }

    pub async fn until_camera(&self, number: u64, what: &str, is: impl Fn(&Value) -> bool) {
        let started = Instant::now();
        loop {
            let camera = self.camera(number).await;
            if is(&camera) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{what}: {camera}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub async fn until_segments(&self, camera: u64, count: usize) -> Vec<Segment> {
        let started = Instant::now();
        loop {
            let segments = self.sink.of(camera);
            if segments.len() >= count {
                return segments;
            }
            let state = self.camera(camera).await;
            assert!(
                started.elapsed() < PATIENCE,
                "{} of {count} segments: {state}",
                segments.len()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Stops the agent as Ctrl-C does, within two seconds.
    pub async fn stop(self) -> Sink {
        let started = Instant::now();
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "stopping took {:?}",
            started.elapsed()
        );
        self.sink
    }
}

/// Runs a pipeline of GStreamer to its end.
pub fn run_pipeline(description: &str) {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(description).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let bus = pipeline.bus().unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus
        .timed_pop_filtered(gst::ClockTime::from_seconds(60), &kinds)
        .expect("it ends");
    assert!(
        matches!(message.view(), gst::MessageView::Eos(_)),
        "{message:?}"
    );
    pipeline.set_state(gst::State::Null).unwrap();
}

/// Makes a film of a test picture that moves, then of another one.
pub fn film(folder: &Path, parts: &[(&str, u32)]) -> PathBuf {
    let path = folder.join("film.mp4");
    let caps = "video/x-raw,width=320,height=180,framerate=25/1";
    let sources: Vec<String> = parts
        .iter()
        .map(|(pattern, frames)| {
            format!("videotestsrc num-buffers={frames} {pattern} ! {caps} ! c.")
        })
        .collect();
    let sink = path.display();
    // With a bit rate, what a busy encoder makes of a still picture is never still.
    run_pipeline(&format!(
        "concat name=c ! x264enc speed-preset=ultrafast pass=quant quantizer=20 ! mp4mux ! filesink location={sink} {}",
        sources.join(" ")
    ));
    path
}

/// The first frames that come out of a pipeline's `frames`, as luma of 320 by 180 pixels.
pub fn frames_of(description: &str, count_max: usize) -> Vec<Vec<u8>> {
    gst::init().unwrap();
    let pipeline = gst::parse::launch(description)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline
        .by_name("frames")
        .unwrap()
        .downcast::<gstreamer_app::AppSink>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut frames = Vec::new();
    while frames.len() < count_max
        && let Some(sample) = sink.try_pull_sample(gst::ClockTime::from_seconds(30))
    {
        let map = sample.buffer().unwrap().map_readable().unwrap();
        frames.push(map[..320 * 180].to_vec());
    }
    pipeline.set_state(gst::State::Null).unwrap();
    frames
}

/// Decodes a film and gives each frame's luma.
pub fn decode(bytes: &[u8]) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("segment.mp4");
    std::fs::write(&path, bytes).unwrap();
    let description = format!(
        "filesrc location={} ! qtdemux ! h264parse ! avdec_h264 ! videoconvert ! video/x-raw,format=I420 \
         ! appsink name=frames sync=false",
        path.display()
    );
    frames_of(&description, usize::MAX)
}

/// Whether a frame is the colour of hidden ones, but for what the encoder makes of it.
pub fn is_solid(luma: &[u8]) -> bool {
    luma.iter().all(|pixel| (44..=52).contains(pixel))
}
