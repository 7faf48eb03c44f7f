//! What readers look for among consents and recordings. It follows from the tables: neither hashed nor written down.

use super::tables::{TableChanges, Tables};
use crate::consent::Consent;
use crate::outlet::OutletId;
use crate::recording::{Cid, Recording};
use alloy_primitives::B256;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Kept up to date with every block.
#[derive(Clone, Debug, Default)]
pub(super) struct VideoIndex {
    /// Erased recordings by outlet and height.
    erasures: BTreeSet<(OutletId, u64, Cid)>,
    /// Revoked consents of guests by outlet and block time.
    revocations: BTreeSet<(OutletId, u64, B256)>,
    /// Until when guests who took their consent to a camera back would have been in its picture.
    left: BTreeMap<(OutletId, u64), u64>,
}

impl VideoIndex {
    /// Builds the index of a whole state, such as one that was read from a snapshot.
    pub fn from_tables(tables: &Tables) -> Self {
        let mut index = Self::default();
        tables
            .recordings
            .values()
            .for_each(|recording| index.add_recording(recording));
        tables
            .consents
            .iter()
            .for_each(|(id, consent)| index.add_consent(*id, consent));
        index
    }

    /// Takes in what a block wrote.
    pub fn add(&mut self, written: &TableChanges) {
        written
            .recordings
            .values()
            .flatten()
            .for_each(|recording| self.add_recording(recording));
        for (id, consent) in &written.consents {
            consent
                .iter()
                .for_each(|consent| self.add_consent(*id, consent));
        }
    }

    fn add_recording(&mut self, recording: &Recording) {
        self.erasures.extend(
            recording
                .erased
                .map(|erased| (erased.outlet, erased.height, erased.cid)),
        );
    }

    fn add_consent(&mut self, id: B256, consent: &Consent) {
        let Some(revoked_at_ms) = consent.revoked_at_ms.filter(|_| consent.is_guests()) else {
            return;
        };
        self.revocations.insert((consent.outlet, revoked_at_ms, id));
        let left = self
            .left
            .entry((consent.outlet, consent.camera))
            .or_default();
        *left = (*left).max(consent.ends_at_ms());
    }

    pub fn erasures_after(&self, outlet: OutletId, height: u64) -> impl Iterator<Item = Cid> {
        let last = (outlet, u64::MAX, Cid::MAX);
        let above = (
            Bound::Excluded((outlet, height, Cid::MAX)),
            Bound::Included(last),
        );
        self.erasures.range(above).map(|(_, _, cid)| *cid)
    }

    pub fn revocations_after(&self, outlet: OutletId, ms: u64) -> impl Iterator<Item = B256> {
        let last = B256::repeat_byte(u8::MAX);
        let above = (
            Bound::Excluded((outlet, ms, last)),
            Bound::Included((outlet, u64::MAX, last)),
        );
        self.revocations.range(above).map(|(_, _, id)| *id)
    }

    /// Whether somebody who was in the picture at a consent's time, or would have been, took his own back.
    pub fn was_left(&self, consent: &Consent) -> bool {
        let left = self.left.get(&(consent.outlet, consent.camera));
        consent.is_guests() && left.is_some_and(|until_ms| consent.recorded_at_ms < *until_ms)
    }
}
