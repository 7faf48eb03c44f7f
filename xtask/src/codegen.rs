//! `xtask codegen`: what is made from the code and committed.

use crate::process;
use crate::repository::{self, Target};
use anyhow::{Context, Result};
use clap::Args;
use std::path::Path;
use std::process::Command;

/// The description of the API, as `hotpot openapi` prints it.
const DOCUMENT: &str = "docs/openapi.json";
/// Foundry, as npm installs it.
const FORGE: &str = "contracts/node_modules/.bin/forge";

/// What `xtask codegen` is told.
#[derive(Debug, Args)]
pub struct CodegenArgs {
    /// Write nothing: name what is stale, and fail then.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    target: Target,
}

impl CodegenArgs {
    /// Only compares.
    pub const fn checking(target: Target) -> Self {
        Self {
            check: true,
            target,
        }
    }
}

/// Writes or compares the description of the API and, where Foundry is installed, the contracts' ABI.
pub fn run(args: &CodegenArgs) -> Result<bool> {
    let document_is_good = describe_api(args)?;
    let abi_is_good = export_abi(args)?;
    Ok(document_is_good && abi_is_good)
}

/// The example is made of `api-types` alone, so nobody waits for the whole program; selected with the whole workspace,
/// nothing is built a second time for it.
fn describe_api(args: &CodegenArgs) -> Result<bool> {
    let example = ["--workspace", "--example", "openapi"];
    process::run(
        Command::new("cargo")
            .args(["build", "--quiet", "--target-dir"])
            .arg(args.target.folder()?)
            .args(example),
    )?;
    let made = process::read(&mut Command::new(args.target.built("examples/openapi")?))?;

    if !args.check {
        if repository::write_changed(Path::new(DOCUMENT), &made)? {
            println!("wrote {DOCUMENT}");
        }
        return Ok(true);
    }

    let committed =
        std::fs::read_to_string(DOCUMENT).with_context(|| format!("read {DOCUMENT}"))?;
    if committed != made {
        eprintln!("{DOCUMENT} is stale: run cargo xtask codegen");
    }
    Ok(committed == made)
}

/// `contracts/bin/export-abi` names what is stale.
fn export_abi(args: &CodegenArgs) -> Result<bool> {
    if !Path::new(FORGE).exists() {
        eprintln!("SKIPPED: contracts/abi; Foundry is not here (scripts/setup)");
        return Ok(true);
    }

    let mut forge = Command::new(FORGE);
    process::run(forge.arg("build").env("FOUNDRY_OFFLINE", "true"))?;

    let mut export = Command::new("contracts/bin/export-abi");
    process::succeeds(export.args(args.check.then_some("--check")))
}
