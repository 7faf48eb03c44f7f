//! In which order nodes are asked.

use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// How the first node of a request is chosen among those that answer and keep up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// One after the other.
    RoundRobin,
    /// The one with the fewest requests under way.
    #[default]
    LeastConnections,
    /// Each as often as its weight says.
    Weight,
}

/// How far a node can be relied on, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// It answers, and its height is near the one that the nodes agree on.
    InStep,
    /// It answers, and is behind, or claims what no other node comes near.
    OutOfStep,
    /// It does not answer.
    Silent,
}

/// What is known of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// How far it can be relied on.
    pub rank: Rank,
    /// Requests under way.
    pub in_flight: usize,
    /// How often it is the first one, compared with others; at least 1.
    pub weight: u32,
}

/// All nodes, the first to ask first. `turn` is one more with each request.
pub fn order_nodes(choice: Choice, turn: usize, nodes: &[Candidate]) -> Vec<usize> {
    let first = first_place(choice, turn, nodes);
    let distance = |place: usize| (place + nodes.len() - first) % nodes.len();
    let load = |node: &Candidate| match choice {
        Choice::LeastConnections => node.in_flight,
        Choice::RoundRobin | Choice::Weight => 0,
    };

    let mut places: Vec<(usize, &Candidate)> = nodes.iter().enumerate().collect();
    places.sort_by_key(|(place, node)| (node.rank, load(node), distance(*place)));
    places.into_iter().map(|(place, _)| place).collect()
}

/// Whose turn it is, whether it can be relied on or not.
fn first_place(choice: Choice, turn: usize, nodes: &[Candidate]) -> usize {
    match choice {
        Choice::Weight => weighted_place(turn, nodes),
        Choice::RoundRobin | Choice::LeastConnections => turn % nodes.len().max(1),
    }
}

/// Of as many turns as all weights together, each node has as many as its own.
fn weighted_place(turn: usize, nodes: &[Candidate]) -> usize {
    let weight = |node: &Candidate| u64::from(node.weight.max(1));
    let total: u64 = nodes.iter().map(weight).sum();
    let mut left = u64::try_from(turn).unwrap_or_default() % total.max(1);

    for (place, node) in nodes.iter().enumerate() {
        match left.checked_sub(weight(node)) {
            None => return place,
            Some(rest) => left = rest,
        }
    }
    0
}

/// Places of the nodes that may be asked for a decision, the idlest first.
pub fn in_step(nodes: &[Candidate]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..nodes.len())
        .filter(|place| nodes[*place].rank == Rank::InStep)
        .collect();
    places.sort_by_key(|place| (nodes[*place].in_flight, Reverse(nodes[*place].weight)));
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn node(rank: Rank, in_flight: usize, weight: u32) -> Candidate {
        Candidate {
            rank,
            in_flight,
            weight,
        }
    }

    const IDLE: Candidate = node(Rank::InStep, 0, 1);

    #[test]
    fn round_robin_begins_with_each_in_its_turn() {
        let order = |turn| order_nodes(Choice::RoundRobin, turn, &[IDLE; 3]);
        assert_eq!(
            [order(0), order(1), order(5)],
            [vec![0, 1, 2], vec![1, 2, 0], vec![2, 0, 1]]
        );
    }

    #[test]
    fn least_connections_begins_with_the_idlest_and_goes_round_among_equals() {
        let nodes = [
            node(Rank::InStep, 2, 1),
            IDLE,
            node(Rank::InStep, 1, 1),
            IDLE,
        ];
        assert_eq!(
            order_nodes(Choice::LeastConnections, 0, &nodes),
            [1, 3, 2, 0]
        );
        assert_eq!(
            order_nodes(Choice::LeastConnections, 2, &nodes),
            [3, 1, 2, 0]
        );
    }

    #[test]
    fn who_is_silent_or_out_of_step_is_asked_last_whatever_its_turn() {
        let nodes = [
            node(Rank::Silent, 0, 9),
            node(Rank::OutOfStep, 0, 9),
            node(Rank::InStep, 50, 1),
        ];
        for choice in [Choice::RoundRobin, Choice::LeastConnections, Choice::Weight] {
            for turn in 0..20 {
                assert_eq!(order_nodes(choice, turn, &nodes), [2, 1, 0], "{choice:?}");
            }
        }
        assert_eq!(in_step(&nodes), [2]);
    }

    #[test]
    fn nobody_is_asked_where_there_is_nobody() {
        for choice in [Choice::RoundRobin, Choice::LeastConnections, Choice::Weight] {
            assert!(order_nodes(choice, 7, &[]).is_empty());
        }
    }

    proptest! {
        #[test]
        fn every_node_is_in_the_order_once_and_a_better_rank_before_a_worse(
            found in proptest::collection::vec((0_u8..3, 0_usize..4, 1_u32..5), 1..8),
            turn in any::<usize>(),
            which in 0_usize..3,
        ) {
            let ranks = [Rank::InStep, Rank::OutOfStep, Rank::Silent];
            let nodes: Vec<Candidate> = found
                .into_iter()
                .map(|(rank, in_flight, weight)| node(ranks[usize::from(rank)], in_flight, weight))
                .collect();
            let choice = [Choice::RoundRobin, Choice::LeastConnections, Choice::Weight][which];

            let order = order_nodes(choice, turn, &nodes);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..nodes.len()).collect::<Vec<_>>());
            prop_assert!(order.is_sorted_by_key(|place| nodes[*place].rank));
        }

        #[test]
        fn each_is_first_as_often_as_its_weight_says(
            weights in proptest::collection::vec(1_u32..6, 1..6),
        ) {
            let nodes: Vec<Candidate> =
                weights.iter().map(|weight| node(Rank::InStep, 0, *weight)).collect();
            let total: u32 = weights.iter().sum();
            let mut firsts = vec![0; nodes.len()];
            for turn in 0..total as usize {
                firsts[order_nodes(Choice::Weight, turn, &nodes)[0]] += 1;
            }
            prop_assert_eq!(firsts, weights);
        }
    }
}
