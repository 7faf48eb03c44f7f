//! The detector's thread: one for each camera, for as long as the process lives. It may be late, fail or hang; whoever
//! asked it goes on with solid frames.

use crate::core::centerface::Detection;
use crate::error::Error;
use crate::io::detector::FaceDetector;
use crate::io::images::Picture;
use crate::metrics;
use service_kit::error::in_full;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// Answers that wait for a reader at most; more than a session can have asked for.
const ANSWERS_MAX: usize = 64;

struct Question {
    session: u64,
    frame: u64,
    picture: Picture,
}

/// What came of a look; `None` if it failed.
pub(crate) struct Answer {
    session: u64,
    pub frame: u64,
    pub faces: Option<Vec<Detection>>,
}

/// Asks a detector's thread.
pub(crate) struct Looker {
    questions: SyncSender<Question>,
    answers: Receiver<Answer>,
    session: u64,
}

impl Looker {
    /// Starts the thread.
    pub fn start(mut detector: Box<dyn FaceDetector>) -> Self {
        let (questions, asked) = sync_channel::<Question>(1);
        let (answer, answers) = sync_channel(ANSWERS_MAX);
        std::thread::spawn(move || {
            while let Ok(Question {
                session,
                frame,
                picture,
            }) = asked.recv()
            {
                let faces = look_for_faces(detector.as_mut(), &picture);
                // Whoever asked for so much without reading does not need this one.
                let _ = answer.try_send(Answer {
                    session,
                    frame,
                    faces,
                });
            }
        });
        Self {
            questions,
            answers,
            session: 0,
        }
    }

    /// A session begins: answers to what an earlier one asked are thrown away.
    pub fn begin(&mut self) {
        self.session += 1;
    }

    /// Asks without waiting. While the detector is busy with two others, this one is left out.
    pub fn ask(&self, frame: u64, picture: Picture) {
        let _ = self.questions.try_send(Question {
            session: self.session,
            frame,
            picture,
        });
    }

    /// An answer that has come, waiting for one at most so long.
    pub fn answer(&self, within: Duration) -> Option<Answer> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left) {
                Ok(answer) if answer.session == self.session => return Some(answer),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}

fn look_for_faces(detector: &mut dyn FaceDetector, picture: &Picture) -> Option<Vec<Detection>> {
    let started = Instant::now();
    let found = detector.detect(picture);
    metrics::looked(started.elapsed());
    found
        .inspect_err(|error: &Error| {
            tracing::warn!(error = in_full(error), "faces could not be looked for")
        })
        .ok()
}
