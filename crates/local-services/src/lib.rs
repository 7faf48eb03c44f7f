//! Programs that are not ours and that a local network owns: a private PostgreSQL cluster, an anvil node, and a
//! Kubo node.
//! `hotpot up` and the integration tests start them here, on free ports and in their own folders, and stop them.

mod anvil;
mod kubo;
mod orphan;
mod postgres;

pub use anvil::{Anvil, AnvilOptions};
pub use kubo::{Kubo, KuboOptions};
pub use postgres::Postgres;

/// A TCP port that is free right now on loopback.
pub fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
