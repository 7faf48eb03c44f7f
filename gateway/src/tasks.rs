//! One loop a file.

pub mod events;
pub mod pulse;
