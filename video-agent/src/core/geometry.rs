//! Rectangles in pixels of the frame.

/// An axis-aligned rectangle; `left <= right` and `top <= bottom` unless it is empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl Rect {
    pub fn new(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self {
            left,
            top,
            right,
            bottom,
        }
    }

    pub fn width(&self) -> f32 {
        self.right - self.left
    }

    pub fn height(&self) -> f32 {
        self.bottom - self.top
    }

    pub fn center(&self) -> (f32, f32) {
        (
            (self.left + self.right) / 2.0,
            (self.top + self.bottom) / 2.0,
        )
    }

    pub fn is_finite(&self) -> bool {
        [self.left, self.top, self.right, self.bottom]
            .iter()
            .all(|side| side.is_finite())
    }

    /// The same centre, `factor` times as wide and high.
    pub fn scaled(&self, factor: f32) -> Self {
        let (x, y) = self.center();
        let (half_width, half_height) = (self.width() * factor / 2.0, self.height() * factor / 2.0);
        Self::new(
            x - half_width,
            y - half_height,
            x + half_width,
            y + half_height,
        )
    }

    /// Each side moved outwards.
    pub fn grown(&self, by: f32) -> Self {
        Self::new(
            self.left - by,
            self.top - by,
            self.right + by,
            self.bottom + by,
        )
    }

    pub fn moved(&self, (x, y): (f32, f32)) -> Self {
        Self::new(self.left + x, self.top + y, self.right + x, self.bottom + y)
    }

    /// The smallest rectangle that holds both.
    pub fn hull(&self, other: &Self) -> Self {
        Self::new(
            self.left.min(other.left),
            self.top.min(other.top),
            self.right.max(other.right),
            self.bottom.max(other.bottom),
        )
    }

    /// Shared area over united area, 0 to 1.
    pub fn overlap(&self, other: &Self) -> f32 {
        let width = (self.right.min(other.right) - self.left.max(other.left)).max(0.0);
        let height = (self.bottom.min(other.bottom) - self.top.max(other.top)).max(0.0);
        let shared = width * height;
        let united = self.width() * self.height() + other.width() * other.height() - shared;
        if united > 0.0 { shared / united } else { 0.0 }
    }

    /// Distance of the centres, in widths of the larger one.
    pub fn distance(&self, other: &Self) -> f32 {
        let ((x, y), (other_x, other_y)) = (self.center(), other.center());
        (x - other_x).hypot(y - other_y) / self.width().max(other.width()).max(1.0)
    }
}
