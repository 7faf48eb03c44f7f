//! Prints `docs/openapi.json`, as `hotpot openapi` does: for `xtask codegen`, which need not wait for the whole program.

use std::error::Error;
use std::io::Write;

fn main() -> Result<(), Box<dyn Error>> {
    let document = api_types::openapi().to_pretty_json()?;
    writeln!(std::io::stdout(), "{document}")?;
    Ok(())
}
