//! The indexer against a real PostgreSQL, a real anvil and a node that serves a chain with known keys.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod actors;
mod evm;
mod fake_node;
mod fake_rpc;
mod world;

mod anchored;
mod finality;
mod follow;
mod liars;
mod other_chains;
mod recordings;
mod restarts;
mod sidechain;
