//! One adapter per outside thing.

pub mod evm;
pub mod node;
pub mod store;
