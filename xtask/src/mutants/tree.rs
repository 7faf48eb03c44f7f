//! The copy in which protections are taken out.

use super::list::Mutant;
use super::{places, read_source};
use crate::process;
use crate::repository::{self, Target};
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// What is installed beside the sources, and not known to git.
const INSTALLED: [&str; 4] = [
    "contracts/node_modules",
    "node_modules",
    "web_interfaces/dist",
    ".tools",
];
/// A command line has an end.
const FILES_AT_ONCE: usize = 500;

/// A copy with a target folder of its own.
#[derive(Debug)]
pub struct Tree {
    target: PathBuf,
    root: PathBuf,
}

impl Tree {
    /// What git knows of, as it lies here, and what is installed beside it; `mutants` are all that there are.
    pub fn copy(target: &Target, mutants: &[Mutant]) -> Result<Self> {
        let built = target.folder()?;
        let target = built.join("mutants");
        let tree = Self {
            root: target.join("tree"),
            target,
        };

        tree.copy_sources().context("copy what git knows of")?;
        tree.link_installed()?;
        tree.touch_changed(mutants)?;
        tree.share_build(&built.join("debug"))?;
        Ok(tree)
    }

    /// Where the sources are.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where it is built.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Files are as old as here, so that only what changed is built again.
    fn copy_sources(&self) -> Result<()> {
        if self.root.exists() {
            std::fs::remove_dir_all(&self.root)?;
        }
        std::fs::create_dir_all(&self.root)?;

        for files in repository::list_files(&[])?.chunks(FILES_AT_ONCE) {
            let mut copy = Command::new("cp");
            copy.args(["--archive", "--parents", "--target-directory"]);
            copy.arg(&self.root).arg("--").args(files);
            process::run(&mut copy)?;
        }
        Ok(())
    }

    fn link_installed(&self) -> Result<()> {
        for name in INSTALLED {
            let (here, there) = (std::path::absolute(name)?, self.root.join(name));
            if here.exists() && !there.exists() {
                std::os::unix::fs::symlink(&here, &there)
                    .with_context(|| format!("link {name}"))?;
            }
        }
        Ok(())
    }

    /// What an interrupted run had changed is built anew, whichever mutant it was at.
    fn touch_changed(&self, mutants: &[Mutant]) -> Result<()> {
        for place in mutants.iter().flat_map(|mutant| &mutant.places) {
            let file = self.root.join(&place.file);
            std::fs::File::options()
                .write(true)
                .open(&file)
                .and_then(|file| file.set_modified(SystemTime::now()))
                .with_context(|| format!("touch {}", file.display()))?;
        }
        Ok(())
    }

    /// Dependencies need not be built twice: hard links to what is built. Our crates have names of their own there.
    fn share_build(&self, built: &Path) -> Result<()> {
        let here = self.target.join("debug");
        if !built.exists() || here.exists() {
            return Ok(());
        }

        let mut copy = Command::new("cp");
        process::run(copy.args(["--archive", "--link"]).arg(built).arg(&here))?;

        let incremental = here.join("incremental");
        if incremental.exists() {
            std::fs::remove_dir_all(incremental)?;
        }
        // Linked, builds here and there would wait for each other.
        let lock = here.join(".cargo-lock");
        if lock.exists() {
            std::fs::remove_file(lock)?;
        }
        Ok(())
    }

    /// Takes a protection out until the answer is dropped.
    pub fn take_out(&self, mutant: &Mutant) -> Result<TakenOut> {
        let mut taken_out = TakenOut(BTreeMap::new());
        for place in &mutant.places {
            let file = self.root.join(&place.file);
            let source = read_source(&file)?;
            let found = places::find(&source, &place.text);
            let there = found.into_iter().next().context("a text is not there")?;

            std::fs::write(&file, places::replace(&source, there, &place.replacement))?;
            taken_out.0.entry(file).or_insert(source);
        }
        Ok(taken_out)
    }
}

/// Sources as they were, put back when dropped.
#[derive(Debug)]
pub struct TakenOut(BTreeMap<PathBuf, String>);

impl Drop for TakenOut {
    fn drop(&mut self) {
        for (file, original) in &self.0 {
            if let Err(error) = std::fs::write(file, original) {
                eprintln!("error: put {} back: {error}", file.display());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::list::Place;
    use super::*;

    fn place(text: &str, replacement: &str) -> Place {
        Place {
            file: PathBuf::from("a.rs"),
            text: text.to_owned(),
            replacement: replacement.to_owned(),
        }
    }

    #[test]
    fn a_protection_is_gone_until_it_is_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree {
            target: folder.path().to_owned(),
            root: folder.path().to_owned(),
        };
        let mutant = Mutant {
            name: "a".to_owned(),
            tests: Vec::new(),
            places: vec![place("check()?;", ""), place("other()?;", "other().ok();")],
        };
        let file = folder.path().join("a.rs");
        let read = || std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, "check()?; other()?;").unwrap();

        let taken_out = tree.take_out(&mutant).unwrap();
        assert_eq!(read(), " other().ok();");
        drop(taken_out);
        assert_eq!(read(), "check()?; other()?;");
    }
}
