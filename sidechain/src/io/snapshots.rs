//! Snapshots of the state on disk, so that a start needs not execute the whole chain. They are a shortcut and never
//! the truth: a damaged one is as good as none.

use domain::{B256, keccak256};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Snapshots kept: should the newest be damaged, there is the one before.
const KEPT: usize = 2;
/// First bytes of a file.
const MAGIC: [u8; 8] = *b"HotPotSt";
/// They and the checksum.
const HEADER_BYTES: usize = MAGIC.len() + 32;
/// How names end.
const EXTENSION: &str = "snapshot";

/// Why a snapshot cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFileError {
    /// The file or its folder.
    #[error("snapshot {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Its content is not what was written.
    #[error("snapshot {} is damaged", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
    },
}

/// The folder of a node's own snapshots, one file for each height.
#[derive(Clone, Debug)]
pub struct Snapshots {
    dir: PathBuf,
}

impl Snapshots {
    /// Snapshots in a folder, which is made when it is missing.
    pub fn open(dir: PathBuf) -> Result<Self, SnapshotFileError> {
        std::fs::create_dir_all(&dir).map_err(failed(&dir))?;
        Ok(Self { dir })
    }

    fn path(&self, height: u64) -> PathBuf {
        self.dir.join(format!("{height}.{EXTENSION}"))
    }

    /// Heights of all snapshots, the newest first.
    pub fn heights(&self) -> Result<Vec<u64>, SnapshotFileError> {
        let entries = std::fs::read_dir(&self.dir).map_err(failed(&self.dir))?;
        let mut heights: Vec<u64> = entries.flatten().filter_map(|entry| height_of(&entry.path())).collect();
        heights.sort_unstable_by(|one, other| other.cmp(one));
        Ok(heights)
    }

    /// The state at a height, as it was written.
    pub fn read(&self, height: u64) -> Result<Vec<u8>, SnapshotFileError> {
        let path = self.path(height);
        let mut file = File::open(&path).map_err(failed(&path))?;
        let (mut magic, mut checksum, mut content) = ([0; 8], B256::ZERO, Vec::new());
        let read = file
            .read_exact(&mut magic)
            .and_then(|()| file.read_exact(checksum.as_mut_slice()))
            .and_then(|()| file.read_to_end(&mut content));
        match read {
            Ok(_) if magic == MAGIC && keccak256(&content) == checksum => Ok(content),
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(failed(&path)(error)),
            _ => Err(SnapshotFileError::Damaged { path }),
        }
    }

    /// Checksum and length of the state at a height, as its file says.
    pub fn describe(&self, height: u64) -> Result<(B256, u64), SnapshotFileError> {
        let path = self.path(height);
        let mut header = [0; HEADER_BYTES];
        let mut file = File::open(&path).map_err(failed(&path))?;
        file.read_exact(&mut header).map_err(failed(&path))?;
        let length = file.metadata().map_err(failed(&path))?.len() - HEADER_BYTES as u64;
        Ok((B256::from_slice(&header[MAGIC.len()..]), length))
    }

    /// At most so many bytes of the state at a height, from a place on; none from its end on.
    pub fn part(&self, height: u64, from: u64, bytes_max: u64) -> Result<Vec<u8>, SnapshotFileError> {
        let (_, length) = self.describe(height)?;
        if from >= length {
            return Ok(Vec::new());
        }
        let path = self.path(height);
        let mut part = Vec::new();
        let mut file = File::open(&path).map_err(failed(&path))?;
        file.seek(SeekFrom::Start(from + HEADER_BYTES as u64))
            .and_then(|_| file.take(bytes_max).read_to_end(&mut part))
            .map_err(failed(&path))?;
        Ok(part)
    }

    /// Makes a state durable under its height, as a whole or not at all, then removes what is too old.
    pub fn write(&self, height: u64, content: &[u8]) -> Result<(), SnapshotFileError> {
        let path = self.path(height);
        let unfinished = path.with_extension("unfinished");
        write_synced(&unfinished, content).map_err(failed(&unfinished))?;
        std::fs::rename(&unfinished, &path).map_err(failed(&path))?;
        File::open(&self.dir).and_then(|dir| dir.sync_all()).map_err(failed(&self.dir))?;
        for old in self.heights()?.into_iter().skip(KEPT) {
            std::fs::remove_file(self.path(old)).map_err(failed(&self.path(old)))?;
        }
        Ok(())
    }
}

fn write_synced(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&MAGIC)?;
    file.write_all(keccak256(content).as_slice())?;
    file.write_all(content)?;
    file.sync_all()
}

fn height_of(path: &Path) -> Option<u64> {
    path.extension().filter(|extension| *extension == EXTENSION)?;
    path.file_stem()?.to_str()?.parse().ok()
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> SnapshotFileError + use<> {
    let path = path.to_owned();
    |source| SnapshotFileError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshots() -> (tempfile::TempDir, Snapshots) {
        let dir = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(dir.path().join("snapshots")).unwrap();
        (dir, snapshots)
    }

    #[test]
    fn the_two_newest_are_kept_and_read_as_they_were_written() {
        let (_dir, snapshots) = snapshots();
        for height in [9, 10, 100] {
            snapshots.write(height, format!("state {height}").as_bytes()).unwrap();
        }
        assert_eq!(snapshots.heights().unwrap(), [100, 10]);
        assert_eq!(snapshots.read(100).unwrap(), b"state 100");
        assert_eq!(snapshots.read(10).unwrap(), b"state 10");
        assert!(matches!(snapshots.read(9), Err(SnapshotFileError::File { .. })));
    }

    #[test]
    fn a_changed_byte_or_a_torn_write_is_seen() {
        let (_dir, snapshots) = snapshots();
        snapshots.write(7, b"the state of everything").unwrap();
        let whole = std::fs::read(snapshots.path(7)).unwrap();
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            for content in [&changed, &whole[..place].to_vec()] {
                std::fs::write(snapshots.path(7), content).unwrap();
                assert!(matches!(snapshots.read(7), Err(SnapshotFileError::Damaged { .. })), "byte {place}");
            }
        }
    }

    #[test]
    fn a_state_is_given_in_parts() {
        let (_dir, snapshots) = snapshots();
        snapshots.write(7, b"0123456789").unwrap();
        assert_eq!(snapshots.describe(7).unwrap(), (keccak256(b"0123456789"), 10));
        let part = |from| snapshots.part(7, from, 4).unwrap();
        assert_eq!([part(0), part(4), part(8), part(10), part(u64::MAX / 2)], [&b"0123"[..], b"4567", b"89", b"", b""]);
        assert!(snapshots.part(8, 0, 4).is_err() && snapshots.describe(8).is_err());
    }

    #[test]
    fn what_was_not_finished_is_no_snapshot() {
        let (_dir, snapshots) = snapshots();
        std::fs::write(snapshots.path(8).with_extension("unfinished"), b"half").unwrap();
        std::fs::write(snapshots.dir.join("notes.txt"), b"not ours").unwrap();
        assert!(snapshots.heights().unwrap().is_empty());
    }
}
