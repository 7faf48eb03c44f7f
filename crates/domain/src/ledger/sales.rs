//! All sales ever recorded.

mod packed;

use crate::sale::{SaleEntry, SaleKey};
use borsh::{BorshDeserialize, BorshSerialize};
use imbl::OrdMap;
use packed::Parties;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::sync::Arc;

/// Every sale is kept for ever, so this is nearly all of a node's memory: each is kept packed, in about half the
/// bytes of its canonical form. A copy shares its parts with the original, so it costs nothing to take one.
#[derive(Clone, Debug, Default)]
pub(super) struct Sales {
    entries: OrdMap<SaleKey, Arc<[u8]>>,
    parties: Parties,
}

impl Sales {
    /// What is kept of a sale.
    pub fn get(&self, key: SaleKey) -> Option<SaleEntry> {
        self.entries.get(&key).map(|bytes| self.parties.unpack(bytes))
    }

    /// Puts an entry in, or in the place of the one before.
    pub fn insert(&mut self, key: SaleKey, entry: &SaleEntry) {
        let bytes = self.parties.pack(entry).into();
        self.entries.insert(key, bytes);
    }
}

/// The bytes are those of a `BTreeMap<SaleKey, SaleEntry>`.
impl BorshSerialize for Sales {
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        count(self.entries.len())?.serialize(writer)?;
        self.entries.iter().try_for_each(|(key, bytes)| (key, self.parties.unpack(bytes)).serialize(writer))
    }
}

impl BorshDeserialize for Sales {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let mut sales = Self::default();
        for _ in 0..u32::deserialize_reader(reader)? {
            let (key, entry) = <(SaleKey, SaleEntry)>::deserialize_reader(reader)?;
            if sales.entries.get_max().is_some_and(|(last, _)| *last >= key) {
                return Err(Error::new(ErrorKind::InvalidData, "sales are not in ascending order"));
            }
            sales.insert(key, &entry);
        }
        Ok(sales)
    }
}

/// Sales with units still to be released, by the block time from which they may be: those of one block share it.
/// Receipts wait here for a year, so a copy must not cost anything either.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Accruals(OrdMap<u64, Arc<[SaleKey]>>);

impl Accruals {
    /// By time, then by key.
    pub fn iter(&self) -> impl Iterator<Item = (u64, SaleKey)> {
        self.0.iter().flat_map(|(at, keys)| keys.iter().map(|key| (*at, *key)))
    }

    /// Takes over what a block added and removed.
    pub fn apply(&mut self, changes: BTreeMap<(u64, SaleKey), bool>) {
        let mut by_time: BTreeMap<u64, Vec<(SaleKey, bool)>> = BTreeMap::new();
        for ((at, key), present) in changes {
            by_time.entry(at).or_default().push((key, present));
        }
        by_time.into_iter().for_each(|(at, changed)| self.change(at, changed));
    }

    fn change(&mut self, at: u64, changed: Vec<(SaleKey, bool)>) {
        let mut keys: BTreeSet<SaleKey> = self.0.get(&at).into_iter().flat_map(|keys| keys.iter().copied()).collect();
        for (key, present) in changed {
            if present {
                keys.insert(key)
            } else {
                keys.remove(&key)
            };
        }
        if keys.is_empty() {
            self.0.remove(&at);
        } else {
            self.0.insert(at, keys.into_iter().collect());
        }
    }
}

/// The bytes are those of a `BTreeSet<(u64, SaleKey)>`.
impl BorshSerialize for Accruals {
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        count(self.0.values().map(|keys| keys.len()).sum())?.serialize(writer)?;
        self.iter().try_for_each(|accrual| accrual.serialize(writer))
    }
}

impl BorshDeserialize for Accruals {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let mut by_time: BTreeMap<u64, Vec<SaleKey>> = BTreeMap::new();
        let mut last = None;
        for _ in 0..u32::deserialize_reader(reader)? {
            let accrual @ (at, key) = <(u64, SaleKey)>::deserialize_reader(reader)?;
            if last.replace(accrual).is_some_and(|last| last >= accrual) {
                return Err(Error::new(ErrorKind::InvalidData, "accruals are not in ascending order"));
            }
            by_time.entry(at).or_default().push(key);
        }
        Ok(Self(by_time.into_iter().map(|(at, keys)| (at, Arc::from(keys))).collect()))
    }
}

fn count(entries: usize) -> Result<u32> {
    u32::try_from(entries).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}
