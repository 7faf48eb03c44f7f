#![doc = include_str!("../README.md")]
//!
//! | File | Holds |
//! |---|---|
//! | `network.rs` | the order of all checks |
//! | `source.rs` | opens a folder, running or stopped, or single parts |
//! | `nodes.rs` | reads blocks and checkpoints of a node: its store, its API, or an export |
//! | `chain.rs` | executes every block as a stranger would and compares the copies |
//! | `evm.rs`, `contracts.rs` | reads the EVM; the contracts against the blocks |
//! | `payouts.rs` | what the anchor may issue of a settlement, and what has to be issued by now |
//! | `tables.rs`, `rows.rs` | the mirror's tables, and their comparison row by row |
//! | `ledger_rows.rs`, `evm_rows.rs` | what the tables must hold |
//! | `database.rs` | reads the mirror |
//! | `export.rs` | writes a node's blocks to a file |
//! | `sale.rs` | one sale's proof, step by step |

mod args;
mod chain;
mod contracts;
mod database;
mod evm;
mod evm_facts;
mod evm_rows;
mod export;
mod ledger_rows;
mod network;
mod nodes;
mod payouts;
mod report;
mod rows;
mod sale;
mod source;
mod tables;

pub use args::VerifyArgs;
pub use export::{ExportCommand, export_blocks};
pub use network::run as run_network;
pub use sale::{VerifySaleArgs, run as run_sale};
