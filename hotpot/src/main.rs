//! `hotpot`: the command line and the all-in-one local network.

mod cli;
mod commands;
mod import;

use clap::Parser;
use std::process::ExitCode;

/// A validator allocates from many threads all the time: a tenth of its time was in glibc's allocator and copies.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli::run(cli) {
        Ok(code) => code,
        Err(error) => {
            // An address may hold a provider's key, and this line may be kept by whoever started us.
            eprintln!("hotpot: {}", service_kit::scrub_text(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}
