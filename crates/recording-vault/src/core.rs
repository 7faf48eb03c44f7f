//! Decisions, without a clock, a disk or a network.

pub mod envelope;
pub mod erasure;
pub mod manifest;
pub mod terms;
pub mod upload;
