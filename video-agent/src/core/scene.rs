//! May the background be trusted, so that what moves in front of it is known?

use super::policy::{FOLLOW_RATE, FOREGROUND_MAX, LEARN_FRAMES, LEARN_RATE, RELEARN_AFTER_FRAMES};

/// What is known of the room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Being learned; frames that are left.
    Learning(u32),
    Trusted,
    /// Too much is moving; for so many frames now.
    Lost(u32),
}

/// What to do with the next frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// Forget what was learned first.
    pub forget: bool,
    /// How fast to learn from this frame.
    pub rate: f64,
}

/// Follows the background of one session.
#[derive(Debug)]
pub(crate) struct Scene {
    state: State,
    forget: bool,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            state: State::Learning(LEARN_FRAMES),
            forget: true,
        }
    }
}

impl Scene {
    /// Before a frame is looked at.
    pub fn next(&mut self) -> Step {
        let rate = if matches!(self.state, State::Learning(_)) {
            LEARN_RATE
        } else {
            FOLLOW_RATE
        };
        Step {
            forget: std::mem::take(&mut self.forget),
            rate,
        }
    }

    /// After it was looked at: which share of it moved. Says whether this frame's silhouettes can be trusted.
    pub fn saw(&mut self, foreground: f32) -> bool {
        let too_much = foreground.is_nan() || foreground > FOREGROUND_MAX;
        self.state = match self.state {
            State::Learning(0 | 1) => State::Trusted,
            State::Learning(left) => State::Learning(left - 1),
            State::Trusted | State::Lost(_) if !too_much => State::Trusted,
            State::Trusted => State::Lost(1),
            State::Lost(frames) if frames >= RELEARN_AFTER_FRAMES => {
                self.forget = true;
                State::Learning(LEARN_FRAMES)
            }
            State::Lost(frames) => State::Lost(frames + 1),
        };
        // The last frame of learning is still one of learning.
        self.state == State::Trusted && !too_much
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn light_that_changes_is_learned_anew_behind_solid_frames() {
        let mut scene = Scene::default();
        assert!(scene.next().forget);
        let trusted = (0..LEARN_FRAMES).filter(|_| scene.saw(0.0)).count();
        assert_eq!(trusted, 1);
        assert!(scene.saw(0.1));
        let mut solid = 0;
        while !scene.next().forget {
            assert!(!scene.saw(0.9));
            solid += 1;
            assert!(solid < 100);
        }
        assert!(solid > RELEARN_AFTER_FRAMES);
        assert_eq!(scene.next().rate, LEARN_RATE);
        assert!(!scene.saw(0.0));
    }

    proptest! {
        #[test]
        fn a_frame_full_of_movement_is_never_trusted(shares in proptest::collection::vec(0f32..1.0, 1..300)) {
            let mut scene = Scene::default();
            for (frame, share) in shares.into_iter().enumerate() {
                scene.next();
                let trusted = scene.saw(share);
                prop_assert!(!trusted || share <= FOREGROUND_MAX);
                prop_assert!(!trusted || frame + 1 >= LEARN_FRAMES as usize);
            }
        }
    }
}
