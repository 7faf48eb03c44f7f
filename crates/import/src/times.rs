//! Times of orders whose file has none: made at an order's first import and kept, so that a second import signs the
//! same bytes.

use domain::SaleId;
use domain::limits::SALE_LATE_MS_MAX;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// Made times reach back at most this far, so that none is too late on arrival.
const SPREAD_MS_MAX: u64 = SALE_LATE_MS_MAX - 3_600_000;

/// Why the kept times cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TimesError {
    /// The disk says no.
    #[error("the made times of an earlier import cannot be read or written")]
    Io(#[from] std::io::Error),
    /// Somebody changed the file.
    #[error("line {line} of the made times of an earlier import is damaged: {found:?}")]
    Damaged {
        /// Where it stands.
        line: usize,
        /// What stands there.
        found: String,
    },
}

/// The made time of each sale, in milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MadeTimes {
    /// Ascending by id.
    entries: Vec<([u8; 16], u64)>,
}

impl MadeTimes {
    /// The times that were kept, if there are any.
    pub fn read(path: &Path) -> Result<Self, TimesError> {
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(error.into()),
        };

        let mut entries = Vec::new();
        for (line, text) in (1..).zip(BufReader::new(file).lines()) {
            let text = text?;
            let entry = parse_entry(&text).ok_or(TimesError::Damaged { line, found: text })?;
            entries.push(entry);
        }

        entries.sort_unstable();
        Ok(Self { entries })
    }

    /// When a sale took place, if a time was made for it.
    pub fn get(&self, sale: SaleId) -> Option<u64> {
        let found = self.entries.binary_search_by_key(&sale.0, |entry| entry.0);
        found.ok().map(|place| self.entries[place].1)
    }

    /// Makes times for sales that have none, in their order, up to now.
    pub fn make(&mut self, sales: &[SaleId], step_ms: u64, now_ms: u64) {
        let new: Vec<SaleId> = sales
            .iter()
            .copied()
            .filter(|sale| self.get(*sale).is_none())
            .collect();
        let Some(count) = u64::try_from(new.len()).ok().filter(|count| *count > 0) else {
            return;
        };

        let step_ms = step_ms.min(SPREAD_MS_MAX / count);
        let first_ms = now_ms.saturating_sub(step_ms * count);
        let made = (0..)
            .zip(new)
            .map(|(place, sale)| (sale.0, first_ms + step_ms * place));
        self.entries.extend(made);
        self.entries.sort_unstable();
        self.entries.dedup_by_key(|entry| entry.0);
    }

    /// Writes them so that a crash leaves the old file or the new one.
    pub fn write(&self, path: &Path) -> Result<(), TimesError> {
        let partial = path.with_extension("partial");
        let mut out = BufWriter::new(std::fs::File::create(&partial)?);
        for (sale, time) in &self.entries {
            writeln!(out, "{} {time}", SaleId(*sale))?;
        }
        out.into_inner()
            .map_err(std::io::IntoInnerError::into_error)?
            .sync_all()?;

        std::fs::rename(&partial, path)?;
        if let Some(folder) = path.parent() {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

fn parse_entry(text: &str) -> Option<([u8; 16], u64)> {
    let (sale, time) = text.split_once(' ')?;
    let sale: SaleId = sale.parse().ok()?;
    Some((sale.0, time.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale(number: u8) -> SaleId {
        SaleId([number; 16])
    }

    #[test]
    fn times_are_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("source.times");
        let mut times = MadeTimes::read(&path).unwrap();
        times.make(&[sale(2), sale(1)], 1_000, 10_000);
        assert_eq!(
            (times.get(sale(2)), times.get(sale(1))),
            (Some(8_000), Some(9_000))
        );
        times.write(&path).unwrap();

        let mut kept = MadeTimes::read(&path).unwrap();
        assert_eq!(kept, times);
        kept.make(&[sale(2), sale(3)], 1_000, 50_000);
        assert_eq!(
            (kept.get(sale(2)), kept.get(sale(3))),
            (Some(8_000), Some(49_000))
        );
    }

    #[test]
    fn many_orders_stay_within_what_the_network_takes() {
        let mut times = MadeTimes::default();
        let sales: Vec<SaleId> = (0..200).map(sale).collect();
        times.make(&sales, u64::MAX / 1_000, SALE_LATE_MS_MAX);
        assert!(
            sales
                .iter()
                .all(|sale| times.get(*sale).unwrap() >= 3_600_000)
        );
    }

    #[test]
    fn a_damaged_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("source.times");
        std::fs::write(&path, "01010101010101010101010101010101 5\nx\n").unwrap();
        assert!(matches!(
            MadeTimes::read(&path),
            Err(TimesError::Damaged { line: 2, .. })
        ));
    }
}
