//! The tables of staking, election and video, each declared once: as it stands, as a block changes it, and how the one
//! becomes the other follow from that.

use crate::consent::{Consent, VideoDay};
use crate::outlet::OutletId;
use crate::recording::{Cid, Recording};
use crate::staking::{Candidate, Punished, Stake, WaitingChange};
use crate::validators::ValidatorSet;
use alloy_primitives::{Address, B256};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;

/// Where an epoch began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct EpochStart {
    pub epoch: u64,
    pub first_height: u64,
}

/// Who signed the certificate of a block: bit i is the i-th validator of the set at that height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Signers(pub u64);

/// Entries of a table that a block wrote: the new value, or none where it was removed.
pub(super) type Written<K, V> = BTreeMap<K, Option<V>>;

/// The order of the tables is that of their bytes, in snapshots and in the digest of a block's changes: a new one comes last.
macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $key:ty => $value:ty;)*) => {
        /// The tables of staking, election and video.
        #[derive(Clone, Debug, Default, BorshSerialize, BorshDeserialize)]
        pub(super) struct Tables {
            $($(#[$doc])* pub $name: BTreeMap<$key, $value>,)*
        }

        /// What one block changes in them.
        #[derive(Clone, Debug, Default, BorshSerialize)]
        pub(super) struct TableChanges {
            $(pub $name: Written<$key, $value>,)*
        }

        impl Tables {
            /// Takes over what a block changed.
            pub fn apply(&mut self, written: TableChanges) {
                $(apply_written(&mut self.$name, written.$name);)*
            }
        }
    };
}

tables! {
    /// What accounts bond.
    stakes: Address => Stake;
    /// Validators that outlets' owners registered, by address.
    candidates: Address => Candidate;
    /// Unrefunded issuing sales by day of block time and outlet, of the last 30 days.
    sale_days: (u64, OutletId) => u64;
    /// Who signed the certificates of the last 1,000 blocks.
    commits: u64 => Signers;
    /// The sets of these blocks, by the first height of each.
    sets: u64 => ValidatorSet;
    /// Where epochs began, by block time of their start, which is that of the last block before; for ever.
    epoch_starts: u64 => EpochStart;
    /// Changes of parameters that wait, by number.
    waiting: u64 => WaitingChange;
    /// Offences that were punished, by validator and the height that they are about.
    punished: (Address, u64) => Punished;
    /// Consents of guests and legal bases of owners, by the id of the transaction that made them; for ever.
    consents: B256 => Consent;
    /// Those of a camera that were in force when one was added last, in the ledger's order.
    cameras: (OutletId, u64) => Vec<B256>;
    /// Recordings by their content; for ever.
    recordings: Cid => Recording;
    /// How much each outlet added on the last day on which it added anything.
    video_days: OutletId => VideoDay;
}

fn apply_written<K: Ord, V>(table: &mut BTreeMap<K, V>, written: Written<K, V>) {
    for (key, value) in written {
        match value {
            Some(value) => drop(table.insert(key, value)),
            None => drop(table.remove(&key)),
        }
    }
}

/// The value of an entry as of now.
pub(super) fn current_entry<'a, K: Ord, V>(
    table: &'a BTreeMap<K, V>,
    written: &'a Written<K, V>,
    key: &K,
) -> Option<&'a V> {
    match written.get(key) {
        Some(value) => value.as_ref(),
        None => table.get(key),
    }
}

/// A whole table as of now.
pub(super) fn whole_table<K: Ord + Clone, V: Clone>(
    table: &BTreeMap<K, V>,
    written: &Written<K, V>,
) -> BTreeMap<K, V> {
    let mut all = table.clone();
    for (key, value) in written {
        match value {
            Some(value) => drop(all.insert(key.clone(), value.clone())),
            None => drop(all.remove(key)),
        }
    }
    all
}
