//! Loops beside consensus.

pub mod checkpoints;
