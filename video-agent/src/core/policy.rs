//! What is hidden, as numbers that were measured (docs/adr/0014, `scripts/bench video`).

/// Frames are brought to this rate: 12.5 a second.
pub(crate) const FRAME_MS: u64 = 80;
/// The same as a fraction, as GStreamer writes it.
pub(crate) const FRAME_RATE: (i32, i32) = (25, 2);
/// Every how many frames faces are looked for.
pub(crate) const DETECT_EVERY: u64 = 3;
/// Frames that are held back, so that what appears can be hidden backwards in time.
pub(crate) const LOOK_BACK: usize = 6;
/// A frame may be shown only if faces were looked for in a frame this near.
pub(crate) const MASK_AGE_MS_MAX: u64 = 120;
/// A face begins to be followed at this score,
pub(crate) const SCORE_BEGIN: f32 = 0.35;
/// and is followed, or hidden where it stands, from this one on.
pub(crate) const SCORE_KEEP: f32 = 0.10;
/// How much larger than the found face the hidden rectangle is.
pub(crate) const FACE_SCALE: f32 = 1.6;
/// And by how many pixels at each side: one cell of the detector's grid, which is how exactly it can place a face.
pub(crate) const FACE_MARGIN: f32 = 8.0;
/// Frames for which a face that is no longer found stays hidden,
pub(crate) const HOLD_FRAMES: u64 = 15;
/// growing by this share of its width at each side and frame.
pub(crate) const GROW_PER_FRAME: f32 = 0.03;
/// Growth at each side and frame when an arrival is hidden backwards.
pub(crate) const GROW_BACKWARDS: f32 = 0.06;
/// More faces than this in one frame: the detector is broken, not the room full.
pub(crate) const FACES_MAX: usize = 128;
/// Pixels of a side of a mask's cell.
pub(crate) const CELL: usize = 4;
/// More of the frame than this moving: the light changed, or the camera.
pub(crate) const FOREGROUND_MAX: f32 = 0.6;
/// Frames in which the empty room is learned.
pub(crate) const LEARN_FRAMES: u32 = 20;
/// Frames without a usable background after which it is learned anew.
pub(crate) const RELEARN_AFTER_FRAMES: u32 = 12;
/// How fast the background follows while it is learned, and later: faster would absorb who sits still.
pub(crate) const LEARN_RATE: f64 = 0.1;
pub(crate) const FOLLOW_RATE: f64 = 0.0003;
/// The checksum of the one model that these numbers were measured with.
pub(crate) const MODEL_SHA256: &str =
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc";

/// How a camera's frames are anonymised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Faces are found and followed; whatever moves is hidden too.
    FacesAndSilhouettes,
    /// No detector: whatever has ever moved stays hidden.
    Silhouettes,
    /// No detector, and people who may sit still: nothing is shown.
    Solid,
}

impl Policy {
    /// As it stands in a segment's manifest. The number goes up with every change of what is hidden.
    pub fn name(self) -> &'static str {
        match self {
            Self::FacesAndSilhouettes => "faces-and-silhouettes/1",
            Self::Silhouettes => "silhouettes/1",
            Self::Solid => "solid/1",
        }
    }
}
