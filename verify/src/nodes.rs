//! What the nodes hold: their own stores, their APIs, or an exported file.

use anyhow::{Context, Result, bail};
use client::{BlockAnswer, CheckpointAnswer, ClientError, NodeClient};
use domain::checkpoint::SignedCheckpoint;
use domain::payout::Chunk;
use domain::{B256, Block, CommitCertificate, Genesis, SaleKey};
use serde::Deserialize;
use sidechain::core::mempool::SaleLines;
use sidechain::io::store::{Store, StoreError};
use std::collections::BTreeMap;
use std::io::BufRead;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// A final block as one node has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// The canonical bytes, as they were sent or stored.
    pub raw: Vec<u8>,
    /// Why it is final.
    pub certificate: CommitCertificate,
}

/// What a node has at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// What stands there, readable.
    There(T),
    /// Nothing stands where this should.
    Missing(&'static str),
    /// Something stands there and cannot be read; says what.
    Damaged(String),
}

/// One copy of the chain.
pub struct Node {
    /// For differences: `node-1 store`.
    pub name: String,
    /// Its last block.
    pub last_height: u64,
    /// No later epoch has a checkpoint here.
    pub last_epoch: u64,
    source: Source,
}

enum Source {
    Store(Box<Store>),
    Api(NodeClient),
    File(BTreeMap<u64, Copy>),
}

/// Reads a record; a file damaged in its inner structure may make the store panic.
fn read_record<T>(
    record: impl FnOnce() -> Result<Option<T>, StoreError>,
    what: &'static str,
) -> Found<T> {
    match catch_unwind(AssertUnwindSafe(record)) {
        Ok(Ok(Some(value))) => Found::There(value),
        Ok(Ok(None)) => Found::Missing(what),
        Ok(Err(StoreError::Damaged { table, key, .. })) => {
            Found::Damaged(format!("record {key} of {table} is damaged"))
        }
        Ok(Err(StoreError::Database { source, .. })) => {
            Found::Damaged(format!("{what} cannot be read: {source}"))
        }
        Ok(Err(error)) => Found::Damaged(format!("{what} cannot be read: {error}")),
        Err(_) => Found::Damaged(format!(
            "{what} cannot be read: the file's structure is damaged"
        )),
    }
}

fn decode_block(answer: BlockAnswer) -> Found<Copy> {
    match hex::decode(answer.raw.trim_start_matches("0x")) {
        Ok(raw) => Found::There(Copy {
            raw,
            certificate: answer.certificate,
        }),
        Err(error) => Found::Damaged(format!(
            "block {}: raw is no hex ({error})",
            answer.header.height
        )),
    }
}

fn signed_checkpoint(answer: CheckpointAnswer) -> Found<SignedCheckpoint> {
    let (validators, next) = (
        answer.validators.try_into(),
        answer.next_validators.try_into(),
    );
    let (Ok(validators), Ok(next_validators)) = (validators, next) else {
        return Found::Damaged(format!(
            "checkpoint {}: no validator set",
            answer.checkpoint.epoch
        ));
    };

    let (checkpoint, anchor, signatures) = (answer.checkpoint, answer.anchor, answer.signatures);
    Found::There(SignedCheckpoint {
        checkpoint,
        anchor,
        validators,
        next_validators,
        signatures,
    })
}

/// A refusal is the node's fault; silence is nobody's, and nothing can be said of the node then.
fn found_in_answer<T>(
    answer: Result<Option<T>, ClientError>,
    what: &'static str,
) -> Result<Found<T>> {
    match answer {
        Ok(Some(value)) => Ok(Found::There(value)),
        Ok(None) => Ok(Found::Missing(what)),
        Err(ClientError::Problem(problem)) => {
            Ok(Found::Damaged(format!("{what}: {}", problem.detail)))
        }
        Err(error) => Err(error.into()),
    }
}

impl<T> Found<T> {
    fn and_then<U>(self, then: impl FnOnce(T) -> Found<U>) -> Found<U> {
        match self {
            Self::There(value) => then(value),
            Self::Missing(what) => Found::Missing(what),
            Self::Damaged(what) => Found::Damaged(what),
        }
    }
}

impl Node {
    /// Opens a store file, which must be a copy that nobody else has open.
    pub fn open_store(name: String, path: &Path) -> Result<Self, String> {
        let open = || -> Result<Option<(Store, u64, u64)>, StoreError> {
            let store = Store::open(path)?;
            let last_epoch = store.last_checkpoint_epoch()?.unwrap_or(0);
            Ok(store
                .last_height()?
                .map(|last_height| (store, last_height, last_epoch)))
        };

        match read_record(open, "store.redb") {
            Found::There((store, last_height, last_epoch)) => Ok(Self {
                name,
                last_height,
                last_epoch,
                source: Source::Store(Box::new(store)),
            }),
            Found::Missing(_) => Err("it holds no block".to_owned()),
            Found::Damaged(what) => Err(what),
        }
    }

    /// Connects to a node's API.
    pub async fn connect(name: String, url: &str, sidechain_id: B256) -> Result<Self> {
        let client = NodeClient::new(url);
        let status = client
            .status()
            .await
            .with_context(|| format!("{name} at {url} does not answer"))?;

        if status.sidechain_id != sidechain_id {
            bail!(
                "{name} at {url} is of sidechain {}, expected {sidechain_id}",
                status.sidechain_id
            );
        }

        let last_epoch = status.epoch.saturating_sub(1);
        Ok(Self {
            name,
            last_height: status.height,
            last_epoch,
            source: Source::Api(client),
        })
    }

    /// Asks how far it is now; a store and a file stay where they are.
    pub async fn refresh(&mut self) -> Result<()> {
        if let Source::Api(client) = &self.source {
            let status = client
                .status()
                .await
                .with_context(|| format!("{} does not answer any more", self.name))?;
            (self.last_height, self.last_epoch) = (status.height, status.epoch.saturating_sub(1));
        }
        Ok(())
    }

    /// Reads what `hotpot export blocks` wrote.
    pub fn read_export(path: &Path) -> Result<(Genesis, Self)> {
        let file = std::fs::File::open(path).with_context(|| format!("read {}", path.display()))?;
        let (genesis, blocks) =
            parse_export(std::io::BufReader::new(file), &path.display().to_string())?;

        let (Some((first, _)), Some((last_height, _))) =
            (blocks.first_key_value(), blocks.last_key_value())
        else {
            bail!("{} holds no block", path.display());
        };

        if *first != genesis.first_height {
            let expected = genesis.first_height;
            bail!(
                "{} begins with block {first}: export from {expected} on, for every block is executed",
                path.display()
            );
        }

        let last_height = *last_height;
        let name = path.display().to_string();
        Ok((
            genesis,
            Self {
                name,
                last_height,
                last_epoch: 0,
                source: Source::File(blocks),
            },
        ))
    }

    /// The block at a height with its certificate.
    pub async fn block(&self, height: u64) -> Result<Found<Copy>> {
        match &self.source {
            Source::Store(store) => {
                let certificate =
                    || read_record(|| store.certificate(height), "record of certificates");
                let copy = |block: Block| {
                    certificate().and_then(|certificate| {
                        Found::There(Copy {
                            raw: block.encode(),
                            certificate,
                        })
                    })
                };

                Ok(read_record(|| store.block(height), "record of blocks").and_then(copy))
            }
            Source::Api(client) => {
                Ok(found_in_answer(client.block(height).await, "block")?.and_then(decode_block))
            }
            Source::File(blocks) => Ok(blocks
                .get(&height)
                .cloned()
                .map_or(Found::Missing("block"), Found::There)),
        }
    }

    /// The checkpoint of an epoch; `None` when this copy holds blocks only.
    pub async fn checkpoint(&self, epoch: u64) -> Result<Option<Found<SignedCheckpoint>>> {
        match &self.source {
            Source::Store(store) => Ok(Some(read_record(
                || store.checkpoint(epoch),
                "record of checkpoints",
            ))),
            Source::Api(client) => Ok(Some(
                found_in_answer(client.checkpoint(epoch).await, "checkpoint")?
                    .and_then(signed_checkpoint),
            )),
            Source::File(_) => Ok(None),
        }
    }

    /// What an epoch's checkpoint pays; `None` when this copy holds blocks only.
    pub async fn chunks(&self, epoch: u64) -> Result<Option<Found<Vec<Chunk>>>> {
        match &self.source {
            Source::Store(store) => {
                let settlement = read_record(|| store.settlement(epoch), "record of settlements");
                Ok(Some(
                    settlement.and_then(|settlement| Found::There(settlement.chunks())),
                ))
            }
            Source::Api(client) => Ok(Some(found_in_answer(
                client.payout_chunks(epoch).await.map(Some),
                "payouts",
            )?)),
            Source::File(_) => Ok(None),
        }
    }

    /// Hashes of the blocks that a checkpoint covers; a store alone tells.
    pub fn block_hashes(&self, epoch: u64) -> Option<Found<Vec<B256>>> {
        let Source::Store(store) = &self.source else {
            return None;
        };
        Some(read_record(
            || store.block_hashes(epoch),
            "record of checkpoint_block_hashes",
        ))
    }

    /// Leaves of the recordings that a checkpoint covers; a store alone tells.
    pub fn recording_leaves(&self, epoch: u64) -> Option<Found<Vec<B256>>> {
        let Source::Store(store) = &self.source else {
            return None;
        };
        Some(read_record(
            || store.recording_leaves(epoch),
            "record of checkpoint_recordings",
        ))
    }

    /// The height that the index of transactions names; a store alone tells.
    pub fn transaction_height(&self, id: B256) -> Option<Found<u64>> {
        let Source::Store(store) = &self.source else {
            return None;
        };
        Some(read_record(
            || store.transaction_height(id),
            "record of transactions",
        ))
    }

    /// The lines of a sale; a store alone tells.
    pub fn lines(&self, height: u64, key: SaleKey) -> Option<Found<SaleLines>> {
        let Source::Store(store) = &self.source else {
            return None;
        };
        Some(read_record(|| store.lines(height, key), "record of lines"))
    }
}

/// A line of an export. Checkpoints follow from the blocks, so those of the file are not read.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Genesis { genesis: Genesis },
    Block { block: BlockAnswer },
    Checkpoint {},
}

fn parse_export(text: impl BufRead, name: &str) -> Result<(Genesis, BTreeMap<u64, Copy>)> {
    let mut genesis = None;
    let mut blocks = BTreeMap::new();

    for (number, line) in text.lines().enumerate() {
        let line = line.with_context(|| format!("read {name}"))?;
        let parsed = serde_json::from_str(&line).with_context(|| {
            format!(
                "{name}, line {}: not what hotpot export blocks writes",
                number + 1
            )
        })?;

        match parsed {
            Line::Genesis { genesis: found } => genesis = Some(found),
            Line::Checkpoint {} => {}
            Line::Block { block } => {
                let height = block.header.height;
                match decode_block(block) {
                    Found::There(copy) => drop(blocks.insert(height, copy)),
                    Found::Missing(what) => bail!("{name}, line {}: no {what}", number + 1),
                    Found::Damaged(what) => bail!("{name}, line {}: {what}", number + 1),
                }
            }
        }
    }

    Ok((
        genesis.with_context(|| {
            format!("{name} names no genesis; it is the first line of an export")
        })?,
        blocks,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_export_is_refused_with_its_line() {
        let error = |text: &str| {
            format!(
                "{:#}",
                parse_export(text.as_bytes(), "x.jsonl").unwrap_err()
            )
        };
        assert!(error("").contains("names no genesis"), "{}", error(""));
        assert!(
            error("{\"type\": \"sale\"}")
                .starts_with("x.jsonl, line 1: not what hotpot export blocks writes")
        );
        assert!(error("garbage").starts_with("x.jsonl, line 1"));
    }

    proptest! {
        #[test]
        fn no_text_is_mistaken_for_an_export(text in ".*") {
            prop_assert!(parse_export(text.as_bytes(), "x").is_err());
        }
    }
}
