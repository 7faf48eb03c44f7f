//! One camera's frames through silhouettes, faces, look-back and gate.

use super::look::Looker;
use crate::core::alerts::Watch;
use crate::core::frame::{RawFrame, Size};
use crate::core::gate::Silhouettes;
use crate::core::lookback::{LookBack, Released};
use crate::core::policy::Policy;
use crate::core::scene::Scene;
use crate::error::Error;
use crate::io::background::Background;
use crate::io::images;
use service_kit::error::in_full;
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
    pub fn new(
        policy: Policy,
        size: Size,
        mut looker: Option<&'a mut Looker>,
        patient: bool,
    ) -> Result<Self, Error> {
        if let Some(looker) = &mut looker {
            looker.begin();
        }

        let background = Background::new(size)?;
        Ok(Self {
            size,
            scene: Scene::default(),
            background,
            frames: LookBack::new(policy, size),
            looker,
            patient,
        })
    }

    /// Takes a raw frame; gives the one of half a second ago, with a verdict.
    pub fn frame(&mut self, raw: RawFrame, watch: &mut Watch) -> Option<Released> {
        let number = raw.number;
        if number.is_multiple_of(WATCH_EVERY) {
            match images::thumbnail(&raw) {
                Ok(grey) => watch.see(&grey, WATCH_EVERY),
                Err(error) => {
                    tracing::warn!(error = in_full(&error), "the picture could not be judged")
                }
            }
        }

        let silhouettes = self.silhouettes(&raw);
        if self.frames.wants_look(number) {
            self.ask(&raw);
        }

        self.frames.push(raw, silhouettes);
        self.read_answers();

        if self.frames.is_full() {
            self.frames.release()
        } else {
            None
        }
    }

    /// The film is over: what is held back, one by one.
    pub fn rest(&mut self) -> Option<Released> {
        self.frames.release()
    }

    fn silhouettes(&mut self, raw: &RawFrame) -> Silhouettes {
        let step = self.scene.next();
        let seen = images::background(raw, self.size)
            .and_then(|picture| self.background.see(&picture, step));

        match seen {
            Ok((mask, share)) => {
                let trusted = self.scene.saw(share);
                if trusted {
                    Silhouettes::Seen(mask)
                } else {
                    Silhouettes::Untrusted
                }
            }
            Err(error) => {
                tracing::warn!(
                    error = in_full(&error),
                    "what moves could not be determined"
                );
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
                tracing::warn!(
                    error = in_full(&error),
                    "the detector's picture could not be made"
                );
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
        while let Some(answer) = self
            .looker
            .as_ref()
            .and_then(|looker| looker.answer(Duration::ZERO))
        {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::centerface::{Detection, Unsure};
    use crate::core::gate::{Reason, Verdict};
    use crate::core::lookback::Tally;
    use crate::core::policy::{FRAME_MS, LEARN_FRAMES};
    use crate::io::detector::FaceDetector;
    use crate::io::images::Picture;

    const SIZE: Size = Size {
        width: 320,
        height: 180,
    };
    const FRAMES: u64 = 90;

    /// A detector that does what a broken one does.
    struct Fake(fn() -> Result<Vec<Detection>, Error>);

    impl FaceDetector for Fake {
        fn detect(&mut self, _: &Picture) -> Result<Vec<Detection>, Error> {
            self.0()
        }
    }

    fn after(pause: Duration) -> Result<Vec<Detection>, Error> {
        std::thread::sleep(pause);
        Ok(Vec::new())
    }

    fn frame(number: u64) -> RawFrame {
        let pixels = (0..SIZE.bytes())
            .map(|place| (100 + (place * 7 + number as usize * 13) % 5) as u8)
            .collect();
        let at_ms = number * FRAME_MS;
        RawFrame {
            size: SIZE,
            pixels,
            number,
            at_ms,
            taken_at_ms: at_ms,
        }
    }

    /// Live: time passes between frames, and nobody waits for the detector.
    fn run(detector: fn() -> Result<Vec<Detection>, Error>, pause: Duration) -> Tally {
        let mut looker = Looker::start(Box::new(Fake(detector)));
        let mut anonymiser =
            Anonymiser::new(Policy::FacesAndSilhouettes, SIZE, Some(&mut looker), false).unwrap();
        let (mut watch, mut tally) = (Watch::default(), Tally::default());
        for number in 0..FRAMES {
            if let Some(released) = anonymiser.frame(frame(number), &mut watch) {
                let solid = matches!(released.verdict, Verdict::Solid(_));
                let one_colour = released.shown.into_pixels()[..SIZE.width * SIZE.height]
                    .iter()
                    .all(|luma| *luma == 48);
                assert_eq!(solid, one_colour);
                tally.count(&released.verdict);
            }
            std::thread::sleep(pause);
        }
        tally
    }

    #[test]
    fn a_detector_that_answers_lets_a_calm_room_be_seen() {
        let tally = run(|| Ok(Vec::new()), Duration::from_millis(2));
        let learning = u64::from(LEARN_FRAMES) - 1;
        assert_eq!(tally.solid_for(Reason::Background), learning, "{tally:?}");
        assert!(tally.masked > FRAMES / 2, "{tally:?}");
    }

    #[test]
    fn a_detector_that_hangs_leaves_every_frame_solid() {
        let started = std::time::Instant::now();
        let tally = run(|| after(Duration::from_secs(3600)), Duration::ZERO);
        assert_eq!(tally.masked, 0, "{tally:?}");
        assert!(tally.solid_for(Reason::DetectorLate) > 50, "{tally:?}");
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "nobody waits for it"
        );
    }

    #[test]
    fn a_detector_that_is_a_second_late_leaves_every_frame_solid() {
        let tally = run(
            || after(Duration::from_millis(1_000)),
            Duration::from_millis(20),
        );
        assert_eq!(tally.masked, 0, "{tally:?}");
    }

    #[test]
    fn a_detector_that_fails_or_lies_leaves_every_frame_solid() {
        let lies = || {
            Err(Error::Unsure(Unsure::TooMany {
                found: 360,
                max: 128,
            }))
        };
        let tally = run(lies, Duration::from_millis(2));
        assert_eq!(tally.masked, 0, "{tally:?}");
        assert!(tally.solid_for(Reason::DetectorBroken) > 50, "{tally:?}");
    }

    #[test]
    fn a_detector_that_panics_leaves_every_frame_solid() {
        let tally = run(
            || panic!("as a broken driver would"),
            Duration::from_millis(1),
        );
        assert_eq!(tally.masked, 0, "{tally:?}");
    }
}
