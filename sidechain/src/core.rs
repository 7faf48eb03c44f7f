//! Decisions without I/O.

pub mod attendance;
pub mod guard;
pub mod mempool;
pub mod readiness;
