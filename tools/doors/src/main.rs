//! `doors`: walks through every door of a running network.

use clap::Parser;
use doors::{Plan, Through};
use std::path::PathBuf;
use std::process::ExitCode;

/// Walks through every door of a running `hotpot up` network as its users do. Exit 1 when one is not as written.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    /// The network's folder.
    #[arg(long, value_name = "DIR", default_value = ".hotpot")]
    data_dir: PathBuf,
    /// The gateway's doors or a node's; both, one after the other, without it.
    #[arg(long)]
    through: Option<Through>,
    /// The program that signs.
    #[arg(long, value_name = "FILE")]
    hotpot: PathBuf,
}

fn main() -> ExitCode {
    let Cli {
        data_dir,
        through,
        hotpot,
    } = Cli::parse();
    let through = through.map_or_else(|| Through::ALL.to_vec(), |one| vec![one]);

    match doors::run(&Plan {
        data_dir,
        hotpot,
        through,
    }) {
        Ok(verdict) if verdict.wrong == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
