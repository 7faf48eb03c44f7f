//! Which of the heights that nodes claim is believed: anybody can claim any.

/// An honest node is ahead of the others by seconds; blocks come at most a few a second.
pub const AHEAD_BLOCKS_MAX: u64 = 1_000;

/// The height that two thirds of the claimants have reached by their own words; `None` when there are none. Fewer than a
/// third of liars move it to no height that no honest node has reached.
pub fn agreed_height(claims: &[u64]) -> Option<u64> {
    let mut descending = claims.to_vec();
    descending.sort_unstable_by(|one, other| other.cmp(one));

    let two_thirds = (descending.len() * 2).div_ceil(3);
    descending.get(two_thirds.checked_sub(1)?).copied()
}

/// The highest claim that is believed for a start: one that a second node comes near. Where fewer than three say
/// something nobody can be outvoted, and every claim is.
pub fn believable_height(claims: &[u64]) -> u64 {
    let mut descending = claims.to_vec();
    descending.sort_unstable_by(|one, other| other.cmp(one));

    match descending.as_slice() {
        [_, second, _, ..] => second.saturating_add(AHEAD_BLOCKS_MAX),
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_four_moves_the_agreed_height_neither_up_nor_down() {
        assert_eq!(agreed_height(&[u64::MAX, 10, 10, 9]), Some(10));
        assert_eq!(agreed_height(&[0, 10, 10, 10]), Some(10));
        assert_eq!(agreed_height(&[12, 11, 10, 9]), Some(10));
    }

    #[test]
    fn of_two_the_lower_is_taken_and_one_alone_is_believed() {
        assert_eq!(agreed_height(&[u64::MAX, 7]), Some(7));
        assert_eq!(agreed_height(&[7]), Some(7));
        assert_eq!(agreed_height(&[]), None);
    }

    #[test]
    fn a_claim_that_no_second_node_comes_near_is_not_believed() {
        assert_eq!(believable_height(&[u64::MAX, 10, 9]), 10 + AHEAD_BLOCKS_MAX);
        assert_eq!(
            believable_height(&[1_000_000, 1_000_001, 5]),
            1_000_000 + AHEAD_BLOCKS_MAX,
            "two that are right against one that begins"
        );
        assert_eq!(believable_height(&[u64::MAX, 10]), u64::MAX);
        assert_eq!(believable_height(&[]), u64::MAX);
    }
}
