//! Decisions without I/O.

pub mod guard;
pub mod mempool;
