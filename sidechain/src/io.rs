//! One adapter for each outside thing.

pub mod guard_file;
pub mod peers;
pub mod snapshots;
pub mod store;
