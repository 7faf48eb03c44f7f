//! RFC 9457 problem details: the one form of every refusal, and (feature `http`) how a service answers with it.

#[cfg(feature = "http")]
mod http;
mod problem;

#[cfg(feature = "http")]
pub use http::{BODY_BYTES_MAX, JsonBody, Refusal, read_body, with_request_id};
pub use problem::{FieldError, Problem};
