//! `hotpot openapi`: the description of the gateway's API, on standard output.

use anyhow::{Context, Result};
use std::io::Write;
use std::process::ExitCode;

/// Prints the document as it lies in `docs/openapi.json`.
pub fn run() -> Result<ExitCode> {
    let document = api_types::openapi().to_pretty_json()?;

    writeln!(std::io::stdout(), "{document}").context("write to standard output")?;
    Ok(ExitCode::SUCCESS)
}
