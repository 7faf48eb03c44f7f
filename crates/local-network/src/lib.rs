#![doc = include_str!("../README.md")]

pub mod books;
pub mod candidates;
pub mod consent;
pub mod contracts;
pub mod evm;
pub mod external;
pub mod genesis;
pub mod services;
pub mod supervisor;
pub mod video;

mod keys;
mod layout;
mod network_file;
mod ports;
mod registrations;

pub use keys::{Keys, refuse_public_chain};
pub use layout::Layout;
pub use network_file::{Contracts, Entry, NetworkFile};
pub use ports::{PortArgs, Ports};
pub use registrations::{Opening, Registrations, furthest_node, is_outdated};
