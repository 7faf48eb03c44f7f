//! What to do next on the EVM chain.

use crate::core::logs::Header;
use alloy::primitives::B256;
use std::collections::BTreeMap;

/// The most blocks that are read by hash and written at once near the head.
const NEAR_HEAD_BLOCKS_MAX: u64 = 16;

/// How far the EVM stream is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The last block mirrored; one less than the first block before it.
    pub number: u64,
    /// Its hash; `None` before the first block.
    pub hash: Option<B256>,
    /// The last mirrored block that can no longer be replaced.
    pub finalized: u64,
}

/// What the next step of the EVM stream does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The node has no block that is not mirrored.
    Wait,
    /// The node's head is below ours: it is behind, which is no reorganisation.
    NodeIsBehind,
    /// Another block stands where ours was.
    Reorg,
    /// Read a range of final blocks.
    Backfill {
        /// First block of the range.
        from: u64,
        /// Last block of the range, itself included.
        to: u64,
    },
    /// Read blocks by hash.
    Follow {
        /// First block to read.
        from: u64,
        /// Last block to read, itself included.
        to: u64,
    },
}

/// Decides by our position, the node's head and its finality.
pub fn plan_step(position: &Position, head: &Header, finalized: u64, range: u64) -> Plan {
    let from = position.number + 1;

    match position.hash {
        None if head.number < from => Plan::Wait,
        Some(_) if head.number < position.number => Plan::NodeIsBehind,
        Some(hash) if head.number == position.number => {
            if hash == head.hash {
                Plan::Wait
            } else {
                Plan::Reorg
            }
        }
        _ if from <= finalized => Plan::Backfill {
            from,
            to: finalized.min(from + range - 1),
        },
        _ => Plan::Follow {
            from,
            to: head.number.min(from + NEAR_HEAD_BLOCKS_MAX - 1),
        },
    }
}

/// How headers join what is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// Each is the child of the one before, the first of our last.
    Joined,
    /// The first is not the child of our last block.
    Forked,
    /// They are not a chain: the node moved on while it was asked.
    Broken {
        /// The first that does not fit.
        number: u64,
    },
}

/// Checks that headers continue what is mirrored.
pub fn check_joint(position: &Position, headers: &[Header]) -> Joint {
    let broken = headers
        .windows(2)
        .find(|pair| pair[1].parent_hash != pair[0].hash);
    if let Some(pair) = broken {
        return Joint::Broken {
            number: pair[1].number,
        };
    }
    match (position.hash, headers.first()) {
        (Some(hash), Some(first)) if first.parent_hash != hash => Joint::Forked,
        _ => Joint::Joined,
    }
}

/// What one header of another branch says about the fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// Both branches share this block.
    Fork,
    /// Replaced: look at its parent.
    Older,
    /// This block was final with another hash.
    BelowFinality {
        /// The hash that was mirrored as final.
        expected: B256,
    },
}

/// Compares one header of another branch with ours; `ours` holds every mirrored block from the last final one on.
pub fn compare_header(ours: &BTreeMap<u64, B256>, finalized: u64, header: &Header) -> Walk {
    match ours.get(&header.number) {
        Some(hash) if *hash == header.hash => Walk::Fork,
        Some(expected) if header.number <= finalized => Walk::BelowFinality {
            expected: *expected,
        },
        Some(_) => Walk::Older,
        // Before the first mirrored block there is nothing of ours to replace; beyond our last one neither.
        None if ours
            .first_key_value()
            .is_none_or(|(first, _)| header.number < *first) =>
        {
            Walk::Fork
        }
        None => Walk::Older,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::logs::tests::header;

    fn at(number: u64, branch: u8, finalized: u64) -> Position {
        Position {
            number,
            hash: Some(header(number, branch).hash),
            finalized,
        }
    }

    #[test]
    fn a_lower_head_is_a_lagging_node_and_another_hash_at_our_height_a_reorg() {
        let position = at(50, 0, 40);
        assert_eq!(plan_step(&position, &header(50, 0), 40, 100), Plan::Wait);
        assert_eq!(plan_step(&position, &header(50, 1), 40, 100), Plan::Reorg);
        assert_eq!(
            plan_step(&position, &header(49, 0), 40, 100),
            Plan::NodeIsBehind
        );
        assert_eq!(
            plan_step(&position, &header(49, 1), 40, 100),
            Plan::NodeIsBehind
        );
    }

    #[test]
    fn ranges_end_at_finality_and_blocks_are_followed_by_hash_above_it() {
        let fresh = Position {
            number: 9,
            hash: None,
            finalized: 9,
        };
        assert_eq!(plan_step(&fresh, &header(9, 0), 5, 100), Plan::Wait);
        assert_eq!(
            plan_step(&fresh, &header(500, 0), 400, 100),
            Plan::Backfill { from: 10, to: 109 }
        );
        assert_eq!(
            plan_step(&at(350, 0, 350), &header(500, 0), 400, 100),
            Plan::Backfill { from: 351, to: 400 }
        );
        assert_eq!(
            plan_step(&at(400, 0, 400), &header(500, 0), 400, 100),
            Plan::Follow { from: 401, to: 416 }
        );
        assert_eq!(
            plan_step(&at(499, 0, 400), &header(500, 0), 400, 100),
            Plan::Follow { from: 500, to: 500 }
        );
    }

    #[test]
    fn headers_must_continue_our_last_block() {
        let position = at(5, 0, 0);
        assert_eq!(
            check_joint(&position, &[header(6, 0), header(7, 0)]),
            Joint::Joined
        );
        assert_eq!(
            check_joint(&position, &[header(6, 1), header(7, 1)]),
            Joint::Forked
        );
        assert_eq!(
            check_joint(&position, &[header(6, 0), header(7, 1)]),
            Joint::Broken { number: 7 }
        );
        assert_eq!(
            check_joint(
                &Position {
                    hash: None,
                    ..position
                },
                &[header(6, 1)]
            ),
            Joint::Joined
        );
    }

    #[test]
    fn the_walk_ends_at_the_fork_the_first_block_or_finality() {
        let ours: BTreeMap<u64, B256> = (3..=6)
            .map(|number| (number, header(number, 0).hash))
            .collect();
        assert_eq!(compare_header(&ours, 3, &header(6, 1)), Walk::Older);
        assert_eq!(compare_header(&ours, 3, &header(4, 0)), Walk::Fork);
        assert_eq!(
            compare_header(&ours, 3, &header(3, 1)),
            Walk::BelowFinality {
                expected: header(3, 0).hash
            }
        );
        assert_eq!(compare_header(&ours, 2, &header(3, 1)), Walk::Older);
        assert_eq!(compare_header(&ours, 2, &header(2, 1)), Walk::Fork);
    }
}
