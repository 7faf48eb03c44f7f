//! The last decision before the encoder: what of a frame may be shown, if anything.

use super::mask::Mask;
use super::policy::{MASK_AGE_MS_MAX, Policy};

/// Why a frame is solid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The policy shows nothing.
    Policy,
    /// The room is being learned, or too much of it moves.
    Background,
    /// What moves could not be determined.
    NoSilhouette,
    /// Faces were not looked for in time.
    DetectorLate,
    /// The detector failed, or its answer cannot be right.
    DetectorBroken,
}

impl Reason {
    /// All of them, for metrics.
    pub const ALL: [Self; 5] = [
        Self::Policy,
        Self::Background,
        Self::NoSilhouette,
        Self::DetectorLate,
        Self::DetectorBroken,
    ];

    /// A label of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Background => "background",
            Self::NoSilhouette => "no_silhouette",
            Self::DetectorLate => "detector_late",
            Self::DetectorBroken => "detector_broken",
        }
    }
}

/// What moves in a frame, or why that is not known.
#[derive(Clone, Debug)]
pub(crate) enum Silhouettes {
    Seen(Mask),
    /// The background cannot be trusted at this frame.
    Untrusted,
    Failed,
}

impl Silhouettes {
    pub fn into_mask(self) -> Option<Mask> {
        if let Self::Seen(mask) = self {
            Some(mask)
        } else {
            None
        }
    }
}

/// All that is known about a frame when it has to leave.
pub(crate) struct Evidence<'a> {
    pub policy: Policy,
    pub at_ms: u64,
    pub silhouettes: &'a Silhouettes,
    /// The frames nearest to this one in which faces were looked for, before or after, as milliseconds of the session.
    pub looked_at_ms: &'a [u64],
    /// Whether the last look near this frame failed.
    pub look_failed: bool,
    /// What trackers and detector say is to be hidden.
    pub faces: &'a Mask,
    /// Everything that ever moved.
    pub ever_moved: &'a Mask,
}

/// What may be shown: all but the mask, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    Masked(Mask),
    Solid(Reason),
}

/// Shows only what everything speaks for.
pub(crate) fn judge_frame(evidence: &Evidence<'_>) -> Verdict {
    if evidence.policy == Policy::Solid {
        return Verdict::Solid(Reason::Policy);
    }

    let moving = match evidence.silhouettes {
        Silhouettes::Seen(mask) => mask,
        Silhouettes::Untrusted => return Verdict::Solid(Reason::Background),
        Silhouettes::Failed => return Verdict::Solid(Reason::NoSilhouette),
    };

    let mut mask = moving.clone();
    if evidence.policy == Policy::Silhouettes {
        mask.unite(evidence.ever_moved);
        return Verdict::Masked(mask);
    }

    let is_near = |looked: &u64| looked.abs_diff(evidence.at_ms) <= MASK_AGE_MS_MAX;
    if !evidence.looked_at_ms.iter().any(is_near) {
        let late = if evidence.look_failed {
            Reason::DetectorBroken
        } else {
            Reason::DetectorLate
        };
        return Verdict::Solid(late);
    }

    mask.unite(evidence.faces);
    Verdict::Masked(mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mask(cells: &[u8]) -> Mask {
        Mask::from_cells(16, 8, cells).unwrap()
    }

    proptest! {
        /// Whatever is known: a frame is shown only with fresh faces and silhouettes, and both are hidden in it.
        #[test]
        fn a_frame_is_shown_only_if_everything_speaks_for_it(
            policy in prop_oneof![Just(Policy::FacesAndSilhouettes), Just(Policy::Silhouettes), Just(Policy::Solid)],
            seen in proptest::option::of(proptest::collection::vec(0u8..2, 8)),
            faces in proptest::collection::vec(0u8..2, 8),
            moved in proptest::collection::vec(0u8..2, 8),
            at_ms in 0u64..2000,
            looked_at_ms in proptest::collection::vec(0u64..2000, 0..3),
            look_failed: bool,
        ) {
            let silhouettes = seen.as_deref().map_or(Silhouettes::Untrusted, |cells| Silhouettes::Seen(mask(cells)));
            let (faces, ever_moved) = (mask(&faces), mask(&moved));
            let verdict = judge_frame(&Evidence {
                policy, at_ms, silhouettes: &silhouettes, looked_at_ms: &looked_at_ms, look_failed,
                faces: &faces, ever_moved: &ever_moved,
            });
            let Verdict::Masked(shown) = verdict else { return Ok(()) };
            let hides = |other: &Mask| other.cells().iter().zip(shown.cells()).all(|(other, shown)| other <= shown);
            prop_assert!(matches!(&silhouettes, Silhouettes::Seen(moving) if hides(moving)));
            match policy {
                Policy::Solid => prop_assert!(false, "the policy shows nothing"),
                Policy::Silhouettes => prop_assert!(hides(&ever_moved)),
                Policy::FacesAndSilhouettes => {
                    prop_assert!(hides(&faces));
                    prop_assert!(looked_at_ms.iter().any(|looked| looked.abs_diff(at_ms) <= 120));
                }
            }
        }
    }
}
