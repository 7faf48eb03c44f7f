//! One adapter for each thing on disk.

pub(crate) mod files;
pub mod keys;
pub(crate) mod spool;
pub(crate) mod store;
