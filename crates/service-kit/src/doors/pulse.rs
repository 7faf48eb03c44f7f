//! Where a connection is: shared between its socket, the bodies that pass through it, and who stops it.

use super::limits::DoorLimits;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing of a next request has come.
    Idle,
    /// A request's head comes.
    Head,
    /// Its body comes.
    Body,
    /// It is ours to answer.
    Answer,
}

#[derive(Clone, Copy, Debug)]
struct State {
    stage: Stage,
    /// When the stage began.
    since: Instant,
    /// When bytes last went either way.
    moved: Instant,
    /// Since when the reader takes nothing of what waits for it.
    stalled: Option<Instant>,
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Pulse(Mutex<State>);

impl Pulse {
    /// Of a connection that was just made.
    pub(super) fn starting() -> Self {
        let now = Instant::now();
        Self(Mutex::new(State {
            stage: Stage::Idle,
            since: now,
            moved: now,
            stalled: None,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another stage begins.
    pub(super) fn enter(&self, stage: Stage) {
        let mut state = self.state();
        state.stage = stage;
        state.since = Instant::now();
        state.moved = state.since;
    }

    /// The body is complete, or nobody wants the rest of it.
    pub(super) fn leave_body(&self) {
        if self.state().stage == Stage::Body {
            self.enter(Stage::Answer);
        }
    }

    /// Bytes came; the first ones after a silence begin a request.
    pub(super) fn bytes_came(&self) {
        let mut state = self.state();
        state.moved = Instant::now();
        if state.stage == Stage::Idle {
            state.stage = Stage::Head;
            state.since = state.moved;
        }
    }

    /// The reader took bytes.
    pub(super) fn bytes_went(&self) {
        let mut state = self.state();
        state.moved = Instant::now();
        state.stalled = None;
    }

    /// The reader takes nothing; gives since when.
    pub(super) fn reader_stalls(&self) -> Instant {
        *self.state().stalled.get_or_insert_with(Instant::now)
    }

    /// Until when a next byte has to come; `None` while none is waited for, or something else watches it.
    pub(super) fn read_deadline(&self, limits: &DoorLimits) -> Option<(Instant, Stage)> {
        let state = self.state();
        match state.stage {
            Stage::Idle => Some((state.moved + limits.idle_timeout(), Stage::Idle)),
            Stage::Head => Some((state.since + limits.head_timeout(), Stage::Head)),
            Stage::Body | Stage::Answer => None,
        }
    }

    /// Whether nothing of a request is there.
    pub(super) fn is_idle(&self) -> bool {
        self.state().stage == Stage::Idle
    }

    /// How long the client has kept us waiting; `None` while the client waits for us.
    pub(super) fn client_lets_wait(&self) -> Option<Duration> {
        let state = self.state();
        match state.stage {
            Stage::Idle | Stage::Head | Stage::Body => Some(state.moved.elapsed()),
            Stage::Answer => state.stalled.map(|since| since.elapsed()),
        }
    }
}
