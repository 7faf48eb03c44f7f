//! Decisions without I/O.

pub mod attendance;
pub mod equivocation;
pub mod guard;
pub mod mempool;
pub mod parallel;
pub mod pruning;
pub mod readiness;
pub mod unindexed;
pub mod vouching;
