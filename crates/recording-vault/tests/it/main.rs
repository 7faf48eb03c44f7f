//! The crate from outside: frozen bytes, cameras, ledgers and backends that fail, processes that are killed.

mod actors;
mod erasing;
mod frozen;
mod kills;
mod spooling;
mod uploading;
