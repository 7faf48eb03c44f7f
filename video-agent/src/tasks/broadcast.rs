//! Keeps a platform's page in step with the public stream of one camera: named when it begins, ended when it ends.

use crate::camera::Camera;
use crate::core::backoff::Backoff;
use crate::io::platform::{OnAir, Platform, Seen};
use crate::metrics;
use service_kit::error::in_full;
use std::sync::Arc;
use std::time::{Duration, Instant};
use stream_platforms::PlatformError;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

const INTERVAL: Duration = Duration::from_millis(500);
/// How often it is asked how many look.
const LOOK_INTERVAL: Duration = Duration::from_secs(15);
const PAUSE_FIRST_MS: u64 = 2_000;
const PAUSE_MAX_MS: u64 = 300_000;
/// What the end of a broadcast may take when the agent stops.
const END_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Keeps the platform's page in step with the camera until `stop`, then ends the broadcast.
pub(crate) async fn run(camera: Arc<Camera>, platform: Platform, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    camera.set_push_ready(!platform.decides_who_sees());

    let mut page = Page {
        camera,
        platform,
        on_air: None,
        is_ending: false,
        next: Instant::now(),
        backoff: new_backoff(),
    };

    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if stop.run_until_cancelled(page.follow()).await.is_none() {
            break;
        }
    }

    if tokio::time::timeout(END_TIMEOUT, page.end()).await.is_err() {
        tracing::warn!(
            "a broadcast could not be ended in time; the platform ends it when pictures stay away"
        );
    }
}

fn new_backoff() -> Backoff {
    Backoff::new(PAUSE_FIRST_MS, PAUSE_MAX_MS)
}

struct Page {
    camera: Arc<Camera>,
    platform: Platform,
    on_air: Option<OnAir>,
    /// Its end was asked for, and did not succeed yet.
    is_ending: bool,
    /// When the platform is spoken to again.
    next: Instant,
    backoff: Backoff,
}

impl Page {
    async fn follow(&mut self) {
        let is_due = Instant::now() >= self.next;
        match (self.camera.wants_push(), &self.on_air) {
            // The end is owed at once, whatever went wrong before.
            (Some(false), Some(_)) if is_due || !self.is_ending => self.end().await,
            (Some(true), None) if is_due => self.begin().await,
            (Some(true), Some(_)) if is_due => self.look().await,
            _ => {}
        }
    }

    async fn begin(&mut self) {
        match self.platform.start().await {
            Ok(on_air) => {
                tracing::info!(
                    camera = self.camera.asked.camera,
                    "the platform knows of the stream"
                );
                (self.on_air, self.next, self.backoff) =
                    (Some(on_air), Instant::now(), new_backoff());
                self.camera.set_push_ready(true);
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn look(&mut self) {
        let Some(on_air) = &self.on_air else { return };
        match self.platform.look(on_air).await {
            Ok(Seen { is_over: true, .. }) => {
                // Whoever did that does not want another one.
                let remembered = self.camera.switch_push(false).is_ok();
                tracing::warn!(
                    camera = self.camera.asked.camera,
                    remembered,
                    "ended on the platform's page: switched off"
                );
                self.forget();
            }
            Ok(Seen { viewers, .. }) => {
                self.camera.has_viewers(viewers);
                metrics::viewers(self.camera.asked.camera, viewers);
                self.next = Instant::now() + LOOK_INTERVAL;
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn end(&mut self) {
        let Some(on_air) = &self.on_air else { return };
        self.is_ending = true;
        self.camera
            .set_push_ready(!self.platform.decides_who_sees());
        match self.platform.stop(on_air).await {
            Ok(()) => self.forget(),
            // It is tried again, and the platform ends by itself what gets no pictures.
            Err(error) if error.is_retryable() => self.failed(&error),
            Err(error) => {
                self.failed(&error);
                self.forget();
            }
        }
    }

    fn forget(&mut self) {
        (self.on_air, self.is_ending) = (None, false);
        self.camera
            .set_push_ready(!self.platform.decides_who_sees());
        self.camera.has_viewers(None);
        metrics::viewers(self.camera.asked.camera, None);
    }

    fn failed(&mut self, error: &PlatformError) {
        metrics::platform_error(self.camera.asked.camera);
        tracing::warn!(
            camera = self.camera.asked.camera,
            error = in_full(error),
            "the platform did not do as asked"
        );
        self.next = Instant::now() + Duration::from_millis(self.backoff.after(0));
    }
}
