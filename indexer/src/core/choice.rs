//! Which node of the sidechain to ask.

use client::believable_height;

/// What is known of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The height that it claims; `None` when it did not answer.
    pub height: Option<u64>,
    /// How often it has failed since it last gave a good block.
    pub failures: u32,
}

/// The node to ask for block `next`: of those that claim to have it, the one that failed least, so that a liar keeps
/// nobody from a good one. If none has it, the highest. A claim that no second node comes near is none, where three
/// answer: a liar would be asked again and again for a block that is not there yet. `None` when none answered.
pub fn choose_node(nodes: &[Candidate], next: u64) -> Option<(usize, u64)> {
    let claims: Vec<u64> = nodes.iter().filter_map(|node| node.height).collect();
    let believable = believable_height(&claims);
    let answered = || {
        nodes
            .iter()
            .enumerate()
            .filter_map(|(at, node)| Some((at, node.height?, node.failures)))
            .filter(|(_, height, _)| *height <= believable)
    };
    let has_it = answered()
        .filter(|(_, height, _)| *height >= next)
        .min_by_key(|(_, _, failures)| *failures);
    let highest = || answered().max_by_key(|(_, height, _)| *height);
    has_it.or_else(highest).map(|(at, height, _)| (at, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(height: u64, failures: u32) -> Candidate {
        Candidate {
            height: Some(height),
            failures,
        }
    }

    #[test]
    fn the_least_failing_node_that_has_the_block_is_asked() {
        let dead = Candidate {
            height: None,
            failures: 0,
        };
        assert_eq!(choose_node(&[node(9, 0), node(12, 0)], 10), Some((1, 12)));
        assert_eq!(
            choose_node(&[node(u64::MAX, 1), node(10, 0)], 10),
            Some((1, 10))
        );
        assert_eq!(
            choose_node(&[node(u64::MAX, 1), node(9, 0)], 10),
            Some((0, u64::MAX))
        );
        assert_eq!(
            choose_node(&[dead, node(7, 3), node(9, 0)], 10),
            Some((2, 9))
        );
        assert_eq!(choose_node(&[dead, dead], 10), None);
    }

    #[test]
    fn a_claim_that_no_second_of_three_comes_near_is_neither_asked_nor_told() {
        assert_eq!(
            choose_node(&[node(u64::MAX, 0), node(9, 0), node(9, 1)], 10),
            Some((2, 9))
        );
        assert_eq!(
            choose_node(&[node(u64::MAX, 0), node(9, 2), node(10, 3)], 10),
            Some((2, 10))
        );
    }
}
