//! Validators' sets that nodes gave and whose hash proves them.

use crate::io::nodes::Nodes;
use domain::{B256, Genesis, ValidatorSet};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Sets that are kept; all are forgotten at once, since a node gives them again.
const SETS_MAX: usize = 256;
/// A set that no node gave is not asked for again before this.
const MISS_PAUSE: Duration = Duration::from_secs(5);

/// Sets by their hash.
#[derive(Debug, Default)]
pub struct Sets(Mutex<BTreeMap<B256, Found>>);

/// What the nodes gave, and when they were asked.
#[derive(Clone, Debug)]
struct Found {
    set: Option<Arc<ValidatorSet>>,
    at: Instant,
}

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
        if let Some(found) = self.kept(hash) {
            return found.set;
        }

        let set = nodes.validators_at(height, hash).await.map(Arc::new);
        self.keep(hash, set.clone());
        set
    }

    fn kept(&self, hash: B256) -> Option<Found> {
        let found = self.locked().get(&hash).cloned();
        found.filter(|found| found.set.is_some() || found.at.elapsed() < MISS_PAUSE)
    }

    fn keep(&self, hash: B256, set: Option<Arc<ValidatorSet>>) {
        let mut sets = self.locked();
        if sets.len() >= SETS_MAX {
            sets.clear();
        }

        let at = Instant::now();
        sets.insert(hash, Found { set, at });
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<B256, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
