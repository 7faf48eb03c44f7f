//! The vault's database (redb): what was recorded, how far each upload and each erasure is. No secret stands in it.
//! Every write is durable before it returns.

use crate::core::erasure::{ErasureStage, Reason};
use crate::core::manifest::SignedManifest;
use crate::core::terms::KeyName;
use crate::core::upload::Stage;
use crate::error::VaultError;
use crate::io::keys::Slot;
use borsh::{BorshDeserialize, BorshSerialize};
use domain::B256;
use ipfs::Cid;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction};
use std::path::Path;

type Bytes = &'static [u8];

/// (camera, sequence) → [`Record`]
const SEGMENTS: TableDefinition<(u64, u64), Bytes> = TableDefinition::new("segments");
/// CID → (camera, sequence)
const BY_CID: TableDefinition<Bytes, (u64, u64)> = TableDefinition::new("by_cid");
/// consent ‖ camera ‖ sequence → nothing
const BY_CONSENT: TableDefinition<Bytes, ()> = TableDefinition::new("by_consent");
/// (keep until, camera, sequence) → nothing
const BY_EXPIRY: TableDefinition<(u64, u64, u64), ()> = TableDefinition::new("by_expiry");
/// camera → [`Chain`]
const CHAINS: TableDefinition<u64, Bytes> = TableDefinition::new("chains");
/// order of acceptance → (camera, sequence), of those whose upload is not done
const UPLOADS: TableDefinition<u64, (u64, u64)> = TableDefinition::new("uploads");
/// CID → [`Erasure`], of those that are not done
const ERASURES: TableDefinition<Bytes, Bytes> = TableDefinition::new("erasures");
/// CID → [`Tombstone`]
const TOMBSTONES: TableDefinition<Bytes, Bytes> = TableDefinition::new("tombstones");
/// consent → when it was revoked
const REVOKED: TableDefinition<Bytes, u64> = TableDefinition::new("revoked");
/// key → until when something may be kept under it
const KEYS: TableDefinition<&str, u64> = TableDefinition::new("keys");
/// (when, counter) → [`Access`]
const ACCESSES: TableDefinition<(u64, u64), Bytes> = TableDefinition::new("accesses");

/// Bytes that redb may cache.
const CACHE_BYTES: usize = 8 << 20;

/// A recording, as long as the vault keeps it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Record {
    /// What is said of it.
    pub signed: SignedManifest,
    /// How far its upload is.
    pub stage: Stage,
    /// Counts what was accepted; work goes by it.
    pub order: u64,
    /// Name of the key that it is encrypted under.
    pub key: String,
    /// Where its salt lies.
    pub slot: Slot,
    /// When the pin was last sent to the ledger.
    pub reported_at_ms: Option<u64>,
}

impl Record {
    /// Its camera, and its sequence there.
    pub fn id(&self) -> (u64, u64) {
        let capture = &self.signed.manifest.capture;
        (capture.camera, capture.sequence)
    }

    /// Names it on IPFS and on the ledger.
    pub fn cid(&self) -> Cid {
        self.signed.manifest.cid
    }

    /// Its key's name.
    pub fn key(&self) -> Result<KeyName, VaultError> {
        self.key.parse().map_err(|_| VaultError::RowDamaged {
            table: "segments",
            key: self.cid().to_string(),
        })
    }
}

/// Where a camera's row of manifests ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Chain {
    /// The sequence that the next segment gets.
    pub next_sequence: u64,
    /// Hash of the last manifest.
    pub last: B256,
}

/// An erasure under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Erasure {
    /// Why it is erased.
    pub reason: Reason,
    /// The last step that is done.
    pub stage: ErasureStage,
    /// When it was asked for, milliseconds.
    pub requested_at_ms: u64,
}

/// What stays of an erased recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Tombstone {
    /// The outlet's number of the camera.
    pub camera: u64,
    /// Its place among the camera's segments.
    pub sequence: u64,
    /// Of its manifest; the next one refers to it.
    pub manifest_hash: B256,
    /// Why it was erased.
    pub reason: Reason,
    /// When the last step was done.
    pub erased_at_ms: u64,
}

/// Somebody looked at a recording, or tried to.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Access {
    /// The recording that was asked for.
    pub cid: Cid,
    /// Who looked, as the caller names them; cut to a bound.
    pub who: String,
    /// When it was, milliseconds.
    pub at_ms: u64,
}

/// The database of one vault.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

fn encode_value(value: &impl BorshSerialize) -> Vec<u8> {
    // Borsh into memory fails only beyond 4 GiB of one field.
    borsh::to_vec(value).unwrap_or_default()
}

fn decode_value<T: BorshDeserialize>(
    table: &'static str,
    key: impl ToString,
    bytes: &[u8],
) -> Result<T, VaultError> {
    borsh::from_slice(bytes).map_err(|_| VaultError::RowDamaged {
        table,
        key: key.to_string(),
    })
}

fn consent_key(consent: B256, (camera, sequence): (u64, u64)) -> Vec<u8> {
    [
        consent.as_slice(),
        &camera.to_be_bytes(),
        &sequence.to_be_bytes(),
    ]
    .concat()
}

impl Store {
    /// Opens or makes the database; refused while another process has it.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(path)
            .map_err(VaultError::database)?;
        let store = Self { database };

        store.write(|transaction| {
            transaction
                .open_table(SEGMENTS)
                .map_err(VaultError::database)?;
            transaction
                .open_table(BY_CID)
                .map_err(VaultError::database)?;
            transaction
                .open_table(BY_CONSENT)
                .map_err(VaultError::database)?;
            transaction
                .open_table(BY_EXPIRY)
                .map_err(VaultError::database)?;
            transaction
                .open_table(CHAINS)
                .map_err(VaultError::database)?;
            transaction
                .open_table(UPLOADS)
                .map_err(VaultError::database)?;
            transaction
                .open_table(ERASURES)
                .map_err(VaultError::database)?;
            transaction
                .open_table(TOMBSTONES)
                .map_err(VaultError::database)?;
            transaction
                .open_table(REVOKED)
                .map_err(VaultError::database)?;
            transaction.open_table(KEYS).map_err(VaultError::database)?;
            transaction
                .open_table(ACCESSES)
                .map_err(VaultError::database)?;
            Ok(())
        })?;

        Ok(store)
    }

    fn write<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let mut transaction = self.database.begin_write().map_err(VaultError::database)?;
        transaction
            .set_durability(redb::Durability::Immediate)
            .map_err(VaultError::database)?;
        let outcome = change(&transaction)?;
        transaction.commit().map_err(VaultError::database)?;
        Ok(outcome)
    }

    /// Where a camera's row ends.
    pub fn chain(&self, camera: u64) -> Result<Chain, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let table = read.open_table(CHAINS).map_err(VaultError::database)?;
        let row = table.get(camera).map_err(VaultError::database)?;
        row.map_or(Ok(Chain::default()), |row| {
            decode_value("chains", camera, row.value())
        })
    }

    /// Takes a recording in, as the last of its camera.
    pub fn insert(&self, mut record: Record) -> Result<(), VaultError> {
        self.write(|transaction| {
            let capture = &record.signed.manifest.capture;
            let (id, keep_until_ms, consent) =
                (record.id(), capture.keep_until_ms, capture.consent);

            let mut uploads = transaction
                .open_table(UPLOADS)
                .map_err(VaultError::database)?;
            // Above everything that waits; what is done needs no order.
            let last = uploads
                .last()
                .map_err(VaultError::database)?
                .map(|(order, _)| order.value());
            record.order = last.map_or(0, |last| last + 1);
            uploads
                .insert(record.order, id)
                .map_err(VaultError::database)?;

            // A key is needed as long as the last of its recordings.
            let mut keys = transaction.open_table(KEYS).map_err(VaultError::database)?;
            let before = keys
                .get(record.key.as_str())
                .map_err(VaultError::database)?
                .map_or(0, |until| until.value());
            keys.insert(record.key.as_str(), before.max(keep_until_ms))
                .map_err(VaultError::database)?;

            let mut by_cid = transaction
                .open_table(BY_CID)
                .map_err(VaultError::database)?;
            by_cid
                .insert(record.cid().as_bytes().as_slice(), id)
                .map_err(VaultError::database)?;
            let mut by_consent = transaction
                .open_table(BY_CONSENT)
                .map_err(VaultError::database)?;
            by_consent
                .insert(consent_key(consent, id).as_slice(), ())
                .map_err(VaultError::database)?;
            let mut by_expiry = transaction
                .open_table(BY_EXPIRY)
                .map_err(VaultError::database)?;
            by_expiry
                .insert((keep_until_ms, id.0, id.1), ())
                .map_err(VaultError::database)?;

            let chain = Chain {
                next_sequence: id.1 + 1,
                last: record.signed.manifest.hash(),
            };
            let mut chains = transaction
                .open_table(CHAINS)
                .map_err(VaultError::database)?;
            chains
                .insert(id.0, encode_value(&chain).as_slice())
                .map_err(VaultError::database)?;
            put_record(
                &mut transaction
                    .open_table(SEGMENTS)
                    .map_err(VaultError::database)?,
                &record,
            )
        })
    }

    /// A recording by its CID.
    pub fn find(&self, cid: &Cid) -> Result<Option<Record>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let by_cid = read.open_table(BY_CID).map_err(VaultError::database)?;
        let Some(id) = by_cid
            .get(cid.as_bytes().as_slice())
            .map_err(VaultError::database)?
        else {
            return Ok(None);
        };
        read_record(
            &read.open_table(SEGMENTS).map_err(VaultError::database)?,
            id.value(),
        )
    }

    /// A camera's recordings, oldest first.
    pub fn of_camera(&self, camera: u64) -> Result<Vec<Record>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let segments = read.open_table(SEGMENTS).map_err(VaultError::database)?;
        let rows = segments
            .range((camera, 0)..=(camera, u64::MAX))
            .map_err(VaultError::database)?;

        rows.map(|row| {
            decode_value(
                "segments",
                camera,
                row.map_err(VaultError::database)?.1.value(),
            )
        })
        .collect()
    }

    /// A camera's recordings before a number, newest first, at most `limit`.
    pub fn newest(
        &self,
        camera: u64,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Record>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let segments = read.open_table(SEGMENTS).map_err(VaultError::database)?;
        let rows = segments
            .range((camera, 0)..(camera, before))
            .map_err(VaultError::database)?
            .rev()
            .take(limit);

        rows.map(|row| {
            decode_value(
                "segments",
                camera,
                row.map_err(VaultError::database)?.1.value(),
            )
        })
        .collect()
    }

    /// How many erasures are not done.
    pub fn erasures_waiting(&self) -> Result<u64, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let erasures = read.open_table(ERASURES).map_err(VaultError::database)?;
        redb::ReadableTableMetadata::len(&erasures).map_err(VaultError::database)
    }

    /// Recordings under a consent.
    pub fn of_consent(&self, consent: B256) -> Result<Vec<Record>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let by_consent = read.open_table(BY_CONSENT).map_err(VaultError::database)?;
        let segments = read.open_table(SEGMENTS).map_err(VaultError::database)?;
        let (from, to) = (
            consent_key(consent, (0, 0)),
            consent_key(consent, (u64::MAX, u64::MAX)),
        );

        let mut found = Vec::new();
        for row in by_consent
            .range(from.as_slice()..=to.as_slice())
            .map_err(VaultError::database)?
        {
            let (key, ()) = row
                .map(|(key, _)| (key.value().to_vec(), ()))
                .map_err(VaultError::database)?;
            found.extend(read_record(&segments, id_of(&key))?);
        }

        Ok(found)
    }

    /// Recordings whose time is over and that are not being erased, at most `limit`.
    pub fn expired(&self, now_ms: u64, limit: usize) -> Result<Vec<Record>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let by_expiry = read.open_table(BY_EXPIRY).map_err(VaultError::database)?;
        let segments = read.open_table(SEGMENTS).map_err(VaultError::database)?;

        let mut found = Vec::new();
        for row in by_expiry
            .range(..=(now_ms, u64::MAX, u64::MAX))
            .map_err(VaultError::database)?
            .take(limit)
        {
            let (_, camera, sequence) = row.map_err(VaultError::database)?.0.value();
            found.extend(read_record(&segments, (camera, sequence))?);
        }

        Ok(found)
    }

    /// Recordings whose upload is not done, oldest first, at most `limit`, from an order on.
    pub fn uploads(&self, from: u64, limit: usize) -> Result<Vec<Record>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let uploads = read.open_table(UPLOADS).map_err(VaultError::database)?;
        let segments = read.open_table(SEGMENTS).map_err(VaultError::database)?;

        let mut found = Vec::new();
        for row in uploads
            .range(from..)
            .map_err(VaultError::database)?
            .take(limit)
        {
            found.extend(read_record(
                &segments,
                row.map_err(VaultError::database)?.1.value(),
            )?);
        }

        Ok(found)
    }

    /// How many uploads are not done.
    pub fn uploads_waiting(&self) -> Result<u64, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let uploads = read.open_table(UPLOADS).map_err(VaultError::database)?;
        redb::ReadableTableMetadata::len(&uploads).map_err(VaultError::database)
    }

    /// Moves an upload on, unless the recording is being erased: then false.
    pub fn set_stage(
        &self,
        cid: &Cid,
        stage: Stage,
        reported_at_ms: Option<u64>,
    ) -> Result<bool, VaultError> {
        self.write(|transaction| {
            let erasures = transaction
                .open_table(ERASURES)
                .map_err(VaultError::database)?;
            let by_cid = transaction
                .open_table(BY_CID)
                .map_err(VaultError::database)?;

            let key = cid.as_bytes().as_slice();
            let erased = erasures.get(key).map_err(VaultError::database)?.is_some();
            let Some(id) = by_cid
                .get(key)
                .map_err(VaultError::database)?
                .map(|id| id.value())
                .filter(|_| !erased)
            else {
                return Ok(false);
            };

            let mut segments = transaction
                .open_table(SEGMENTS)
                .map_err(VaultError::database)?;
            let Some(mut record) = read_record(&segments, id)? else {
                return Ok(false);
            };

            record.stage = stage;
            record.reported_at_ms = reported_at_ms.or(record.reported_at_ms);
            if stage == Stage::Done {
                let mut uploads = transaction
                    .open_table(UPLOADS)
                    .map_err(VaultError::database)?;
                uploads.remove(record.order).map_err(VaultError::database)?;
            }

            put_record(&mut segments, &record)?;
            Ok(true)
        })
    }

    /// Decides that recordings are erased, and ends their uploads; those that are being erased stay as they are.
    pub fn request_erasures(
        &self,
        records: &[Record],
        reason: Reason,
        now_ms: u64,
    ) -> Result<(), VaultError> {
        self.write(|transaction| {
            let mut erasures = transaction
                .open_table(ERASURES)
                .map_err(VaultError::database)?;
            let mut uploads = transaction
                .open_table(UPLOADS)
                .map_err(VaultError::database)?;
            let mut by_expiry = transaction
                .open_table(BY_EXPIRY)
                .map_err(VaultError::database)?;

            let erasure = Erasure {
                reason,
                stage: ErasureStage::Requested,
                requested_at_ms: now_ms,
            };

            for record in records {
                let (cid, (camera, sequence)) = (record.cid(), record.id());
                let key = cid.as_bytes().as_slice();
                if erasures.get(key).map_err(VaultError::database)?.is_none() {
                    erasures
                        .insert(key, encode_value(&erasure).as_slice())
                        .map_err(VaultError::database)?;
                }

                if record.stage != Stage::Done {
                    uploads.remove(record.order).map_err(VaultError::database)?;
                }

                let until = record.signed.manifest.capture.keep_until_ms;
                by_expiry
                    .remove((until, camera, sequence))
                    .map_err(VaultError::database)?;
            }

            Ok(())
        })
    }

    /// Notes that a consent is revoked: nothing more is taken under it.
    pub fn set_revoked(&self, consent: B256, now_ms: u64) -> Result<(), VaultError> {
        self.write(|transaction| {
            let mut revoked = transaction
                .open_table(REVOKED)
                .map_err(VaultError::database)?;

            if revoked
                .get(consent.as_slice())
                .map_err(VaultError::database)?
                .is_none()
            {
                revoked
                    .insert(consent.as_slice(), now_ms)
                    .map_err(VaultError::database)?;
            }

            Ok(())
        })
    }

    /// Whether a consent is known to be revoked.
    pub fn is_revoked(&self, consent: B256) -> Result<bool, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let revoked = read.open_table(REVOKED).map_err(VaultError::database)?;
        Ok(revoked
            .get(consent.as_slice())
            .map_err(VaultError::database)?
            .is_some())
    }

    /// All revoked consents, for a start that finishes what a crash left.
    pub fn revoked(&self) -> Result<Vec<B256>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let revoked = read.open_table(REVOKED).map_err(VaultError::database)?;
        let rows = revoked.iter().map_err(VaultError::database)?;
        rows.map(|row| {
            Ok(B256::from_slice(
                row.map_err(VaultError::database)?.0.value(),
            ))
        })
        .collect()
    }

    /// Erasures under way at one stage.
    pub fn erasures(&self, stage: ErasureStage) -> Result<Vec<(Record, Erasure)>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let erasures = read.open_table(ERASURES).map_err(VaultError::database)?;
        let by_cid = read.open_table(BY_CID).map_err(VaultError::database)?;
        let segments = read.open_table(SEGMENTS).map_err(VaultError::database)?;

        let mut found = Vec::new();
        for row in erasures.iter().map_err(VaultError::database)? {
            let (cid, erasure) = row.map_err(VaultError::database)?;
            let erasure: Erasure =
                decode_value("erasures", hex::encode(cid.value()), erasure.value())?;
            let Some(id) = by_cid.get(cid.value()).map_err(VaultError::database)? else {
                continue;
            };
            found.extend(read_record(&segments, id.value())?.map(|record| (record, erasure)));
        }

        found.retain(|(_, erasure)| erasure.stage == stage);
        Ok(found)
    }

    /// The erasure of a recording, if it is under way.
    pub fn erasure(&self, cid: &Cid) -> Result<Option<Erasure>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let erasures = read.open_table(ERASURES).map_err(VaultError::database)?;
        let row = erasures
            .get(cid.as_bytes().as_slice())
            .map_err(VaultError::database)?;
        row.map(|row| decode_value("erasures", cid, row.value()))
            .transpose()
    }

    /// Moves an erasure on.
    pub fn set_erasure(&self, cid: &Cid, erasure: Erasure) -> Result<(), VaultError> {
        self.write(|transaction| {
            let mut erasures = transaction
                .open_table(ERASURES)
                .map_err(VaultError::database)?;
            erasures
                .insert(cid.as_bytes().as_slice(), encode_value(&erasure).as_slice())
                .map_err(VaultError::database)?;
            Ok(())
        })
    }

    /// Ends an erasure: a tombstone is all that stays.
    pub fn bury(&self, record: &Record, reason: Reason, now_ms: u64) -> Result<(), VaultError> {
        self.write(|transaction| {
            let (id, cid) = (record.id(), record.cid());
            let key = cid.as_bytes().as_slice();
            let tombstone = Tombstone {
                camera: id.0,
                sequence: id.1,
                manifest_hash: record.signed.manifest.hash(),
                reason,
                erased_at_ms: now_ms,
            };

            let mut tombstones = transaction
                .open_table(TOMBSTONES)
                .map_err(VaultError::database)?;
            tombstones
                .insert(key, encode_value(&tombstone).as_slice())
                .map_err(VaultError::database)?;

            transaction
                .open_table(ERASURES)
                .map_err(VaultError::database)?
                .remove(key)
                .map_err(VaultError::database)?;
            transaction
                .open_table(BY_CID)
                .map_err(VaultError::database)?
                .remove(key)
                .map_err(VaultError::database)?;
            transaction
                .open_table(SEGMENTS)
                .map_err(VaultError::database)?
                .remove(id)
                .map_err(VaultError::database)?;

            let consent = consent_key(record.signed.manifest.capture.consent, id);
            let mut by_consent = transaction
                .open_table(BY_CONSENT)
                .map_err(VaultError::database)?;
            by_consent
                .remove(consent.as_slice())
                .map_err(VaultError::database)?;

            Ok(())
        })
    }

    /// What stays of an erased recording.
    pub fn tombstone(&self, cid: &Cid) -> Result<Option<Tombstone>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let tombstones = read.open_table(TOMBSTONES).map_err(VaultError::database)?;
        let row = tombstones
            .get(cid.as_bytes().as_slice())
            .map_err(VaultError::database)?;
        row.map(|row| decode_value("tombstones", cid, row.value()))
            .transpose()
    }

    /// Notes that somebody looks at a recording.
    pub fn note_access(&self, access: &Access) -> Result<(), VaultError> {
        self.write(|transaction| {
            let mut accesses = transaction
                .open_table(ACCESSES)
                .map_err(VaultError::database)?;

            let mut same_time = accesses
                .range((access.at_ms, 0)..=(access.at_ms, u64::MAX))
                .map_err(VaultError::database)?;
            let last = same_time
                .next_back()
                .transpose()
                .map_err(VaultError::database)?;
            let next = last.map_or(0, |(key, _)| key.value().1 + 1);
            drop(same_time);

            accesses
                .insert((access.at_ms, next), encode_value(access).as_slice())
                .map_err(VaultError::database)?;
            Ok(())
        })
    }

    /// All that is noted, oldest first.
    pub fn accesses(&self) -> Result<Vec<Access>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let accesses = read.open_table(ACCESSES).map_err(VaultError::database)?;
        let rows = accesses.iter().map_err(VaultError::database)?;
        rows.map(|row| {
            decode_value(
                "accesses",
                "a row",
                row.map_err(VaultError::database)?.1.value(),
            )
        })
        .collect()
    }

    /// Forgets what was noted before a time.
    pub fn forget_accesses(&self, before_ms: u64) -> Result<(), VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let accesses = read.open_table(ACCESSES).map_err(VaultError::database)?;
        let first = accesses
            .first()
            .map_err(VaultError::database)?
            .map(|(key, _)| key.value().0);
        if first.is_none_or(|first| first >= before_ms) {
            return Ok(());
        }

        self.write(|transaction| {
            let mut accesses = transaction
                .open_table(ACCESSES)
                .map_err(VaultError::database)?;
            accesses
                .retain(|(at_ms, _), _| at_ms >= before_ms)
                .map_err(VaultError::database)
        })
    }

    /// Keys under which nothing may be kept any more.
    pub fn expired_keys(&self, now_ms: u64) -> Result<Vec<KeyName>, VaultError> {
        let read = self.database.begin_read().map_err(VaultError::database)?;
        let keys = read.open_table(KEYS).map_err(VaultError::database)?;

        let mut found = Vec::new();
        for row in keys.iter().map_err(VaultError::database)? {
            let (name, until) = row.map_err(VaultError::database)?;
            found.extend(
                name.value()
                    .parse::<KeyName>()
                    .ok()
                    .filter(|_| until.value() <= now_ms),
            );
        }

        Ok(found)
    }

    /// Forgets a key that was destroyed.
    pub fn forget_key(&self, name: &KeyName) -> Result<(), VaultError> {
        self.write(|transaction| {
            let mut keys = transaction.open_table(KEYS).map_err(VaultError::database)?;
            keys.remove(name.to_string().as_str())
                .map_err(VaultError::database)?;
            Ok(())
        })
    }
}

fn id_of(key: &[u8]) -> (u64, u64) {
    let number = |from: usize| {
        key.get(from..from + 8)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u64::from_be_bytes)
    };
    (number(32), number(40))
}

fn read_record(
    table: &impl ReadableTable<(u64, u64), Bytes>,
    id: (u64, u64),
) -> Result<Option<Record>, VaultError> {
    let row = table.get(id).map_err(VaultError::database)?;
    row.map(|row| decode_value("segments", format!("{id:?}"), row.value()))
        .transpose()
}

fn put_record(table: &mut Table<'_, (u64, u64), Bytes>, record: &Record) -> Result<(), VaultError> {
    table
        .insert(record.id(), encode_value(record).as_slice())
        .map_err(VaultError::database)?;
    Ok(())
}
