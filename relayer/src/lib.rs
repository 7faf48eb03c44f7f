//! Brings each epoch's checkpoint onto the EVM chain and issues its payouts, exactly once whatever crashes or
//! reorganises.
//!
//! The contract's state is the truth. The journal in Postgres holds what is wanted (intents), which nonces were
//! reserved for it (slots) and every transaction that was signed (variants), committed before it is sent. One step
//! reads the chain, judges slots and intents with the pure functions of `core`, and sends what is missing.

mod app;
mod config;
mod core;
mod error;
mod io;
mod metrics;
mod tasks;

pub use app::{Relayer, run};
pub use config::{BlockchainConfig, Config, HttpConfig, NodeConfig, SignerConfig};
pub use error::Error;
