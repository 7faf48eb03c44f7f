//! The crate from outside: vectors, hostile bytes, a real Kubo, local servers that speak the services' APIs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod car;
mod cid;
mod kubo;
mod services;
mod store;
mod vectors;
