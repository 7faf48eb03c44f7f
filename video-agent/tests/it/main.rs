//! The agent by its doors: real pipelines, generated films, a node that says yes and no.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod alerts;
mod cameras;
mod chain;
mod consent;
mod disk;
mod faults;
mod preview;
mod recordings;
mod stream;
mod world;
