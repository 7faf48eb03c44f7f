//! A map whose copies share their parts.

use super::sales::entry_count;
use super::tables::Written;
use borsh::{BorshDeserialize, BorshSerialize};
use imbl::OrdMap;
use std::io::{Error, ErrorKind, Read, Result, Write};

/// Holds an entry for each block of a long time, so a copy of the state must not copy it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shared<K: Ord, V>(OrdMap<K, V>);

impl<K: Ord, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self(OrdMap::new())
    }
}

impl<K: Ord + Clone, V: Clone> Shared<K, V> {
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    /// All entries, keys ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter()
    }

    /// Takes over what a block wrote.
    pub fn apply(&mut self, written: Written<K, V>) {
        for (key, value) in written {
            match value {
                Some(value) => drop(self.0.insert(key, value)),
                None => drop(self.0.remove(&key)),
            }
        }
    }
}

/// The bytes are those of a `BTreeMap<K, V>`.
impl<K: Ord + Clone + BorshSerialize, V: Clone + BorshSerialize> BorshSerialize for Shared<K, V> {
    fn serialize<W: Write>(&self, writer: &mut W) -> Result<()> {
        entry_count(self.0.len())?.serialize(writer)?;
        self.0.iter().try_for_each(|entry| entry.serialize(writer))
    }
}

impl<K: Ord + Clone + BorshDeserialize, V: Clone + BorshDeserialize> BorshDeserialize
    for Shared<K, V>
{
    fn deserialize_reader<R: Read>(reader: &mut R) -> Result<Self> {
        let mut map = OrdMap::new();
        for _ in 0..u32::deserialize_reader(reader)? {
            let (key, value) = <(K, V)>::deserialize_reader(reader)?;
            if map.get_max().is_some_and(|(last, _)| *last >= key) {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    "keys are not in ascending order",
                ));
            }
            map.insert(key, value);
        }
        Ok(Self(map))
    }
}
