//! The web pages inside the binary.

use rust_embed::{EmbeddedFile, RustEmbed};

/// What npm built; empty when it was not built before this crate was.
#[derive(RustEmbed)]
#[folder = "../web_interfaces/dist"]
#[allow_missing = true]
struct Dist;

/// A file of the pages by its path without the leading slash.
pub fn file(path: &str) -> Option<EmbeddedFile> {
    Dist::get(path)
}
