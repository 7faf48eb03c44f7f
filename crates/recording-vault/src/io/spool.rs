//! Encrypted segments that wait for the network; never anything in clear. Bounded: a full spool takes nothing new, and
//! never drops what waits.

use crate::core::envelope::ENVELOPE_BYTES;
use crate::core::manifest::SEGMENT_BYTES_MAX;
use crate::error::VaultError;
use crate::io::files;
use ipfs::Cid;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The spool's folder.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    bytes_max: u64,
    bytes: AtomicU64,
}

impl Spool {
    /// Opens or makes the folder. Segments that nothing refers to were never accepted, and are deleted.
    pub fn open(
        dir: &Path,
        bytes_max: u64,
        is_known: impl Fn(&Cid) -> Result<bool, VaultError>,
    ) -> Result<Self, VaultError> {
        files::make_folder(dir)?;
        files::sweep(dir)?;

        let mut bytes = 0;
        for path in files::finished(dir)? {
            let cid = path
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| name.parse().ok());
            if cid.map(|cid| is_known(&cid)).transpose()?.unwrap_or(false) {
                bytes += fs::metadata(&path).map_err(VaultError::file(&path))?.len();
            } else {
                files::remove(&path)?;
            }
        }

        Ok(Self {
            dir: dir.to_owned(),
            bytes_max,
            bytes: AtomicU64::new(bytes),
        })
    }

    /// What it holds.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What it may hold.
    pub fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// Whether so much more would fit.
    pub fn check_room(&self, needed: u64) -> Result<(), VaultError> {
        let used = self.bytes();
        let fits = used
            .checked_add(needed)
            .is_some_and(|total| total <= self.bytes_max);

        if fits {
            Ok(())
        } else {
            Err(VaultError::SpoolFull {
                used,
                max: self.bytes_max,
                needed,
            })
        }
    }

    fn path(&self, cid: &Cid) -> PathBuf {
        self.dir.join(cid.to_string())
    }

    /// Keeps an encrypted segment; durable when it returns.
    pub fn put(&self, cid: &Cid, envelope: &[u8]) -> Result<(), VaultError> {
        self.check_room(envelope.len() as u64)?;
        files::write(&self.path(cid), envelope)?;
        self.bytes
            .fetch_add(envelope.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// The encrypted segment.
    pub fn get(&self, cid: &Cid) -> Result<Vec<u8>, VaultError> {
        let path = self.path(cid);
        let mut envelope = Vec::new();
        let file = File::open(&path).map_err(VaultError::file(&path))?;
        let bounded = file
            .take((SEGMENT_BYTES_MAX + ENVELOPE_BYTES) as u64 + 1)
            .read_to_end(&mut envelope);
        bounded.map_err(VaultError::file(&path))?;
        Ok(envelope)
    }

    /// Deletes it; durable when it returns.
    pub fn remove(&self, cid: &Cid) -> Result<(), VaultError> {
        let path = self.path(cid);
        let length = fs::metadata(&path).map_or(0, |file| file.len());
        files::remove(&path)?;
        let _ = self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |bytes| {
                Some(bytes.saturating_sub(length))
            });
        Ok(())
    }
}
