//! Supervises one camera: asks for consent, runs a session while there is one, tries again when it fails.

use super::output::Kept;
use super::session::{self, Wires};
use crate::camera::Camera;
use crate::core::alerts::Alert;
use crate::core::backoff::Backoff;
use crate::core::consent::Permission;
use crate::error::Error;
use crate::gate::ConsentGate;
use crate::metrics;
use crate::sink::{Segment, SegmentSink, SinkError};
use api_types::CameraState;
use service_kit::clock;
use service_kit::error::in_full;
use std::sync::Arc;
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
