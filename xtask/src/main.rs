//! `cargo run --package xtask -- …`: work on the repository itself.

mod text;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Work on the repository that wants Rust rather than Bash.
#[derive(Debug, Parser)]
#[command(about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How our Rust reads, in figures, tests apart. Exit code 1 when a goal is missed.
    Text(text::TextArgs),
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Text(args) => text::run(&args),
    }
}
