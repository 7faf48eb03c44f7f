//! Programs that are not ours and that a local network owns: a private PostgreSQL cluster, an anvil node, and a
//! Kubo node.
//! `hotpot up` and the integration tests start them here, on free ports and in their own folders, and stop them.

mod anvil;
mod kubo;
mod orphan;
mod ports;
mod postgres;

pub use anvil::{Anvil, AnvilOptions};
pub use kubo::{Kubo, KuboOptions};
pub use ports::free_port;
pub use postgres::Postgres;
