//! `hotpot genesis`: keys and genesis of a local network, without starting it.

use anyhow::Result;
use clap::Args;
use local_network::external::LOCAL_CHAIN_ID;
use local_network::genesis::{NewNetworkArgs, open_or_create};
use local_network::{Keys, Layout, refuse_public_chain};
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments of `hotpot genesis`.
#[derive(Clone, Debug, Args)]
pub struct GenesisArgs {
    /// Where genesis.json and keys/ go; what is there already stays.
    #[arg(long, default_value = ".hotpot")]
    pub data_dir: PathBuf,
    /// The EVM chain that the network belongs to. It must not be a public one.
    #[arg(long, value_name = "ID", default_value_t = LOCAL_CHAIN_ID)]
    pub evm_chain_id: u64,
    /// What a new network is like.
    #[command(flatten)]
    pub network: NewNetworkArgs,
}

/// Makes keys and genesis of a local network as far as they are missing; prints the sidechain id.
pub fn run(args: &GenesisArgs) -> Result<ExitCode> {
    refuse_public_chain(args.evm_chain_id)?;
    let layout = Layout::open(&args.data_dir)?;
    let keys = Keys::open_or_create(&layout.dir)?;
    let genesis = open_or_create(&layout, &keys, &args.network, args.evm_chain_id)?;
    println!("{}", genesis.sidechain_id());
    Ok(ExitCode::SUCCESS)
}
