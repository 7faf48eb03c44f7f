//! One adapter per outside thing.

pub mod agents;
pub mod journal;
pub mod mirror;
pub mod nodes;
pub mod pages;
pub mod sets;
