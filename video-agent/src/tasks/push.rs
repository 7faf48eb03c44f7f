//! Keeps the public stream of one camera connected, with pauses that grow, in a thread of its own: a platform that hangs
//! holds up nothing else.

use crate::core::backoff::Backoff;
use crate::core::packager::Picture;
use crate::io::push::Push;
use crate::metrics;
use service_kit::Secret;
use service_kit::error::in_full;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Pictures that wait for the platform: about five seconds; more are left out.
const WAITING_MAX: usize = 64;
const PAUSE_FIRST_MS: u64 = 1_000;
const PAUSE_MAX_MS: u64 = 60_000;

/// Takes pictures while it lives; dropping it ends the stream.
pub(crate) struct Feed {
    pictures: SyncSender<Arc<Picture>>,
}

impl Feed {
    pub fn start(camera: u64, location: Secret, configuration: Vec<u8>) -> Self {
        let (pictures, waiting) = sync_channel(WAITING_MAX);
        std::thread::spawn(move || keep_connected(camera, &location, &configuration, &waiting));
        Self { pictures }
    }

    /// Never waits: a platform that is too slow misses pictures.
    pub fn send(&self, picture: Arc<Picture>) {
        let _ = self.pictures.try_send(picture);
    }
}

/// Why a connection ended.
enum End {
    /// Nobody feeds any more.
    Over,
    Broken,
}

fn keep_connected(
    camera: u64,
    location: &Secret,
    configuration: &[u8],
    waiting: &Receiver<Arc<Picture>>,
) {
    let mut backoff = Backoff::new(PAUSE_FIRST_MS, PAUSE_MAX_MS);

    loop {
        metrics::push_attempt(camera);
        let started = Instant::now();
        if let End::Over = push_until_broken(camera, location, configuration, waiting) {
            return;
        }

        let pause = Duration::from_millis(backoff.after(started.elapsed().as_millis() as u64));
        if let End::Over = discard_during_pause(waiting, pause) {
            return;
        }
    }
}

fn push_until_broken(
    camera: u64,
    location: &Secret,
    configuration: &[u8],
    waiting: &Receiver<Arc<Picture>>,
) -> End {
    let broken = |error| {
        tracing::warn!(
            camera,
            error = in_full(&error),
            "the public stream is interrupted"
        );
        End::Broken
    };

    let mut push = match Push::open(location, configuration) {
        Ok(push) => push,
        Err(error) => return broken(error),
    };

    while let Ok(picture) = waiting.recv() {
        if let Err(error) = push.send(&picture) {
            return broken(error);
        }
    }

    End::Over
}

/// What comes during a pause is not sent later: the stream is live.
fn discard_during_pause(waiting: &Receiver<Arc<Picture>>, pause: Duration) -> End {
    let until = Instant::now() + pause;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match waiting.recv_timeout(left) {
            Ok(_) if !left.is_zero() => {}
            Ok(_) | Err(RecvTimeoutError::Timeout) => return End::Broken,
            Err(RecvTimeoutError::Disconnected) => return End::Over,
        }
    }
}
