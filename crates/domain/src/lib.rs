#![doc = include_str!("../README.md")]

pub mod block;
mod canonical;
pub mod certificate;
pub mod checkpoint;
pub mod consent;
pub mod crypto;
pub mod eip712;
pub mod election;
pub mod evidence;
pub mod genesis;
pub mod ledger;
pub mod limits;
pub mod merkle;
pub mod outlet;
pub mod parameters;
pub mod payout;
pub mod proof;
pub mod recording;
pub mod rejection;
pub mod sale;
#[cfg(feature = "schema")]
pub mod schema;
pub mod staking;
pub mod transaction;
pub mod validators;

pub use alloy_primitives::{Address, B256, Keccak256, keccak256};
pub use block::{Block, Header};
pub use certificate::CommitCertificate;
pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use crypto::Signature;
pub use genesis::Genesis;
pub use ledger::{Event, Executed, Ledger};
pub use outlet::{Currency, OutletId, OutletKind, TerminalKind};
pub use parameters::{ElectionRules, Parameters};
pub use recording::Cid;
pub use rejection::Rejection;
pub use sale::{BuyerKind, Line, RefundId, Sale, SaleId, SaleKey};
pub use transaction::{Payload, SignedTransaction};
pub use validators::{Validator, ValidatorSet};
