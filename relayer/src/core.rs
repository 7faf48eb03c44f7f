//! Decisions: pure functions over what was read. No async, no SQL, no provider.

pub(crate) mod checkpoint;
pub(crate) mod chunk;
pub(crate) mod fees;
pub(crate) mod intent;
pub(crate) mod nonce;
pub(crate) mod plan;
pub(crate) mod reply;
pub(crate) mod slot;
