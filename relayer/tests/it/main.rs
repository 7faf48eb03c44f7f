//! The relayer against a real Postgres and a real anvil. The sidechain's node is a small HTTP server that signs
//! checkpoints with known keys; a proxy before anvil loses requests and answers when a test asks for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod crashes;
mod disturbances;
mod endpoints;
mod node;
mod proxy;
mod relaying;
mod world;
