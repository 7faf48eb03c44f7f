//! The consensus adaptor: the only place that knows the engine (docs/adr/0001-malachite.md).

mod codec;
mod context;
mod engine;
mod evidence;
mod handler;
mod signer;
mod streams;

pub use codec::decode_every_message;
pub use engine::{Voter, engine_metrics, safety_failed, start};

#[cfg(test)]
mod byzantine;
#[cfg(test)]
mod tests;
