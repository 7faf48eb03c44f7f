//! Where segments go in, and where they come out for those who may. Everything here is local and durable; the network
//! is the worker's.

use crate::core::envelope;
use crate::core::erasure::{ErasureStage, Reason};
use crate::core::manifest::{Capture, Manifest, SEGMENT_BYTES_MAX, SignedManifest};
use crate::core::terms::{DAY_MS, KeyName, Terms};
use crate::error::VaultError;
use crate::io::files;
use crate::io::keys::{Keys, MasterSecret};
use crate::io::spool::Spool;
use crate::io::store::{Access, Erasure, Record, Store, Tombstone};
use domain::eip712::DomainSeparator;
use domain::{Address, B256, keccak256};
use ipfs::{Cid, unixfs};
use rand::RngCore;
use rand::rngs::OsRng;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wallet::SecretKey;
use zeroize::Zeroizing;

/// How much of a name is kept.
const WHO_CHARS_MAX: usize = 200;
/// How long it is known who looked at what.
const ACCESSES_KEPT_MS: u64 = 400 * DAY_MS;

/// Where a vault is, and what it may hold.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Holds `spool/` and `vault.redb`; 0700.
    pub dir: PathBuf,
    /// Holds the keys; 0700. On another disk or backed up by other rules than `dir`, if wanted.
    pub keys_dir: PathBuf,
    /// Bytes that may wait for the network.
    pub spool_bytes_max: u64,
}

/// Who records: an outlet's video agent, with the ledger in whose domain it signs.
pub struct Agent {
    /// The outlet whose cameras these are.
    pub outlet: u64,
    /// The video agent's, which signs manifests.
    pub key: SecretKey,
    /// The typed-data domain of the ledger's transactions.
    pub domain: DomainSeparator,
}

/// What a camera made: anonymised, encoded, in memory.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// The outlet's number of the camera.
    pub camera: u64,
    /// The consent or legal basis in force while it was recorded.
    pub consent: B256,
    /// What that allows.
    pub terms: Terms,
    /// Time of the first frame.
    pub started_at_ms: u64,
    /// After the last frame.
    pub ended_at_ms: u64,
    /// What was hidden, and how.
    pub mask_policy: &'a str,
    /// SHA-256 of the detector's model; zero without one.
    pub model: B256,
    /// A fragmented MP4 of its own.
    pub bytes: &'a [u8],
}

/// Encrypts, keeps, opens and forgets segments.
pub struct Vault {
    agent: Agent,
    keys: Keys,
    pub(crate) store: Store,
    pub(crate) spool: Spool,
    /// One segment at a time: its manifest names the one before. Until when each camera's picture was somebody's who
    /// took his consent back: what of guests began before is not taken any more.
    accepting: Mutex<BTreeMap<u64, u64>>,
    /// Revocations that are decided and not done: a key could not be destroyed.
    unfinished: Mutex<BTreeSet<B256>>,
}

impl Vault {
    /// Opens or makes a vault. What a crash left half done is finished or undone.
    pub fn open(
        settings: &Settings,
        secret: &MasterSecret<'_>,
        agent: Agent,
    ) -> Result<Self, VaultError> {
        files::make_folder(&settings.dir)?;
        let store = Store::open(&settings.dir.join("vault.redb"))?;
        let keys = Keys::open(&settings.keys_dir, secret)?;
        let spool = Spool::open(
            &settings.dir.join("spool"),
            settings.spool_bytes_max,
            |cid| Ok(store.find(cid)?.is_some()),
        )?;

        let vault = Self {
            agent,
            keys,
            store,
            spool,
            accepting: Mutex::default(),
            unfinished: Mutex::default(),
        };

        for consent in vault.store.revoked()? {
            vault.forget_consent(consent, 0)?;
        }

        Ok(vault)
    }

    /// Encrypts a segment and takes it over. When this returns it survives every crash; when it fails nothing is kept.
    pub fn accept(&self, segment: &Segment<'_>) -> Result<SignedManifest, VaultError> {
        let left = self
            .accepting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_guests = matches!(segment.terms, Terms::Guest { .. });
        if is_guests
            && left
                .get(&segment.camera)
                .is_some_and(|until_ms| segment.started_at_ms < *until_ms)
        {
            return Err(VaultError::Revoked {
                consent: segment.consent,
            });
        }
        let capture = self.capture(segment)?;
        self.spool
            .check_room((segment.bytes.len() + envelope::ENVELOPE_BYTES) as u64)?;
        if self.store.is_revoked(segment.consent)? {
            return Err(VaultError::Revoked {
                consent: segment.consent,
            });
        }
        let name = segment
            .terms
            .key(segment.consent, segment.camera, segment.started_at_ms);
        let (shared, salt, slot) = self.keys.for_new_segment(&name)?;
        let key = envelope::segment_key(&shared, &salt, capture.hash());
        let mut nonce = [0u8; 24];
        OsRng.fill_bytes(&mut nonce);
        let sealed = envelope::seal(&key, nonce, capture.hash(), capture.sequence, segment.bytes);
        let signed = self.sign(capture, &sealed);
        self.spool.put(&signed.manifest.cid, &sealed)?;
        let stage = crate::core::upload::Stage::Encrypted;
        let record = Record {
            signed: signed.clone(),
            stage,
            order: 0,
            key: name.to_string(),
            slot,
            reported_at_ms: None,
        };
        let inserted = self.store.insert(record);
        if inserted.is_err() {
            // Nobody refers to it; a start would delete it too.
            self.spool.remove(&signed.manifest.cid)?;
        }
        inserted.map(|()| signed)
    }

    fn capture(&self, segment: &Segment<'_>) -> Result<Capture, VaultError> {
        let chain = self.store.chain(segment.camera)?;
        let capture = Capture {
            outlet: self.agent.outlet,
            camera: segment.camera,
            consent: segment.consent,
            sequence: chain.next_sequence,
            previous: chain.last,
            started_at_ms: segment.started_at_ms,
            ended_at_ms: segment.ended_at_ms,
            keep_until_ms: segment
                .terms
                .keep_until_ms(segment.started_at_ms)
                .max(segment.ended_at_ms),
            mask_policy: segment.mask_policy.to_owned(),
            model: segment.model,
            plaintext_hash: keccak256(segment.bytes),
            plaintext_bytes: u32::try_from(segment.bytes.len()).unwrap_or(u32::MAX),
        };

        capture.check()?;
        Ok(capture)
    }

    fn sign(&self, capture: Capture, sealed: &[u8]) -> SignedManifest {
        let manifest = Manifest {
            capture,
            cid: unixfs::cid_of(sealed),
            ciphertext_hash: keccak256(sealed),
            ciphertext_bytes: u32::try_from(sealed.len()).unwrap_or(u32::MAX),
        };
        manifest.sign(&self.agent.domain, &self.agent.key)
    }

    /// Decrypts a recording from bytes that came from anywhere. Who looks at it is noted before it is shown, whether it
    /// opens or not.
    pub fn decrypt(
        &self,
        cid: &Cid,
        sealed: &[u8],
        who: &str,
        now_ms: u64,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let who = who.chars().take(WHO_CHARS_MAX).collect();
        self.store.note_access(&Access {
            cid: *cid,
            who,
            at_ms: now_ms,
        })?;

        let record = self.record(cid)?;
        if sealed.len() > SEGMENT_BYTES_MAX + envelope::ENVELOPE_BYTES
            || unixfs::cid_of(sealed) != *cid
        {
            return Err(VaultError::OtherContent { cid: *cid });
        }

        let capture = &record.signed.manifest.capture;
        let (shared, salt) = self.keys.for_segment(&record.key()?, record.slot)?;
        let key = envelope::segment_key(&shared, &salt, capture.hash());
        let segment = envelope::open(&key, capture.hash(), capture.sequence, sealed)?;

        if keccak256(segment.as_slice()) == capture.plaintext_hash {
            Ok(segment)
        } else {
            Err(VaultError::OtherContent { cid: *cid })
        }
    }

    /// Who looked at what, oldest first.
    pub fn accesses(&self) -> Result<Vec<Access>, VaultError> {
        self.store.accesses()
    }

    /// What is known of a recording; refused once its erasure is decided.
    pub fn record(&self, cid: &Cid) -> Result<Record, VaultError> {
        if self.store.erasure(cid)?.is_some() || self.store.tombstone(cid)?.is_some() {
            return Err(VaultError::Erased { cid: *cid });
        }
        self.store
            .find(cid)?
            .ok_or(VaultError::Unknown { cid: *cid })
    }

    /// What stays of an erased recording.
    pub fn tombstone(&self, cid: &Cid) -> Result<Option<Tombstone>, VaultError> {
        self.store.tombstone(cid)
    }

    /// A camera's recordings that are not erased, oldest first.
    pub fn recordings(&self, camera: u64) -> Result<Vec<Record>, VaultError> {
        self.store.of_camera(camera)
    }

    /// A camera's recordings before a number, newest first, at most `limit`; and whether each is being erased.
    pub fn newest(
        &self,
        camera: u64,
        before: u64,
        limit: usize,
    ) -> Result<Vec<(Record, bool)>, VaultError> {
        let records = self.store.newest(camera, before, limit)?;
        let with_state = |record: Record| {
            self.store
                .erasure(&record.cid())
                .map(|erasure| (record, erasure.is_some()))
        };
        records.into_iter().map(with_state).collect()
    }

    /// The number of a camera's next recording.
    pub fn next_sequence(&self, camera: u64) -> Result<u64, VaultError> {
        self.store.chain(camera).map(|chain| chain.next_sequence)
    }

    /// Whether a consent was revoked here.
    pub fn is_revoked(&self, consent: B256) -> Result<bool, VaultError> {
        self.store.is_revoked(consent)
    }

    /// How many erasures are decided and not done.
    pub fn erasures_waiting(&self) -> Result<u64, VaultError> {
        self.store.erasures_waiting()
    }

    /// Bytes that wait for the network, and how many recordings.
    pub fn waiting(&self) -> Result<(u64, u64), VaultError> {
        Ok((self.spool.bytes(), self.store.uploads_waiting()?))
    }

    /// What the spool may hold.
    pub fn spool_bytes_max(&self) -> u64 {
        self.spool.bytes_max()
    }

    /// Who signs the manifests.
    pub fn agent_address(&self) -> Address {
        wallet::address(&self.agent.key)
    }

    /// Ends a consent or legal basis: when this returns nothing that was recorded under it can be opened, nothing more
    /// is taken under it, and its recordings are on their way out. Gives how many.
    pub fn revoke(&self, consent: B256, now_ms: u64) -> Result<usize, VaultError> {
        let _nothing_is_taken_meanwhile = self
            .accepting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.unfinished().insert(consent);
        self.store.set_revoked(consent, now_ms)?;
        let count = self.forget_consent(consent, now_ms)?;
        self.unfinished().remove(&consent);
        Ok(count)
    }

    /// Tries again what failed in [`Vault::revoke`].
    pub fn finish_revocations(&self, now_ms: u64) -> Result<(), VaultError> {
        let unfinished = self.unfinished().clone();
        unfinished
            .into_iter()
            .try_for_each(|consent| self.revoke(consent, now_ms).map(drop))
    }

    fn unfinished(&self) -> MutexGuard<'_, BTreeSet<B256>> {
        self.unfinished
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody who was in a camera's picture from one moment to another took his consent back: what was recorded of
    /// guests meanwhile goes, whoever allowed it too. Gives how many recordings.
    pub fn erase_shared(
        &self,
        camera: u64,
        from_ms: u64,
        to_ms: u64,
        now_ms: u64,
    ) -> Result<usize, VaultError> {
        let mut left = self
            .accepting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let until_ms = left.entry(camera).or_default();
        *until_ms = (*until_ms).max(to_ms);

        let is_shared = |record: &Record| {
            let capture = &record.signed.manifest.capture;
            capture.started_at_ms < to_ms && capture.ended_at_ms > from_ms
        };

        let mut shared = Vec::new();
        for record in self.store.of_camera(camera)?.into_iter().filter(is_shared) {
            let is_guests = matches!(record.key()?, KeyName::Consent { .. });
            if is_guests && self.store.erasure(&record.cid())?.is_none() {
                shared.push(record);
            }
        }

        self.store
            .request_erasures(&shared, Reason::Revoked, now_ms)?;
        shared
            .iter()
            .try_for_each(|record| self.make_unreadable(record))?;
        Ok(shared.len())
    }

    fn forget_consent(&self, consent: B256, now_ms: u64) -> Result<usize, VaultError> {
        for name in self
            .keys
            .names()?
            .iter()
            .filter(|name| name.consent() == consent)
        {
            self.destroy_key(name)?;
        }
        let records = self.store.of_consent(consent)?;
        self.store
            .request_erasures(&records, Reason::Revoked, now_ms)?;
        Ok(records.len())
    }

    /// Decides that one recording is erased: when this returns it cannot be opened any more.
    pub fn erase(&self, cid: &Cid, reason: Reason, now_ms: u64) -> Result<(), VaultError> {
        let record = self.record(cid)?;
        self.store
            .request_erasures(std::slice::from_ref(&record), reason, now_ms)?;
        self.make_unreadable(&record)
    }

    /// Decides that everything is erased whose time is over. Gives how many recordings.
    pub fn expire(&self, now_ms: u64) -> Result<usize, VaultError> {
        const AT_ONCE: usize = 1000;
        let records = self.store.expired(now_ms, AT_ONCE)?;
        self.store
            .request_erasures(&records, Reason::Retention, now_ms)?;
        for name in self.store.expired_keys(now_ms)? {
            self.destroy_key(&name)?;
        }
        self.store
            .forget_accesses(now_ms.saturating_sub(ACCESSES_KEPT_MS))?;
        Ok(records.len())
    }

    fn destroy_key(&self, name: &KeyName) -> Result<(), VaultError> {
        self.keys.destroy(name)?;
        self.store.forget_key(name)
    }

    /// The first step of an erasure.
    pub(crate) fn make_unreadable(&self, record: &Record) -> Result<(), VaultError> {
        self.keys.erase_salt(&record.key()?, record.slot)?;
        self.spool.remove(&record.cid())
    }

    pub(crate) fn erasures(
        &self,
        stage: ErasureStage,
    ) -> Result<Vec<(Record, Erasure)>, VaultError> {
        self.store.erasures(stage)
    }
}
