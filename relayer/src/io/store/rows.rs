//! Rows as Postgres gives them, and what they mean.

use super::{BlockId, Intent, IntentStage, Key, Outcome, Slot, SlotStage, Variant};
use crate::core::fees::Fees;
use crate::core::intent::Kind;
use crate::error::Error;
use alloy::primitives::B256;

pub(super) struct IntentRow {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) epoch: i64,
    pub(super) chunk: i64,
    pub(super) calldata: Vec<u8>,
    pub(super) stage: String,
    pub(super) block_number: Option<i64>,
    pub(super) block_hash: Option<Vec<u8>>,
    pub(super) may_retry: bool,
}

impl TryFrom<IntentRow> for Intent {
    type Error = Error;
    fn try_from(row: IntentRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id,
            key: parse_key(&row.kind, row.epoch, row.chunk)?,
            calldata: row.calldata.into(),
            stage: intent_stage(
                &row.stage,
                parse_block_id(row.block_number, row.block_hash)?,
            )?,
            may_retry: row.may_retry,
        })
    }
}

pub(super) struct SlotRow {
    pub(super) id: i64,
    pub(super) intent_id: i64,
    pub(super) kind: String,
    pub(super) epoch: i64,
    pub(super) chunk: i64,
    pub(super) calldata: Vec<u8>,
    pub(super) nonce: i64,
    pub(super) gas_limit: i64,
    pub(super) stage: String,
    pub(super) outcome: Option<String>,
    pub(super) block_number: Option<i64>,
    pub(super) block_hash: Option<Vec<u8>>,
}

impl SlotRow {
    pub(super) fn with_variants(self, variants: &[VariantRow]) -> Result<Slot, Error> {
        let own = variants.iter().filter(|variant| variant.slot_id == self.id);

        Ok(Slot {
            id: self.id,
            intent_id: self.intent_id,
            key: parse_key(&self.kind, self.epoch, self.chunk)?,
            calldata: self.calldata.into(),
            nonce: to_u64("nonce", self.nonce)?,
            gas_limit: to_u64("gas_limit", self.gas_limit)?,
            stage: slot_stage(
                &self.stage,
                parse_block_id(self.block_number, self.block_hash)?,
                self.outcome.as_deref(),
            )?,
            variants: own.map(Variant::try_from).collect::<Result<_, _>>()?,
        })
    }
}

pub(super) struct VariantRow {
    pub(super) slot_id: i64,
    pub(super) hash: Vec<u8>,
    pub(super) raw: Vec<u8>,
    pub(super) max_fee_per_gas: i64,
    pub(super) max_priority_fee_per_gas: i64,
    pub(super) cancels: bool,
    pub(super) head_number: i64,
}

impl TryFrom<&VariantRow> for Variant {
    type Error = Error;
    fn try_from(row: &VariantRow) -> Result<Self, Error> {
        let fee = |field, wei| to_u64(field, wei).map(u128::from);
        Ok(Self {
            hash: parse_hash(&row.hash)?,
            raw: row.raw.clone().into(),
            fees: Fees {
                max_fee: fee("max_fee_per_gas", row.max_fee_per_gas)?,
                max_priority_fee: fee("max_priority_fee_per_gas", row.max_priority_fee_per_gas)?,
            },
            cancels: row.cancels,
            head_number: to_u64("head_number", row.head_number)?,
        })
    }
}

fn parse_key(kind: &str, epoch: i64, chunk: i64) -> Result<Key, Error> {
    let kind = match kind {
        "checkpoint" => Kind::Checkpoint,
        "chunk" => Kind::Chunk,
        found => return Err(damaged("kind", found)),
    };
    Ok(Key {
        kind,
        epoch: to_u64("epoch", epoch)?,
        chunk: to_u64("chunk", chunk)?,
    })
}

fn intent_stage(stage: &str, block: Option<BlockId>) -> Result<IntentStage, Error> {
    match (stage, block) {
        ("intended", _) => Ok(IntentStage::Intended),
        ("signed", _) => Ok(IntentStage::Signed),
        ("sent", _) => Ok(IntentStage::Sent),
        ("included", Some(block)) => Ok(IntentStage::Included(block)),
        (found, _) => Err(damaged("stage", found)),
    }
}

pub(super) fn intent_stage_columns(stage: IntentStage) -> (&'static str, Option<BlockId>) {
    match stage {
        IntentStage::Intended => ("intended", None),
        IntentStage::Signed => ("signed", None),
        IntentStage::Sent => ("sent", None),
        IntentStage::Included(block) => ("included", Some(block)),
    }
}

fn slot_stage(
    stage: &str,
    block: Option<BlockId>,
    outcome: Option<&str>,
) -> Result<SlotStage, Error> {
    match (stage, block, outcome) {
        ("signed", ..) => Ok(SlotStage::Signed),
        ("sent", ..) => Ok(SlotStage::Sent),
        ("included", Some(block), Some(name)) => {
            Ok(SlotStage::Included(block, outcome_named(name)?))
        }
        (found, ..) => Err(damaged("stage", found)),
    }
}

pub(super) fn slot_stage_columns(
    stage: SlotStage,
) -> (&'static str, Option<BlockId>, Option<Outcome>) {
    match stage {
        SlotStage::Signed => ("signed", None, None),
        SlotStage::Sent => ("sent", None, None),
        SlotStage::Included(block, outcome) => ("included", Some(block), Some(outcome)),
        SlotStage::Final(block, outcome) => ("final", Some(block), Some(outcome)),
    }
}

pub(super) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Executed => "executed",
        Outcome::Reverted => "reverted",
        Outcome::Cancelled => "cancelled",
        Outcome::Taken => "taken",
    }
}

fn outcome_named(found: &str) -> Result<Outcome, Error> {
    let all = [
        Outcome::Executed,
        Outcome::Reverted,
        Outcome::Cancelled,
        Outcome::Taken,
    ];
    all.into_iter()
        .find(|outcome| outcome_name(*outcome) == found)
        .ok_or_else(|| damaged("outcome", found))
}

fn parse_block_id(number: Option<i64>, bytes: Option<Vec<u8>>) -> Result<Option<BlockId>, Error> {
    let (Some(number), Some(bytes)) = (number, bytes) else {
        return Ok(None);
    };
    Ok(Some(BlockId {
        number: to_u64("block_number", number)?,
        hash: parse_hash(&bytes)?,
    }))
}

fn parse_hash(bytes: &[u8]) -> Result<B256, Error> {
    B256::try_from(bytes).map_err(|_| damaged("hash", &format!("{} bytes", bytes.len())))
}

fn damaged(field: &'static str, found: &str) -> Error {
    Error::Damaged {
        field,
        found: found.to_owned(),
    }
}

/// Postgres has no unsigned numbers.
pub(super) fn to_i64(field: &'static str, value: impl Into<u128>) -> Result<i64, Error> {
    let found = value.into();
    i64::try_from(found).map_err(|_| Error::TooLarge { field, found })
}

pub(super) fn to_u64(field: &'static str, value: i64) -> Result<u64, Error> {
    u64::try_from(value).map_err(|_| damaged(field, &value.to_string()))
}
