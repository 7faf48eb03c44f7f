//! One camera's frames through silhouettes, faces, look-back and gate.

use super::look::Looker;
use crate::core::alerts::Watch;
use crate::core::frame::{RawFrame, Size};
use crate::core::gate::Silhouettes;
use crate::core::lookback::{LookBack, Released};
use crate::core::policy::Policy;
use crate::core::scene::Scene;
use crate::error::{Error, in_full};
use crate::io::background::Background;
use crate::io::images;
use std::time::Duration;

/// How long a look may take when nobody watches live; a film can wait.
const OFFLINE_LOOK: Duration = Duration::from_secs(60);
/// Every how many frames the picture is judged for alerts.
const WATCH_EVERY: u64 = 3;

/// The state of one session.
pub(crate) struct Anonymiser<'a> {
    size: Size,
    scene: Scene,
    background: Background,
    frames: LookBack,
    looker: Option<&'a mut Looker>,
    /// Wait for each look: for films, where time does not pass.
    patient: bool,
}

impl<'a> Anonymiser<'a> {
    pub fn new(policy: Policy, size: Size, mut looker: Option<&'a mut Looker>, patient: bool) -> Result<Self, Error> {
        if let Some(looker) = &mut looker {
            looker.begin();
        }
        let background = Background::new(size)?;
        Ok(Self { size, scene: Scene::default(), background, frames: LookBack::new(policy, size), looker, patient })
    }

    /// Takes a raw frame; gives the one of half a second ago, with a verdict.
    pub fn frame(&mut self, raw: RawFrame, watch: &mut Watch) -> Option<Released> {
        let number = raw.number;
        if number.is_multiple_of(WATCH_EVERY) {
            match images::thumbnail(&raw) {
                Ok(grey) => watch.see(&grey, WATCH_EVERY),
                Err(error) => tracing::warn!(error = in_full(&error), "the picture could not be judged"),
            }
        }
        let silhouettes = self.silhouettes(&raw);
        if self.frames.wants_look(number) {
            self.ask(&raw);
        }
        self.frames.push(raw, silhouettes);
        self.read_answers();
        if self.frames.is_full() { self.frames.release() } else { None }
    }

    /// The film is over: what is held back, one by one.
    pub fn rest(&mut self) -> Option<Released> {
        self.frames.release()
    }

    fn silhouettes(&mut self, raw: &RawFrame) -> Silhouettes {
        let step = self.scene.next();
        let seen = images::background(raw, self.size).and_then(|picture| self.background.see(&picture, step));
        match seen {
            Ok((mask, share)) => {
                let trusted = self.scene.saw(share);
                if self.scene.begins_anew() {
                    self.frames.background_is_new();
                }
                if trusted { Silhouettes::Seen(mask) } else { Silhouettes::Untrusted }
            }
            Err(error) => {
                tracing::warn!(error = in_full(&error), "what moves could not be determined");
                self.scene = Scene::default();
                Silhouettes::Failed
            }
        }
    }

    fn ask(&mut self, raw: &RawFrame) {
        let Some(looker) = &self.looker else { return };
        match images::faces(raw, self.size) {
            Ok(picture) => looker.ask(raw.number, picture),
            Err(error) => {
                tracing::warn!(error = in_full(&error), "the detector's picture could not be made");
                self.frames.look_failed(raw.number);
            }
        }
        if self.patient
            && let Some(answer) = looker.answer(OFFLINE_LOOK)
        {
            self.take(answer);
        }
    }

    fn read_answers(&mut self) {
        while let Some(answer) = self.looker.as_ref().and_then(|looker| looker.answer(Duration::ZERO)) {
            self.take(answer);
        }
    }

    fn take(&mut self, answer: super::look::Answer) {
        match answer.faces {
            Some(faces) => self.frames.looked(answer.frame, &faces),
            None => self.frames.look_failed(answer.frame),
        }
    }
}
