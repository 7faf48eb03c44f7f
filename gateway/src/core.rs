//! Decisions: pure functions from what is known to what is said.

pub mod cursor;
pub mod stages;
pub mod watch;
