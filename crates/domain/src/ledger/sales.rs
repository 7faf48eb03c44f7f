//! All sales ever recorded.

mod packed;

use crate::sale::{SaleEntry, SaleKey};
use borsh::{BorshDeserialize, BorshSerialize};
use imbl::OrdMap;
use packed::Parties;
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
        self.entries
            .get(&key)
            .map(|bytes| self.parties.unpack(bytes))
    }

    /// All of them, keys ascending.
    pub fn iter(&self) -> impl Iterator<Item = (SaleKey, SaleEntry)> {
        self.entries
            .iter()
            .map(|(key, bytes)| (*key, self.parties.unpack(bytes)))
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
        entry_count(self.entries.len())?.serialize(writer)?;
        self.iter().try_for_each(|sale| sale.serialize(writer))
    }
}

impl BorshDeserialize for Sales {
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let mut sales = Self::default();
        for _ in 0..u32::deserialize_reader(reader)? {
            let (key, entry) = <(SaleKey, SaleEntry)>::deserialize_reader(reader)?;
            if sales
                .entries
                .get_max()
                .is_some_and(|(last, _)| *last >= key)
            {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    "sales are not in ascending order",
                ));
            }

            sales.insert(key, &entry);
        }

        Ok(sales)
    }
}

pub(super) fn entry_count(entries: usize) -> Result<u32> {
    u32::try_from(entries).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}
