#![doc = include_str!("../README.md")]

mod address;
mod error;
mod service;

pub use address::is_public;
pub use error::OutboundError;
pub use service::{ANSWER_BYTES_MAX, Addresses, Options, Service};
