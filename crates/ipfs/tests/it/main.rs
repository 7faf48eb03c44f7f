//! The crate from outside: vectors, hostile bytes, a real Kubo, local servers that speak the services' APIs.

mod car;
mod cid;
mod kubo;
mod services;
mod store;
mod vectors;
