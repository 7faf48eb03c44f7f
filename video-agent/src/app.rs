//! Puts the agent together from its configuration and runs it until it is told to stop.

use crate::camera::{Camera, Setup};
use crate::config::{CameraConfig, Config};
use crate::core::consent::Asked;
use crate::core::consent::CameraKind;
use crate::core::policy::{MODEL_SHA256, Policy};
use crate::error::Error;
use crate::gate::ConsentGate;
use crate::http;
use crate::io::detector::CenterFace;
use crate::io::images;
use crate::io::memory::keep_in_memory;
use crate::io::node::NodeGate;
use crate::io::pipeline;
use crate::io::platform::Platform;
use crate::io::switch::Switch;
use crate::metrics;
use crate::recordings::Recordings;
use crate::sink::{NoVault, SegmentSink};
use crate::tasks::broadcast;
use crate::tasks::camera::{self, ASK_TIMEOUT, Context};
use crate::tasks::look::Looker;
use crate::tasks::measure::{self, MeasureArgs};
use crate::tasks::output::PushTo;
use anyhow::{Context as _, Result};
use service_kit::doors::Doors;
use service_kit::error::in_full;
use service_kit::http::{Readiness, health_router};
use service_kit::telemetry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long cameras may take to stop together; one that hangs is left behind.
const STOP: Duration = Duration::from_secs(2);

/// An agent that is bound to its port and has not begun.
pub struct Agent {
    cameras: Vec<Arc<Camera>>,
    platforms: Vec<(Arc<Camera>, Platform)>,
    context: Context,
    recordings: Option<Recordings>,
    doors: Doors,
    readiness: Readiness,
}

impl Agent {
    /// Checks the configuration, tests the detector, binds the port. `gate` says what is permitted, `sink` takes what
    /// was recorded.
    pub async fn build(
        config: Config,
        gate: Arc<dyn ConsentGate>,
        sink: Arc<dyn SegmentSink>,
    ) -> Result<Self> {
        config.check()?;
        keep_in_memory()?;
        pipeline::init()?;
        metrics::describe();

        let doors = Doors::open(config.http.listen, config.http.limits)
            .await?
            .with_metrics_at(config.http.metrics_listen)
            .await?;

        let readiness = Readiness::starting();
        let cameras = tokio::task::spawn_blocking({
            let (config, readiness) = (config.clone(), readiness.clone());
            move || build_cameras(&config, &readiness)
        });
        let cameras = cameras.await??;
        let platforms = collect_platforms(&config, &cameras)?;

        let context = Context { gate, sink };
        Ok(Self {
            cameras,
            platforms,
            context,
            recordings: None,
            doors,
            readiness,
        })
    }

    /// With what works on the recordings that its sink takes.
    #[must_use]
    pub fn with(self, recordings: Option<Recordings>) -> Self {
        Self { recordings, ..self }
    }

    /// Where preview and health are served.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.doors.local_addr()
    }

    /// Works until `stop`.
    pub async fn run(self, stop: CancellationToken) -> Result<()> {
        let recorder = telemetry::init_metrics();
        let doors = self.doors.showing(move || recorder.render());
        let vault = self.recordings.as_ref().map(Recordings::vault);
        let router = http::router(self.cameras.clone(), vault).merge(health_router(self.readiness));

        let mut tasks = JoinSet::new();
        if let Some(recordings) = self.recordings {
            recordings.start(&mut tasks, &stop);
        }
        for (camera, platform) in self.platforms {
            tasks.spawn(broadcast::run(camera, platform, stop.clone()));
        }
        for camera in self.cameras {
            tasks.spawn(camera::run(self.context.clone(), camera, stop.clone()));
        }

        doors
            .serve(router, stop.clone())
            .await
            .context("serve HTTP")?;

        if tokio::time::timeout(STOP, tasks.join_all()).await.is_err() {
            tracing::warn!(
                "a camera, or what works on recordings, did not stop in time and is left behind"
            );
        }

        Ok(())
    }
}

/// Builds and runs an agent that asks the configured nodes for consent, until `stop`. Without a vault it keeps nothing.
pub async fn run(config: Config, stop: CancellationToken) -> Result<()> {
    let gate = NodeGate::new(&config.node.urls, ASK_TIMEOUT)?;
    let recordings = Recordings::open(&config).await?;
    if recordings.is_none() {
        tracing::warn!(
            "no [vault] is configured: cameras are streamed and previewed, and nothing is recorded"
        );
    }

    let sink = recordings.as_ref().map_or_else(
        || Arc::new(NoVault) as Arc<dyn SegmentSink>,
        Recordings::sink,
    );

    Agent::build(config, Arc::new(gate), sink)
        .await?
        .with(recordings)
        .run(stop)
        .await
}

/// Plays a film as a camera on loopback, until `stop`.
#[cfg(feature = "rtsp-camera")]
pub async fn rtsp_camera(film: &std::path::Path, port: u16, stop: CancellationToken) -> Result<()> {
    crate::io::rtsp_camera::serve(film, port, stop).await
}

/// Anonymises a film; gives a line of JSON that says how many frames were shown, and why the others were not.
pub fn measure(args: &MeasureArgs) -> Result<String> {
    keep_in_memory()?;
    pipeline::init()?;
    images::single_threaded()?;

    let size = crate::core::frame::Size {
        width: args.width.into(),
        height: args.height.into(),
    };
    let open = |file: &std::path::PathBuf| CenterFace::open(file, size);
    let detector = args.model_file.as_ref().map(open).transpose()?;

    let tally = measure::run(
        args,
        detector.map(|detector| Looker::start(Box::new(detector))),
    )?;

    Ok(serde_json::json!({ "masked": tally.masked, "solid": tally.solid }).to_string())
}

/// One detector for each camera, so that one that hangs holds up no other.
fn build_cameras(config: &Config, readiness: &Readiness) -> Result<Vec<Arc<Camera>>> {
    images::single_threaded()?;
    let mut cameras = Vec::new();
    let mut usable = Ok(());

    for given in &config.cameras {
        let detector = config
            .detector
            .model_file
            .as_ref()
            .map(|file| CenterFace::open(file, config.size()));
        let (policy, looker) = match detector {
            None => (without_detector(given.kind), None),
            Some(Ok(detector)) => (
                Policy::FacesAndSilhouettes,
                Some(Looker::start(Box::new(detector))),
            ),
            Some(Err(error)) => {
                usable = Err(report_unusable(&error));
                (Policy::Solid, None)
            }
        };

        cameras.push(Arc::new(build_camera(config, given, policy, looker)?));
    }

    metrics::detector_usable(usable.is_ok());
    readiness.set(usable);

    Ok(cameras)
}

/// The accounts at platforms, each with its camera.
fn collect_platforms(
    config: &Config,
    cameras: &[Arc<Camera>],
) -> Result<Vec<(Arc<Camera>, Platform)>> {
    let mut found = Vec::new();
    for (given, camera) in config.cameras.iter().zip(cameras) {
        found.extend(
            given
                .platform()?
                .map(|platform| (Arc::clone(camera), platform)),
        );
    }
    Ok(found)
}

fn report_unusable(error: &Error) -> String {
    let reason = in_full(error);
    tracing::error!(
        error = reason,
        "the detector is not usable: all frames will be solid"
    );
    format!("the detector is not usable, so all frames are solid: {reason}")
}

/// Guests may sit still from the first frame on; then only a detector tells them from chairs.
fn without_detector(kind: CameraKind) -> Policy {
    match kind {
        CameraKind::Customer => Policy::Solid,
        CameraKind::Chef | CameraKind::Security => Policy::Silhouettes,
    }
}

fn build_camera(
    config: &Config,
    given: &CameraConfig,
    policy: Policy,
    looker: Option<Looker>,
) -> Result<Camera> {
    let asked = Asked {
        outlet: config.outlet,
        camera: given.camera,
        kind: given.kind,
    };

    let model = looker
        .as_ref()
        .and_then(|_| hex::decode(MODEL_SHA256).ok()?.try_into().ok());
    let setup = Setup {
        size: config.size(),
        bitrate_kbps: config.video.bitrate_kbps,
        segment_ms: config.video.segment_ms,
        policy,
        model_sha256: model,
    };

    let switch = config
        .state_dir
        .as_deref()
        .map(|dir| Switch::new(dir, given.camera));
    let push_to = given.push_location()?.zip(switch);
    let push_to = push_to.map(|(location, switch)| PushTo {
        camera: given.camera,
        location,
        switch,
    });

    Ok(Camera::new(asked, given.source()?, push_to, setup, looker))
}
