//! How long to wait after a step, and what to say about it.

use crate::error::{Error, with_causes};
use crate::metrics;
use crate::tasks::health::Health;
use std::time::Duration;

/// Pause after a first failure; doubles with each further one.
const PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It wrote; there may be more.
    Wrote,
    /// There is nothing more to write.
    CaughtUp,
    /// The source is behind us.
    SourceIsBehind,
    /// Nothing: the request was too large for the source, the next one is smaller.
    AsksForLess,
}

/// The pace of one stream.
#[derive(Debug)]
pub struct Pace {
    stream: &'static str,
    health: Health,
    poll: Duration,
    pause: Duration,
}

impl Pace {
    /// `poll` is the pause between steps that find nothing new.
    pub const fn new(stream: &'static str, health: Health, poll: Duration) -> Self {
        Self {
            stream,
            health,
            poll,
            pause: PAUSE_MIN,
        }
    }

    /// How long to wait after a step; an error when the session with Postgres is over.
    pub fn after_step(&mut self, outcome: Result<Progress, Error>) -> Result<Duration, Error> {
        match outcome {
            Ok(progress) => Ok(self.after_success(progress)),
            Err(error) if error.ends_session() => Err(error),
            Err(error) => Ok(self.after_failure(&error)),
        }
    }

    fn after_success(&mut self, progress: Progress) -> Duration {
        if progress != Progress::AsksForLess {
            self.pause = PAUSE_MIN;
        }
        match progress {
            Progress::AsksForLess => PAUSE_MIN,
            Progress::Wrote => Duration::ZERO,
            Progress::SourceIsBehind => self.poll,
            Progress::CaughtUp => {
                self.health.set(self.stream, Ok(()));
                self.poll
            }
        }
    }

    /// Says what failed, once, and how long to wait.
    pub fn after_failure(&mut self, error: &Error) -> Duration {
        let reason = with_causes(error);
        metrics::failure(self.stream, error.is_disagreement());
        tracing::warn!(stream = self.stream, disagreement = error.is_disagreement(), %reason, "step failed, nothing written");
        self.health.set(self.stream, Err(reason));
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE_MAX);
        pause
    }
}
