//! Decisions without I/O.

pub mod attendance;
pub mod guard;
pub mod mempool;
pub mod parallel;
pub mod pruning;
pub mod readiness;
pub mod vouching;
