#![doc = include_str!("../README.md")]

pub mod core;
mod error;
mod io;
pub mod ledger;
mod vault;
mod worker;

pub use crate::core::erasure::Reason;
pub use crate::core::manifest::{Capture, Manifest, ManifestError, SignedManifest, check_chain};
pub use crate::core::terms::{KeyName, Terms};
pub use crate::core::upload::Stage;
pub use error::VaultError;
pub use io::keys::MasterSecret;
pub use io::store::{Access, Record, Tombstone};
pub use vault::{Agent, Segment, Settings, Vault};
pub use worker::{Backends, Progress, Worker};
