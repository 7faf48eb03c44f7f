//! All sales ever recorded.

use crate::sale::{SaleEntry, SaleKey};
use borsh::{BorshDeserialize, BorshSerialize};
use imbl::{OrdMap, OrdSet};
use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::sync::Arc;

/// Every sale is kept for ever, so this is nearly all of a node's memory: each is kept as its canonical bytes, which
/// are smaller than the entry itself. A copy shares its parts with the original, so it costs nothing to take one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sales(OrdMap<SaleKey, Arc<[u8]>>);

impl Sales {
    /// What is kept of a sale.
    pub fn get(&self, key: SaleKey) -> Option<SaleEntry> {
        self.0.get(&key).map(|bytes| decode(bytes))
    }

    /// Puts an entry in, or in the place of the one before.
    pub fn insert(&mut self, key: SaleKey, entry: &SaleEntry) {
        self.0.insert(key, crate::transaction::encode(entry).into());
    }
}

/// Only what was encoded here, or decoded once before, is in the map.
#[expect(clippy::expect_used, reason = "the bytes were written by `encode` in this process")]
fn decode(bytes: &[u8]) -> SaleEntry {
    SaleEntry::try_from_slice(bytes).expect("bytes of a sale")
}

/// The bytes are those of a `BTreeMap<SaleKey, SaleEntry>`.
impl BorshSerialize for Sales {
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        count(self.0.len())?.serialize(writer)?;
        for (key, bytes) in &self.0 {
            key.serialize(writer)?;
            writer.write_all(bytes)?;
        }
        Ok(())
    }
}

impl BorshDeserialize for Sales {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let mut sales = Self::default();
        for _ in 0..u32::deserialize_reader(reader)? {
            let (key, entry) = <(SaleKey, SaleEntry)>::deserialize_reader(reader)?;
            if sales.0.get_max().is_some_and(|(last, _)| *last >= key) {
                return Err(Error::new(ErrorKind::InvalidData, "sales are not in ascending order"));
            }
            sales.insert(key, &entry);
        }
        Ok(sales)
    }
}

/// Sales with units still to be released, by the block time from which they may be. Receipts wait here for a year, so a
/// copy must not cost anything either.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Accruals(OrdSet<(u64, SaleKey)>);

impl Accruals {
    /// By time.
    pub fn iter(&self) -> impl Iterator<Item = &(u64, SaleKey)> {
        self.0.iter()
    }

    /// Takes over what a block added and removed.
    pub fn apply(&mut self, changes: BTreeMap<(u64, SaleKey), bool>) {
        for (accrual, present) in changes {
            if present {
                self.0.insert(accrual);
            } else {
                self.0.remove(&accrual);
            }
        }
    }
}

/// The bytes are those of a `BTreeSet<(u64, SaleKey)>`.
impl BorshSerialize for Accruals {
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        count(self.0.len())?.serialize(writer)?;
        self.0.iter().try_for_each(|accrual| accrual.serialize(writer))
    }
}

impl BorshDeserialize for Accruals {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let mut accruals = OrdSet::new();
        for _ in 0..u32::deserialize_reader(reader)? {
            let accrual = <(u64, SaleKey)>::deserialize_reader(reader)?;
            if accruals.get_max().is_some_and(|last| *last >= accrual) {
                return Err(Error::new(ErrorKind::InvalidData, "accruals are not in ascending order"));
            }
            accruals.insert(accrual);
        }
        Ok(Self(accruals))
    }
}

fn count(entries: usize) -> Result<u32> {
    u32::try_from(entries).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}
