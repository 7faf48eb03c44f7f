//! The indexer against a real PostgreSQL, a real anvil and a node that serves a chain with known keys.

mod actors;
mod evm;
mod fake_node;
mod fake_rpc;
mod world;

mod anchored;
mod finality;
mod follow;
mod liars;
mod restarts;
mod sidechain;
