//! One Merkle tree for everything: OpenZeppelin's (sorted pairs, so a proof needs no positions), leaves hashed twice
//! so that no inner node can pass for a leaf. An odd node moves up unpaired.

use alloy_primitives::{B256, b256, keccak256};

/// The root of a tree without leaves: keccak256 of the empty string. Never zero, and nobody knows a leaf under it.
pub const EMPTY_ROOT: B256 =
    b256!("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");

/// The leaf of a value.
pub fn leaf(value: &[u8]) -> B256 {
    keccak256(keccak256(value))
}

fn hash_pair(a: B256, b: B256) -> B256 {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    let mut pair = [0u8; 64];
    pair[..32].copy_from_slice(low.as_slice());
    pair[32..].copy_from_slice(high.as_slice());
    keccak256(pair)
}

fn parent_level(level: &[B256]) -> Vec<B256> {
    level
        .chunks(2)
        .map(|pair| {
            if let [a, b] = pair {
                hash_pair(*a, *b)
            } else {
                pair[0]
            }
        })
        .collect()
}

/// The root over `leaves` in their order; [`EMPTY_ROOT`] when there are none.
pub fn root(leaves: &[B256]) -> B256 {
    let Some(first) = leaves.first() else {
        return EMPTY_ROOT;
    };
    if leaves.len() == 1 {
        return *first;
    }
    let mut level = parent_level(leaves);
    while level.len() > 1 {
        level = parent_level(&level);
    }
    level[0]
}

/// The siblings from leaf `index` up to the root; `None` when there is no such leaf.
pub fn proof(leaves: &[B256], mut index: usize) -> Option<Vec<B256>> {
    leaves.get(index)?;
    let mut siblings = Vec::new();
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        siblings.extend(level.get(index ^ 1));
        level = parent_level(&level);
        index /= 2;
    }
    Some(siblings)
}

/// The root that a leaf and its siblings lead to.
pub fn process_proof(leaf: B256, siblings: &[B256]) -> B256 {
    siblings
        .iter()
        .fold(leaf, |hash, sibling| hash_pair(hash, *sibling))
}
