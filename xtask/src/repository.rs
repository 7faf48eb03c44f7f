//! The folder that is worked on, and what git knows of it.

use crate::process;
use anyhow::{Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where cargo builds.
#[derive(Clone, Debug, Default, Args)]
pub struct Target {
    /// Where cargo builds.
    #[arg(
        long = "target-dir",
        env = "CARGO_TARGET_DIR",
        default_value = "target",
        value_name = "FOLDER"
    )]
    folder: PathBuf,
}

impl Target {
    /// The folder, absolute: programs are started elsewhere too.
    pub fn folder(&self) -> Result<PathBuf> {
        std::path::absolute(&self.folder).context("find the target folder")
    }

    /// A program that is built there with the profile `dev`.
    pub fn built(&self, program: &str) -> Result<PathBuf> {
        Ok(self.folder()?.join("debug").join(program))
    }
}

/// Makes the repository's root the working folder, so that every path counts from there.
pub fn enter_root() -> Result<()> {
    let root = run_git(&["rev-parse", "--show-toplevel"]).context("find the repository's root")?;
    std::env::set_current_dir(root.trim_end()).context("enter the repository's root")
}

/// The files that git knows and that fit the patterns, from the root.
pub fn list_files(patterns: &[&str]) -> Result<Vec<PathBuf>> {
    let listed = run_git(&[&["ls-files", "-z", "--"], patterns].concat())?;
    let files = listed.split_terminator('\0').map(PathBuf::from);
    Ok(files.collect())
}

/// Of those, the ones with a line that the extended regular expression fits.
pub fn list_files_with(expression: &str, pattern: &str) -> Result<Vec<PathBuf>> {
    let listed = run_git(&[
        "grep",
        "--files-with-matches",
        "--extended-regexp",
        "-z",
        expression,
        "--",
        pattern,
    ])?;
    let files = listed.split_terminator('\0').map(PathBuf::from);
    Ok(files.collect())
}

/// Writes a file unless it says the same already; whether it did. What is not written is not built again.
pub fn write_changed(file: &Path, text: &str) -> Result<bool> {
    if std::fs::read_to_string(file).is_ok_and(|found| found == text) {
        return Ok(false);
    }
    std::fs::write(file, text).with_context(|| format!("write {}", file.display()))?;
    Ok(true)
}

fn run_git(arguments: &[&str]) -> Result<String> {
    process::read(Command::new("git").args(arguments))
}
