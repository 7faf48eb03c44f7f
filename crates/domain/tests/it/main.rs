//! The ledger entered by its own door: signed transactions and blocks in, state and checkpoints out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod actors;
mod codec;
mod election;
mod export;
mod merkle;
mod proof;
mod properties;
mod rules;
mod snapshot;
mod staking;
mod vectors;
mod video;
