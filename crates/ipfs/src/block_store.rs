//! Blocks on this machine's disk under the CIDs that Kubo would give them: what is used where no Kubo runs.
//! A block is there whole or not at all, survives a power cut once its add has returned, and is never half deleted.

use crate::cid::{Cid, Codec};
use crate::error::IpfsError;
use crate::{car, unixfs};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Holds blocks, in folders by the last characters but one of their names.
const BLOCKS: &str = "blocks";
/// An empty file for each pinned root.
const PINS: &str = "pins";
/// Files that are being written; emptied at each start.
const UNFINISHED: &str = "unfinished";

/// A folder of blocks, used by one process at a time.
#[derive(Debug)]
pub struct BlockStore {
    dir: PathBuf,
    bytes_max: u64,
    bytes: Mutex<u64>,
    _lock: File,
}

/// What a collection did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Blocks that are gone.
    pub blocks: u64,
    /// Bytes that these blocks had.
    pub bytes: u64,
}

impl BlockStore {
    /// Opens or makes a store that holds at most `bytes_max`.
    pub fn open(dir: &Path, bytes_max: u64) -> Result<Self, IpfsError> {
        for folder in [
            dir,
            &dir.join(BLOCKS),
            &dir.join(PINS),
            &dir.join(UNFINISHED),
        ] {
            fs::create_dir_all(folder).map_err(IpfsError::file(folder))?;
        }

        let lock = dir.join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock);
        let file = file.map_err(IpfsError::file(&lock))?;
        file.try_lock().map_err(|_| IpfsError::Locked {
            path: dir.to_owned(),
        })?;

        for leftover in folder_entries(&dir.join(UNFINISHED))? {
            fs::remove_file(&leftover).map_err(IpfsError::file(&leftover))?;
        }
        sync_folder(dir)?;

        let store = Self {
            dir: dir.to_owned(),
            bytes_max,
            bytes: Mutex::new(0),
            _lock: file,
        };
        let bytes = store.stored()?.iter().map(|(_, _, bytes)| bytes).sum();
        *store.lock() = bytes;
        Ok(store)
    }

    /// Bytes of all blocks.
    pub fn bytes(&self) -> u64 {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        // The count is changed last, after the files; a panic between them leaves it as after a crash.
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds content and pins it. Durable when it returns; the same again changes nothing.
    pub fn add(&self, content: &[u8]) -> Result<Cid, IpfsError> {
        let dag = unixfs::cut(content);
        let mut bytes = self.lock();
        self.put(&dag.blocks, &mut bytes)?;
        self.write_pin(&dag.root)?;
        Ok(dag.root)
    }

    fn put(&self, blocks: &[(Cid, Vec<u8>)], bytes: &mut u64) -> Result<(), IpfsError> {
        let missing: Vec<&(Cid, Vec<u8>)> = blocks
            .iter()
            .filter(|(cid, _)| self.block(cid).is_err())
            .collect();
        let needed = missing.iter().map(|(_, block)| block.len() as u64).sum();

        if bytes
            .checked_add(needed)
            .is_none_or(|total| total > self.bytes_max)
        {
            return Err(IpfsError::Full {
                used: *bytes,
                max: self.bytes_max,
                needed,
            });
        }

        let mut folders = BTreeSet::new();
        for (cid, block) in missing {
            let path = self.path(cid);
            let before = fs::metadata(&path).map_or(0, |damaged| damaged.len());
            folders.insert(self.write(&path, block)?);
            *bytes = bytes
                .saturating_add(block.len() as u64)
                .saturating_sub(before);
        }

        folders.iter().try_for_each(|folder| sync_folder(folder))?;
        sync_folder(&self.dir.join(BLOCKS))
    }

    /// Writes a file whole or not at all; gives the folder, which is yet to be synced.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<PathBuf, IpfsError> {
        let folder = path.parent().unwrap_or(&self.dir);
        fs::create_dir_all(folder).map_err(IpfsError::file(folder))?;
        let unfinished = self.dir.join(UNFINISHED);
        let failed = IpfsError::file(path);
        let mut file = tempfile::NamedTempFile::new_in(unfinished).map_err(&failed)?;
        file.write_all(bytes)
            .and_then(|()| file.as_file().sync_all())
            .map_err(&failed)?;
        file.persist(path)
            .map_err(|refused| failed(refused.error))?;
        Ok(folder.to_owned())
    }

    fn path(&self, cid: &Cid) -> PathBuf {
        let name = cid.to_string();
        let folder = name
            .get(name.len().saturating_sub(3)..name.len() - 1)
            .unwrap_or("__")
            .to_owned();
        self.dir.join(BLOCKS).join(folder).join(name)
    }

    fn pin_path(&self, cid: &Cid) -> PathBuf {
        self.dir.join(PINS).join(cid.to_string())
    }

    fn write_pin(&self, root: &Cid) -> Result<(), IpfsError> {
        let path = self.pin_path(root);
        if path.exists() {
            return Ok(());
        }
        sync_folder(&self.write(&path, &[])?)
    }

    /// One block, checked against its name.
    pub fn block(&self, cid: &Cid) -> Result<Vec<u8>, IpfsError> {
        let path = self.path(cid);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(IpfsError::Missing { cid: *cid });
            }
            Err(error) => return Err(IpfsError::file(&path)(error)),
        };

        let mut block = Vec::new();
        let bounded = file
            .take(unixfs::BLOCK_BYTES_MAX as u64 + 1)
            .read_to_end(&mut block);
        bounded.map_err(IpfsError::file(&path))?;

        if cid.matches(&block) {
            Ok(block)
        } else {
            Err(IpfsError::Damaged {
                cid: *cid,
                detail: "its bytes have another hash",
            })
        }
    }

    /// Whether a block is here.
    pub fn has(&self, cid: &Cid) -> bool {
        self.path(cid).exists()
    }

    /// The content of a root, of at most `max` bytes.
    pub fn read(&self, root: &Cid, max: usize) -> Result<Vec<u8>, IpfsError> {
        let _consistent = self.lock();
        unixfs::read(root, max, |cid| self.block(cid))
    }

    /// Keeps a root and all below it from being collected; refused while a block is missing.
    pub fn pin(&self, root: &Cid) -> Result<(), IpfsError> {
        let _consistent = self.lock();
        self.each_block(root, |_, _| Ok(()))?;
        self.write_pin(root)
    }

    /// Lets a root be collected. Unpinning what is not pinned is done already.
    pub fn unpin(&self, root: &Cid) -> Result<(), IpfsError> {
        let _consistent = self.lock();
        let path = self.pin_path(root);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(IpfsError::file(&path)(error))
            }
            _ => sync_folder(&self.dir.join(PINS)),
        }
    }

    /// Whether a root is pinned.
    pub fn is_pinned(&self, root: &Cid) -> bool {
        self.pin_path(root).exists()
    }

    /// All pinned roots, ascending.
    pub fn pins(&self) -> Result<BTreeSet<Cid>, IpfsError> {
        let names = folder_entries(&self.dir.join(PINS))?;
        Ok(names
            .iter()
            .filter_map(|path| path.file_name()?.to_str()?.parse().ok())
            .collect())
    }

    /// Deletes every block that no pin needs. Refused while a pinned node is damaged: what is below it is unknown.
    pub fn collect_garbage(&self) -> Result<Collected, IpfsError> {
        let mut bytes = self.lock();
        let mut live = BTreeSet::new();
        for root in self.pins()? {
            self.mark(root, &mut live)?;
        }

        let mut collected = Collected::default();
        let mut folders = BTreeSet::new();
        for (path, cid, size) in self.stored()? {
            if cid.is_none_or(|cid| !live.contains(&cid)) {
                fs::remove_file(&path).map_err(IpfsError::file(&path))?;
                folders.extend(path.parent().map(Path::to_owned));
                collected = Collected {
                    blocks: collected.blocks + 1,
                    bytes: collected.bytes + size,
                };
                *bytes = bytes.saturating_sub(size);
            }
        }

        folders.iter().try_for_each(|folder| sync_folder(folder))?;
        Ok(collected)
    }

    /// Reads nodes only: leaves have nothing below them.
    fn mark(&self, root: Cid, live: &mut BTreeSet<Cid>) -> Result<(), IpfsError> {
        let mut waiting = vec![root];
        while let Some(cid) = waiting.pop() {
            if live.insert(cid) && cid.codec() == Codec::DagPb {
                waiting.extend(
                    unixfs::links(&cid, &self.block(&cid)?)?
                        .into_iter()
                        .map(|(child, _)| child),
                );
            }
        }
        Ok(())
    }

    /// Every file of the block folders with its CID, if its name is one, and its size.
    fn stored(&self) -> Result<Vec<(PathBuf, Option<Cid>, u64)>, IpfsError> {
        let mut found = Vec::new();
        for path in folder_entries(&self.dir.join(BLOCKS))?
            .iter()
            .map(|folder| folder_entries(folder))
            .collect::<Result<Vec<_>, _>>()?
            .concat()
        {
            let size = fs::metadata(&path).map_err(IpfsError::file(&path))?.len();
            let cid = path
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| name.parse().ok());
            found.push((path, cid, size));
        }

        Ok(found)
    }

    fn each_block(
        &self,
        root: &Cid,
        take: impl FnMut(Cid, Vec<u8>) -> Result<(), IpfsError>,
    ) -> Result<(), IpfsError> {
        unixfs::walk(root, usize::MAX, |cid| self.block(cid), take)
    }

    /// Writes a root and all below it as a CAR file of version 1.
    pub fn export_car(&self, root: &Cid, output: &mut impl Write) -> Result<(), IpfsError> {
        let _consistent = self.lock();
        let mut writer = car::Writer::new(output, &[*root])?;
        let mut written = BTreeSet::new();
        self.each_block(root, |cid, block| {
            if written.insert(cid) {
                writer.block(&cid, &block)
            } else {
                Ok(())
            }
        })
    }

    /// Takes the blocks of a CAR file and pins its roots; refused when a block below a root is missing.
    pub fn import_car(&self, input: impl Read) -> Result<Vec<Cid>, IpfsError> {
        let mut reader = car::Reader::new(input)?;
        while let Some(block) = reader.block()? {
            let mut bytes = self.lock();
            self.put(&[block], &mut bytes)?;
        }
        let roots = reader.roots().to_vec();
        roots.iter().try_for_each(|root| self.pin(root))?;
        Ok(roots)
    }
}

fn folder_entries(folder: &Path) -> Result<Vec<PathBuf>, IpfsError> {
    let failed = IpfsError::file(folder);
    let entries = fs::read_dir(folder).map_err(&failed)?;
    entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()
        .map_err(&failed)
}

fn sync_folder(folder: &Path) -> Result<(), IpfsError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(IpfsError::file(folder))
}
