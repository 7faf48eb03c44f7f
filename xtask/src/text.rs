//! `xtask text`: how our Rust reads, in figures. What is counted stands beside each figure in [`report`].

mod measure;
mod report;

use crate::repository;
use anyhow::{Context, Result, ensure};
use clap::Args;
use measure::{Function, Measured};
use report::Figures;
use std::path::{Path, PathBuf};

/// What is looked at.
#[derive(Debug, Default, Args)]
pub struct TextArgs {
    /// Only files below this folder of the repository.
    #[arg(default_value = "")]
    folder: String,
    /// Name so many functions that are long and have neither blank line nor comment, the longest first.
    #[arg(long, default_value_t = 0, value_name = "N")]
    worst: usize,
}

/// Counts, prints the table, and says whether every goal is reached.
pub fn run(args: &TextArgs) -> Result<bool> {
    let mut all = measure_files(&args.folder)?;
    let figures = Figures::of(&all);
    println!("{}", figures.table());
    name_worst(&mut all.functions, args.worst);

    let missed = figures.count_missed_goals();
    println!("text: goals that are missed: {missed}");
    Ok(missed == 0)
}

fn measure_files(folder: &str) -> Result<Measured> {
    let mut all = Measured::default();
    for file in rust_files(folder)? {
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        let measured = measure::measure(&file, &text)
            .with_context(|| format!("{} is not Rust", file.display()))?;
        all.extend(measured);
    }

    ensure!(!all.functions.is_empty(), "no function was found");
    Ok(all)
}

/// The goals as a table of Markdown, for the documentation.
pub fn table() -> Result<String> {
    Ok(Figures::of(&Measured::default()).goals())
}

/// What git knows of, tests apart.
fn rust_files(folder: &str) -> Result<Vec<PathBuf>> {
    let files = repository::list_files(&["*.rs"])?;
    Ok(files
        .into_iter()
        .filter(|file| file.starts_with(folder) && !is_of_tests(file))
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
