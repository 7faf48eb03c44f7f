//! Acknowledged sales on disk: a line each, written and fsynced in groups by a thread of its own.

use anyhow::{Context, Result, anyhow};
use domain::{B256, OutletId, SaleId};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// A sale that a node said is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub outlet: OutletId,
    /// The outlet's own id.
    pub sale_id: SaleId,
    /// The digest that the terminal signed.
    pub transaction_id: B256,
    /// The block that it is in.
    pub height: u64,
}

/// The file while it is written.
pub struct Journal {
    entries: mpsc::Sender<Entry>,
    writer: JoinHandle<Result<u64>>,
}

impl Journal {
    /// Opens the file; what an earlier run wrote stays.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.with_context(|| format!("open the journal {}", path.display()))?;
        let (entries, received) = mpsc::channel();
        let path = path.to_owned();
        let writer = std::thread::spawn(move || write_entries(file, &path, &received));
        Ok(Self { entries, writer })
    }

    /// A sender of entries to the thread that writes them.
    pub fn sender(&self) -> mpsc::Sender<Entry> {
        self.entries.clone()
    }

    /// Waits until every sender is gone and all is on disk; gives the number of lines.
    pub fn close(self) -> Result<u64> {
        drop(self.entries);
        self.writer
            .join()
            .map_err(|_| anyhow!("the journal's writer died"))?
    }
}

/// Writes what has come in meanwhile as one group, until nobody can send any more.
fn write_entries(mut file: File, path: &Path, received: &mpsc::Receiver<Entry>) -> Result<u64> {
    let mut count = 0;
    while let Ok(first) = received.recv() {
        let mut group = Vec::new();
        for entry in std::iter::once(first).chain(received.try_iter()) {
            serde_json::to_writer(&mut group, &entry)?;
            group.push(b'\n');
            count += 1;
        }
        let synced = file.write_all(&group).and_then(|()| file.sync_data());
        synced.with_context(|| format!("write the journal {}", path.display()))?;
    }
    Ok(count)
}

/// Reads all whole lines. A last line without its end was never fsynced, so it acknowledges nothing.
pub fn read(path: &Path) -> Result<Vec<Entry>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("read the journal {}", path.display()))?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let parse = |(number, line)| -> Result<Entry> {
        serde_json::from_str(line)
            .with_context(|| format!("{} line {}", path.display(), number + 1))
    };
    whole.lines().enumerate().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u8) -> Entry {
        let transaction_id = B256::repeat_byte(number);
        Entry {
            outlet: 1,
            sale_id: SaleId([number; 16]),
            transaction_id,
            height: u64::from(number),
        }
    }

    #[test]
    fn what_is_written_in_two_runs_is_read_again_without_a_torn_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        for run in 0..2 {
            let journal = Journal::open(&path).unwrap();
            for number in 0..5 {
                journal.sender().send(entry(run * 5 + number)).unwrap();
            }
            assert_eq!(journal.close().unwrap(), 5);
        }
        let mut torn = File::options().append(true).open(&path).unwrap();
        torn.write_all(b"{\"outlet\":1,").unwrap();
        assert_eq!(read(&path).unwrap(), (0..10).map(entry).collect::<Vec<_>>());
    }

    #[test]
    fn a_damaged_line_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        std::fs::write(&path, "nonsense\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().ends_with("line 1"));
    }

    #[test]
    fn a_disk_that_takes_nothing_is_an_error() {
        let journal = Journal::open(Path::new("/dev/full")).unwrap();
        journal.sender().send(entry(1)).unwrap();
        assert!(journal.close().is_err());
    }
}
