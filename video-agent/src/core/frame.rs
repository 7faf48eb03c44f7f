//! A picture in memory: planar YUV 4:2:0, as decoders give it and encoders take it.

use super::mask::Mask;
use super::policy::CELL;

/// What hidden cells and whole hidden frames look like: dark grey. Solid, since blur can be undone in part.
const FILL: (u8, u8) = (48, 128);

/// Width and height of a camera's frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub width: usize,
    pub height: usize,
}

impl Size {
    pub fn bytes(self) -> usize {
        self.width * self.height * 3 / 2
    }
}

/// A raw frame: it may show faces. It has no `Debug`, no `Clone` and no way to a file.
pub(crate) struct RawFrame {
    pub size: Size,
    pub pixels: Vec<u8>,
    /// Place in the session, from 0.
    pub number: u64,
    /// Milliseconds since the session's start, by the rate.
    pub at_ms: u64,
    /// When it was taken, in milliseconds since 1970.
    pub taken_at_ms: u64,
}

/// A frame that may be shown. Only [`RawFrame::hide`] and [`RawFrame::hide_all`] make one.
pub(crate) struct ShownFrame {
    pixels: Vec<u8>,
    /// Milliseconds since the session's start.
    pub at_ms: u64,
    /// When it was taken.
    pub taken_at_ms: u64,
}

impl ShownFrame {
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }
}

impl RawFrame {
    /// Fills the hidden cells and looks at them again. A mask of another size, or a cell that is not filled
    /// afterwards, hides the whole frame.
    pub fn hide(mut self, mask: &Mask) -> ShownFrame {
        let size = self.size;
        let fits = mask.columns() * CELL == size.width && mask.rows() * CELL == size.height;
        if !fits || self.pixels.len() != size.bytes() {
            return self.hide_all();
        }

        fill_hidden(&mut self.pixels, size, mask);
        if !is_filled(&self.pixels, size, mask) {
            return self.hide_all();
        }

        ShownFrame {
            pixels: self.pixels,
            at_ms: self.at_ms,
            taken_at_ms: self.taken_at_ms,
        }
    }

    /// The whole frame solid.
    pub fn hide_all(self) -> ShownFrame {
        let mut pixels = self.pixels;
        // The raw picture is overwritten, not just given back to the allocator.
        pixels.fill(FILL.1);
        pixels.resize(self.size.bytes(), FILL.1);
        pixels[..self.size.width * self.size.height].fill(FILL.0);
        ShownFrame {
            pixels,
            at_ms: self.at_ms,
            taken_at_ms: self.taken_at_ms,
        }
    }
}

/// Runs of hidden cells in a row, as (first, end).
fn hidden_runs(row: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = at + row[at..].iter().position(|cell| *cell != 0)?;
        let end = first
            + row[first..]
                .iter()
                .position(|cell| *cell == 0)
                .unwrap_or(row.len() - first);
        at = end;
        Some((first, end))
    })
}

/// The three planes: offset, bytes a row, side of a cell, colour.
fn frame_planes(size: Size) -> [(usize, usize, usize, u8); 3] {
    let (luma, chroma) = (size.width * size.height, size.width * size.height / 4);
    let (half, cell) = (size.width / 2, CELL / 2);
    [
        (0, size.width, CELL, FILL.0),
        (luma, half, cell, FILL.1),
        (luma + chroma, half, cell, FILL.1),
    ]
}

fn fill_hidden(pixels: &mut [u8], size: Size, mask: &Mask) {
    for (offset, stride, cell, colour) in frame_planes(size) {
        for row in 0..mask.rows() {
            for (first, end) in hidden_runs(mask.row(row)) {
                for line in row * cell..(row + 1) * cell {
                    let start = offset + line * stride;
                    pixels[start + first * cell..start + end * cell].fill(colour);
                }
            }
        }
    }
}

/// Looks at one pixel of each hidden cell, in each plane.
fn is_filled(pixels: &[u8], size: Size, mask: &Mask) -> bool {
    frame_planes(size)
        .into_iter()
        .all(|(offset, stride, cell, colour)| {
            (0..mask.rows()).all(|row| {
                let start = offset + (row * cell + cell / 2) * stride;
                let hidden = mask
                    .row(row)
                    .iter()
                    .enumerate()
                    .filter(|(_, hidden)| **hidden != 0);
                hidden
                    .map(|(column, _)| pixels[start + column * cell + cell / 2])
                    .all(|pixel| pixel == colour)
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: Size = Size {
        width: 64,
        height: 32,
    };

    fn raw(pixels: Vec<u8>) -> RawFrame {
        RawFrame {
            size: SIZE,
            pixels,
            number: 0,
            at_ms: 0,
            taken_at_ms: 0,
        }
    }

    proptest! {
        #[test]
        fn a_pixel_is_the_fill_or_what_it_was(
            pixels in proptest::collection::vec(any::<u8>(), 64 * 32 * 3 / 2),
            cells in proptest::collection::vec(0u8..2, 16 * 8),
        ) {
            let mask = Mask::from_cells(64, 32, &cells).unwrap();
            let shown = raw(pixels.clone()).hide(&mask).into_pixels();
            for (offset, stride, cell, colour) in frame_planes(SIZE) {
                for y in 0..SIZE.height * cell / CELL {
                    for x in 0..stride {
                        let hidden = mask.row(y / cell)[x / cell] == 1;
                        let at = offset + y * stride + x;
                        prop_assert_eq!(shown[at], if hidden { colour } else { pixels[at] });
                    }
                }
            }
        }
    }

    #[test]
    fn a_mask_of_another_frame_hides_everything() {
        let solid = raw(vec![200; SIZE.bytes()]).hide_all().into_pixels();
        assert!(
            raw(vec![200; SIZE.bytes()])
                .hide(&Mask::empty(32, 32))
                .into_pixels()
                == solid
        );
        assert!(
            raw(vec![200; 7]).hide(&Mask::empty(64, 32)).into_pixels() == solid,
            "a frame that was cut off"
        );
        assert!(solid[..64 * 32].iter().all(|luma| *luma == FILL.0));
        assert!(solid[64 * 32..].iter().all(|chroma| *chroma == FILL.1));
    }
}
