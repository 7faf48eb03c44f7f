//! Sources that a compiler has to look at again although nothing in them changed.

use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files that are younger than they were. Dropped, they are as old as before, but for those that were written to
/// meanwhile: so nothing of what was built is built again.
#[derive(Debug)]
pub struct Touched {
    before: Vec<(PathBuf, SystemTime)>,
    touched: SystemTime,
}

impl Touched {
    /// Makes the files as young as this moment.
    pub fn touch(files: &BTreeSet<PathBuf>) -> Result<Self> {
        let mut touched = Self {
            before: Vec::new(),
            touched: SystemTime::now(),
        };
        for file in files {
            let before = modified_time(file)?;
            set_modified(file, touched.touched)?;
            touched.before.push((file.clone(), before));
        }
        Ok(touched)
    }

    /// Lets them be young.
    pub fn keep(mut self) {
        self.before.clear();
    }
}

impl Drop for Touched {
    fn drop(&mut self) {
        for (file, before) in &self.before {
            if modified_time(file).is_ok_and(|now| now == self.touched) {
                // At worst it is compiled again.
                let _ = set_modified(file, *before);
            }
        }
    }
}

fn modified_time(file: &Path) -> Result<SystemTime> {
    let metadata =
        std::fs::metadata(file).with_context(|| format!("look at {}", file.display()))?;
    Ok(metadata.modified()?)
}

fn set_modified(file: &Path, time: SystemTime) -> Result<()> {
    File::options()
        .write(true)
        .open(file)
        .and_then(|file| file.set_modified(time))
        .with_context(|| format!("touch {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_was_only_touched_is_as_old_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let [still, edited] = ["still.rs", "edited.rs"].map(|name| folder.path().join(name));
        let old = SystemTime::now() - Duration::from_secs(3_600);
        for file in [&still, &edited] {
            std::fs::write(file, "").unwrap();
            set_modified(file, old).unwrap();
        }

        let touched = Touched::touch(&BTreeSet::from([still.clone(), edited.clone()])).unwrap();
        assert!(modified_time(&still).unwrap() > old);
        set_modified(&edited, SystemTime::now() + Duration::from_secs(1)).unwrap();
        drop(touched);

        assert_eq!(modified_time(&still).unwrap(), old);
        assert!(modified_time(&edited).unwrap() > old);
    }

    #[test]
    fn what_is_to_be_built_again_stays_young() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lib.rs");
        std::fs::write(&file, "").unwrap();
        let old = SystemTime::now() - Duration::from_secs(3_600);
        set_modified(&file, old).unwrap();

        Touched::touch(&BTreeSet::from([file.clone()]))
            .unwrap()
            .keep();
        assert!(modified_time(&file).unwrap() > old);
    }
}
