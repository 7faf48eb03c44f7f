//! What CenterFace's four answers mean: a heat map of face centres, sizes and offsets on a grid of a quarter.

use super::geometry::Rect;
use super::policy::FACES_MAX;

/// Pixels of the network's input for one cell of its output.
const STRIDE: f32 = 4.0;
/// Two boxes that overlap by this much are one face.
const SAME_FACE: f32 = 0.3;
/// The most cells above the threshold that are looked at; a working network gives a few for each face.
const CELLS_MAX: usize = 4096;

/// A face that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Detection {
    pub rect: Rect,
    pub score: f32,
}

/// The network's answers: `sizes` and `offsets` hold two planes, vertical first.
pub(crate) struct Output<'a> {
    pub columns: usize,
    pub rows: usize,
    pub heat: &'a [f32],
    pub sizes: &'a [f32],
    pub offsets: &'a [f32],
}

/// Why the answers cannot be believed. Whoever gets this hides everything.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unsure {
    /// The planes do not fit each other.
    #[error("the detector's answer has {found} values, expected {expected}")]
    Shape {
        /// Values of the heat map that the grid needs.
        expected: usize,
        /// Values of the plane that is wrong.
        found: usize,
    },
    /// Something that is not a number.
    #[error("the detector's answer holds a value that is no number")]
    NotANumber,
    /// More faces than a room holds: a known defect of OpenCV 4.6 looks like this.
    #[error("the detector found {found} faces, at most {max} can be right")]
    TooMany {
        /// Faces in one frame.
        found: usize,
        /// The most that is believed.
        max: usize,
    },
}

impl Output<'_> {
    /// Faces from `threshold` on, best first, in pixels of the network's input times `scale` (horizontal, vertical).
    pub fn faces(&self, threshold: f32, scale: (f32, f32)) -> Result<Vec<Detection>, Unsure> {
        self.check()?;

        let hot = self
            .heat
            .iter()
            .enumerate()
            .filter(|(_, score)| **score >= threshold);
        let mut found: Vec<Detection> = hot
            .take(CELLS_MAX + 1)
            .map(|(cell, _)| self.face(cell, scale))
            .collect();

        if found.len() > CELLS_MAX {
            return Err(Unsure::TooMany {
                found: found.len(),
                max: CELLS_MAX,
            });
        }
        if found.iter().any(|face| !face.rect.is_finite()) {
            return Err(Unsure::NotANumber);
        }

        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let faces = without_doubles(&found);
        if faces.len() > FACES_MAX {
            return Err(Unsure::TooMany {
                found: faces.len(),
                max: FACES_MAX,
            });
        }

        Ok(faces)
    }

    fn check(&self) -> Result<(), Unsure> {
        let cells = self.columns * self.rows;

        for (plane, times) in [(self.heat, 1), (self.sizes, 2), (self.offsets, 2)] {
            if cells == 0 || plane.len() != cells * times {
                return Err(Unsure::Shape {
                    expected: cells * times,
                    found: plane.len(),
                });
            }
            if plane.iter().any(|value| !value.is_finite()) {
                return Err(Unsure::NotANumber);
            }
        }

        Ok(())
    }

    fn face(&self, cell: usize, scale: (f32, f32)) -> Detection {
        let cells = self.columns * self.rows;
        let (row, column) = ((cell / self.columns) as f32, (cell % self.columns) as f32);
        let (height, width) = (
            self.sizes[cell].exp() * STRIDE,
            self.sizes[cells + cell].exp() * STRIDE,
        );

        let x = (column + self.offsets[cells + cell] + 0.5) * STRIDE;
        let y = (row + self.offsets[cell] + 0.5) * STRIDE;
        let rect = Rect::new(
            (x - width / 2.0) * scale.0,
            (y - height / 2.0) * scale.1,
            (x + width / 2.0) * scale.0,
            (y + height / 2.0) * scale.1,
        );

        Detection {
            rect,
            score: self.heat[cell],
        }
    }
}

/// Leaves out what overlaps a better one. `found` is sorted, best first.
fn without_doubles(found: &[Detection]) -> Vec<Detection> {
    let mut kept: Vec<Detection> = Vec::new();
    for face in found {
        if kept
            .iter()
            .all(|better| better.rect.overlap(&face.rect) < SAME_FACE)
        {
            kept.push(*face);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: usize = 16;
    const ROWS: usize = 9;
    const CELLS: usize = COLUMNS * ROWS;

    fn output<'a>(heat: &'a [f32], sizes: &'a [f32], offsets: &'a [f32]) -> Output<'a> {
        Output {
            columns: COLUMNS,
            rows: ROWS,
            heat,
            sizes,
            offsets,
        }
    }

    #[test]
    fn one_face_is_where_the_heat_is() {
        let (mut heat, mut sizes, offsets) =
            (vec![0.0; CELLS], vec![0.0; 2 * CELLS], vec![0.0; 2 * CELLS]);
        let cell = 4 * COLUMNS + 5;
        heat[cell] = 0.9;
        heat[cell + 1] = 0.5;
        for place in [cell, cell + 1] {
            sizes[place] = 3.0f32.ln();
            sizes[CELLS + place] = 2.0f32.ln();
        }
        let faces = output(&heat, &sizes, &offsets)
            .faces(0.1, (2.0, 1.0))
            .unwrap();
        assert_eq!(faces.len(), 1, "the neighbour is the same face: {faces:?}");
        let rect = faces[0].rect;
        assert_eq!(rect.center(), (44.0, 18.0));
        assert!(
            (rect.width() - 16.0).abs() < 0.01 && (rect.height() - 12.0).abs() < 0.01,
            "{rect:?}"
        );
    }

    #[test]
    fn a_network_that_sees_faces_everywhere_is_not_believed() {
        let offsets = vec![0.0; 2 * CELLS];
        let sizes = vec![-3.0; 2 * CELLS];
        let unsure = output(&vec![0.5; CELLS], &sizes, &offsets)
            .faces(0.1, (1.0, 1.0))
            .unwrap_err();
        assert_eq!(
            unsure,
            Unsure::TooMany {
                found: CELLS,
                max: FACES_MAX
            }
        );
    }

    proptest! {
        #[test]
        fn whatever_the_network_answers_gives_faces_or_a_refusal(
            heat in proptest::collection::vec(any::<f32>(), 0..2 * CELLS),
            sizes in proptest::collection::vec(any::<f32>(), 2 * CELLS),
            offsets in proptest::collection::vec(any::<f32>(), 2 * CELLS),
        ) {
            if let Ok(faces) = output(&heat, &sizes, &offsets).faces(0.1, (2.0, 2.0)) {
                prop_assert!(faces.len() <= FACES_MAX);
                prop_assert!(faces.iter().all(|face| face.rect.is_finite() && face.score >= 0.1));
            }
        }
    }
}
