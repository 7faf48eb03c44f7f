//! A validator and full node of the sidechain: consensus adaptor, mempool, store, HTTP API.

pub mod app;
pub mod config;
mod consensus;
pub mod core;
mod http;
pub mod io;
mod metrics;
pub mod node;
mod restore;
mod tasks;

pub use app::{read_genesis, run};
pub use config::NodeConfig;
#[doc(hidden)]
pub use consensus::decode_every_message;
