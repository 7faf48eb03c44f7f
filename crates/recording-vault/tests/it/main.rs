//! The crate from outside: frozen bytes, cameras, ledgers and backends that fail, processes that are killed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod actors;
mod erasing;
mod frozen;
mod kills;
mod spooling;
mod uploading;
