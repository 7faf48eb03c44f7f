#![doc = include_str!("../README.md")]

#[cfg(feature = "http")]
mod extract;
#[cfg(feature = "http")]
mod http;
mod problem;

#[cfg(feature = "http")]
pub use extract::{BODY_BYTES_MAX, JsonBody, Path, Query, RawBody, read_body};
#[cfg(feature = "http")]
pub use http::{Refusal, with_request_id};
pub use problem::{FieldError, Problem};
