//! What the tasks hear of each chain's node, for readiness and for whoever reads the mirror.

use crate::core::pulse::Beat;
use crate::io::store::Stream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shared between the tasks that hear something and the one that says so.
#[derive(Clone, Debug)]
pub struct Pulse {
    started: Instant,
    evm: Arc<Mutex<State>>,
    sidechain: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    beat: Beat,
    is_writer: bool,
}

impl Pulse {
    /// Nothing was heard yet.
    pub fn starting() -> Self {
        let state = || {
            Arc::new(Mutex::new(State {
                beat: Beat::starting(Duration::ZERO),
                is_writer: false,
            }))
        };
        Self {
            started: Instant::now(),
            evm: state(),
            sidechain: state(),
        }
    }

    /// Since this began.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// A node of the chain answered.
    pub fn note_answer(&self, stream: Stream) {
        let now = self.now();
        self.change(stream, |state| state.beat.note_answer(now));
    }

    /// A node of the chain said which block is the newest.
    pub fn note_head(&self, stream: Stream, number: u64) {
        let now = self.now();
        self.change(stream, |state| state.beat.note_head(number, now));
    }

    /// The mirror has every block that the node has.
    pub fn note_in_step(&self, stream: Stream) {
        let now = self.now();
        self.change(stream, |state| state.beat.note_in_step(now));
    }

    /// Whether this process follows the chain, or another one does. Who begins to has heard nothing yet.
    pub fn note_writer(&self, stream: Stream, is_writer: bool) {
        let now = self.now();
        self.change(stream, |state| {
            if is_writer && !state.is_writer {
                state.beat = Beat::starting(now);
            }
            state.is_writer = is_writer;
        });
    }

    /// What was heard of a chain that this process follows; `None` when another one does.
    pub fn beat(&self, stream: Stream) -> Option<Beat> {
        let state = *self
            .state(stream)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.is_writer.then_some(state.beat)
    }

    fn change(&self, stream: Stream, change: impl FnOnce(&mut State)) {
        change(
            &mut self
                .state(stream)
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn state(&self, stream: Stream) -> &Mutex<State> {
        match stream {
            Stream::Evm => &self.evm,
            Stream::Sidechain => &self.sidechain,
        }
    }
}
