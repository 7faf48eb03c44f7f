//! Loops beside consensus.

pub mod checkpoints;
pub mod duties;
pub mod join;
pub mod pruning;
pub mod snapshots;
