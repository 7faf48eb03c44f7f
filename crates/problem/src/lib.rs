#![doc = include_str!("../README.md")]

#[cfg(feature = "http")]
mod http;
mod problem;

#[cfg(feature = "http")]
pub use http::{BODY_BYTES_MAX, JsonBody, Refusal, read_body, with_request_id};
pub use problem::{FieldError, Problem};
