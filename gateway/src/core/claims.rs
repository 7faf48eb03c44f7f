//! What nodes say of themselves, and what of it is believed: no claim decides alone where others can be asked.

use super::choice::Rank;
use api_types::StatusAnswer;
use client::{AHEAD_BLOCKS_MAX, agreed_height};
use domain::Address;

/// A node that lacks more blocks than the others is behind; a busy sidechain makes five a second.
const BEHIND_BLOCKS_MAX: u64 = 10;

/// How far a node says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its last final block.
    pub height: u64,
    /// Whether it says that it does its work; one that begins says that it does not.
    pub ready: bool,
}

impl Claim {
    /// What a node said.
    pub const fn of(status: &StatusAnswer) -> Self {
        Self {
            height: status.height,
            ready: status.ready,
        }
    }
}

/// The height that two thirds of the nodes have reached: of those that are ready, if these are at least half, or else of
/// all. Who begins would otherwise hold back the one node beside it; who alone says that it is ready decides nothing.
pub fn believed_height(claims: &[Claim]) -> Option<u64> {
    let heights = |only_ready: bool| -> Vec<u64> {
        let counted = claims.iter().filter(|claim| claim.ready || !only_ready);
        counted.map(|claim| claim.height).collect()
    };

    let ready = heights(true);
    if ready.len() * 2 >= claims.len() {
        agreed_height(&ready)
    } else {
        agreed_height(&heights(false))
    }
}

/// What the nodes agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Two thirds of those who answer have reached it.
    pub height: u64,
    /// The epoch that the next block belongs to.
    pub epoch: u64,
    /// Whether two thirds of those who answer do their work.
    pub ready: bool,
    /// The token in force, by more than half of them.
    pub token: Option<Address>,
    /// The contract in force, by more than half of them.
    pub anchor: Option<Address>,
}

/// What the nodes agree on; `None` when none answers.
pub fn find_agreement(statuses: &[StatusAnswer]) -> Option<Agreed> {
    let claims: Vec<Claim> = statuses.iter().map(Claim::of).collect();
    let height = believed_height(&claims)?;
    let there = statuses.iter().find(|status| status.height == height)?;
    let ready = statuses.iter().filter(|status| status.ready).count();

    Some(Agreed {
        height,
        epoch: there.epoch,
        ready: ready * 3 >= statuses.len() * 2,
        token: said_by_most(statuses, |status| status.token),
        anchor: said_by_most(statuses, |status| status.anchor),
    })
}

fn said_by_most(
    statuses: &[StatusAnswer],
    said: fn(&StatusAnswer) -> Option<Address>,
) -> Option<Address> {
    let count = |address: Address| {
        let same = statuses.iter().filter(|one| said(one) == Some(address));
        same.count()
    };

    statuses
        .iter()
        .filter_map(said)
        .find(|address| count(*address) * 2 > statuses.len())
}

/// How far a node that answers can be relied on, by its claim and the height that the nodes agree on.
pub fn rank_claim(claim: u64, agreed: u64) -> Rank {
    let is_behind = claim.saturating_add(BEHIND_BLOCKS_MAX) < agreed;
    let is_beyond = claim > agreed.saturating_add(AHEAD_BLOCKS_MAX);

    if is_behind || is_beyond {
        Rank::OutOfStep
    } else {
        Rank::InStep
    }
}

/// What several nodes say of a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All who answered know of it, and enough did.
    Granted,
    /// One says that there is none.
    Denied,
    /// Too few answered.
    Unknown,
}

/// Whether somebody has a right, by what each node in step says. Two have to agree wherever two are configured, and one
/// who says no is enough: a right that was taken away is gone at some nodes first.
pub fn decide_right(answers: &[bool], configured: usize) -> Verdict {
    let needed = configured.clamp(1, 2);

    if answers.contains(&false) {
        Verdict::Denied
    } else if answers.len() < needed {
        Verdict::Unknown
    } else {
        Verdict::Granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn status(height: u64, token: u8) -> StatusAnswer {
        let status = json!({
            "ready": true, "validator": null, "sidechain_id": domain::B256::ZERO, "height": height, "epoch": height / 8,
            "checkpointed_epoch": 0, "mempool": 0, "busy": false, "token": Address::repeat_byte(token),
        });
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn one_liar_of_four_is_neither_shown_nor_chosen() {
        let mut statuses = [
            status(80, 7),
            status(81, 7),
            status(81, 7),
            status(u64::MAX, 9),
        ];
        statuses[3].ready = false;
        let agreed = find_agreement(&statuses).unwrap();
        assert_eq!(
            agreed,
            Agreed {
                height: 81,
                epoch: 10,
                ready: true,
                token: Some(Address::repeat_byte(7)),
                anchor: None,
            }
        );
        assert_eq!(rank_claim(u64::MAX, agreed.height), Rank::OutOfStep);
        assert_eq!(rank_claim(80, agreed.height), Rank::InStep);
        assert_eq!(rank_claim(70, agreed.height), Rank::OutOfStep);
        assert_eq!(find_agreement(&[]), None);
    }

    #[test]
    fn a_node_that_begins_holds_nobody_back_and_one_that_alone_is_ready_decides_nothing() {
        let claim = |height, ready| Claim { height, ready };
        assert_eq!(
            believed_height(&[claim(5_000, true), claim(5, false)]),
            Some(5_000)
        );
        assert_eq!(
            believed_height(&[claim(u64::MAX, true), claim(10, true)]),
            Some(10)
        );

        let stopped = claim(10, false);
        let liar = claim(u64::MAX, true);
        assert_eq!(
            believed_height(&[liar, stopped, stopped, stopped]),
            Some(10)
        );
        assert_eq!(believed_height(&[]), None);
    }

    #[test]
    fn two_have_to_agree_where_two_are_configured_and_one_no_is_enough() {
        assert_eq!(decide_right(&[true], 1), Verdict::Granted);
        assert_eq!(decide_right(&[true], 2), Verdict::Unknown);
        assert_eq!(decide_right(&[true, true], 4), Verdict::Granted);
        assert_eq!(decide_right(&[true, true, false], 4), Verdict::Denied);
        assert_eq!(decide_right(&[false], 4), Verdict::Denied);
        assert_eq!(decide_right(&[], 1), Verdict::Unknown);
    }

    proptest! {
        #[test]
        fn fewer_than_a_third_of_liars_move_the_height_to_none_that_no_honest_node_reached(
            honest in proptest::collection::vec(0_u64..1_000, 1..9),
            lies in proptest::collection::vec(any::<u64>(), 0..4),
        ) {
            prop_assume!(lies.len() * 3 < honest.len() + lies.len());
            let all = || honest.iter().chain(&lies);
            let statuses: Vec<StatusAnswer> = all().map(|height| status(*height, 1)).collect();
            let height = find_agreement(&statuses).unwrap().height;
            let highest = honest.iter().max().unwrap();
            let lowest = honest.iter().min().unwrap();
            prop_assert!((lowest..=highest).contains(&&height), "{} of {:?}", height, honest);
        }

        #[test]
        fn no_number_of_answers_grants_what_one_of_them_denies(
            mut answers in proptest::collection::vec(any::<bool>(), 0..6),
            configured in 0_usize..9,
        ) {
            answers.push(false);
            prop_assert_eq!(decide_right(&answers, configured), Verdict::Denied);
        }
    }
}
