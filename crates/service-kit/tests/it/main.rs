//! What a stranger can do to a process of ours, over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod answers;
mod bounds;
mod door;
mod metrics;
mod stopping;
