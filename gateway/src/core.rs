//! Decisions: pure functions from what is known to what is said.

pub mod arrows;
pub mod breaker;
pub mod choice;
pub mod claims;
pub mod cursor;
pub mod stages;
pub mod watch;
