//! Holds frames back for half a second, so that what is found later hides earlier frames too, and lets them go with a
//! verdict.

use super::centerface::Detection;
use super::frame::{RawFrame, ShownFrame, Size};
#[cfg(test)]
use super::gate::Reason;
use super::gate::{Evidence, Silhouettes, Verdict, judge_frame};
use super::mask::Mask;
use super::policy::{DETECT_EVERY, FRAME_MS, LOOK_BACK, MASK_AGE_MS_MAX, Policy};
use super::tracker::{Cover, Tracker};
use std::collections::VecDeque;

struct Held {
    frame: RawFrame,
    silhouettes: Silhouettes,
    faces: Mask,
}

/// What left.
pub(crate) struct Released {
    pub shown: ShownFrame,
    /// What is hidden in it, or why all of it.
    pub verdict: Verdict,
}

/// The frames of a session between camera and encoder.
pub(crate) struct LookBack {
    policy: Policy,
    size: Size,
    held: VecDeque<Held>,
    tracker: Tracker,
    /// Covers of frames that have not come yet.
    ahead: Vec<Cover>,
    /// When faces were looked for with success, latest last; and whether the latest look failed, and when.
    looked_at_ms: Vec<u64>,
    failed_at_ms: Option<u64>,
    /// Never forgotten in a session: whoever moved before the light changed is part of the background learned after it.
    ever_moved: Mask,
    /// What moved in the frame that left last: somebody fast is blurred beyond his own silhouette.
    moved_before: Option<Mask>,
}

impl LookBack {
    pub fn new(policy: Policy, size: Size) -> Self {
        Self {
            policy,
            size,
            held: VecDeque::new(),
            tracker: Tracker::default(),
            ahead: Vec::new(),
            looked_at_ms: Vec::new(),
            failed_at_ms: None,
            ever_moved: Mask::empty(size.width, size.height),
            moved_before: None,
        }
    }

    /// Whether faces are to be looked for in this frame.
    pub fn wants_look(&self, frame: u64) -> bool {
        self.policy == Policy::FacesAndSilhouettes && frame.is_multiple_of(DETECT_EVERY)
    }

    /// A frame from the camera.
    pub fn push(&mut self, frame: RawFrame, silhouettes: Silhouettes) {
        if let (Policy::Silhouettes, Silhouettes::Seen(mask)) = (self.policy, &silhouettes) {
            self.ever_moved.unite(mask);
        }

        let mut faces = Mask::empty(self.size.width, self.size.height);
        for cover in self
            .ahead
            .iter()
            .filter(|cover| cover.frame == frame.number)
        {
            faces.cover(&cover.rect);
        }
        self.ahead.retain(|cover| cover.frame > frame.number);

        self.held.push_back(Held {
            frame,
            silhouettes,
            faces,
        });
    }

    /// Faces that were looked for in a frame, which may have left already.
    pub fn looked(&mut self, frame: u64, faces: &[Detection]) {
        self.looked_at_ms.push(frame * FRAME_MS);
        if self.looked_at_ms.len() > LOOK_BACK {
            self.looked_at_ms.remove(0);
        }

        let next = self.held.back().map_or(0, |held| held.frame.number + 1);
        for cover in self.tracker.look(frame, faces) {
            if cover.frame >= next {
                self.ahead.push(cover);
            } else if let Some(held) = self
                .held
                .iter_mut()
                .find(|held| held.frame.number == cover.frame)
            {
                held.faces.cover(&cover.rect);
            }
        }
    }

    /// A look that gave nothing to rely on.
    pub fn look_failed(&mut self, frame: u64) {
        self.failed_at_ms = Some(frame * FRAME_MS);
    }

    /// Whether the oldest frame has to leave now.
    pub fn is_full(&self) -> bool {
        self.held.len() > LOOK_BACK
    }

    /// Lets the oldest frame go. Nothing is shown of it without a verdict.
    pub fn release(&mut self) -> Option<Released> {
        let mut held = self.held.pop_front()?;
        let moved = held.silhouettes.clone();
        self.unite_neighbours(&mut held.silhouettes);
        let verdict = self.verdict(&held);
        self.moved_before = moved.into_mask();
        let shown = match &verdict {
            Verdict::Masked(mask) => held.frame.hide(mask),
            Verdict::Solid(_) => held.frame.hide_all(),
        };
        Some(Released { shown, verdict })
    }

    fn unite_neighbours(&self, silhouettes: &mut Silhouettes) {
        let Silhouettes::Seen(mask) = silhouettes else {
            return;
        };

        if let Some(before) = &self.moved_before {
            mask.unite(before);
        }

        if let Some(Held {
            silhouettes: Silhouettes::Seen(after),
            ..
        }) = self.held.front()
        {
            mask.unite(after);
        }
    }

    fn verdict(&self, held: &Held) -> Verdict {
        let at_ms = held.frame.at_ms;
        let is_near = |failed: u64| failed + MASK_AGE_MS_MAX >= at_ms;
        judge_frame(&Evidence {
            policy: self.policy,
            at_ms,
            silhouettes: &held.silhouettes,
            looked_at_ms: &self.looked_at_ms,
            look_failed: self.failed_at_ms.is_some_and(is_near),
            faces: &held.faces,
            ever_moved: &self.ever_moved,
        })
    }
}

/// Counts why frames were solid.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub masked: u64,
    pub solid: std::collections::BTreeMap<&'static str, u64>,
}

impl Tally {
    pub fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Masked(_) => self.masked += 1,
            Verdict::Solid(reason) => *self.solid.entry(reason.name()).or_default() += 1,
        }
    }

    #[cfg(test)]
    pub fn solid_for(&self, reason: Reason) -> u64 {
        self.solid.get(reason.name()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::geometry::Rect;
    use proptest::prelude::*;

    const SIZE: Size = Size {
        width: 64,
        height: 32,
    };
    const WHITE: u8 = 235;

    fn frame(number: u64) -> RawFrame {
        let at_ms = number * FRAME_MS;
        RawFrame {
            size: SIZE,
            pixels: vec![WHITE; SIZE.bytes()],
            number,
            at_ms,
            taken_at_ms: at_ms,
        }
    }

    fn calm() -> Silhouettes {
        Silhouettes::Seen(Mask::empty(SIZE.width, SIZE.height))
    }

    fn face(x: f32) -> Detection {
        Detection {
            rect: Rect::new(x, 8.0, x + 8.0, 16.0),
            score: 0.9,
        }
    }

    #[test]
    fn a_face_is_hidden_in_frames_before_it_was_found() {
        let mut frames = LookBack::new(Policy::FacesAndSilhouettes, SIZE);
        for number in 0..=LOOK_BACK as u64 {
            frames.push(frame(number), calm());
            if frames.wants_look(number) {
                let found = if number == 6 {
                    vec![face(20.0)]
                } else {
                    Vec::new()
                };
                frames.looked(number, &found);
            }
        }
        assert!(frames.is_full());
        let pixels = frames.release().unwrap().shown.into_pixels();
        assert_ne!(
            pixels[12 * SIZE.width + 24],
            WHITE,
            "the face's place is hidden"
        );
        assert_eq!(pixels[30 * SIZE.width + 60], WHITE, "the rest is shown");
    }

    #[test]
    fn late_answers_leave_solid_frames() {
        let mut frames = LookBack::new(Policy::FacesAndSilhouettes, SIZE);
        let mut tally = Tally::default();
        for number in 0..60 {
            frames.push(frame(number), calm());
            if number < 30 && frames.wants_look(number) {
                frames.looked(number, &[]);
            }
            if frames.is_full() {
                tally.count(&frames.release().unwrap().verdict);
            }
        }
        // The last look was at frame 27; frame 28 is 80 ms away from it.
        assert_eq!(
            (tally.masked, tally.solid_for(Reason::DetectorLate)),
            (29, 25),
            "{tally:?}"
        );
    }

    #[test]
    fn a_detector_that_fails_is_told_from_one_that_is_late() {
        let mut frames = LookBack::new(Policy::FacesAndSilhouettes, SIZE);
        frames.push(frame(0), calm());
        frames.look_failed(0);
        assert_eq!(
            frames.release().unwrap().verdict,
            Verdict::Solid(Reason::DetectorBroken)
        );
    }

    #[test]
    fn without_a_detector_what_moved_once_stays_hidden() {
        let mut frames = LookBack::new(Policy::Silhouettes, SIZE);
        let mut moving = Mask::empty(SIZE.width, SIZE.height);
        moving.cover(&Rect::new(0.0, 0.0, 8.0, 8.0));
        frames.push(frame(0), Silhouettes::Seen(moving.clone()));
        frames.push(frame(1), calm());
        frames.release();
        assert_eq!(frames.release().unwrap().verdict, Verdict::Masked(moving));
    }

    proptest! {
        /// Any order of looks, failures and movement: a white pixel leaves only where nothing was to be hidden.
        #[test]
        fn nothing_leaves_unjudged(script in proptest::collection::vec((0u8..4, 0f32..56.0, any::<bool>()), 1..80)) {
            let mut frames = LookBack::new(Policy::FacesAndSilhouettes, SIZE);
            let mut looked = Vec::new();
            for (number, (look, x, trusted)) in script.into_iter().enumerate() {
                let number = number as u64;
                frames.push(frame(number), if trusted { calm() } else { Silhouettes::Untrusted });
                match look {
                    0 => { frames.looked(number, &[face(x)]); looked.push(number); }
                    1 => { frames.looked(number, &[]); looked.push(number); }
                    2 => frames.look_failed(number),
                    _ => {}
                }
                if frames.is_full() {
                    let released = frames.release().unwrap();
                    let number = number - LOOK_BACK as u64;
                    let near = looked.iter().any(|looked| looked.abs_diff(number) <= 1);
                    let solid = matches!(released.verdict, Verdict::Solid(_));
                    prop_assert!(solid || near);
                    prop_assert!(!solid || released.shown.into_pixels().iter().all(|pixel| *pixel != WHITE));
                }
            }
        }
    }
}
