//! Files that are there whole or not at all, and are still there after a power cut.

use crate::error::VaultError;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Files that were being written begin with this.
const UNFINISHED: &str = ".unfinished-";

/// A folder for us alone.
pub fn make_folder(path: &Path) -> Result<(), VaultError> {
    let failed = VaultError::file(path);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(&failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(&failed)?;
    if let Some(parent) = path.parent() {
        sync_folder(parent)?;
    }
    Ok(())
}

/// Makes what was renamed or unlinked in a folder durable.
pub fn sync_folder(path: &Path) -> Result<(), VaultError> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(VaultError::file(path))
}

/// Writes a file of mode 0600; durable when it returns.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = VaultError::file(path);
    let mut file = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(folder)
        .map_err(&failed)?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(&failed)?;
    file.persist(path)
        .map_err(|refused| failed(refused.error))?;
    sync_folder(folder)
}

/// Unlinks a file; one that is gone already is fine.
pub fn remove(path: &Path) -> Result<(), VaultError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(VaultError::file(path)(error))
        }
        _ => sync_folder(path.parent().unwrap_or(Path::new("."))),
    }
}

/// All files of a folder, but for those that are being written.
pub fn finished(folder: &Path) -> Result<Vec<PathBuf>, VaultError> {
    Ok(all_files(folder)?
        .into_iter()
        .filter(|path| !is_unfinished(path))
        .collect())
}

/// Deletes what a crash left unfinished; nobody may be writing.
pub fn sweep(folder: &Path) -> Result<(), VaultError> {
    all_files(folder)?
        .iter()
        .filter(|path| is_unfinished(path))
        .try_for_each(|path| remove(path))
}

fn all_files(folder: &Path) -> Result<Vec<PathBuf>, VaultError> {
    let failed = VaultError::file(folder);
    let entries = fs::read_dir(folder).map_err(&failed)?;
    entries
        .map(|entry| Ok(entry.map_err(&failed)?.path()))
        .collect()
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED))
}
