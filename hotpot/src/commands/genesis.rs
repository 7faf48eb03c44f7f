//! `hotpot genesis`.

use crate::cli::GenesisArgs;
use crate::keys::{Keys, refuse_public_chain};
use crate::up::setup::{Layout, genesis};
use anyhow::Result;
use std::process::ExitCode;

/// Makes keys and genesis of a local network as far as they are missing; prints the sidechain id.
pub fn run(args: &GenesisArgs) -> Result<ExitCode> {
    refuse_public_chain(args.evm_chain_id)?;
    let layout = Layout::open(&args.data_dir)?;
    let keys = Keys::open_or_create(&layout.dir)?;
    let genesis = genesis(&layout, &keys, &args.network, args.evm_chain_id)?;
    println!("{}", genesis.sidechain_id());
    Ok(ExitCode::SUCCESS)
}
