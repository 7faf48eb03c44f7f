//! The kill switch of a public stream, which a restart must not forget: a file that says "off" by being there.

use std::fs::{self, DirBuilder, File};
use std::io::{Error, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The kill switch of one camera.
#[derive(Clone, Debug)]
pub(crate) struct Switch {
    folder: PathBuf,
    file: PathBuf,
}

impl Switch {
    pub fn new(folder: &Path, camera: u64) -> Self {
        Self {
            folder: folder.to_owned(),
            file: folder.join(format!("push-off-{camera}")),
        }
    }

    /// Whatever cannot be read is off.
    pub fn is_on(&self) -> bool {
        matches!(fs::metadata(&self.file), Err(error) if error.kind() == ErrorKind::NotFound)
    }

    /// Durable when it returns.
    pub fn set(&self, on: bool) -> Result<(), Error> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        match on {
            true => match fs::remove_file(&self.file) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            },
            false => File::create(&self.file)?.sync_all()?,
        }
        File::open(&self.folder)?.sync_all()
    }
}
