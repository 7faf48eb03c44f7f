//! Which nonces are free, and from which one on nothing can be mined.

use std::collections::BTreeSet;

/// The free nonces, ascending, from the chain's confirmed count on. The first one below a reserved one is a gap: what is
/// reserved above it waits until somebody uses it, so it is given away first.
pub(crate) fn free_nonces(confirmed: u64, reserved: &BTreeSet<u64>) -> impl Iterator<Item = u64> {
    (confirmed..).filter(|nonce| !reserved.contains(nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_free(confirmed: u64, reserved: &[u64], count: usize) -> Vec<u64> {
        let reserved = reserved.iter().copied().collect();
        free_nonces(confirmed, &reserved).take(count).collect()
    }

    #[test]
    fn the_chain_counts_when_nothing_is_reserved() {
        assert_eq!(first_free(7, &[], 2), [7, 8]);
    }

    #[test]
    fn reserved_nonces_are_not_used_twice() {
        assert_eq!(first_free(7, &[7, 8, 9], 2), [10, 11]);
    }

    #[test]
    fn nonces_used_by_others_are_skipped() {
        assert_eq!(first_free(12, &[9], 1), [12]);
    }

    #[test]
    fn a_gap_is_filled_first() {
        assert_eq!(first_free(7, &[8, 10], 3), [7, 9, 11]);
    }
}
