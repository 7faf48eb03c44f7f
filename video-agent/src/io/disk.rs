//! How much room a disk has.

use std::path::Path;

/// Free bytes for us, and all bytes, of the file system that a folder lies on.
pub(crate) fn free(dir: &Path) -> std::io::Result<(u64, u64)> {
    let found = rustix::fs::statvfs(dir)?;
    Ok((
        found.f_bavail.saturating_mul(found.f_frsize),
        found.f_blocks.saturating_mul(found.f_frsize),
    ))
}
