//! How many blocks to ask for at once.

/// Grows by an eighth while the node answers, halves when it cannot: near a node's limit few requests are in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeSize {
    now: u64,
    max: u64,
}

impl RangeSize {
    /// Starts with the most.
    pub fn new(max: u64) -> Self {
        let max = max.max(1);
        Self { now: max, max }
    }

    /// Blocks to ask for.
    pub const fn get(self) -> u64 {
        self.now
    }

    /// The node answered.
    #[must_use]
    pub fn grown(self) -> Self {
        Self {
            now: self.now.saturating_add(self.now / 8 + 1).min(self.max),
            ..self
        }
    }

    /// The node could not; one block at least is always asked for.
    #[must_use]
    pub fn halved(self) -> Self {
        Self {
            now: (self.now / 2).max(1),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_down_to_one_and_grows_back() {
        let mut size = RangeSize::new(1000);
        for expected in [500, 250, 125, 62, 31, 15, 7, 3, 1, 1] {
            size = size.halved();
            assert_eq!(size.get(), expected);
        }
        for expected in [2, 3, 4, 5, 6, 7, 8, 10, 12, 14] {
            size = size.grown();
            assert_eq!(size.get(), expected);
        }
        assert_eq!(RangeSize::new(1000).grown().get(), 1000);
    }
}
