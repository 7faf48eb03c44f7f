//! Rows as text, and the comparison of what a table must hold with what it holds.

use crate::report::Difference;
use std::collections::BTreeMap;

/// The value of a column as PostgreSQL writes it into JSON; `None` is null.
pub type Value = Option<Box<str>>;
/// A row as the database gives it.
pub type FoundRow = BTreeMap<String, Value>;

/// Differences of one table that are told one by one; the rest is counted.
const DIFFERENCES_MAX: usize = 100;

/// A table of the mirror.
#[derive(Debug)]
pub struct Table {
    /// Its name in the database, schema included.
    pub name: &'static str,
    /// All its columns that are compared, those of the key first.
    pub columns: &'static [&'static str],
    /// How many columns the key has.
    pub keys: usize,
    /// Gives each row as one JSON object of texts.
    pub query: &'static str,
}

/// A column with a number, as PostgreSQL writes it.
pub fn number(value: impl std::fmt::Display) -> Value {
    Some(value.to_string().into())
}

/// A `bytea`, as PostgreSQL writes it.
pub fn bytes(value: impl AsRef<[u8]>) -> Value {
    Some(format!("\\x{}", hex::encode(value)).into())
}

/// A column with text.
pub fn text(value: impl Into<Box<str>>) -> Value {
    Some(value.into())
}

/// A time, given as milliseconds since the Unix epoch.
pub fn time(ms: u64) -> Value {
    Some(client::format_time(ms).replace('Z', "+00:00").into())
}

/// For people: `0x…` rather than `\x…`.
fn show_value(value: Option<&str>) -> String {
    match value {
        None => "null".to_owned(),
        Some(value) => value
            .strip_prefix("\\x")
            .map_or_else(|| value.to_owned(), |hex| format!("0x{hex}")),
    }
}

/// What a table must hold, and what was found to differ from it so far.
#[derive(Debug)]
pub struct Comparison {
    table: &'static Table,
    expected: BTreeMap<Box<str>, Box<[Value]>>,
    found: u64,
    differing: usize,
    differences: Vec<Difference>,
}

impl Comparison {
    /// Of a table that must be empty until rows are added.
    pub fn new(table: &'static Table) -> Self {
        Self {
            table,
            expected: BTreeMap::new(),
            found: 0,
            differing: 0,
            differences: Vec::new(),
        }
    }

    pub fn table(&self) -> &'static Table {
        self.table
    }

    /// A row that must be there; values in the order of the table's columns.
    pub fn should_hold(&mut self, row: Vec<Value>) {
        debug_assert_eq!(row.len(), self.table.columns.len(), "{}", self.table.name);
        self.expected.insert(self.key(&row), row.into());
    }

    /// Changes a row that must be there.
    pub fn change(&mut self, key: &[Value], column: &str, value: Value) {
        let place = self.table.columns.iter().position(|name| *name == column);
        let row = self.expected.get_mut(&self.key(key));
        if let (Some(place), Some(row)) = (place, row) {
            row[place] = value;
        }
    }

    fn key(&self, row: &[Value]) -> Box<str> {
        let keys: Vec<String> = row
            .iter()
            .take(self.table.keys)
            .map(|value| show_value(value.as_deref()))
            .collect();
        format!("({})", keys.join(", ")).into()
    }

    /// A row that is there.
    pub fn find(&mut self, mut row: FoundRow) {
        self.found += 1;
        let values: Vec<Value> = self
            .table
            .columns
            .iter()
            .map(|name| row.remove(*name).flatten())
            .collect();

        let key = self.key(&values);
        let Some(expected) = self.expected.remove(&key) else {
            return self.differs(&key, "there is a row, expected none".into(), None);
        };

        for ((column, expected), found) in self.table.columns.iter().zip(&expected).zip(&values) {
            if expected != found {
                let values = (
                    show_value(expected.as_deref()),
                    show_value(found.as_deref()),
                );
                self.differs(&key, (*column).to_owned(), Some(values));
            }
        }
    }

    fn differs(&mut self, key: &str, what: String, values: Option<(String, String)>) {
        self.differing += 1;
        if self.differing > DIFFERENCES_MAX {
            return;
        }
        let place = format!("table {}, key {key}", self.table.name);
        self.differences.push(match values {
            Some((expected, found)) => Difference::value(place, what, expected, found),
            None => Difference::fact(place, what),
        });
    }

    /// After the last row: rows that are there, and what differs.
    pub fn finish(mut self) -> (u64, Vec<Difference>) {
        for key in std::mem::take(&mut self.expected).into_keys() {
            self.differs(&key, "there is no row, expected one".into(), None);
        }
        let untold = self.differing.saturating_sub(DIFFERENCES_MAX);
        if untold > 0 {
            let place = format!("table {}", self.table.name);
            self.differences.push(Difference::fact(
                place,
                format!("{untold} more differences"),
            ));
        }
        (self.found, self.differences)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    static TABLE: Table = Table {
        name: "chain.thing",
        columns: &["id", "place", "value"],
        keys: 2,
        query: "",
    };

    fn row(id: u8, value: u64) -> Vec<Value> {
        vec![bytes([id]), number(1), number(value)]
    }

    fn found(row: &[Value]) -> FoundRow {
        TABLE
            .columns
            .iter()
            .map(|name| (*name).to_owned())
            .zip(row.iter().cloned())
            .collect()
    }

    fn compare(expected: &[Vec<Value>], there: &[Vec<Value>]) -> Vec<String> {
        let mut comparison = Comparison::new(&TABLE);
        expected
            .iter()
            .for_each(|row| comparison.should_hold(row.clone()));
        there.iter().for_each(|row| comparison.find(found(row)));
        let (count, differences) = comparison.finish();
        assert_eq!(count, there.len() as u64);
        differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_changed_a_missing_and_an_added_row_are_named_by_key() {
        let differences = compare(&[row(1, 10), row(2, 20)], &[row(1, 11), row(3, 30)]);
        let expected = [
            "table chain.thing, key (0x01, 1): value: expected 10, found 11",
            "table chain.thing, key (0x03, 1): there is a row, expected none",
            "table chain.thing, key (0x02, 1): there is no row, expected one",
        ];
        assert_eq!(differences, expected);
    }

    #[test]
    fn null_is_a_value_of_its_own() {
        let null = vec![bytes([1]), number(1), None];
        assert_eq!(
            compare(std::slice::from_ref(&null), std::slice::from_ref(&null)),
            Vec::<String>::new()
        );
        let differences = compare(&[null], &[row(1, 0)]);
        assert_eq!(
            differences,
            ["table chain.thing, key (0x01, 1): value: expected null, found 0"]
        );
    }

    #[test]
    fn very_many_differences_are_counted() {
        let rows: Vec<Vec<Value>> = (0..=255).map(|id| row(id, 1)).collect();
        let differences = compare(&rows, &[]);
        assert_eq!(differences.len(), DIFFERENCES_MAX + 1);
        assert_eq!(
            differences[DIFFERENCES_MAX],
            "table chain.thing: 156 more differences"
        );
    }

    #[test]
    fn times_are_written_as_the_database_writes_them() {
        assert_eq!(
            time(1_784_000_000_123).as_deref(),
            Some("2026-07-14T03:33:20.123+00:00")
        );
        assert_eq!(
            time(1_784_000_000_500).as_deref(),
            Some("2026-07-14T03:33:20.5+00:00")
        );
        assert_eq!(
            time(1_784_000_000_000).as_deref(),
            Some("2026-07-14T03:33:20+00:00")
        );
    }

    proptest! {
        #[test]
        fn equal_tables_agree_and_any_single_change_is_seen(values in prop::collection::vec(any::<u64>(), 1..20), at: prop::sample::Index, by in 1u64..) {
            let rows: Vec<Vec<Value>> = values.iter().enumerate().map(|(id, value)| row(id as u8, *value)).collect();
            prop_assert!(compare(&rows, &rows).is_empty());
            let at = at.index(rows.len());
            let mut changed = rows.clone();
            changed[at] = row(at as u8, values[at].wrapping_add(by));
            prop_assert_eq!(compare(&rows, &changed).len(), 1);
        }
    }
}
