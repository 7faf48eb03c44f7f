//! `xtask text`: how our Rust reads, in figures. What is counted stands beside each figure in [`report`].

mod measure;
mod report;

use anyhow::{Context, Result, ensure};
use clap::Args;
use measure::{Function, Measured};
use report::Figures;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Options of `xtask text`.
#[derive(Debug, Args)]
pub struct TextArgs {
    /// Only files below this folder of the repository.
    #[arg(default_value = "")]
    folder: String,
    /// Name so many functions that are long and have neither blank line nor comment, the longest first.
    #[arg(long, default_value_t = 0, value_name = "N")]
    worst: usize,
}

/// Counts, prints the table, and says whether every goal is reached.
pub fn run(args: &TextArgs) -> Result<ExitCode> {
    let mut all = Measured::default();
    for file in rust_files(&args.folder)? {
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        let measured = measure::measure(&file, &text)
            .with_context(|| format!("{} is not Rust", file.display()))?;
        all.extend(measured);
    }
    ensure!(!all.functions.is_empty(), "no function was found");

    let figures = Figures::of(&all);
    println!("{}", figures.table());
    name_worst(&mut all.functions, args.worst);

    if figures.reach_their_goals() {
        println!("text: every goal is reached");
        Ok(ExitCode::SUCCESS)
    } else {
        println!("text: a goal is missed");
        Ok(ExitCode::FAILURE)
    }
}

/// What git knows of, tests apart.
fn rust_files(folder: &str) -> Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--", "*.rs"])
        .output()
        .context("run git")?;
    ensure!(
        listed.status.success(),
        "git lists no files: is this the repository?"
    );

    let text = String::from_utf8(listed.stdout)?;
    let files = text.split_terminator('\0').map(Path::new);
    Ok(files
        .filter(|file| file.starts_with(folder) && !is_of_tests(file))
        .map(Path::to_owned)
        .collect())
}

fn is_of_tests(file: &Path) -> bool {
    let is_tests = |part: &std::ffi::OsStr| part == "tests" || part == "benches";
    file.iter().any(is_tests) || file.ends_with("tests.rs") || file.ends_with("byzantine.rs")
}

fn name_worst(functions: &mut Vec<Function>, count: usize) {
    functions.retain(Function::is_dense);
    functions.sort_by_key(|function| std::cmp::Reverse(function.lines));

    for function in functions.iter().take(count) {
        let Function {
            file,
            line,
            name,
            lines,
            ..
        } = function;
        println!("{lines:>4} lines  {}:{line}  {name}", file.display());
    }
}
