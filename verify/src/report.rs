//! What was checked and what differs.

use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Display;

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where: a node's store, a row of a table, an epoch, an account.
    #[serde(rename = "where")]
    pub place: String,
    /// What of it: a field with the two values below, or the whole fact.
    pub what: String,
    /// What follows from the blocks or the EVM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl Difference {
    /// A whole fact.
    pub fn fact(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
            expected: None,
            found: None,
        }
    }

    /// A field with another value.
    pub fn value(
        place: impl Into<String>,
        what: impl Into<String>,
        expected: impl Display,
        found: impl Display,
    ) -> Self {
        let (expected, found) = (Some(expected.to_string()), Some(found.to_string()));
        Self {
            place: place.into(),
            what: what.into(),
            expected,
            found,
        }
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) => write!(f, ": expected {expected}, found {found}"),
            _ => Ok(()),
        }
    }
}

/// Everything that a run found out.
#[derive(Debug, Default)]
pub struct Report {
    checked: Vec<(&'static str, u64)>,
    /// What is right but worth knowing.
    pub notes: Vec<String>,
    /// What is not right.
    pub differences: Vec<Difference>,
}

impl Report {
    /// Counts things that were looked at.
    pub fn count(&mut self, what: &'static str, more: u64) {
        match self.checked.iter_mut().find(|(name, _)| *name == what) {
            Some((_, count)) => *count += more,
            None => self.checked.push((what, more)),
        }
    }

    /// How many of them were looked at.
    pub fn counted(&self, what: &str) -> u64 {
        self.checked
            .iter()
            .find(|(name, _)| *name == what)
            .map_or(0, |(_, count)| *count)
    }

    /// In the order of checking.
    pub fn checked(&self) -> &[(&'static str, u64)] {
        &self.checked
    }

    /// Notes a whole fact that is not right.
    pub fn fact(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.differences.push(Difference::fact(place, what));
    }

    /// Compares two values and counts nothing: whoever calls counts the thing they belong to.
    pub fn same<T: PartialEq + Display>(&mut self, place: &str, what: &str, expected: T, found: T) {
        if expected != found {
            self.differences
                .push(Difference::value(place, what, expected, found));
        }
    }

    /// The whole report as one JSON object, for programs.
    pub fn summary(&self) -> serde_json::Value {
        let checked: BTreeMap<&str, u64> = self.checked.iter().copied().collect();
        json!({
            "type": "summary",
            "ok": self.differences.is_empty(),
            "checked": checked,
            "notes": self.notes,
            "differences": self.differences,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_reads_as_a_sentence() {
        let fact = Difference::fact("node-1 store", "record 17 of blocks is damaged");
        assert_eq!(
            fact.to_string(),
            "node-1 store: record 17 of blocks is damaged"
        );
        let value = Difference::value("epoch 3", "last height", 96, 95);
        assert_eq!(
            value.to_string(),
            "epoch 3: last height: expected 96, found 95"
        );
    }

    #[test]
    fn counts_add_up_and_equal_values_are_no_difference() {
        let mut report = Report::default();
        report.count("blocks", 2);
        report.count("blocks", 3);
        report.same("here", "hash", 1, 1);
        assert_eq!((report.counted("blocks"), report.counted("rows")), (5, 0));
        assert_eq!(report.summary()["ok"], true);
        report.same("here", "hash", 1, 2);
        assert_eq!(
            report.summary()["differences"][0],
            json!({"where": "here", "what": "hash", "expected": "1", "found": "2"})
        );
    }
}
