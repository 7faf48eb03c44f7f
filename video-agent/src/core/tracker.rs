//! Follows faces between the frames in which they are looked for.
//!
//! Every [`DETECT_EVERY`](super::policy::DETECT_EVERY) frames it is told what was found, and answers which rectangles
//! to hide in which frames: this one, those before it that are still held back, and those until the next look. It only
//! ever adds: what one answer hides no later one shows.

use super::centerface::Detection;
use super::geometry::Rect;
use super::policy::{
    DETECT_EVERY, FACE_MARGIN, FACE_SCALE, FACES_MAX, GROW_BACKWARDS, GROW_PER_FRAME, HOLD_FRAMES,
    LOOK_BACK, SCORE_BEGIN,
};

/// Boxes whose centres are nearer than this many widths may be the same face.
const SAME_FACE_WIDTHS: f32 = 0.9;
/// The least likeness of two boxes of one face.
const LIKENESS_MIN: f32 = 0.2;

/// A rectangle to hide in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cover {
    pub frame: u64,
    pub rect: Rect,
}

#[derive(Clone, Debug)]
struct Track {
    /// Where it was last found, and when.
    found: Rect,
    found_in: u64,
    /// Pixels a frame.
    speed: (f32, f32),
}

/// All faces that are followed.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    tracks: Vec<Track>,
    looked_in: Option<u64>,
}

impl Track {
    /// Where it should be in a frame after it was found, growing with doubt.
    fn expected(&self, frame: u64) -> Rect {
        let frames = frame.saturating_sub(self.found_in) as f32;
        let grown = self
            .found
            .grown(self.found.width() * GROW_PER_FRAME * frames);
        grown.moved((self.speed.0 * frames, self.speed.1 * frames))
    }

    fn likeness(&self, expected: &Rect, face: &Detection) -> f32 {
        let near = |rect: &Rect| match rect.distance(&face.rect) {
            distance if distance < SAME_FACE_WIDTHS => SAME_FACE_WIDTHS - distance,
            _ => 0.0,
        };
        near(expected)
            .max(expected.overlap(&face.rect))
            .max(near(&self.found))
    }

    fn find(&mut self, rect: Rect, frame: u64) {
        let frames = frame.saturating_sub(self.found_in).max(1) as f32;
        let ((x, y), (before_x, before_y)) = (rect.center(), self.found.center());
        let speed = ((x - before_x) / frames, (y - before_y) / frames);
        self.speed = (
            self.speed.0.midpoint(speed.0),
            self.speed.1.midpoint(speed.1),
        );
        (self.found, self.found_in) = (rect, frame);
    }
}

impl Tracker {
    /// Faces that were found in `frame`, best first. Answers what to hide, already enlarged.
    pub fn look(&mut self, frame: u64, faces: &[Detection]) -> Vec<Cover> {
        let since = self.looked_in.map_or(frame, |looked| looked + 1).min(frame);
        self.looked_in = Some(frame);

        let mut covers = Covers {
            until: frame + DETECT_EVERY,
            list: Vec::new(),
        };
        let mut free: Vec<&Detection> = faces.iter().collect();

        for track in &mut self.tracks {
            let expected = track.expected(frame);
            match take_best(track, &expected, &mut free) {
                Some(face) => {
                    covers.between(since, frame, &track.found.hull(&face.rect));
                    track.find(face.rect, frame);
                }
                None => covers.add(frame, &expected),
            }
            covers.ahead(frame, track);
        }

        self.tracks
            .retain(|track| frame.saturating_sub(track.found_in) <= HOLD_FRAMES);

        for face in free {
            if face.score >= SCORE_BEGIN && self.tracks.len() < FACES_MAX {
                let track = Track {
                    found: face.rect,
                    found_in: frame,
                    speed: (0.0, 0.0),
                };

                covers.backwards(frame, &face.rect);
                covers.ahead(frame, &track);
                self.tracks.push(track);
            } else {
                covers.around(frame, &face.rect);
            }
        }

        covers.list
    }
}

/// Takes the most alike face out of those that are free.
fn take_best<'a>(
    track: &Track,
    expected: &Rect,
    free: &mut Vec<&'a Detection>,
) -> Option<&'a Detection> {
    let likeness = free
        .iter()
        .map(|face| track.likeness(expected, face))
        .enumerate();
    let (place, alike) = likeness.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (alike > LIKENESS_MIN).then(|| free.swap_remove(place))
}

/// Collects what to hide.
struct Covers {
    until: u64,
    list: Vec<Cover>,
}

impl Covers {
    fn add(&mut self, frame: u64, rect: &Rect) {
        self.list.push(Cover {
            frame,
            rect: rect.scaled(FACE_SCALE).grown(FACE_MARGIN),
        });
    }

    fn between(&mut self, from: u64, to: u64, rect: &Rect) {
        for frame in from..=to {
            self.add(frame, rect);
        }
    }

    /// Until the next look, and one look more, in case that one comes late.
    fn ahead(&mut self, frame: u64, track: &Track) {
        for next in frame..=self.until {
            self.add(next, &track.expected(next));
        }
    }

    /// Somebody who arrives was there before the detector was sure.
    fn backwards(&mut self, frame: u64, rect: &Rect) {
        for back in 0..=(LOOK_BACK as u64).min(frame) {
            self.add(
                frame - back,
                &rect.grown(rect.width() * GROW_BACKWARDS * back as f32),
            );
        }
    }

    /// Too unsure to follow, hidden where it was seen.
    fn around(&mut self, frame: u64, rect: &Rect) {
        for near in frame.saturating_sub(DETECT_EVERY - 1)..=frame + DETECT_EVERY - 1 {
            self.add(near, rect);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::policy::SCORE_KEEP;
    use proptest::prelude::*;

    fn face(x: f32, y: f32, side: f32, score: f32) -> Detection {
        Detection {
            rect: Rect::new(x, y, x + side, y + side),
            score,
        }
    }

    fn is_hidden(covers: &[Cover], frame: u64, rect: &Rect) -> bool {
        covers.iter().any(|cover| {
            let hull = cover.rect.hull(rect);
            cover.frame == frame && hull == cover.rect
        })
    }

    #[test]
    fn an_arrival_is_hidden_half_a_second_back() {
        let mut tracker = Tracker::default();
        tracker.look(9, &[]);
        let covers = tracker.look(12, &[face(100.0, 100.0, 40.0, 0.9)]);
        for frame in 6..=12 {
            assert!(
                is_hidden(&covers, frame, &Rect::new(100.0, 100.0, 140.0, 140.0)),
                "frame {frame}"
            );
        }
    }

    #[test]
    fn a_face_that_is_lost_stays_hidden_for_a_second() {
        let mut tracker = Tracker::default();
        tracker.look(0, &[face(100.0, 100.0, 40.0, 0.9)]);
        for frame in (DETECT_EVERY..=HOLD_FRAMES).step_by(3) {
            let covers = tracker.look(frame, &[]);
            assert!(
                is_hidden(&covers, frame, &Rect::new(100.0, 100.0, 140.0, 140.0)),
                "frame {frame}"
            );
        }
        tracker.look(HOLD_FRAMES + DETECT_EVERY, &[]);
        assert!(tracker.look(HOLD_FRAMES + 2 * DETECT_EVERY, &[]).is_empty());
    }

    #[test]
    fn what_the_detector_half_believes_is_hidden_but_not_followed() {
        let mut tracker = Tracker::default();
        let covers = tracker.look(6, &[face(10.0, 10.0, 20.0, SCORE_KEEP)]);
        assert!(is_hidden(&covers, 6, &Rect::new(10.0, 10.0, 30.0, 30.0)));
        assert!(tracker.look(9, &[]).is_empty());
    }

    proptest! {
        /// Whoever walks in a straight line and is found each time is hidden in every frame between, too.
        #[test]
        fn a_walker_is_hidden_in_every_frame(
            x in 0f32..1200.0, y in 0f32..700.0, across in -12f32..12.0, down in -5f32..5.0, side in 12f32..200.0,
        ) {
            let mut tracker = Tracker::default();
            let mut covers = Vec::new();
            let at = |frame: u64| face(x + across * frame as f32, y + down * frame as f32, side, 0.9);
            for frame in (0..30).step_by(3) {
                covers.extend(tracker.look(frame, &[at(frame)]));
            }
            for frame in 0..28 {
                prop_assert!(is_hidden(&covers, frame, &at(frame).rect), "frame {frame}");
            }
        }

        #[test]
        fn every_face_is_hidden_where_it_was_found_and_memory_is_bounded(
            looks in proptest::collection::vec(proptest::collection::vec(
                (0f32..1280.0, 0f32..720.0, 4f32..300.0, 0.1f32..1.0), 0..FACES_MAX), 1..12),
        ) {
            let mut tracker = Tracker::default();
            for (number, look) in looks.iter().enumerate() {
                let frame = number as u64 * DETECT_EVERY;
                let faces: Vec<Detection> = look.iter().map(|&(x, y, side, score)| face(x, y, side, score)).collect();
                let covers = tracker.look(frame, &faces);
                for face in &faces {
                    prop_assert!(is_hidden(&covers, frame, &face.rect), "{face:?} in frame {frame}");
                }
                prop_assert!(tracker.tracks.len() <= FACES_MAX);
            }
        }
    }
}
