//! Validators' sets that nodes gave and whose hash proves them.

use crate::io::nodes::Nodes;
use domain::{B256, Genesis, ValidatorSet};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Sets that are kept; all are forgotten at once, since a node gives them again.
const SETS_MAX: usize = 256;

/// Sets by their hash.
#[derive(Debug, Default)]
pub struct Sets(Mutex<BTreeMap<B256, Arc<ValidatorSet>>>);

impl Sets {
    /// The set with this hash, which decides a height; genesis' where there is no hash. `None` while no node gives it.
    pub async fn find(
        &self,
        nodes: &Nodes,
        genesis: &Genesis,
        hash: Option<B256>,
        height: u64,
    ) -> Option<Arc<ValidatorSet>> {
        let Some(hash) = hash.filter(|hash| *hash != genesis.validators.hash()) else {
            return Some(Arc::new(genesis.validators.clone()));
        };
        if let Some(known) = self.kept(hash) {
            return Some(known);
        }

        let set = Arc::new(nodes.validators_at(height, hash).await?);
        self.keep(hash, Arc::clone(&set));
        Some(set)
    }

    fn kept(&self, hash: B256) -> Option<Arc<ValidatorSet>> {
        let sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sets.get(&hash).cloned()
    }

    fn keep(&self, hash: B256, set: Arc<ValidatorSet>) {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sets.len() >= SETS_MAX {
            sets.clear();
        }
        sets.insert(hash, set);
    }
}
