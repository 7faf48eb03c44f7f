//! The node's durable store (redb): decided blocks with certificates, undecided proposals, checkpoints with
//! signatures, the index of transactions, and the erasable lines of sales. Every write is fsynced before it returns.

use crate::core::mempool::SaleLines;
use crate::core::unindexed::{TURNS, Unindexed};
use borsh::{BorshDeserialize, BorshSerialize};
use domain::checkpoint::{CheckpointSignature, SignedCheckpoint};
use domain::eip712::DomainSeparator;
use domain::ledger::EpochCheckpoint;
use domain::payout::Settlement;
use domain::{Address, B256, Block, CommitCertificate, Payload, SaleKey, ValidatorSet};
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Bytes = &'static [u8];

const BLOCKS: TableDefinition<u64, Bytes> = TableDefinition::new("blocks");
const CERTIFICATES: TableDefinition<u64, Bytes> = TableDefinition::new("certificates");
/// height ‖ round ‖ checksum of the record → [`Proposed`]
const UNDECIDED: TableDefinition<Bytes, Bytes> = TableDefinition::new("undecided");
/// transaction id → height; the last blocks' are still in [`Unindexed`]
const TRANSACTIONS: TableDefinition<Bytes, u64> = TableDefinition::new("transactions");
/// height of the sale ‖ outlet ‖ sale id → lines with salt; by height, so that a block writes few pages
const LINES: TableDefinition<Bytes, Bytes> = TableDefinition::new("lines");
/// epoch → [`SignedCheckpoint`]
const CHECKPOINTS: TableDefinition<u64, Bytes> = TableDefinition::new("checkpoints");
/// epoch → [`Settlement`]
const SETTLEMENTS: TableDefinition<u64, Bytes> = TableDefinition::new("settlements");
/// epoch → hashes of the blocks that its checkpoint covers
const BLOCK_HASHES: TableDefinition<u64, Bytes> = TableDefinition::new("checkpoint_block_hashes");
/// epoch → leaves of the recordings root of its checkpoint
const RECORDING_LEAVES: TableDefinition<u64, Bytes> = TableDefinition::new("checkpoint_recordings");
/// first height of a validator set → [`ValidatorSet`]
const VALIDATOR_SETS: TableDefinition<u64, Bytes> = TableDefinition::new("validator_sets");
/// anchor ‖ epoch → digest and own signature: one for ever
const OWN_SIGNATURES: TableDefinition<Bytes, Bytes> =
    TableDefinition::new("own_checkpoint_signatures");

/// Bytes of the checksum behind each record: against what a disk does, not against people.
const CHECKSUM_BYTES: usize = 16;
/// Bytes that redb may cache.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Why the store failed. A failed write is fatal: the process stops and recovers by restarting.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened, read or written.
    #[error("store {}", path.display())]
    Database {
        /// Path of the store.
        path: PathBuf,
        /// The database library's error.
        #[source]
        source: Box<redb::Error>,
    },
    /// A record is not what was written.
    #[error("store {}: record {key} of {table} is damaged", path.display())]
    Damaged {
        /// Path of the store.
        path: PathBuf,
        /// Name of the table.
        table: &'static str,
        /// The record's key, for people.
        key: String,
    },
    /// Another checkpoint was signed for this anchor and epoch.
    #[error("epoch {epoch}: another checkpoint was signed already (digest {signed}, now {wanted})")]
    AlreadySigned {
        /// The epoch of both checkpoints.
        epoch: u64,
        /// Digest of what was signed.
        signed: B256,
        /// What is asked for now.
        wanted: B256,
    },
}

/// A proposal that is not decided yet.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Proposed {
    /// Of the block.
    pub height: u64,
    /// In which it was proposed.
    pub round: u32,
    /// The round of an earlier polka for it, or -1.
    pub pol_round: i64,
    /// Who proposed it in this round.
    pub proposer: Address,
    /// The encoded block.
    pub bytes: Vec<u8>,
}

/// Lines of a final sale that came too late for its block.
#[derive(Clone, Debug)]
pub struct LateLines {
    /// Of the block.
    pub height: u64,
    /// Outlet and sale id.
    pub key: SaleKey,
    /// The sale's lines and their salt.
    pub lines: Arc<SaleLines>,
}

/// Everything that one decided block makes durable at once.
pub struct Decision<'a> {
    /// Of the block.
    pub height: u64,
    /// The block, encoded.
    pub block: &'a [u8],
    /// The precommits that make it final.
    pub certificate: &'a CommitCertificate,
    /// Ids of its transactions.
    pub transactions: &'a [B256],
    /// Lines of its sales, as far as this node has them.
    pub lines: &'a [(SaleKey, Arc<SaleLines>)],
    /// The checkpoint of the epoch that it ends.
    pub checkpoint: Option<&'a EpochCheckpoint>,
    /// Who decided it, if these are others than those of the block before.
    pub validators: Option<&'a ValidatorSet>,
}

/// What a node makes durable: blocks, certificates, checkpoints, what it signed, lines of sales. One file.
pub struct Store {
    database: Database,
    path: PathBuf,
    unindexed: Mutex<Unindexed>,
}

impl Store {
    /// Opens or makes the store; recovers by itself after a crash.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let error = |source: redb::Error| StoreError::Database {
            path: path.to_owned(),
            source: Box::new(source),
        };

        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(path)
            .map_err(|source| error(source.into()))?;
        let store = Self {
            database,
            path: path.to_owned(),
            unindexed: Mutex::default(),
        };

        store.write(|write| {
            write.open_table(BLOCKS)?;
            write.open_table(CERTIFICATES)?;
            write.open_table(UNDECIDED)?;
            write.open_table(TRANSACTIONS)?;
            write.open_table(LINES)?;
            write.open_table(CHECKPOINTS)?;
            write.open_table(SETTLEMENTS)?;
            write.open_table(BLOCK_HASHES)?;
            write.open_table(RECORDING_LEAVES)?;
            write.open_table(VALIDATOR_SETS)?;
            write.open_table(OWN_SIGNATURES)?;
            Ok(())
        })?;

        Ok(store)
    }

    fn failed(&self, source: redb::Error) -> StoreError {
        StoreError::Database {
            path: self.path.clone(),
            source: Box::new(source),
        }
    }

    fn write<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        self.write_with(Durability::Immediate, change)
    }

    fn write_with<T>(
        &self,
        durability: Durability,
        change: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let run = || -> Result<T, redb::Error> {
            let mut write = self.database.begin_write()?;
            write.set_durability(durability)?;
            let value = change(&write)?;
            write.commit()?;
            Ok(value)
        };
        run().map_err(|source| self.failed(source))
    }

    fn get<K: redb::Key + 'static, T: BorshDeserialize>(
        &self,
        table: TableDefinition<K, Bytes>,
        name: &'static str,
        key: K::SelfType<'_>,
        label: impl FnOnce() -> String,
    ) -> Result<Option<T>, StoreError> {
        let read = || -> Result<Option<Vec<u8>>, redb::Error> {
            let table = self.database.begin_read()?.open_table(table)?;
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        };

        let Some(bytes) = read().map_err(|source| self.failed(source))? else {
            return Ok(None);
        };

        let damaged = || StoreError::Damaged {
            path: self.path.clone(),
            table: name,
            key: label(),
        };
        decode_record(&bytes).map(Some).ok_or_else(damaged)
    }

    /// The decided block at a height.
    pub fn block(&self, height: u64) -> Result<Option<Block>, StoreError> {
        self.get(BLOCKS, "blocks", height, || height.to_string())
    }

    /// Whether there is a decided block at a height.
    pub fn has_block(&self, height: u64) -> Result<bool, StoreError> {
        let read = || -> Result<bool, redb::Error> {
            Ok(self
                .database
                .begin_read()?
                .open_table(BLOCKS)?
                .get(height)?
                .is_some())
        };
        read().map_err(|source| self.failed(source))
    }

    /// The height of the first decided block here: a node that began with a copy of the state has none before.
    pub fn first_height(&self) -> Result<Option<u64>, StoreError> {
        let read = || -> Result<Option<u64>, redb::Error> {
            let table = self.database.begin_read()?.open_table(BLOCKS)?;
            Ok(table.first()?.map(|(height, _)| height.value()))
        };
        read().map_err(|source| self.failed(source))
    }

    /// The height of the last decided block.
    pub fn last_height(&self) -> Result<Option<u64>, StoreError> {
        let read = || -> Result<Option<u64>, redb::Error> {
            let table = self.database.begin_read()?.open_table(BLOCKS)?;
            Ok(table.last()?.map(|(height, _)| height.value()))
        };
        read().map_err(|source| self.failed(source))
    }

    /// Why the block at a height is final.
    pub fn certificate(&self, height: u64) -> Result<Option<CommitCertificate>, StoreError> {
        self.get(CERTIFICATES, "certificates", height, || height.to_string())
    }

    fn unindexed(&self) -> MutexGuard<'_, Unindexed> {
        self.unindexed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Knows again which transactions of the last blocks may be missing in the index. To be called once, after opening.
    pub fn recall_transactions(&self, domain: &DomainSeparator) -> Result<(), StoreError> {
        let Some(last) = self.last_height()? else {
            return Ok(());
        };

        for height in (last + 1).saturating_sub(TURNS)..=last {
            let Some(block) = self.block(height)? else {
                continue;
            };

            let ids: Vec<B256> = block
                .transactions
                .iter()
                .map(|transaction| transaction.id(domain))
                .collect();
            self.unindexed().add(&ids, height);
        }

        Ok(())
    }

    /// The block that a transaction is in.
    pub fn transaction_height(&self, id: B256) -> Result<Option<u64>, StoreError> {
        if let Some(height) = self.unindexed().height(id) {
            return Ok(Some(height));
        }
        let read = || -> Result<Option<u64>, redb::Error> {
            let table = self.database.begin_read()?.open_table(TRANSACTIONS)?;
            Ok(table.get(id.as_slice())?.map(|height| height.value()))
        };
        read().map_err(|source| self.failed(source))
    }

    /// The lines of a sale in the block at `height`, if this node has them and they were not erased.
    pub fn lines(&self, height: u64, key: SaleKey) -> Result<Option<SaleLines>, StoreError> {
        self.get(LINES, "lines", &lines_key(height, key), || {
            format!("{key:?}")
        })
    }

    /// Keeps the lines of sales that became final before this node had them.
    pub fn put_lines(&self, late: &[LateLines]) -> Result<(), StoreError> {
        self.write(|write| {
            let mut table = write.open_table(LINES)?;
            for LateLines { height, key, lines } in late {
                table.insert(
                    lines_key(*height, *key).as_slice(),
                    encode_record(lines).as_slice(),
                )?;
            }
            Ok(())
        })
    }

    /// Forgets at most so many of the oldest blocks below a height, with the index of their sales and the lines of these;
    /// says how many. The ledger knows each sale for ever, and the index keeps all other transactions.
    pub fn prune_blocks(
        &self,
        below: u64,
        count_max: usize,
        domain: &DomainSeparator,
    ) -> Result<usize, StoreError> {
        let old = self.oldest(below, count_max)?;
        let (Some((first, _)), Some((last, _))) = (old.first(), old.last()) else {
            return Ok(0);
        };

        let ids: Vec<B256> = old
            .iter()
            .flat_map(|(_, block)| sales_of(block, domain))
            .collect();

        self.write(|write| {
            self.unindexed().remove(&ids);
            let mut index = write.open_table(TRANSACTIONS)?;
            for id in &ids {
                index.remove(id.as_slice())?;
            }

            write
                .open_table(BLOCKS)?
                .retain_in(*first..=*last, |_, _| false)?;
            write
                .open_table(CERTIFICATES)?
                .retain_in(..=*last, |_, _| false)?;
            erase_lines(write, *last)
        })?;

        Ok(old.len())
    }

    fn oldest(&self, below: u64, count_max: usize) -> Result<Vec<(u64, Block)>, StoreError> {
        let first = self.first_height()?.unwrap_or(below);
        let mut old = Vec::new();
        for height in (first..below).take(count_max) {
            let Some(block) = self.block(height)? else {
                break;
            };
            old.push((height, block));
        }
        Ok(old)
    }

    /// Erases the lines of at most so many sales in blocks below a height; says of how many.
    pub fn prune_lines(&self, below: u64, count_max: usize) -> Result<usize, StoreError> {
        let end = below.to_be_bytes();
        let read = || -> Result<Vec<Vec<u8>>, redb::Error> {
            let table = self.database.begin_read()?.open_table(LINES)?;
            let old = table.range(..end.as_slice())?.take(count_max);
            old.map(|entry| Ok(entry?.0.value().to_vec())).collect()
        };

        let old = read().map_err(|source| self.failed(source))?;
        if old.is_empty() {
            return Ok(0);
        }

        self.write(|write| {
            let mut lines = write.open_table(LINES)?;
            for key in &old {
                lines.remove(key.as_slice())?;
            }
            Ok(())
        })?;

        Ok(old.len())
    }

    /// Makes a proposal durable before the engine hears of it: its own log holds only the hash.
    pub fn put_proposed(&self, proposed: &Proposed) -> Result<(), StoreError> {
        let record = encode_record(proposed);
        let mut key = proposed_key(proposed.height, proposed.round);
        key.extend_from_slice(stored_checksum(&record));
        self.write(|write| {
            write
                .open_table(UNDECIDED)?
                .insert(key.as_slice(), record.as_slice())?;
            Ok(())
        })
    }

    /// All proposals of a round.
    pub fn proposed(&self, height: u64, round: u32) -> Result<Vec<Proposed>, StoreError> {
        self.proposed_with(&proposed_key(height, round))
    }

    /// All proposals of a height.
    pub fn proposed_at(&self, height: u64) -> Result<Vec<Proposed>, StoreError> {
        self.proposed_with(&height.to_be_bytes())
    }

    fn proposed_with(&self, prefix: &[u8]) -> Result<Vec<Proposed>, StoreError> {
        let read = || -> Result<Vec<Vec<u8>>, redb::Error> {
            let table = self.database.begin_read()?.open_table(UNDECIDED)?;
            let mut found = Vec::new();
            for entry in table.range(prefix..)? {
                let (key, value) = entry?;
                if !key.value().starts_with(prefix) {
                    break;
                }
                found.push(value.value().to_vec());
            }
            Ok(found)
        };
        let records = read().map_err(|source| self.failed(source))?;
        // A damaged proposal is one that nobody made: the network sends it again or decides another.
        Ok(records
            .iter()
            .filter_map(|bytes| decode_record(bytes))
            .collect())
    }

    /// Makes a decided block durable, with all that belongs to it, and forgets the proposals up to its height.
    pub fn decide(&self, decision: &Decision<'_>) -> Result<(), StoreError> {
        let height = decision.height;
        let turn = self.write(|write| {
            // Not before the write has begun: pruning may have forgotten some of these.
            let turn = self.unindexed().turn(height, decision.transactions);
            write
                .open_table(BLOCKS)?
                .insert(height, with_checksum(decision.block.to_vec()).as_slice())?;
            write
                .open_table(CERTIFICATES)?
                .insert(height, encode_record(decision.certificate).as_slice())?;
            let mut transactions = write.open_table(TRANSACTIONS)?;
            for (id, at) in &turn {
                transactions.insert(id.as_slice(), at)?;
            }
            let mut lines = write.open_table(LINES)?;
            for (key, sold) in sorted_by_key(decision.lines, |(key, _)| *key) {
                lines.insert(
                    lines_key(height, *key).as_slice(),
                    encode_record(sold.as_ref()).as_slice(),
                )?;
            }
            if let Some(closed) = decision.checkpoint {
                put_checkpoint(write, closed)?;
            }
            if let Some(validators) = decision.validators {
                put_validators(write, height, validators)?;
            }
            let next = (height + 1).to_be_bytes();
            write
                .open_table(UNDECIDED)?
                .retain_in(..next.as_slice(), |_, _| false)?;
            Ok(turn)
        })?;
        self.unindexed().wrote(&turn, height, decision.transactions);
        Ok(())
    }

    /// Replaces a certificate by one with more signatures. Losing this in a crash loses nothing that counts.
    pub fn put_certificate(&self, certificate: &CommitCertificate) -> Result<(), StoreError> {
        self.write_with(Durability::None, |write| {
            write
                .open_table(CERTIFICATES)?
                .insert(certificate.height, encode_record(certificate).as_slice())?;
            Ok(())
        })
    }

    /// The validators that decide a height, if a set is known that early.
    pub fn validators_at(&self, height: u64) -> Result<Option<ValidatorSet>, StoreError> {
        let read = || -> Result<Option<u64>, redb::Error> {
            let table = self.database.begin_read()?.open_table(VALIDATOR_SETS)?;
            Ok(table
                .range(..=height)?
                .next_back()
                .transpose()?
                .map(|(first, _)| first.value()))
        };

        let Some(first) = read().map_err(|source| self.failed(source))? else {
            return Ok(None);
        };

        self.get(VALIDATOR_SETS, "validator_sets", first, || {
            first.to_string()
        })
    }

    /// Makes the block of a state that others gave the first one here, with who decided it and who decides the next.
    pub fn begin_at(
        &self,
        block: &Block,
        certificate: &CommitCertificate,
        validators: &ValidatorSet,
        next_validators: &ValidatorSet,
    ) -> Result<(), StoreError> {
        let height = block.header.height;

        self.write(|write| {
            write
                .open_table(BLOCKS)?
                .insert(height, encode_record(block).as_slice())?;
            write
                .open_table(CERTIFICATES)?
                .insert(height, encode_record(certificate).as_slice())?;

            put_validators(write, height, validators)?;
            put_validators(write, height + 1, next_validators)
        })
    }

    /// Keeps the set that decides from a height on.
    pub fn put_validators(
        &self,
        first_height: u64,
        validators: &ValidatorSet,
    ) -> Result<(), StoreError> {
        self.write(|write| put_validators(write, first_height, validators))
    }

    /// The checkpoint of an epoch with the signatures gathered so far.
    pub fn checkpoint(&self, epoch: u64) -> Result<Option<SignedCheckpoint>, StoreError> {
        self.get(CHECKPOINTS, "checkpoints", epoch, || epoch.to_string())
    }

    /// The last epoch that has a checkpoint.
    pub fn last_checkpoint_epoch(&self) -> Result<Option<u64>, StoreError> {
        let read = || -> Result<Option<u64>, redb::Error> {
            let table = self.database.begin_read()?.open_table(CHECKPOINTS)?;
            Ok(table.last()?.map(|(epoch, _)| epoch.value()))
        };
        read().map_err(|source| self.failed(source))
    }

    /// The newest checkpoint that has a quorum.
    pub fn latest_checkpoint_with_quorum(&self) -> Result<Option<SignedCheckpoint>, StoreError> {
        let mut epoch = self.last_checkpoint_epoch()?;
        while let Some(found) = epoch {
            match self.checkpoint(found)? {
                Some(signed) if signed.has_quorum() => return Ok(Some(signed)),
                Some(_) => epoch = found.checked_sub(1),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// What an epoch's checkpoint pays.
    pub fn settlement(&self, epoch: u64) -> Result<Option<Settlement>, StoreError> {
        self.get(SETTLEMENTS, "settlements", epoch, || epoch.to_string())
    }

    /// Hashes of the blocks that an epoch's checkpoint covers, from its first height on.
    pub fn block_hashes(&self, epoch: u64) -> Result<Option<Vec<B256>>, StoreError> {
        self.get(BLOCK_HASHES, "checkpoint_block_hashes", epoch, || {
            epoch.to_string()
        })
    }

    /// Leaves of the recordings root of an epoch's checkpoint, in the ledger's order.
    pub fn recording_leaves(&self, epoch: u64) -> Result<Option<Vec<B256>>, StoreError> {
        self.get(RECORDING_LEAVES, "checkpoint_recordings", epoch, || {
            epoch.to_string()
        })
    }

    /// The checkpoint that covers a height, if there is one yet. Heights of checkpoints are continuous.
    pub fn checkpoint_of_height(
        &self,
        height: u64,
    ) -> Result<Option<SignedCheckpoint>, StoreError> {
        let Some(last) = self.last_checkpoint_epoch()? else {
            return Ok(None);
        };
        let (mut low, mut high) = (0, last);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.checkpoint(middle)? {
                Some(signed) if signed.checkpoint.last_height >= height => high = middle,
                // Epochs before the contracts were bound have no checkpoint of their own.
                Some(_) | None => low = middle + 1,
            }
        }
        let covers = |signed: &SignedCheckpoint| signed.checkpoint.last_height >= height;
        Ok(self.checkpoint(low)?.filter(covers))
    }

    /// Keeps a checkpoint with further signatures.
    pub fn put_checkpoint(&self, signed: &SignedCheckpoint) -> Result<(), StoreError> {
        self.write(|write| {
            write
                .open_table(CHECKPOINTS)?
                .insert(signed.checkpoint.epoch, encode_record(signed).as_slice())?;
            Ok(())
        })
    }

    /// Records the one signature for (anchor, epoch) before it leaves; gives the recorded one when asked again.
    pub fn sign_once(
        &self,
        anchor: Address,
        epoch: u64,
        digest: B256,
        sign: impl FnOnce() -> CheckpointSignature,
    ) -> Result<CheckpointSignature, StoreError> {
        let key = [anchor.as_slice(), &epoch.to_be_bytes()].concat();
        let known: Option<(B256, CheckpointSignature)> =
            self.get(OWN_SIGNATURES, "own_checkpoint_signatures", &key, || {
                epoch.to_string()
            })?;

        match known {
            Some((signed, signature)) if signed == digest => Ok(signature),
            Some((signed, _)) => Err(StoreError::AlreadySigned {
                epoch,
                signed,
                wanted: digest,
            }),
            None => {
                let signature = sign();
                self.write(|write| {
                    let record = encode_record(&(digest, signature));
                    write
                        .open_table(OWN_SIGNATURES)?
                        .insert(key.as_slice(), record.as_slice())?;
                    Ok(())
                })?;
                Ok(signature)
            }
        }
    }
}

fn put_checkpoint(write: &WriteTransaction, closed: &EpochCheckpoint) -> Result<(), redb::Error> {
    let epoch = closed.checkpoint.epoch;
    let signed = SignedCheckpoint {
        checkpoint: closed.checkpoint,
        anchor: closed.anchor,
        validators: closed.validators.clone(),
        next_validators: closed.next_validators.clone(),
        signatures: Vec::new(),
    };

    write
        .open_table(CHECKPOINTS)?
        .insert(epoch, encode_record(&signed).as_slice())?;
    write
        .open_table(SETTLEMENTS)?
        .insert(epoch, encode_record(&closed.settlement).as_slice())?;
    write
        .open_table(BLOCK_HASHES)?
        .insert(epoch, encode_record(&closed.block_hashes).as_slice())?;
    write
        .open_table(RECORDING_LEAVES)?
        .insert(epoch, encode_record(&closed.recording_leaves).as_slice())?;

    Ok(())
}

fn put_validators(
    write: &WriteTransaction,
    first_height: u64,
    validators: &ValidatorSet,
) -> Result<(), redb::Error> {
    write
        .open_table(VALIDATOR_SETS)?
        .insert(first_height, encode_record(validators).as_slice())?;
    Ok(())
}

fn sales_of(block: &Block, domain: &DomainSeparator) -> impl Iterator<Item = B256> {
    let sales = block
        .transactions
        .iter()
        .filter(|transaction| matches!(transaction.payload, Payload::Sale(_)));
    sales.map(|transaction| transaction.id(domain))
}

/// Erases the lines of sales of all blocks up to a height.
fn erase_lines(write: &WriteTransaction, up_to: u64) -> Result<(), redb::Error> {
    let end = (up_to + 1).to_be_bytes();
    Ok(write
        .open_table(LINES)?
        .retain_in(..end.as_slice(), |_, _| false)?)
}

/// A record with the first bytes of its BLAKE3 behind it: a flipped byte is seen, never answered.
fn encode_record(value: &impl BorshSerialize) -> Vec<u8> {
    // Writing to a vector cannot fail.
    with_checksum(borsh::to_vec(value).unwrap_or_default())
}

fn with_checksum(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = checksum_of(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

fn decode_record<T: BorshDeserialize>(bytes: &[u8]) -> Option<T> {
    let (record, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    (checksum_of(record) == checksum)
        .then(|| borsh::from_slice(record).ok())
        .flatten()
}

fn sorted_by_key<T, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> Vec<&T> {
    let mut sorted: Vec<&T> = items.iter().collect();
    sorted.sort_unstable_by_key(|item| key(item));
    sorted
}

fn lines_key(height: u64, key: SaleKey) -> Vec<u8> {
    [
        height.to_be_bytes().as_slice(),
        &key.outlet.to_be_bytes(),
        &key.sale_id.0,
    ]
    .concat()
}

fn proposed_key(height: u64, round: u32) -> Vec<u8> {
    [height.to_be_bytes().as_slice(), &round.to_be_bytes()].concat()
}

fn checksum_of(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut checksum = [0; CHECKSUM_BYTES];
    checksum.copy_from_slice(&blake3::hash(bytes).as_bytes()[..CHECKSUM_BYTES]);
    checksum
}

fn stored_checksum(record: &[u8]) -> &[u8] {
    &record[record.len().saturating_sub(CHECKSUM_BYTES)..]
}
