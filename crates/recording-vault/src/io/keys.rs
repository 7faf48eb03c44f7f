//! The key folder. A key file is `magic ‖ nonce ‖ key wrapped by the master key ‖ salts`, 32 bytes of salt for each
//! segment. A salt alone opens nothing, and without its salt the key does not open the segment: overwriting a salt
//! erases one segment, overwriting the file all of them. A tombstone keeps a destroyed key from being made anew.

use crate::core::envelope::Key;
use crate::core::terms::KeyName;
use crate::error::VaultError;
use crate::io::files;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use rand::RngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use service_kit::Secret;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wallet::SecretKey;
use zeroize::Zeroizing;

const MAGIC: &[u8; 8] = b"HPKEY\0\0\x01";
const NONCE_BYTES: usize = 24;
const WRAPPED_BYTES: usize = 48;
const HEAD_BYTES: usize = MAGIC.len() + NONCE_BYTES + WRAPPED_BYTES;
const SALT_BYTES: usize = 32;
/// What the master key is tried on.
const PROBE: &[u8] = b"HotPot recording vault";
/// scrypt at OWASP's minimum: 128 MiB and about half a second for each guess.
const SCRYPT_LOG_N: u8 = 17;
const MASTER_BYTES_MAX: u64 = 4096;

/// What the master key is derived from.
pub enum MasterSecret<'a> {
    /// A passphrase, through scrypt.
    Passphrase(&'a Secret),
    /// The key of a keystore, through HKDF.
    Keystore(&'a SecretKey),
}

impl MasterSecret<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Self::Passphrase(_) => "scrypt-17-8-1",
            Self::Keystore(_) => "hkdf-sha256-secp256k1",
        }
    }

    fn derive(&self, salt: &[u8; 32]) -> Result<Key, VaultError> {
        let mut key = Zeroizing::new([0u8; 32]);

        match self {
            Self::Passphrase(passphrase) => {
                scrypt::Params::new(SCRYPT_LOG_N, 8, 1)
                    .ok()
                    .and_then(|cost| {
                        scrypt::scrypt(
                            passphrase.expose().as_bytes(),
                            salt,
                            &cost,
                            key.as_mut_slice(),
                        )
                        .ok()
                    })
            }
            Self::Keystore(secret) => {
                let secret = Zeroizing::new(secret.secret_bytes());
                let hkdf = Hkdf::<Sha256>::new(Some(salt), secret.as_slice());
                hkdf.expand(b"HotPot recording vault master 1", key.as_mut_slice())
                    .ok()
            }
        }
        .ok_or(VaultError::Master)?;

        Ok(key)
    }
}

/// `master.json`: how the master key is derived, and a way to see whether it is the right one. No secret.
#[derive(Serialize, Deserialize)]
struct MasterFile {
    version: u8,
    derived: String,
    salt: String,
    probe_nonce: String,
    probe: String,
}

/// The key folder of one vault.
pub struct Keys {
    dir: PathBuf,
    master: XChaCha20Poly1305,
    /// Keys in use; a key is unwrapped once.
    open: Mutex<BTreeMap<KeyName, Key>>,
}

/// The place of a segment's salt in its key's file.
pub type Slot = u32;

impl Keys {
    /// Opens or makes the folder. What a crash left half destroyed is destroyed now.
    pub fn open(dir: &Path, secret: &MasterSecret<'_>) -> Result<Self, VaultError> {
        files::make_folder(dir)?;
        files::sweep(dir)?;

        let master = open_master(&dir.join("master.json"), secret)?;
        let keys = Self {
            dir: dir.to_owned(),
            master,
            open: Mutex::default(),
        };

        for path in files::finished(dir)? {
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .and_then(|name| name.parse::<KeyName>().ok());
            if let Some(name) = name.filter(|_| path.extension().is_some_and(|kind| kind == "gone"))
            {
                keys.destroy(&name)?;
            }
        }

        Ok(keys)
    }

    fn path(&self, name: &KeyName) -> PathBuf {
        self.dir.join(format!("{name}.key"))
    }

    fn tombstone(&self, name: &KeyName) -> PathBuf {
        self.dir.join(format!("{name}.gone"))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<KeyName, Key>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the key was destroyed.
    pub fn is_gone(&self, name: &KeyName) -> bool {
        self.tombstone(name).exists()
    }

    /// The shared key and a fresh salt for one segment. Both are durable before this returns.
    pub fn for_new_segment(&self, name: &KeyName) -> Result<(Key, Key, Slot), VaultError> {
        let mut open = self.lock();
        if self.is_gone(name) {
            return Err(VaultError::KeyGone { key: *name });
        }
        if !self.path(name).exists() {
            self.create(name)?;
        }
        let shared = self.unwrap(name, &mut open)?;
        let (salt, slot) = self.add_salt(name)?;
        Ok((shared, salt, slot))
    }

    /// The shared key and the salt of a segment; refused when either is destroyed.
    pub fn for_segment(&self, name: &KeyName, slot: Slot) -> Result<(Key, Key), VaultError> {
        let mut open = self.lock();
        if self.is_gone(name) || !self.path(name).exists() {
            return Err(VaultError::KeyGone { key: *name });
        }

        let mut salt = Zeroizing::new([0u8; SALT_BYTES]);
        let path = self.path(name);
        let file = File::open(&path).map_err(VaultError::file(&path))?;
        file.read_exact_at(salt.as_mut_slice(), slot_offset(slot))
            .map_err(VaultError::file(&path))?;

        if salt.iter().all(|byte| *byte == 0) {
            return Err(VaultError::KeyGone { key: *name });
        }

        Ok((self.unwrap(name, &mut open)?, salt))
    }

    fn create(&self, name: &KeyName) -> Result<(), VaultError> {
        let key = random_bytes::<32>();
        let nonce = *random_bytes::<NONCE_BYTES>();
        let label = name.to_string();
        let payload = Payload {
            msg: key.as_slice(),
            aad: label.as_bytes(),
        };

        let wrapped = self
            .master
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| VaultError::Master)?;

        files::write(
            &self.path(name),
            &[MAGIC.as_slice(), &nonce, &wrapped].concat(),
        )
    }

    fn unwrap(&self, name: &KeyName, open: &mut BTreeMap<KeyName, Key>) -> Result<Key, VaultError> {
        if let Some(key) = open.get(name) {
            return Ok(key.clone());
        }

        let path = self.path(name);
        let damaged = || VaultError::KeyDamaged { path: path.clone() };
        let mut head = [0u8; HEAD_BYTES];
        File::open(&path)
            .and_then(|mut file| file.read_exact(&mut head))
            .map_err(VaultError::file(&path))?;

        let (magic, rest) = head.split_at(MAGIC.len());
        let (nonce, wrapped) = rest.split_at(NONCE_BYTES);
        let label = name.to_string();
        let payload = Payload {
            msg: wrapped,
            aad: label.as_bytes(),
        };

        let key = self
            .master
            .decrypt(XNonce::from_slice(nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| damaged())?;
        let key = <[u8; 32]>::try_from(key.as_slice())
            .map(Zeroizing::new)
            .map_err(|_| damaged())?;
        if magic != MAGIC {
            return Err(damaged());
        }

        open.insert(*name, key.clone());
        Ok(key)
    }

    fn add_salt(&self, name: &KeyName) -> Result<(Key, Slot), VaultError> {
        let path = self.path(name);
        let failed = VaultError::file(&path);
        let file = File::options()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(&failed)?;
        // A salt that a crash cut off belongs to no segment; its place is taken anew.
        let salts = file
            .metadata()
            .map_err(&failed)?
            .len()
            .saturating_sub(HEAD_BYTES as u64)
            / SALT_BYTES as u64;
        let slot =
            Slot::try_from(salts).map_err(|_| VaultError::KeyDamaged { path: path.clone() })?;
        let salt = random_bytes::<SALT_BYTES>();
        file.write_all_at(salt.as_slice(), slot_offset(slot))
            .and_then(|()| file.sync_all())
            .map_err(&failed)?;
        Ok((salt, slot))
    }

    /// Destroys what opens one segment.
    pub fn erase_salt(&self, name: &KeyName, slot: Slot) -> Result<(), VaultError> {
        let _one_at_a_time = self.lock();
        let path = self.path(name);
        if !path.exists() {
            return Ok(());
        }

        let failed = VaultError::file(&path);
        let file = File::options().write(true).open(&path).map_err(&failed)?;
        if file.metadata().map_err(&failed)?.len() < slot_offset(slot) + SALT_BYTES as u64 {
            return Ok(());
        }

        file.write_all_at(&[0u8; SALT_BYTES], slot_offset(slot))
            .and_then(|()| file.sync_all())
            .map_err(&failed)
    }

    /// Destroys a key with all its salts: tombstone, overwrite, unlink, each durable before the next.
    pub fn destroy(&self, name: &KeyName) -> Result<(), VaultError> {
        let mut open = self.lock();
        if !self.is_gone(name) {
            files::write(&self.tombstone(name), &[])?;
        }
        // Wiped by its type.
        open.remove(name);
        let path = self.path(name);
        if path.exists() {
            overwrite_file(&path).map_err(VaultError::file(&path))?;
        }
        files::remove(&path)
    }

    /// All keys that are there, to be destroyed with their consent.
    pub fn names(&self) -> Result<Vec<KeyName>, VaultError> {
        let stems = files::finished(&self.dir)?
            .into_iter()
            .filter(|path| path.extension().is_some_and(|kind| kind == "key"));
        Ok(stems
            .filter_map(|path| path.file_stem()?.to_str()?.parse().ok())
            .collect())
    }
}

fn slot_offset(slot: Slot) -> u64 {
    HEAD_BYTES as u64 + u64::from(slot) * SALT_BYTES as u64
}

fn random_bytes<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0u8; N]);
    OsRng.fill_bytes(bytes.as_mut_slice());
    bytes
}

/// Once with chance, once with zeros; each brought to the disk.
fn overwrite_file(path: &Path) -> std::io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let length = file.metadata()?.len();
    let mut noise = [0u8; 4096];

    for round in 0..2 {
        let mut at = 0;
        while at < length {
            if round == 0 {
                OsRng.fill_bytes(&mut noise);
            } else {
                noise.fill(0);
            }
            let part = (length - at).min(noise.len() as u64) as usize;
            file.write_all_at(&noise[..part], at)?;
            at += part as u64;
        }

        file.flush()?;
        file.sync_all()?;
    }

    Ok(())
}

fn open_master(path: &Path, secret: &MasterSecret<'_>) -> Result<XChaCha20Poly1305, VaultError> {
    if !path.exists() {
        let (salt, nonce) = (random_bytes::<32>(), random_bytes::<NONCE_BYTES>());
        let master = XChaCha20Poly1305::new(secret.derive(&salt)?.as_slice().into());
        let probe = master
            .encrypt(XNonce::from_slice(nonce.as_slice()), PROBE)
            .map_err(|_| VaultError::Master)?;

        let file = MasterFile {
            version: 1,
            derived: secret.kind().into(),
            salt: hex::encode(salt.as_slice()),
            probe_nonce: hex::encode(nonce.as_slice()),
            probe: hex::encode(probe),
        };
        files::write(path, &serde_json::to_vec_pretty(&file).unwrap_or_default())?;
        return Ok(master);
    }

    read_master(path, secret)
}

fn read_master(path: &Path, secret: &MasterSecret<'_>) -> Result<XChaCha20Poly1305, VaultError> {
    let damaged = || VaultError::KeyDamaged {
        path: path.to_owned(),
    };
    let failed = VaultError::file(path);

    let file = File::open(path).map_err(&failed)?;
    let mode = file.metadata().map_err(&failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(VaultError::Permissions {
            path: path.to_owned(),
            mode,
        });
    }

    let mut text = String::new();
    file.take(MASTER_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(&failed)?;
    let file: MasterFile = serde_json::from_str(&text).map_err(|_| damaged())?;
    if file.version != 1 || file.derived != secret.kind() {
        return Err(VaultError::MasterKind {
            found: file.derived,
            expected: secret.kind(),
        });
    }

    let fixed = |text: &str| hex::decode(text).map_err(|_| damaged());
    let salt = <[u8; 32]>::try_from(fixed(&file.salt)?).map_err(|_| damaged())?;
    let nonce = <[u8; NONCE_BYTES]>::try_from(fixed(&file.probe_nonce)?).map_err(|_| damaged())?;

    let master = XChaCha20Poly1305::new(secret.derive(&salt)?.as_slice().into());
    let opened = master.decrypt(XNonce::from_slice(&nonce), fixed(&file.probe)?.as_slice());
    opened.map(|_| master).map_err(|_| VaultError::WrongSecret)
}
