//! Who appears in the tests.

use domain::B256;
use domain::eip712::DomainSeparator;
use ipfs::{Backend, BlockStore, Cid};
use recording_vault::ledger::{EraseReport, Ledger, LedgerError, LedgerState, PinReport};
use recording_vault::{
    Agent, Backends, MasterSecret, Segment, Settings, Terms, Vault, VaultError, Worker,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use wallet::SecretKey;

pub const NOON: u64 = 20_000 * 86_400_000 + 43_200_000;
pub const ROOM: u64 = 1 << 30;

pub fn agent_key() -> SecretKey {
    SecretKey::from_byte_array([7; 32]).unwrap()
}

pub fn domain() -> DomainSeparator {
    DomainSeparator::transactions(31_337, B256::repeat_byte(9))
}

pub fn settings(dir: &Path) -> Settings {
    Settings {
        dir: dir.join("vault"),
        keys_dir: dir.join("keys"),
        spool_bytes_max: 64 << 20,
    }
}

pub fn open_with(settings: &Settings) -> Result<Vault, VaultError> {
    let agent = Agent {
        outlet: 1,
        key: agent_key(),
        domain: domain(),
    };
    Vault::open(
        settings,
        &MasterSecret::Keystore(&SecretKey::from_byte_array([8; 32]).unwrap()),
        agent,
    )
}

pub fn open(dir: &Path) -> Arc<Vault> {
    Arc::new(open_with(&settings(dir)).unwrap())
}

pub fn decrypt(
    vault: &Vault,
    cid: &Cid,
    sealed: &[u8],
) -> Result<zeroize::Zeroizing<Vec<u8>>, VaultError> {
    vault.decrypt(cid, sealed, "0xowner", NOON)
}

pub fn consent(number: u8) -> B256 {
    B256::repeat_byte(number)
}

/// Bytes without a pattern, from xorshift64*.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

pub fn guest(bytes: &[u8], number: u8) -> Segment<'_> {
    Segment {
        camera: 4,
        consent: consent(number),
        terms: Terms::Guest { keep_days: 7 },
        started_at_ms: NOON,
        ended_at_ms: NOON + 4_000,
        mask_policy: "silhouettes+centerface t.1 x1.6",
        model: B256::repeat_byte(3),
        bytes,
    }
}

pub fn kitchen(bytes: &[u8], started_at_ms: u64) -> Segment<'_> {
    let terms = Terms::LegalBasis { retention_days: 3 };
    Segment {
        camera: 5,
        consent: consent(200),
        terms,
        started_at_ms,
        ended_at_ms: started_at_ms + 4_000,
        ..guest(bytes, 0)
    }
}

pub fn block_store(dir: &Path) -> Backend {
    Backend::BuiltIn(Arc::new(
        BlockStore::open(&dir.join("blocks"), ROOM).unwrap(),
    ))
}

#[derive(Default)]
pub struct Books {
    pub pins: BTreeMap<Cid, PinReport>,
    pub erased: BTreeMap<Cid, u8>,
    /// Reports that reached the ledger, the repeated ones included.
    pub heard: usize,
    /// What the next calls answer instead; the last one is taken first.
    pub faults: Vec<LedgerError>,
    /// Does what it is told, then loses the answer, so often.
    pub lost_answers: usize,
}

/// A ledger in memory with the real one's rules.
#[derive(Clone, Default)]
pub struct Paper(pub Arc<Mutex<Books>>);

impl Paper {
    fn fault(&self) -> Result<(), LedgerError> {
        self.0.lock().unwrap().faults.pop().map_or(Ok(()), Err)
    }

    fn answer(books: &mut Books) -> Result<(), LedgerError> {
        if books.lost_answers == 0 {
            return Ok(());
        }
        books.lost_answers -= 1;
        Err(LedgerError::Unreachable("the answer is lost".into()))
    }
}

impl Ledger for Paper {
    async fn state(&self, cid: &Cid) -> Result<LedgerState, LedgerError> {
        let books = self.0.lock().unwrap();
        if books.erased.contains_key(cid) {
            return Ok(LedgerState::Erased);
        }
        let pinned = books.pins.get(cid).map(|pin| LedgerState::Pinned {
            manifest_hash: pin.manifest_hash,
        });
        Ok(pinned.unwrap_or(LedgerState::Unknown))
    }

    async fn pin(&self, report: &PinReport) -> Result<(), LedgerError> {
        self.fault()?;
        let mut books = self.0.lock().unwrap();
        books.heard += 1;
        let before = books.pins.insert(report.cid, report.clone());
        assert!(
            before.is_none_or(|before| before == *report),
            "two contents under one CID"
        );
        Self::answer(&mut books)
    }

    async fn erase(&self, report: &EraseReport) -> Result<(), LedgerError> {
        self.fault()?;
        let mut books = self.0.lock().unwrap();
        if !books.pins.contains_key(&report.cid) {
            return Err(LedgerError::Refused("no such recording".into()));
        }
        books.erased.insert(report.cid, report.reason as u8);
        Self::answer(&mut books)
    }
}

pub fn worker(
    vault: &Arc<Vault>,
    first: Backend,
    others: Vec<Backend>,
    ledger: &Paper,
) -> Worker<Paper> {
    Worker::new(
        Arc::clone(vault),
        Backends::new(first, others).unwrap(),
        ledger.clone(),
    )
}

/// Every file below a folder.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()))
        } else {
            found.push(entry.path())
        }
    }
    found
}

/// Whether these bytes lie in any file below a folder.
pub fn lies_in(dir: &Path, bytes: &[u8]) -> Option<PathBuf> {
    files(dir).into_iter().find(|file| {
        std::fs::read(file)
            .unwrap()
            .windows(bytes.len())
            .any(|window| window == bytes)
    })
}
