//! The keys of a local network: made once per data folder, encrypted, readable by their owner alone.

use anyhow::{Context, Result, bail};
use domain::crypto::address_of_secret;
use domain::{Address, OutletId};
use std::collections::BTreeMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use wallet::SecretKey;

/// Chains on which a key that lies unattended in a folder would hold real money.
const PUBLIC_CHAINS: [u64; 12] = [
    1, 10, 56, 100, 137, 324, 8_453, 42_161, 43_114, 59_144, 534_352, 11_155_111,
];
/// Random bytes of the passphrase.
const PASSPHRASE_BYTES: usize = 32;

/// The folder `keys/`.
#[derive(Debug)]
pub struct Keys {
    dir: PathBuf,
    passphrase: String,
    /// Decrypting takes a noticeable moment by design.
    known: Mutex<BTreeMap<String, SecretKey>>,
}

/// These keys are for local networks only.
pub fn refuse_public_chain(chain_id: u64) -> Result<()> {
    if PUBLIC_CHAINS.contains(&chain_id) {
        bail!(
            "chain {chain_id} is public: the keys of a local network must not be used there; see docs/OPERATING.md"
        );
    }
    Ok(())
}

impl Keys {
    /// Opens the folder, or makes it with a passphrase of its own.
    pub fn open_or_create(data_dir: &Path) -> Result<Self> {
        let dir = data_dir.join("keys");
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)?;
        let file = dir.join("passphrase");
        if !file.exists() {
            let random: [u8; PASSPHRASE_BYTES] = rand::random();
            service_kit::files::write_atomically(&file, hex::encode(random).as_bytes())?;
        }
        Self::open(data_dir)
    }

    /// Opens the folder of an existing network.
    pub fn open(data_dir: &Path) -> Result<Self> {
        let dir = data_dir.join("keys");
        let file = dir.join("passphrase");
        let passphrase = std::fs::read_to_string(&file).with_context(|| {
            format!(
                "{} holds no network: start one with hotpot up",
                data_dir.display()
            )
        })?;

        Ok(Self {
            dir,
            passphrase: wallet::first_line(&passphrase).to_owned(),
            known: Mutex::default(),
        })
    }

    /// Holds the one passphrase of all keys here.
    pub fn passphrase_file(&self) -> PathBuf {
        self.dir.join("passphrase")
    }

    /// Where an actor's keystore is.
    pub fn file(&self, actor: &str) -> PathBuf {
        self.dir.join(format!("{actor}.json"))
    }

    /// An actor's key, made on first use.
    pub fn get(&self, actor: &str) -> Result<SecretKey> {
        let mut known = self
            .known
            .lock()
            .map_err(|_| anyhow::anyhow!("a thread died while it read a key"))?;
        if let Some(key) = known.get(actor) {
            return Ok(*key);
        }
        let key = wallet::load_or_create(&self.file(actor), &self.passphrase)?;
        known.insert(actor.to_owned(), key);
        Ok(key)
    }

    /// The founder's key, made on first use.
    pub fn founder(&self) -> Result<SecretKey> {
        self.get("founder")
    }

    /// The registrar's key, made on first use.
    pub fn registrar(&self) -> Result<SecretKey> {
        self.get("registrar")
    }

    /// The key of a validator, counted from 0; made on first use.
    pub fn validator(&self, number: usize) -> Result<SecretKey> {
        self.get(&format!("validator-{number}"))
    }

    /// How many validators have a key here.
    pub fn validators(&self) -> Result<usize> {
        let names = std::fs::read_dir(&self.dir)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names
            .filter(|name| name.starts_with("validator-") && name.ends_with(".json"))
            .count())
    }

    /// An outlet's owner's.
    pub fn owner(&self, outlet: OutletId) -> Result<SecretKey> {
        self.get(&format!("owner-{outlet}"))
    }

    /// An outlet's terminal's.
    pub fn terminal(&self, outlet: OutletId) -> Result<SecretKey> {
        self.get(&format!("terminal-{outlet}"))
    }

    /// An outlet's video agent's.
    pub fn video_agent(&self, outlet: OutletId) -> Result<SecretKey> {
        self.get(&Self::video_agent_name(outlet))
    }

    /// The actor's name that its key is kept under, see [`Keys::file`].
    pub fn video_agent_name(outlet: OutletId) -> String {
        format!("video-agent-{outlet}")
    }

    /// A guest's address.
    pub fn guest(&self, number: u64) -> Result<Address> {
        self.get(&format!("guest-{number}"))
            .map(|key| address_of_secret(&key))
    }
}
