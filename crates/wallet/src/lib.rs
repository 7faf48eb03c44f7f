//! Keys of our actors: encrypted keystores on disk, receipt keys derived from a terminal's secret.

mod keystore;
mod receipt;

pub use keystore::{KeyError, create, load, load_or_create};
pub use receipt::{lines_salt, receipt_key};
pub use secp256k1::SecretKey;
