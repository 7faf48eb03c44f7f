//! Which cells of a frame are hidden.

use super::geometry::Rect;
use super::policy::CELL;

/// A grid of cells of [`CELL`] pixels a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    columns: usize,
    rows: usize,
    cells: Vec<u8>,
}

impl Mask {
    /// Nothing hidden. Sides that are no multiple of a cell get one more.
    pub fn empty(width: usize, height: usize) -> Self {
        let (columns, rows) = (width.div_ceil(CELL), height.div_ceil(CELL));
        Self {
            columns,
            rows,
            cells: vec![0; columns * rows],
        }
    }

    /// From a row-wise grid where anything but 0 is hidden; `None` when it has another size.
    pub fn from_cells(width: usize, height: usize, cells: &[u8]) -> Option<Self> {
        let mut mask = Self::empty(width, height);
        if cells.len() != mask.cells.len() {
            return None;
        }
        for (cell, given) in mask.cells.iter_mut().zip(cells) {
            *cell = u8::from(*given != 0);
        }
        Some(mask)
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// 1 is hidden, 0 is shown; row by row.
    pub fn cells(&self) -> &[u8] {
        &self.cells
    }

    /// The cells of one row, from the left.
    pub fn row(&self, row: usize) -> &[u8] {
        &self.cells[row * self.columns..(row + 1) * self.columns]
    }

    /// Hides every cell that the rectangle touches. One that is not finite hides everything.
    pub fn cover(&mut self, rect: &Rect) {
        if !rect.is_finite() {
            self.cells.fill(1);
            return;
        }
        let (left, right) = cell_span(rect.left, rect.right, self.columns);
        let (top, bottom) = cell_span(rect.top, rect.bottom, self.rows);
        for row in top..bottom {
            self.cells[row * self.columns + left..row * self.columns + right].fill(1);
        }
    }

    /// Hides what `other` hides. Another size hides everything: the two do not speak of the same frame.
    pub fn unite(&mut self, other: &Self) {
        if (self.columns, self.rows) != (other.columns, other.rows) {
            self.cells.fill(1);
            return;
        }
        for (cell, other) in self.cells.iter_mut().zip(&other.cells) {
            *cell |= *other;
        }
    }
}

/// The cells between two pixels, both ends' cells included, within the frame.
fn cell_span(from: f32, to: f32, cells: usize) -> (usize, usize) {
    let cell = CELL as f32;
    // A float cast saturates: what lies left of the frame becomes 0.
    let first = ((from / cell).floor() as usize).min(cells);
    let end = ((to / cell).ceil() as usize).min(cells);
    (first, end.max(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_pixel_of_a_covered_rectangle_is_hidden(
            left in -200f32..700.0, top in -200f32..400.0, width in 0f32..900.0, height in 0f32..600.0,
            x in 0usize..640, y in 0usize..360,
        ) {
            let rect = Rect::new(left, top, left + width, top + height);
            let mut mask = Mask::empty(640, 360);
            mask.cover(&rect);
            let inside = (x as f32) >= rect.left && (x as f32) < rect.right
                && (y as f32) >= rect.top && (y as f32) < rect.bottom;
            let hidden = mask.row(y / CELL)[x / CELL] == 1;
            prop_assert!(!inside || hidden);
            // And never more than a cell around it.
            let near = rect.grown(CELL as f32);
            let outside = (x as f32) < near.left || (x as f32) > near.right
                || (y as f32) < near.top || (y as f32) > near.bottom;
            prop_assert!(!outside || !hidden);
        }

        #[test]
        fn hiding_only_grows(cells in proptest::collection::vec(0u8..2, 16 * 9), left in 0f32..64.0, top in 0f32..36.0) {
            let before = Mask::from_cells(64, 36, &cells).unwrap();
            let mut after = before.clone();
            after.cover(&Rect::new(left, top, left + 9.0, top + 9.0));
            after.unite(&before);
            prop_assert!(before.cells().iter().zip(after.cells()).all(|(before, after)| before <= after));
        }
    }

    #[test]
    fn what_cannot_be_placed_hides_everything() {
        let mut mask = Mask::empty(64, 36);
        mask.cover(&Rect::new(f32::NAN, 0.0, 1.0, 1.0));
        assert!(mask.cells().iter().all(|cell| *cell == 1));
        let mut mask = Mask::empty(64, 36);
        mask.unite(&Mask::empty(32, 36));
        assert!(mask.cells().iter().all(|cell| *cell == 1));
        assert_eq!(Mask::from_cells(64, 36, &[0; 3]), None);
    }
}
