#![doc = include_str!("../README.md")]

mod backend;
mod block_store;
pub mod car;
mod cid;
mod error;
mod http;
mod kubo;
mod node;
mod pin_state;
pub mod pinata;
mod pinning;
pub mod unixfs;

pub use backend::Backend;
pub use block_store::{BlockStore, Collected};
pub use cid::{CID_BYTES, Cid, CidError, Codec};
pub use error::IpfsError;
pub use kubo::{Identity, Kubo};
pub use pin_state::PinState;
pub use pinata::Pinata;
pub use pinning::{Pin, PinningService, Requested, Status};
