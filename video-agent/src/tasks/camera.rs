//! Supervises one camera: asks for consent, runs a session while there is one, tries again when it fails.

use super::look::Looker;
use super::output::{Kept, PushTo};
use super::session::{self, Wires};
use crate::core::alerts::{Alert, Watch};
use crate::core::backoff::Backoff;
use crate::core::consent::{Asked, Grant, Permission};
use crate::core::frame::Size;
use crate::core::policy::Policy;
use crate::error::Error;
use crate::gate::ConsentGate;
use crate::io::capture::Source;
use crate::io::preview::Preview;
use crate::io::switch::Switch;
use crate::metrics;
use crate::sink::{Segment, SegmentSink, SinkError};
use api_types::CameraState;
use service_kit::clock;
use service_kit::error::in_full;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// How often consent is asked for.
const ASK_INTERVAL: Duration = Duration::from_secs(1);
/// An answer that takes longer is none. With the interval and the session's end it stays within two seconds.
pub(crate) const ASK_TIMEOUT: Duration = Duration::from_millis(700);
/// Segments that wait for the vault at most; then the session ends.
const KEPT_WAITING_MAX: usize = 8;
const PAUSE_FIRST_MS: u64 = 500;
const PAUSE_MAX_MS: u64 = 30_000;

/// How frames are made into segments.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub size: Size,
    pub bitrate_kbps: u32,
    pub segment_ms: u64,
    pub policy: Policy,
    /// The model in use.
    pub model_sha256: Option<[u8; 32]>,
}

/// A camera, shared by its task, its session and the HTTP side.
pub(crate) struct Camera {
    pub asked: Asked,
    pub source: Source,
    pub push_to: Option<PushTo>,
    pub setup: Setup,
    pub preview: Preview,
    state: Mutex<CameraState>,
    alerts: Mutex<Vec<Alert>>,
    watch: Mutex<Watch>,
    looker: Mutex<Option<Looker>>,
    switch: Option<Switch>,
    push_is_on: AtomicBool,
    /// False while a platform has to be told first.
    push_is_ready: AtomicBool,
    viewers: Mutex<Option<u64>>,
    view_is_new: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Camera {
    pub fn new(
        asked: Asked,
        source: Source,
        push_to: Option<PushTo>,
        setup: Setup,
        looker: Option<Looker>,
    ) -> Self {
        let switch = push_to.as_ref().map(|to| to.switch.clone());
        let is_on = switch.as_ref().is_none_or(Switch::is_on);

        Self {
            asked,
            source,
            push_to,
            setup,
            preview: Preview::default(),
            state: Mutex::new(CameraState::Waiting {
                reason: "starting".into(),
            }),
            alerts: Mutex::default(),
            watch: Mutex::default(),
            looker: Mutex::new(looker),
            switch,
            push_is_on: AtomicBool::new(is_on),
            push_is_ready: AtomicBool::new(true),
            viewers: Mutex::default(),
            view_is_new: AtomicBool::new(false),
        }
    }

    pub fn state(&self) -> CameraState {
        lock(&self.state).clone()
    }

    pub fn alerts(&self) -> Vec<Alert> {
        lock(&self.alerts).clone()
    }

    /// Held by the session.
    pub fn looker(&self) -> MutexGuard<'_, Option<Looker>> {
        lock(&self.looker)
    }

    /// Held by the session.
    pub fn watch(&self) -> MutexGuard<'_, Watch> {
        lock(&self.watch)
    }

    /// What the session sees in the last frames.
    pub fn saw(&self, alerts: Vec<Alert>) {
        if *lock(&self.alerts) != alerts {
            metrics::alerts(self.asked.camera, &alerts);
            let names: Vec<&str> = alerts.iter().map(|alert| alert.name()).collect();
            tracing::warn!(
                camera = self.asked.camera,
                alerts = names.join(","),
                "the camera's alerts changed"
            );
            *lock(&self.alerts) = alerts;
        }
    }

    pub fn push_is_on(&self) -> bool {
        self.push_is_on.load(Ordering::Relaxed)
    }

    /// The kill switch of the public stream: off at once, and remembered.
    pub fn switch_push(&self, on: bool) -> std::io::Result<()> {
        if !on {
            self.push_is_on.store(false, Ordering::Relaxed);
        }

        self.switch
            .as_ref()
            .map_or(Ok(()), |switch| switch.set(on))?;
        self.push_is_on.store(on, Ordering::Relaxed);

        tracing::info!(
            camera = self.asked.camera,
            on,
            "the public stream is switched"
        );
        Ok(())
    }

    /// Whether the platform knows of the stream, where it has to before the first picture.
    pub fn set_push_ready(&self, is_ready: bool) {
        self.push_is_ready.store(is_ready, Ordering::Relaxed);
    }

    /// Whether pictures may go to the platform now, if somebody consented.
    pub fn may_push(&self) -> bool {
        self.push_is_on() && self.push_is_ready.load(Ordering::Relaxed)
    }

    /// Whether there is to be a public stream: somebody consented, and the kill switch is not off. Nobody decided anything
    /// while the camera is down.
    pub fn wants_push(&self) -> Option<bool> {
        match self.state() {
            CameraState::Down { .. } if self.push_is_on() => None,
            CameraState::Live {
                stream_until_ms: Some(_),
                ..
            } => Some(self.push_is_on()),
            _ => Some(false),
        }
    }

    /// Who looks at the public stream, as the platform says.
    pub fn viewers(&self) -> Option<u64> {
        *lock(&self.viewers)
    }

    pub fn has_viewers(&self, viewers: Option<u64>) {
        *lock(&self.viewers) = viewers;
    }

    /// The camera was turned on purpose. The session, which holds what is remembered of the view, hears of it.
    pub fn forget_view(&self) {
        self.view_is_new.store(true, Ordering::Relaxed);
    }

    pub fn takes_new_view(&self) -> bool {
        self.view_is_new.swap(false, Ordering::Relaxed)
    }

    /// Frames come: the camera is live for as long as this permission reaches.
    pub fn is_live(&self, permission: Permission) {
        let until = |grant: Option<Grant>| grant.map(|grant| grant.until_ms);
        let (recording, stream) = (until(permission.recording), until(permission.stream));
        self.enter(CameraState::Live {
            recording_until_ms: recording,
            stream_until_ms: stream,
        });
    }

    fn enter(&self, state: CameraState) {
        metrics::live(self.asked.camera, matches!(state, CameraState::Live { .. }));
        if !matches!(state, CameraState::Live { .. }) {
            self.preview.clear();
        }

        let mut current = lock(&self.state);
        if *current != state {
            tracing::info!(
                camera = self.asked.camera,
                ?state,
                "the camera's state changed"
            );
            *current = state;
        }
    }
}

/// Who is asked, and who takes what was recorded.
#[derive(Clone)]
pub(crate) struct Context {
    pub gate: Arc<dyn ConsentGate>,
    pub sink: Arc<dyn SegmentSink>,
}

/// Runs a camera until `stop`.
pub(crate) async fn run(context: Context, camera: Arc<Camera>, stop: CancellationToken) {
    metrics::begin(camera.asked.camera);
    metrics::alerts(camera.asked.camera, &[]);
    let mut backoff = Backoff::new(PAUSE_FIRST_MS, PAUSE_MAX_MS);

    while !stop.is_cancelled() {
        let pause = match ask_permission(&context, &camera).await {
            Ok(permission) => {
                attempt_session(&context, &camera, permission, &mut backoff, &stop).await
            }
            Err(reason) => {
                camera.enter(CameraState::Waiting { reason });
                camera.saw(Vec::new());
                ASK_INTERVAL
            }
        };

        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    camera.enter(CameraState::Waiting {
        reason: "stopped".into(),
    });
}

/// What is permitted, or why nothing is.
async fn ask_permission(context: &Context, camera: &Camera) -> Result<Permission, String> {
    let number = camera.asked.camera;
    let answer = tokio::time::timeout(ASK_TIMEOUT, context.gate.ask(&camera.asked)).await;

    let permission = match answer {
        Ok(Ok(permission)) => permission.at(clock::now_ms()),
        Ok(Err(error)) => {
            metrics::consent(number, "error");
            return Err(in_full(&error));
        }
        Err(_) => {
            metrics::consent(number, "error");
            return Err(format!("no answer about consent within {ASK_TIMEOUT:?}"));
        }
    };

    metrics::consent(number, if permission.is_any() { "yes" } else { "no" });
    if permission.is_any() {
        Ok(permission)
    } else {
        Err("no consent is in force".into())
    }
}

/// One session, from yes to no. Gives the pause before the next question.
async fn attempt_session(
    context: &Context,
    camera: &Arc<Camera>,
    permission: Permission,
    backoff: &mut Backoff,
    stop: &CancellationToken,
) -> Duration {
    let started = Instant::now();

    match run_session(context, camera, permission, stop).await {
        Ok(()) => Duration::ZERO,
        Err(failure) => {
            tracing::warn!(
                camera = camera.asked.camera,
                error = in_full(&failure),
                "the session failed"
            );
            camera.enter(CameraState::Down {
                reason: in_full(&failure),
            });
            camera.saw(vec![Alert::Down]);

            Duration::from_millis(backoff.after(started.elapsed().as_millis() as u64))
        }
    }
}

/// Why a session failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("camera")]
    Camera(#[source] Error),
    #[error("vault")]
    Vault(#[source] SinkError),
    #[error("the session's thread panicked")]
    Panicked,
}

async fn run_session(
    context: &Context,
    camera: &Arc<Camera>,
    permission: Permission,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let sequence = context
        .sink
        .next_sequence(camera.asked.camera)
        .await
        .map_err(Failure::Vault)?;
    let (permit, permitted) = watch::channel(permission);
    let (kept, waiting) = mpsc::channel(KEPT_WAITING_MAX);
    let ending = stop.child_token();
    let wires = Wires {
        permission: permitted,
        ending: ending.clone(),
        kept,
    };
    let running = Arc::clone(camera);
    let frames = tokio::task::spawn_blocking(move || session::run(&running, &wires));
    let keeping = keep_segments(context, camera, sequence, waiting, &ending);
    let asking = keep_asking(context, camera, &permit, &ending);
    let watched = async {
        let ended = frames.await;
        // The question under way and the vault learn of the end by this.
        ending.cancel();
        ended
            .map_err(|_| Failure::Panicked)?
            .map_err(Failure::Camera)
    };
    let (ended, kept, ()) = tokio::join!(watched, keeping, asking);
    kept.and(ended)
}

/// Asks every second; anything but a yes ends the session.
async fn keep_asking(
    context: &Context,
    camera: &Camera,
    permit: &watch::Sender<Permission>,
    ending: &CancellationToken,
) {
    let mut ticks = tokio::time::interval(ASK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;

    loop {
        tokio::select! {
            () = ending.cancelled() => return,
            _ = ticks.tick() => {}
        }

        match ask_permission(context, camera).await {
            Ok(permission) => {
                permit.send_replace(permission);
            }
            Err(reason) => {
                tracing::info!(
                    camera = camera.asked.camera,
                    reason,
                    "the session is not permitted any more"
                );

                permit.send_replace(Permission::default());
                camera.preview.clear();
                return ending.cancel();
            }
        }
    }
}

/// Hands segments to the vault, also the last ones after the session's end.
async fn keep_segments(
    context: &Context,
    camera: &Camera,
    mut sequence: u64,
    mut waiting: mpsc::Receiver<Kept>,
    ending: &CancellationToken,
) -> Result<(), Failure> {
    while let Some((recorded, grant)) = waiting.recv().await {
        let segment = Segment {
            outlet: camera.asked.outlet,
            camera: camera.asked.camera,
            sequence,
            consent: grant.consent,
            retention_days: grant.retention_days,
            started_at_ms: recorded.started_at_ms,
            ended_at_ms: recorded.ended_at_ms,
            bytes: recorded.bytes.into(),
            mask_policy: camera.setup.policy.name(),
            model_sha256: camera.setup.model_sha256,
        };

        if let Err(error) = context.sink.accept(segment).await {
            metrics::segment(camera.asked.camera, "refused");
            ending.cancel();
            return Err(Failure::Vault(error));
        }

        metrics::segment(camera.asked.camera, "accepted");
        sequence += 1;
    }

    Ok(())
}
