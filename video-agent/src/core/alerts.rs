//! Is somebody tampering with a camera, or is it broken? Judged from small grey pictures.

use super::policy::FRAME_MS;

/// Columns and rows of the grey picture that is judged.
pub(crate) const THUMBNAIL: (usize, usize) = (80, 45);
/// A covered lens shows less than this share of the edges that it showed before,
const COVERED_EDGES_MAX: f32 = 0.25;
/// or fewer grey levels a pixel than this, whatever it showed before.
const FLAT_EDGES_MAX: f32 = 0.6;
/// A moved camera's edges are less alike than this to those it showed before.
const MOVED_LIKENESS_MAX: f32 = 0.35;
/// How long a sign has to last.
const SIGN_MS: u64 = 2_000;
/// How long not a pixel may change; decoded pictures of a still room are alike for a group of pictures.
const FROZEN_MS: u64 = 5_000;
/// How fast the remembered edges follow the light.
const FOLLOW: f32 = 0.01;
/// Pictures before a view is remembered.
const REMEMBER_AFTER: u32 = 12;

/// What a camera's picture complains of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alert {
    /// No frames come.
    Down,
    /// Something is in front of the lens.
    Covered,
    /// It looks elsewhere.
    Moved,
    /// The same frame again and again.
    Frozen,
    /// Faces are not looked for in time, so frames are solid.
    DetectorLate,
}

impl Alert {
    /// All of them, for metrics.
    pub const ALL: [Self; 5] = [
        Self::Down,
        Self::Covered,
        Self::Moved,
        Self::Frozen,
        Self::DetectorLate,
    ];

    /// A label of metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Covered => "covered",
            Self::Moved => "moved",
            Self::Frozen => "frozen",
            Self::DetectorLate => "detector_late",
        }
    }
}

/// Where a picture has edges, and how strong.
#[derive(Clone, Debug, PartialEq)]
struct Edges(Vec<f32>);

impl Edges {
    /// Of a grey picture of [`THUMBNAIL`].
    fn of(grey: &[u8]) -> Self {
        let (columns, rows) = THUMBNAIL;
        let at = |column: usize, row: usize| {
            f32::from(grey.get(row * columns + column).copied().unwrap_or(0))
        };
        let edge = |(row, column): (usize, usize)| {
            let here = at(column, row);
            (at(column + 1, row) - here).abs() + (at(column, row + 1) - here).abs()
        };
        let places =
            (0..rows - 1).flat_map(|row| (0..columns - 1).map(move |column| (row, column)));
        Self(places.map(edge).collect())
    }

    fn mean(&self) -> f32 {
        self.0.iter().sum::<f32>() / self.0.len().max(1) as f32
    }

    /// Correlation: 1 is the same view whatever its contrast, 0 another one.
    fn likeness(&self, other: &Self) -> f32 {
        let (mean, other_mean) = (self.mean(), other.mean());
        let (mut both, mut own, mut others) = (0.0, 0.0, 0.0);
        for (a, b) in self.0.iter().zip(&other.0) {
            let (a, b) = (a - mean, b - other_mean);
            both += a * b;
            own += a * a;
            others += b * b;
        }
        let norm = (own * others).sqrt();
        if norm > 0.0 { both / norm } else { 0.0 }
    }

    fn follow(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own += (other - *own) * FOLLOW;
        }
    }
}

/// Watches one camera, over all its sessions.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    usual: Option<Edges>,
    seen: u32,
    last: Vec<u8>,
    covered_ms: u64,
    moved_ms: u64,
    same_ms: u64,
    covered: bool,
    moved: bool,
}

impl Watch {
    /// The next grey picture. `frames` is how many frames passed since the one before.
    pub fn see(&mut self, grey: &[u8], frames: u64) {
        let passed_ms = frames * FRAME_MS;
        self.same_ms = if self.last == grey {
            self.same_ms + passed_ms
        } else {
            0
        };
        self.last.clear();
        self.last.extend_from_slice(grey);

        let edges = Edges::of(grey);
        let usual = self.usual.get_or_insert_with(|| edges.clone());
        let flat = edges.mean() < FLAT_EDGES_MAX;
        let covered = flat || edges.mean() < usual.mean() * COVERED_EDGES_MAX;
        let known = self.seen >= REMEMBER_AFTER;
        let moved = known && !covered && edges.likeness(usual) < MOVED_LIKENESS_MAX;

        if !covered && !moved {
            usual.follow(&edges);
            self.seen = self.seen.saturating_add(1);
        }

        self.covered_ms = if covered {
            self.covered_ms + passed_ms
        } else {
            0
        };
        self.moved_ms = if moved { self.moved_ms + passed_ms } else { 0 };

        self.covered = self.covered_ms >= SIGN_MS;
        self.moved = self.moved_ms >= SIGN_MS;
    }

    /// The camera starts anew: a pause is not a frozen picture. The view is remembered.
    pub fn restart(&mut self) {
        self.last.clear();
        (self.same_ms, self.covered_ms, self.moved_ms) = (0, 0, 0);
        (self.covered, self.moved) = (false, false);
    }

    /// Of an operator who turned the camera on purpose: the next view is the usual one.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// What there is to complain of.
    pub fn alerts(&self) -> Vec<Alert> {
        let signs = [
            (self.covered, Alert::Covered),
            (self.moved, Alert::Moved),
            (self.same_ms >= FROZEN_MS, Alert::Frozen),
        ];
        signs
            .into_iter()
            .filter_map(|(is, alert)| is.then_some(alert))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A view with edges, a little different each time, as a real sensor's.
    fn view(shift: usize, noise: usize, gain: usize) -> Vec<u8> {
        let (columns, rows) = THUMBNAIL;
        let pixel = |place: usize| {
            let (x, y) = (
                (place % columns + shift) / 6,
                (place / columns + shift / 2) / 5,
            );
            let block = (x * 7919 + y * 104_729 + x * y * 31) % 160;
            (40 + block * gain / 100 + (place * 31 + noise * 17) % 3) as u8
        };
        (0..columns * rows).map(pixel).collect()
    }

    fn watch(pictures: impl Iterator<Item = Vec<u8>>) -> (Watch, Vec<Alert>) {
        let mut watch = Watch::default();
        pictures.for_each(|picture| watch.see(&picture, 3));
        let alerts = watch.alerts();
        (watch, alerts)
    }

    #[test]
    fn a_calm_room_whose_light_is_dimmed_gives_no_alert() {
        let pictures = (0..60).map(|number| view(0, number, 100 - number));
        assert_eq!(watch(pictures).1, []);
    }

    #[test]
    fn a_covered_lens_is_told_after_two_seconds() {
        let (mut watched, alerts) = watch((0..40).map(|number| view(0, number, 100)));
        assert_eq!(alerts, []);
        for number in 0..8u8 {
            watched.see(&[20 + number % 2; 80 * 45], 3);
        }
        assert_eq!(watched.alerts(), []);
        watched.see(&[20; 80 * 45], 3);
        assert_eq!(watched.alerts(), [Alert::Covered]);
        watched.see(&view(0, 1, 100), 3);
        assert_eq!(watched.alerts(), []);
    }

    #[test]
    fn a_camera_that_looks_elsewhere_is_told_until_it_looks_back() {
        let (mut watched, _) = watch((0..40).map(|number| view(0, number, 100)));
        (0..60).for_each(|number| watched.see(&view(37, number, 100), 3));
        assert_eq!(watched.alerts(), [Alert::Moved]);
        watched.see(&view(0, 3, 100), 3);
        assert_eq!(watched.alerts(), []);
    }

    #[test]
    fn the_same_picture_for_five_seconds_is_frozen() {
        assert_eq!(watch((0..40).map(|_| view(0, 0, 100))).1, [Alert::Frozen]);
    }
}
