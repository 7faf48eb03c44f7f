//! Transactions that are not in the store's index yet.
//!
//! Ids are hashes, so each of a block's would change a page of the index of its own, and every write is fsynced. They
//! wait here instead, and each block writes those that begin with one byte: neighbours, which share pages. After 256
//! blocks every id has had its turn. Nothing is lost with the process: the ids are those of the last 256 blocks.

use domain::B256;
use std::collections::BTreeMap;

/// Blocks after which every id is in the index.
pub const TURNS: u64 = 256;

/// Ids, each with the height of its block.
#[derive(Debug, Default)]
pub struct Unindexed(BTreeMap<B256, u64>);

impl Unindexed {
    /// Lets the ids of a block wait.
    pub fn add(&mut self, ids: &[B256], height: u64) {
        self.0.extend(ids.iter().map(|id| (*id, height)));
    }

    /// The block of an id that waits.
    pub fn height(&self, id: B256) -> Option<u64> {
        self.0.get(&id).copied()
    }

    /// Those that the block at a height writes: of what waits, and of its own ids.
    pub fn turn(&self, height: u64, own: &[B256]) -> Vec<(B256, u64)> {
        let first = u8::try_from(height % TURNS).unwrap_or_default();
        let (mut from, mut to) = (B256::ZERO, B256::repeat_byte(0xff));
        (from[0], to[0]) = (first, first);
        let waiting = self.0.range(from..=to).map(|(id, height)| (*id, *height));
        waiting
            .chain(
                own.iter()
                    .filter(|id| id[0] == first)
                    .map(|id| (*id, height)),
            )
            .collect()
    }

    /// To be called once a block is durable: its own ids wait from now on, those of its turn are in the index.
    pub fn wrote(&mut self, turn: &[(B256, u64)], height: u64, own: &[B256]) {
        self.add(own, height);
        self.remove(turn.iter().map(|(id, _)| id));
    }

    /// Forgets what is in the index now, or will never be.
    pub fn remove<'a>(&mut self, ids: impl IntoIterator<Item = &'a B256>) {
        for id in ids {
            self.0.remove(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::keccak256;

    #[test]
    fn every_id_waits_until_its_turn_and_has_one_within_so_many_blocks() {
        let mut waiting = Unindexed::default();
        let mut index = BTreeMap::new();
        for height in 1..=3 * TURNS {
            let ids: Vec<B256> = (0..5u64)
                .map(|n| keccak256((height * 5 + n).to_be_bytes()))
                .collect();
            let turn = waiting.turn(height, &ids);
            assert!(
                turn.iter()
                    .all(|(id, _)| u64::from(id[0]) == height % TURNS)
            );
            assert!(
                ids.iter().all(|id| waiting.height(*id).is_none()),
                "not before it is durable"
            );
            waiting.wrote(&turn, height, &ids);
            index.extend(turn);
            for (id, at) in ids.iter().map(|id| (id, height)) {
                assert!(waiting.height(*id) == Some(at) || index.get(id) == Some(&at));
            }
            let oldest = waiting.0.values().min().copied().unwrap_or(height);
            assert!(
                height - oldest < TURNS,
                "an id of {oldest} waits at {height}"
            );
        }
        assert_eq!((waiting.0.len() + index.len()) as u64, 3 * TURNS * 5);
    }
}
