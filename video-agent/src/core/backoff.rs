//! How long to wait before something is tried again.

/// Doubles from a first delay to a longest one.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first_ms: u64,
    max_ms: u64,
    next_ms: u64,
}

impl Backoff {
    pub fn new(first_ms: u64, max_ms: u64) -> Self {
        Self {
            first_ms,
            max_ms,
            next_ms: first_ms,
        }
    }

    /// The delay after an attempt that lasted for so long; one that outlived the longest delay had been a success.
    pub fn after(&mut self, lasted_ms: u64) -> u64 {
        if lasted_ms >= self.max_ms {
            self.next_ms = self.first_ms;
        }
        let delay = self.next_ms;
        self.next_ms = (delay * 2).min(self.max_ms);
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_to_a_limit_and_begin_again_after_a_success() {
        let mut backoff = Backoff::new(500, 3_000);
        let delays: Vec<u64> = [0, 0, 0, 0, 10_000, 0]
            .map(|lasted| backoff.after(lasted))
            .into();
        assert_eq!(delays, [500, 1_000, 2_000, 3_000, 500, 1_000]);
    }
}
