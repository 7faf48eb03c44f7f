//! Loops beside consensus.

pub mod checkpoints;
pub mod join;
pub mod snapshots;
