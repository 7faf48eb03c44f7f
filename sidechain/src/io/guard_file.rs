//! The double-sign guard on disk: two slots written in turn, each with a checksum over the whole record, fsynced
//! before a signature leaves. A file that cannot be read means no signature.
//!
//! A damaged slot is either a write that a power cut tore (nothing was signed) or a record that went bad (something
//! was). Nobody can tell, so the validator sits out the one height that it may have signed for: its next one.

use crate::core::guard::{Guard, Refusal, SAT_OUT, Slot, Step};
use domain::{B256, keccak256};
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes of one slot; a full record is well below.
const SLOT_BYTES: usize = 8 * 1024;

/// Why the guard does not permit a signature.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The file cannot be read or written.
    #[error("guard file {}", path.display())]
    File {
        /// Path of the guard file.
        path: PathBuf,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// Another process signs with the same guard, which would not see what this one signs.
    #[error("guard file {} is in use by another process: one validator's key, one process", path.display())]
    InUse {
        /// Path of the guard file.
        path: PathBuf,
    },
    /// Both slots are damaged.
    #[error("guard file {} is damaged: do not restore an old one; remove it only while no other validator lags, or start with a new key", path.display())]
    Damaged {
        /// Path of the guard file.
        path: PathBuf,
    },
    /// Signing would be, or could be, equivocation.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A thread died while it held the guard.
    #[error("the guard is poisoned")]
    Poisoned,
    /// The chain has no vote extensions.
    #[error("this chain has no vote extensions")]
    NoExtensions,
}

/// The guard with its file.
#[derive(Debug)]
pub struct GuardFile {
    path: PathBuf,
    file: File,
    sequence: u64,
    guard: Guard,
}

impl GuardFile {
    /// Opens the record. `next_height` is the only one that a damaged slot, or a file that was lost, can have been
    /// signed for; `is_fresh` says that the chain has no block yet, so that a missing file is nothing to worry about.
    pub fn open(path: &Path, next_height: u64, is_fresh: bool) -> Result<Self, GuardError> {
        let error = |source| GuardError::File {
            path: path.to_owned(),
            source,
        };
        // A crash right after it was made leaves an empty file.
        let fresh = std::fs::metadata(path).map_or(true, |metadata| metadata.len() == 0);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(error)?;
        lock_file(&file, path)?;
        let mut opened = Self {
            path: path.to_owned(),
            file,
            sequence: 0,
            guard: Guard::default(),
        };
        if fresh {
            opened.write(&Guard::default())?;
            sync_folder(path).map_err(error)?;
            if !is_fresh {
                opened.sit_out(next_height)?;
            }
            return Ok(opened);
        }
        let slots = [
            opened.read(0).map_err(error)?,
            opened.read(1).map_err(error)?,
        ];
        // Only the very first write leaves a slot blank.
        let is_first = slots
            .iter()
            .any(|slot| matches!(slot, Slotted::Record(1, _)));
        let damaged =
            slots.contains(&Slotted::Damaged) || (slots.contains(&Slotted::Blank) && !is_first);
        let records = slots.into_iter().filter_map(Slotted::record);
        let newest = records.max_by_key(|(sequence, _)| *sequence);
        (opened.sequence, opened.guard) = newest.ok_or(GuardError::Damaged {
            path: path.to_owned(),
        })?;
        if damaged {
            opened.sit_out(next_height)?;
        }
        Ok(opened)
    }

    fn sit_out(&mut self, height: u64) -> Result<(), GuardError> {
        tracing::warn!(
            height,
            "the double-sign guard is damaged or new on an old chain: not signing at this height"
        );
        self.permit(
            Slot {
                height,
                round: SAT_OUT,
                step: Step::Precommit,
            },
            B256::ZERO,
        )
    }

    /// Up to which height a validator must follow before it votes.
    pub fn follows_to(&self, next_height: u64) -> Option<u64> {
        self.guard.follows_to(next_height)
    }

    /// Makes the intention to sign `digest` at `slot` durable, or refuses.
    pub fn permit(&mut self, slot: Slot, digest: B256) -> Result<(), GuardError> {
        let next = match self.guard.after(slot, digest) {
            Ok(None) => return Ok(()),
            Ok(Some(next)) => next,
            Err(refusal) => {
                // At worst the next start comes to the same refusal.
                let _ = std::fs::write(self.refusal_file(), slot.height.to_string());
                return Err(refusal.into());
            }
        };
        self.write(&next)?;
        self.guard = next;
        Ok(())
    }

    /// The height at which the last process was refused; told once. The engine ends then, and would ask the same again
    /// at every start: after a power cut its own log may lack what the guard has.
    pub fn take_refusal(&self) -> Option<u64> {
        let path = self.refusal_file();
        let height = std::fs::read_to_string(&path).ok()?.parse().ok();
        std::fs::remove_file(&path).ok()?;
        height
    }

    fn refusal_file(&self) -> PathBuf {
        self.path.with_extension("refused")
    }

    fn write(&mut self, guard: &Guard) -> Result<(), GuardError> {
        let sequence = self.sequence + 1;
        let record = borsh::to_vec(&(sequence, guard)).unwrap_or_default();
        let mut bytes = keccak256(&record).to_vec();
        bytes.extend_from_slice(&(record.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&record);
        bytes.resize(SLOT_BYTES, 0);

        let offset = (sequence % 2) * SLOT_BYTES as u64;
        let written = self
            .file
            .write_all_at(&bytes, offset)
            .and_then(|()| self.file.sync_data());
        written.map_err(|source| GuardError::File {
            path: self.path.clone(),
            source,
        })?;

        self.sequence = sequence;
        Ok(())
    }

    fn read(&self, slot: u64) -> std::io::Result<Slotted> {
        let mut bytes = vec![0u8; SLOT_BYTES];
        match self
            .file
            .read_exact_at(&mut bytes, slot * SLOT_BYTES as u64)
        {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Ok(Slotted::Blank);
            }
            other => other?,
        }

        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(Slotted::Blank);
        }

        Ok(
            parse_record(&bytes).map_or(Slotted::Damaged, |(sequence, guard)| {
                Slotted::Record(sequence, guard)
            }),
        )
    }
}

/// What a slot of the file holds.
#[derive(Debug, PartialEq)]
enum Slotted {
    Blank,
    Damaged,
    Record(u64, Guard),
}

impl Slotted {
    fn record(self) -> Option<(u64, Guard)> {
        match self {
            Self::Record(sequence, guard) => Some((sequence, guard)),
            Self::Blank | Self::Damaged => None,
        }
    }
}

fn parse_record(bytes: &[u8]) -> Option<(u64, Guard)> {
    let (checksum, rest) = bytes.split_at_checked(32)?;
    let (length, rest) = rest.split_at_checked(8)?;
    let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let record = rest.get(..length)?;
    if keccak256(record).as_slice() != checksum {
        return None;
    }
    borsh::from_slice(record).ok()
}

/// Held until the process ends, however it ends.
fn lock_file(file: &File, path: &Path) -> Result<(), GuardError> {
    file.try_lock().map_err(|refused| match refused {
        TryLockError::WouldBlock => GuardError::InUse {
            path: path.to_owned(),
        },
        TryLockError::Error(source) => GuardError::File {
            path: path.to_owned(),
            source,
        },
    })
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::guard::Step;

    const FIRST: Slot = Slot {
        height: 1,
        round: 0,
        step: Step::Prevote,
    };
    const SECOND: Slot = Slot {
        height: 1,
        round: 0,
        step: Step::Precommit,
    };

    fn digest(byte: u8) -> B256 {
        B256::repeat_byte(byte)
    }

    fn opened() -> (tempfile::TempDir, PathBuf, GuardFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guard");
        let guard = GuardFile::open(&path, 1, true).unwrap();
        (folder, path, guard)
    }

    fn overwrite(path: &Path, slot: u64, at: u64, bytes: &[u8]) {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.write_all_at(bytes, slot * SLOT_BYTES as u64 + at)
            .unwrap();
    }

    fn damage(path: &Path, slot: u64) {
        overwrite(path, slot, 16, &[0xff; 64]);
    }

    /// The slot written last; nobody holds the file any more.
    fn closed(guard: GuardFile) -> u64 {
        guard.sequence % 2
    }

    #[test]
    fn what_was_signed_is_remembered_over_a_restart() {
        let (_folder, path, mut guard) = opened();
        guard.permit(FIRST, digest(1)).unwrap();
        closed(guard);
        let mut guard = GuardFile::open(&path, 1, true).unwrap();
        assert!(guard.permit(FIRST, digest(1)).is_ok());
        assert!(matches!(
            guard.permit(FIRST, digest(2)),
            Err(GuardError::Refused(_))
        ));
    }

    #[test]
    fn with_one_damaged_slot_the_height_is_sat_out_and_with_two_nothing_is_signed() {
        let (_folder, path, mut guard) = opened();
        guard.permit(FIRST, digest(1)).unwrap();
        guard.permit(SECOND, digest(2)).unwrap();
        damage(&path, closed(guard));
        let mut reopened = GuardFile::open(&path, 1, true).unwrap();
        assert!(matches!(
            reopened.permit(SECOND, digest(3)),
            Err(GuardError::Refused(_))
        ));
        assert!(
            reopened
                .permit(Slot { height: 2, ..FIRST }, digest(4))
                .is_ok()
        );
        closed(reopened);
        damage(&path, 0);
        damage(&path, 1);
        assert!(matches!(
            GuardFile::open(&path, 1, true),
            Err(GuardError::Damaged { .. })
        ));
    }

    #[test]
    fn a_zeroed_or_missing_newest_slot_and_a_lost_file_sit_the_height_out() {
        let (_folder, path, mut guard) = opened();
        guard.permit(FIRST, digest(1)).unwrap();
        guard.permit(SECOND, digest(2)).unwrap();
        let newest = closed(guard);
        let clean = std::fs::read(&path).unwrap();
        overwrite(&path, newest, 0, &[0; SLOT_BYTES]);
        assert!(
            GuardFile::open(&path, 1, false)
                .unwrap()
                .permit(SECOND, digest(3))
                .is_err()
        );
        std::fs::write(&path, &clean[..SLOT_BYTES]).unwrap();
        assert!(
            GuardFile::open(&path, 1, false)
                .unwrap()
                .permit(SECOND, digest(3))
                .is_err()
        );
        std::fs::remove_file(&path).unwrap();
        assert!(
            GuardFile::open(&path, 1, false)
                .unwrap()
                .permit(FIRST, digest(3))
                .is_err()
        );
    }

    #[test]
    fn what_cannot_be_made_durable_is_not_permitted() {
        let (_folder, path, mut guard) = opened();
        let slot = Slot {
            height: 5,
            round: 0,
            step: Step::Prevote,
        };
        // A disk that takes nothing.
        let healthy = std::mem::replace(&mut guard.file, File::open(&path).unwrap());
        assert!(matches!(
            guard.permit(slot, digest(1)),
            Err(GuardError::File { .. })
        ));
        // Nothing was signed, so with a disk that takes it another message may be.
        guard.file = healthy;
        guard.permit(slot, digest(2)).unwrap();
        assert!(matches!(
            guard.permit(slot, digest(1)),
            Err(GuardError::Refused(_))
        ));
    }

    #[test]
    fn only_one_process_at_a_time_signs_with_it() {
        let (_folder, path, guard) = opened();
        assert!(matches!(
            GuardFile::open(&path, 1, true),
            Err(GuardError::InUse { .. })
        ));
        closed(guard);
        assert!(GuardFile::open(&path, 1, true).is_ok());
    }

    #[test]
    fn a_refusal_is_told_to_the_next_process_once() {
        let (_folder, path, mut guard) = opened();
        guard.permit(FIRST, digest(1)).unwrap();
        assert_eq!(guard.take_refusal(), None);
        assert!(matches!(
            guard.permit(FIRST, digest(2)),
            Err(GuardError::Refused(_))
        ));
        closed(guard);
        let mut reopened = GuardFile::open(&path, 1, true).unwrap();
        assert_eq!(
            [reopened.take_refusal(), reopened.take_refusal()],
            [Some(1), None]
        );
        assert!(
            reopened.permit(SECOND, digest(3)).is_ok(),
            "the record itself is as it was"
        );
    }

    #[test]
    fn after_any_flipped_byte_nothing_else_is_signed_for_the_slot() {
        let (_folder, path, mut guard) = opened();
        guard.permit(FIRST, digest(1)).unwrap();
        let clean = std::fs::read(&path).unwrap();
        let newest = usize::try_from(closed(guard)).unwrap() * SLOT_BYTES;
        for at in newest..newest + 100 {
            let mut bytes = clean.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            let mut reopened = GuardFile::open(&path, 1, true).unwrap();
            assert!(reopened.permit(FIRST, digest(2)).is_err(), "byte {at}");
        }
    }
}
