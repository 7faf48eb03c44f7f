//! Which nonce comes next.

/// The chain's confirmed count, or one more than the highest that we reserved and that is not final yet.
pub(crate) fn next(confirmed: u64, highest_reserved: Option<u64>) -> u64 {
    confirmed.max(highest_reserved.map_or(0, |nonce| nonce + 1))
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn the_chain_counts_when_nothing_is_reserved() {
        assert_eq!(next(7, None), 7);
    }

    #[test]
    fn reserved_nonces_are_not_used_twice() {
        assert_eq!(next(7, Some(9)), 10);
    }

    #[test]
    fn nonces_used_by_others_are_skipped() {
        assert_eq!(next(12, Some(9)), 12);
    }
}
