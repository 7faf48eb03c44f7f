//! The node's JSON, and what the core makes of it.

use crate::core::logs::{Block, Header, Log, assemble_or_doubt};
use crate::core::receipts::{Deposit, Receipt, believe_logs};
use alloy::consensus::Eip658Value;
use alloy::primitives::{B256, Bloom, Bytes};
use alloy::rpc::types as rpc;
use serde::Deserialize;

/// A receipt of whatever type: only what a header can commit to is read of it, so nothing else can be in the way.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawReceipt {
    #[serde(default, rename = "type", with = "alloy::serde::quantity::opt")]
    kind: Option<u64>,
    #[serde(default, with = "alloy::serde::quantity::opt")]
    status: Option<u64>,
    /// The state root of old blocks; other things on some chains, beside a status.
    #[serde(default)]
    root: Option<Bytes>,
    #[serde(with = "alloy::serde::quantity")]
    cumulative_gas_used: u64,
    #[serde(default, with = "alloy::serde::quantity::opt")]
    deposit_nonce: Option<u64>,
    #[serde(default, with = "alloy::serde::quantity::opt")]
    deposit_receipt_version: Option<u64>,
    transaction_hash: B256,
    logs: Vec<rpc::Log>,
}

/// `None` for one that holds a log without a place.
pub(super) fn receipt_of(raw: &RawReceipt) -> Option<Receipt> {
    Some(Receipt {
        kind: raw.kind.unwrap_or(0),
        status: status_of(raw),
        cumulative_gas: raw.cumulative_gas_used,
        deposit: raw.deposit_receipt_version.map(|version| Deposit {
            nonce: raw.deposit_nonce.unwrap_or(0),
            version,
        }),
        tx_hash: raw.transaction_hash,
        logs: raw.logs.iter().map(log_of).collect::<Option<_>>()?,
    })
}

fn status_of(raw: &RawReceipt) -> Option<Eip658Value> {
    let status = raw.status.map(|status| Eip658Value::Eip658(status != 0));
    let state_root = || B256::try_from(&raw.root.as_ref()?[..]).ok();
    status.or_else(|| state_root().map(Eip658Value::PostState))
}

pub(super) fn header_of(block: &rpc::Block) -> Header {
    let inner = &block.header.inner;
    Header {
        number: inner.number,
        hash: block.header.hash,
        is_sealed: inner.hash_slow() == block.header.hash,
        parent_hash: inner.parent_hash,
        time_s: inner.timestamp,
        bloom: inner.logs_bloom,
        receipts_root: inner.receipts_root,
    }
}

/// `None` for a log of a pending block.
pub(super) fn log_of(log: &rpc::Log) -> Option<Log> {
    Some(Log {
        block_number: log.block_number?,
        block_hash: log.block_hash?,
        log_index: log.log_index?,
        tx_hash: log.transaction_hash?,
        tx_index: log.transaction_index?,
        address: log.address(),
        topics: log.topics().to_vec(),
        data: log.data().data.clone(),
    })
}

/// Takes the bytes for each JSON answer of an EVM node, puts logs into their blocks as far as they fit, and holds
/// receipts against them: for fuzzing.
pub fn read_every_answer(bytes: &[u8]) {
    let headers = serde_json::from_slice::<Vec<rpc::Block>>(bytes).unwrap_or_default();
    let logs = serde_json::from_slice::<Vec<rpc::Log>>(bytes).unwrap_or_default();
    let receipts = serde_json::from_slice::<Vec<RawReceipt>>(bytes).unwrap_or_default();

    let headers: Vec<Header> = headers.iter().map(header_of).collect();
    let logs: Vec<Log> = logs.iter().filter_map(log_of).collect();
    let receipts: Vec<Receipt> = receipts.iter().filter_map(receipt_of).collect();

    // A node may number its first block as it likes.
    let in_receipts = receipts.iter().flat_map(|receipt| &receipt.logs);
    let asked = logs.iter().chain(in_receipts).next().map(header_around);
    let (blocks, _) = assemble_or_doubt(asked.into_iter().collect(), logs.clone());
    for block in &blocks {
        believe_every_way(block, &receipts);
    }
    let _ = assemble_or_doubt(headers, logs);
}

fn header_around(log: &Log) -> Header {
    Header {
        number: log.block_number,
        hash: log.block_hash,
        is_sealed: false,
        parent_hash: B256::ZERO,
        time_s: 0,
        bloom: Bloom::ZERO,
        receipts_root: B256::ZERO,
    }
}

fn believe_every_way(block: &Block, receipts: &[Receipt]) {
    let all = receipts.iter().flat_map(|receipt| &receipt.logs);
    let addresses: Vec<_> = all.map(|log| log.address).collect();
    for roots_hold in [false, true] {
        let _ = believe_logs(block, receipts, &addresses, roots_hold);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn raw(fields: Value) -> Receipt {
        let mut receipt = json!({
            "type": "0x2", "status": "0x1", "cumulativeGasUsed": "0x5208", "logs": [],
            "transactionHash": B256::repeat_byte(7),
        });
        for (name, value) in fields.as_object().unwrap() {
            receipt[name] = value.clone();
        }
        receipt_of(&serde_json::from_value(receipt).unwrap()).unwrap()
    }

    #[test]
    fn receipts_of_any_type_are_read() {
        let deposit = raw(json!({
            "type": "0x7e", "depositNonce": "0x3d3bbf", "depositReceiptVersion": "0x1", "l1Fee": "0x0", "to": null,
        }));
        assert_eq!(deposit.kind, 0x7e);
        assert_eq!(
            deposit.deposit,
            Some(Deposit {
                nonce: 4_012_991,
                version: 1
            })
        );
        assert_eq!(raw(json!({"type": "0x64"})).kind, 0x64);
        assert_eq!(raw(json!({"type": null})).kind, 0);
        assert_eq!(raw(json!({})).deposit, None);
    }

    #[test]
    fn a_status_comes_before_a_state_root() {
        let root = B256::repeat_byte(3);
        let failed = raw(json!({"status": "0x0", "root": root}));
        assert_eq!(failed.status, Some(Eip658Value::Eip658(false)));
        let old = raw(json!({"status": null, "root": root}));
        assert_eq!(old.status, Some(Eip658Value::PostState(root)));
        let neither = raw(json!({"status": null, "root": "0x"}));
        assert_eq!(neither.status, None);
    }
}
