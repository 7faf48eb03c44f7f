//! Loops beside consensus.

pub mod checkpoints;
pub mod duties;
