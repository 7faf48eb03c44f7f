//! Snapshots of the state on disk, so that a start needs not execute the whole chain. They are a shortcut and never
//! the truth: a damaged one is as good as none.

use domain::{B256, Keccak256};
use std::fs::File;
use std::io::{
    self, BufRead, BufReader, BufWriter, ErrorKind, IntoInnerError, Read, Seek, SeekFrom, Write,
};
use std::path::{Path, PathBuf};

/// Snapshots kept: should the newest be damaged, there is the one before.
const KEPT: usize = 2;
/// First bytes of a file.
const MAGIC: [u8; 8] = *b"HotPotSt";
/// They and the checksum.
const HEADER_BYTES: usize = MAGIC.len() + 32;
/// How names end.
const EXTENSION: &str = "snapshot";
/// Read and written at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// Why a snapshot cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotFileError {
    /// The file or its folder.
    #[error("snapshot {}", path.display())]
    File {
        /// Path of the file, or of its folder.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// Its content is not what was written.
    #[error("snapshot {} is damaged", path.display())]
    Damaged {
        /// Path of the damaged file.
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
        let mut heights: Vec<u64> = entries
            .flatten()
            .filter_map(|entry| height_of(&entry.path()))
            .collect();
        heights.sort_unstable_by(|one, other| other.cmp(one));
        Ok(heights)
    }

    /// The state at a height, as it was written: its checksum is right.
    pub fn read(&self, height: u64) -> Result<impl Read + use<>, SnapshotFileError> {
        let path = self.path(height);
        match open_checked(&path) {
            Ok(Some(content)) => Ok(content),
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
    pub fn part(
        &self,
        height: u64,
        from: u64,
        bytes_max: u64,
    ) -> Result<Vec<u8>, SnapshotFileError> {
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

    /// Makes a state durable under its height, as a whole or not at all, then removes what is too old. Says how many
    /// bytes it has.
    pub fn write(
        &self,
        height: u64,
        export: impl FnOnce(&mut Content) -> io::Result<()>,
    ) -> Result<u64, SnapshotFileError> {
        let path = self.path(height);
        let unfinished = path.with_extension("unfinished");

        let bytes = write_synced(&unfinished, export).map_err(failed(&unfinished))?;
        std::fs::rename(&unfinished, &path).map_err(failed(&path))?;
        File::open(&self.dir)
            .and_then(|dir| dir.sync_all())
            .map_err(failed(&self.dir))?;

        for old in self.heights()?.into_iter().skip(KEPT) {
            std::fs::remove_file(self.path(old)).map_err(failed(&self.path(old)))?;
        }

        Ok(bytes)
    }
}

/// The content of a file that is being written, with its checksum so far.
pub struct Content {
    file: BufWriter<File>,
    hasher: Keccak256,
    bytes: u64,
}

impl Write for Content {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The checksum comes in front once it is known.
fn write_synced(
    path: &Path,
    export: impl FnOnce(&mut Content) -> io::Result<()>,
) -> io::Result<u64> {
    let mut file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
    file.write_all(&MAGIC)?;
    file.write_all(&[0; 32])?;

    let mut content = Content {
        file,
        hasher: Keccak256::new(),
        bytes: 0,
    };
    export(&mut content)?;

    let Content {
        file,
        hasher,
        bytes,
    } = content;
    let mut file = file.into_inner().map_err(IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(MAGIC.len() as u64))?;
    file.write_all(hasher.finalize().as_slice())?;
    file.sync_all()?;

    Ok(bytes)
}

/// The content of a file whose beginning and checksum are right.
fn open_checked(path: &Path) -> io::Result<Option<BufReader<File>>> {
    let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
    let (mut magic, mut checksum) = ([0; MAGIC.len()], B256::ZERO);
    file.read_exact(&mut magic)?;
    file.read_exact(checksum.as_mut_slice())?;

    let mut hasher = Keccak256::new();
    loop {
        let part = file.fill_buf()?;
        if part.is_empty() {
            break;
        }
        hasher.update(part);
        let length = part.len();
        file.consume(length);
    }

    file.seek(SeekFrom::Start(HEADER_BYTES as u64))?;
    Ok((magic == MAGIC && hasher.finalize() == checksum).then_some(file))
}

fn height_of(path: &Path) -> Option<u64> {
    path.extension()
        .filter(|extension| *extension == EXTENSION)?;
    path.file_stem()?.to_str()?.parse().ok()
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> SnapshotFileError + use<> {
    let path = path.to_owned();
    |source| SnapshotFileError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::keccak256;

    fn snapshots() -> (tempfile::TempDir, Snapshots) {
        let dir = tempfile::tempdir().unwrap();
        let snapshots = Snapshots::open(dir.path().join("snapshots")).unwrap();
        (dir, snapshots)
    }

    fn write(snapshots: &Snapshots, height: u64, content: &[u8]) {
        let bytes = snapshots
            .write(height, |file| file.write_all(content))
            .unwrap();
        assert_eq!(bytes, content.len() as u64);
    }

    fn read(snapshots: &Snapshots, height: u64) -> Vec<u8> {
        let mut content = Vec::new();
        snapshots
            .read(height)
            .unwrap()
            .read_to_end(&mut content)
            .unwrap();
        content
    }

    #[test]
    fn the_two_newest_are_kept_and_read_as_they_were_written() {
        let (_dir, snapshots) = snapshots();
        for height in [9, 10, 100] {
            write(&snapshots, height, format!("state {height}").as_bytes());
        }
        assert_eq!(snapshots.heights().unwrap(), [100, 10]);
        assert_eq!(read(&snapshots, 100), b"state 100");
        assert_eq!(read(&snapshots, 10), b"state 10");
        assert!(matches!(
            snapshots.read(9),
            Err(SnapshotFileError::File { .. })
        ));
    }

    #[test]
    fn a_changed_byte_or_a_torn_write_is_seen() {
        let (_dir, snapshots) = snapshots();
        write(&snapshots, 7, b"the state of everything");
        let whole = std::fs::read(snapshots.path(7)).unwrap();
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            for content in [&changed, &whole[..place].to_vec()] {
                std::fs::write(snapshots.path(7), content).unwrap();
                assert!(
                    matches!(snapshots.read(7), Err(SnapshotFileError::Damaged { .. })),
                    "byte {place}"
                );
            }
        }
    }

    #[test]
    fn a_state_is_given_in_parts() {
        let (_dir, snapshots) = snapshots();
        write(&snapshots, 7, b"0123456789");
        assert_eq!(
            snapshots.describe(7).unwrap(),
            (keccak256(b"0123456789"), 10)
        );
        let part = |from| snapshots.part(7, from, 4).unwrap();
        assert_eq!(
            [part(0), part(4), part(8), part(10), part(u64::MAX / 2)],
            [&b"0123"[..], b"4567", b"89", b"", b""]
        );
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
