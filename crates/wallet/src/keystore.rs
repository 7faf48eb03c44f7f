//! Secrets on disk: files of mode 0600 that appear whole or not at all and never replace one another.

use crate::v3::{Cost, Keystore, KeystoreError};
use secp256k1::SecretKey;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// No secret of ours is larger; a keystore has less than a kilobyte.
const FILE_BYTES_MAX: u64 = 64 << 10;
/// Others may delete or rename only their own files in such a folder.
const STICKY: u32 = 0o1000;

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum KeyError {
    /// The file is missing, unreadable or not writable.
    #[error("key file {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// Others may read the file.
    #[error("key file {} has mode {mode:o}; it must be 600: chmod 600 {}", path.display(), path.display())]
    Permissions { path: PathBuf, mode: u32 },
    /// Others may replace the file.
    #[error("others may replace files in {} (mode {mode:o}): chmod 700 {}", path.display(), path.display())]
    Folder { path: PathBuf, mode: u32 },
    /// A key is never overwritten.
    #[error("{} exists already, and a key is never overwritten: choose another name", path.display())]
    Exists { path: PathBuf },
    /// Too large to be a secret of ours.
    #[error("{} has {found} bytes; a key file has at most {FILE_BYTES_MAX}", path.display())]
    TooLarge { path: PathBuf, found: u64 },
    /// Wrong password or damaged file.
    #[error("key file {}", path.display())]
    Keystore {
        path: PathBuf,
        #[source]
        source: KeystoreError,
    },
}

/// Decrypts a keystore; refuses files that others may read or replace.
pub fn load_key(path: &Path, passphrase: &str) -> Result<SecretKey, KeyError> {
    let opened = read_keystore(path)?.open(passphrase);
    opened
        .map(|opened| opened.key)
        .map_err(|source| KeyError::Keystore {
            path: path.to_owned(),
            source,
        })
}

/// Writes a new random key, encrypted. The passphrase must be random, since the work factor is low.
pub fn create_key(path: &Path, passphrase: &str) -> Result<SecretKey, KeyError> {
    let key = SecretKey::new(&mut secp256k1::rand::rng());
    let keystore = Keystore::seal(&key, passphrase, Cost::Random);
    write_keystore(
        path,
        &keystore.map_err(|source| KeyError::Keystore {
            path: path.to_owned(),
            source,
        })?,
    )?;
    Ok(key)
}

/// The key of a file that is made on first use.
pub fn load_or_create(path: &Path, passphrase: &str) -> Result<SecretKey, KeyError> {
    if path.exists() {
        load_key(path, passphrase)
    } else {
        create_key(path, passphrase)
    }
}

/// Reads a keystore without opening it.
pub fn read_keystore(path: &Path) -> Result<Keystore, KeyError> {
    let text = read_secret(path)?;
    Keystore::from_json(&text).map_err(|source| KeyError::Keystore {
        path: path.to_owned(),
        source,
    })
}

/// Writes a keystore to a file that must not exist.
pub fn write_keystore(path: &Path, keystore: &Keystore) -> Result<(), KeyError> {
    write_secret(path, &keystore.to_json())
}

/// Reads a secret; refuses files that others may read or replace.
pub fn read_secret(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let failed = |source| KeyError::File {
        path: path.to_owned(),
        source,
    };

    let found = fs::metadata(path).map_err(failed)?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Permissions {
            path: path.to_owned(),
            mode,
        });
    }

    if found.is_file() {
        refuse_open_folder(path)?;
    }
    if found.len() > FILE_BYTES_MAX {
        return Err(KeyError::TooLarge {
            path: path.to_owned(),
            found: found.len(),
        });
    }

    fs::read_to_string(path).map(Zeroizing::new).map_err(failed)
}

/// Writes a secret to a file that must not exist; folders that are missing are made with mode 0700.
pub fn write_secret(path: &Path, text: &str) -> Result<(), KeyError> {
    let failed = |source| KeyError::File {
        path: path.to_owned(),
        source,
    };
    let folder = folder_of(path);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    refuse_open_folder(path)?;
    // Created with mode 0600, removed again if anything fails.
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .tempfile_in(folder)
        .map_err(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(failed)?;
    file.persist_noclobber(path)
        .map_err(|refused| match refused.error.kind() {
            std::io::ErrorKind::AlreadyExists => KeyError::Exists {
                path: path.to_owned(),
            },
            _ => failed(refused.error),
        })?;
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn refuse_open_folder(path: &Path) -> Result<(), KeyError> {
    let folder = folder_of(path);
    let failed = |source| KeyError::File {
        path: path.to_owned(),
        source,
    };

    let mode = fs::metadata(folder).map_err(failed)?.permissions().mode();
    if mode & 0o022 != 0 && mode & STICKY == 0 {
        return Err(KeyError::Folder {
            path: folder.to_owned(),
            mode: mode & 0o777,
        });
    }

    Ok(())
}
