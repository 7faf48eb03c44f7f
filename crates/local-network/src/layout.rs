//! Where everything of a network lies.

use anyhow::{Context, Result, anyhow};
use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The folder of a network; held by one `up` at a time.
#[derive(Debug)]
pub struct Layout {
    /// The folder, absolute.
    pub dir: PathBuf,
    _lock: File,
}

impl Layout {
    /// Opens or makes the folder; refuses while another `up` runs on it.
    pub fn open(dir: &Path) -> Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)?;
        let dir = dir
            .canonicalize()
            .with_context(|| format!("open {}", dir.display()))?;

        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("lock"))?;
        lock.try_lock()
            .map_err(|_| anyhow!("another hotpot up runs on {}", dir.display()))?;

        std::fs::create_dir_all(dir.join("logs"))?;
        Ok(Self { dir, _lock: lock })
    }

    /// The folder of a validator.
    pub fn node(&self, number: usize) -> PathBuf {
        self.dir.join(format!("node-{number}"))
    }

    /// The double-sign guard of a validator.
    pub fn guard(&self, number: usize) -> Result<PathBuf> {
        let folder = self.dir.join("guards");
        std::fs::create_dir_all(&folder)?;
        Ok(folder.join(format!("node-{number}")))
    }

    /// A service's configuration.
    pub fn config(&self, service: &str) -> PathBuf {
        self.dir.join(format!("{service}.toml"))
    }

    /// A service's log.
    pub fn log(&self, service: &str) -> PathBuf {
        self.dir.join("logs").join(format!("{service}.log"))
    }

    /// Holds the database's URL.
    pub fn database_url_file(&self) -> PathBuf {
        self.dir.join("database-url")
    }

    /// Holds the genesis, as JSON.
    pub fn genesis(&self) -> PathBuf {
        self.dir.join("genesis.json")
    }
}
