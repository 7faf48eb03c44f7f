//! Postgres: one writer a stream, everything about a block in one transaction.

mod audit;
mod cursor;
mod evm;
mod notify;
mod pulse;
mod sidechain;
mod writer;

pub use audit::checkpoint_disagreements;
pub use cursor::Cursor;
pub use evm::{EvmWrite, Replaced};
pub use pulse::{PulseRow, write_pulse};
pub use writer::{Stream, Writer};

use crate::error::Error;
use alloy::primitives::B256;

/// A BIGINT column that holds a number of a chain.
fn from_bigint(what: &'static str, value: i64) -> Result<u64, Error> {
    u64::try_from(value).map_err(|_| Error::Damaged { what })
}

/// A BYTEA column that holds a hash.
fn parse_hash(what: &'static str, bytes: &[u8]) -> Result<B256, Error> {
    B256::try_from(bytes).map_err(|_| Error::Damaged { what })
}
