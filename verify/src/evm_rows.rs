//! What the mirror's tables of the EVM must hold, from blocks and logs.

use crate::evm_facts::{Block, Entry, Facts};
use crate::rows::{Comparison, bytes, number, text, time};
use crate::tables;
use alloy::primitives::{Address, U256};
use alloy::sol_types::SolEvent;
use contract_bindings::{CheckpointAnchor, FranchiseToken};
use std::collections::BTreeMap;

/// A transfer of the token, if the log is one.
pub fn decode_transfer(entry: &Entry) -> Option<FranchiseToken::Transfer> {
    Some(
        FranchiseToken::Transfer::decode_log(&entry.inner)
            .ok()?
            .data,
    )
}

/// An issued chunk, if the log is one.
pub fn decode_chunk(entry: &Entry) -> Option<CheckpointAnchor::ChunkIssued> {
    Some(
        CheckpointAnchor::ChunkIssued::decode_log(&entry.inner)
            .ok()?
            .data,
    )
}

/// An anchored checkpoint, if the log is one.
pub fn decode_anchored(entry: &Entry) -> Option<CheckpointAnchor::CheckpointAnchored> {
    Some(
        CheckpointAnchor::CheckpointAnchored::decode_log(&entry.inner)
            .ok()?
            .data,
    )
}

/// The epoch of the chunk that is issued next in the same transaction.
pub fn epoch_of_payout(logs: &[Entry], place: usize) -> Option<u64> {
    let tx_hash = logs[place].tx_hash;
    let rest = logs[place + 1..]
        .iter()
        .take_while(|entry| entry.tx_hash == tx_hash);
    rest.filter_map(decode_chunk)
        .map(|chunk| chunk.epoch)
        .next()
}

/// The tables of a mirror that has come to block `position`, of which it calls those up to `finalized` final.
pub struct EvmRows<'a> {
    facts: &'a Facts,
    position: u64,
    finalized: u64,
    times: BTreeMap<u64, u64>,
}

impl<'a> EvmRows<'a> {
    /// From what was read.
    pub fn new(facts: &'a Facts, position: u64, finalized: u64) -> Self {
        let times = facts
            .blocks
            .iter()
            .map(|block| (block.number, block.time_s * 1000))
            .collect();
        Self {
            facts,
            position,
            finalized,
            times,
        }
    }

    /// All tables, to be compared.
    pub fn into_tables(self) -> [Comparison; 7] {
        let mut tables = [
            &tables::EVM_BLOCK,
            &tables::RAW_LOG,
            &tables::TOKEN_TRANSFER,
            &tables::CHUNK_ISSUED,
            &tables::PAYOUT,
            &tables::CHECKPOINT_ANCHORED,
            &tables::BALANCE,
        ]
        .map(Comparison::new);
        let [
            blocks,
            raw,
            transfers,
            chunks,
            payouts,
            checkpoints,
            balances,
        ] = &mut tables;

        for block in self
            .facts
            .blocks
            .iter()
            .filter(|block| block.number <= self.position)
        {
            self.block(blocks, block);
        }

        let logs = &self.facts.logs;
        for (place, entry) in logs
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.block_number <= self.position)
        {
            self.raw(raw, entry);
            self.transfer(transfers, entry);
            self.chunk(chunks, entry);
            self.payout(payouts, logs, place);
            self.checkpoint(checkpoints, entry);
        }

        self.balances(balances);
        tables
    }

    fn time(&self, entry: &Entry) -> super::rows::Value {
        self.times.get(&entry.block_number).and_then(|ms| time(*ms))
    }

    fn key(&self, entry: &Entry) -> [super::rows::Value; 3] {
        [
            number(self.facts.chain_id),
            number(entry.block_number),
            number(entry.log_index),
        ]
    }

    fn block(&self, table: &mut Comparison, block: &Block) {
        table.should_hold(vec![
            number(self.facts.chain_id),
            number(block.number),
            bytes(block.hash),
            bytes(block.parent_hash),
            time(block.time_s * 1000),
            text(if block.number <= self.finalized {
                "true"
            } else {
                "false"
            }),
        ]);
    }

    fn raw(&self, table: &mut Comparison, entry: &Entry) {
        let mut row = Vec::from(self.key(entry));
        row.extend([
            bytes(entry.block_hash),
            self.time(entry),
            bytes(entry.tx_hash),
            number(entry.tx_index),
        ]);
        row.push(bytes(entry.inner.address));
        let topics = entry.inner.topics();
        row.extend((0..4).map(|place| topics.get(place).and_then(bytes)));
        row.push(bytes(&entry.inner.data.data));
        table.should_hold(row);
    }

    fn transfer(&self, table: &mut Comparison, entry: &Entry) {
        let Some(transfer) = decode_transfer(entry) else {
            return;
        };

        let mut row = Vec::from(self.key(entry));
        row.extend([
            self.time(entry),
            bytes(entry.tx_hash),
            bytes(entry.inner.address),
        ]);
        row.extend([
            bytes(transfer.from),
            bytes(transfer.to),
            number(transfer.value),
        ]);

        table.should_hold(row);
    }

    fn chunk(&self, table: &mut Comparison, entry: &Entry) {
        let Some(chunk) = decode_chunk(entry) else {
            return;
        };
        let mut row = Vec::from(self.key(entry));
        row.extend([
            bytes(entry.tx_hash),
            bytes(entry.inner.address),
            number(chunk.epoch),
        ]);
        row.extend([bytes(chunk.chunkRoot), number(chunk.minted)]);
        table.should_hold(row);
    }

    fn payout(&self, table: &mut Comparison, logs: &[Entry], place: usize) {
        let entry = &logs[place];
        let Some(transfer) = decode_transfer(entry).filter(|transfer| transfer.from.is_zero())
        else {
            return;
        };

        let mut row = Vec::from(self.key(entry));
        row.extend([
            self.time(entry),
            bytes(entry.tx_hash),
            bytes(entry.inner.address),
        ]);
        row.extend([
            bytes(transfer.to),
            number(transfer.value),
            epoch_of_payout(logs, place).and_then(number),
        ]);

        table.should_hold(row);
    }

    fn checkpoint(&self, table: &mut Comparison, entry: &Entry) {
        let Some(checkpoint) = decode_anchored(entry) else {
            return;
        };

        let mut row = Vec::from(self.key(entry));
        row.extend([
            self.time(entry),
            bytes(entry.tx_hash),
            bytes(entry.inner.address),
            number(checkpoint.epoch),
        ]);
        row.extend([
            number(checkpoint.firstHeight),
            number(checkpoint.lastHeight),
        ]);
        row.extend(
            [
                checkpoint.blocksRoot,
                checkpoint.stateRoot,
                checkpoint.payoutRoot,
            ]
            .map(bytes),
        );
        row.extend([
            bytes(checkpoint.recordingsRoot),
            number(checkpoint.totalReleased),
        ]);
        row.push(bytes(checkpoint.nextValidatorsHash));

        table.should_hold(row);
    }

    fn balances(&self, table: &mut Comparison) {
        let logs = self
            .facts
            .logs
            .iter()
            .filter(|entry| entry.block_number <= self.position);

        for ((token, holder), value) in token_balances(logs) {
            table.should_hold(vec![
                number(self.facts.chain_id),
                bytes(token),
                bytes(holder),
                number(value),
            ]);
        }
    }
}

/// What transfers leave each holder with, by token and holder; who has nothing is not named.
pub fn token_balances<'a>(
    logs: impl Iterator<Item = &'a Entry>,
) -> BTreeMap<(Address, Address), U256> {
    let mut balances: BTreeMap<(Address, Address), U256> = BTreeMap::new();
    for entry in logs {
        let Some(transfer) = decode_transfer(entry) else {
            continue;
        };
        let token = entry.inner.address;
        // A token that moves what is not there is found out by its own balances.
        let from = balances.entry((token, transfer.from)).or_default();
        *from = from.saturating_sub(transfer.value);
        let to = balances.entry((token, transfer.to)).or_default();
        *to = to.saturating_add(transfer.value);
    }
    balances.retain(|(_, holder), value| !holder.is_zero() && !value.is_zero());
    balances
}
