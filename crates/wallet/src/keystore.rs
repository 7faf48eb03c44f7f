//! Web3 secret storage (scrypt, AES-128-CTR), files readable by their owner alone.

use alloy::signers::local::LocalSigner;
use rand::rngs::OsRng;
use secp256k1::SecretKey;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is missing or not writable.
    #[error("key file {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others may read the file.
    #[error("key file {} has mode {mode:o}; it must be 600: chmod 600 {}", path.display(), path.display())]
    Permissions {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Wrong passphrase or damaged file.
    #[error("key file {}: wrong passphrase or damaged", path.display())]
    Keystore {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: alloy::signers::local::LocalSignerError,
    },
    /// The file holds bytes that are no key.
    #[error("key file {} holds no valid key", path.display())]
    Invalid {
        /// Which.
        path: PathBuf,
    },
}

/// Decrypts a keystore; refuses files that others may read.
pub fn load(path: &Path, passphrase: &str) -> Result<SecretKey, KeyError> {
    let file = |source| KeyError::File { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(file)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Permissions { path: path.to_owned(), mode });
    }
    let signer = LocalSigner::decrypt_keystore(path, passphrase)
        .map_err(|source| KeyError::Keystore { path: path.to_owned(), source })?;
    SecretKey::from_byte_array(signer.to_bytes().0).map_err(|_| KeyError::Invalid { path: path.to_owned() })
}

/// Writes a new random key, encrypted, mode 0600; the file appears whole or not at all.
pub fn create(path: &Path, passphrase: &str) -> Result<SecretKey, KeyError> {
    let key = SecretKey::new(&mut secp256k1::rand::rng());
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let file = |source| KeyError::File { path: path.to_owned(), source };
    let name = format!(".{}.new", path.file_name().unwrap_or_default().to_string_lossy());
    LocalSigner::encrypt_keystore(folder, &mut OsRng, key.secret_bytes(), passphrase, Some(&name))
        .map_err(|source| KeyError::Keystore { path: path.to_owned(), source })?;
    let temporary = folder.join(name);
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600)).map_err(file)?;
    fs::File::open(&temporary).and_then(|file| file.sync_all()).map_err(file)?;
    fs::rename(&temporary, path).map_err(file)?;
    Ok(key)
}

/// The key of a file that is made on first use.
pub fn load_or_create(path: &Path, passphrase: &str) -> Result<SecretKey, KeyError> {
    if path.exists() { load(path, passphrase) } else { create(path, passphrase) }
}
