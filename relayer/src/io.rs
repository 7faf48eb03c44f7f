//! One adapter for each outside thing.

pub(crate) mod evm;
pub(crate) mod node;
pub(crate) mod signer;
pub(crate) mod store;
