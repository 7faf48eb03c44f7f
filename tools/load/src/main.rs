//! `load`: sends sales to a local network at intended times, measures, and checks that nothing is lost.

mod check;
mod cli;
mod cometbft;
mod http;
mod journal;
mod network;
mod outlets;
mod report;
mod run;
mod sales;
mod send;
mod signatures;
mod store;

use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match cli::Cli::parse().command {
        cli::Command::Sales(args) => run::run(&args).await,
        cli::Command::Check(args) => check::run(&args).await,
        cli::Command::Signatures => signatures::run(),
        cli::Command::Store(args) => store::run(&args),
        cli::Command::Cometbft(args) => cometbft::run(&args).await,
    };

    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}
