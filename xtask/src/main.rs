//! `cargo xtask …`: work on the repository itself.

mod check;
mod codegen;
mod mutants;
mod process;
mod repository;
mod sqlx;
mod tables;
mod text;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Work on the repository that wants Rust rather than Bash.
#[derive(Debug, Parser)]
#[command(
    about,
    after_help = "Exit code 1 when something is not as it has to be."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What one runs before a commit: format, text, tables, mutants, codegen, clippy; each with its time and verdict.
    Check(check::CheckArgs),
    /// Makes what is generated from the code and committed: docs/openapi.json and the contracts' ABI.
    Codegen(codegen::CodegenArgs),
    /// Takes the sidechain's protections out one by one, in a copy, and expects the tests about each to fail.
    Mutants(mutants::MutantsArgs),
    /// Refreshes .sqlx/, against which queries are checked when no database is at hand.
    Sqlx(sqlx::SqlxArgs),
    /// Makes the tables of the documentation that are made from code.
    Tables(tables::TablesArgs),
    /// How our Rust reads, in figures, tests apart. Exit code 1 when a goal is missed.
    Text(text::TextArgs),
}

impl Command {
    fn run(&self) -> Result<bool> {
        match self {
            Self::Check(args) => check::run(args),
            Self::Codegen(args) => codegen::run(args),
            Self::Mutants(args) => mutants::run(args),
            Self::Sqlx(args) => sqlx::run(args),
            Self::Tables(args) => tables::run(args),
            Self::Text(args) => text::run(args),
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = repository::enter_root().and_then(|()| cli.command.run());

    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
