//! What is verified.

use clap::Args;
use domain::Address;
use std::path::PathBuf;

/// `hotpot verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// The network's folder, running or stopped; may be a copy at another place.
    #[arg(long, default_value = ".hotpot", conflicts_with_all = ["node", "blocks"])]
    pub data_dir: PathBuf,
    /// Without a folder: the nodes to compare. Repeatable.
    #[arg(long, value_name = "URL", conflicts_with = "blocks")]
    pub node: Vec<String>,
    /// Without a folder: blocks that `hotpot export blocks` wrote.
    #[arg(long, value_name = "FILE")]
    pub blocks: Option<PathBuf>,
    /// Ask this EVM node. Needed without a folder, and when `hotpot up` ran with --evm-rpc and is stopped.
    #[arg(long, value_name = "URL")]
    pub evm_rpc: Option<String>,
    /// Without a folder: the token.
    #[arg(
        long,
        value_name = "ADDRESS",
        requires = "anchor",
        conflicts_with = "data_dir"
    )]
    pub token: Option<Address>,
    /// Without a folder: the anchor.
    #[arg(
        long,
        value_name = "ADDRESS",
        requires = "token",
        conflicts_with = "data_dir"
    )]
    pub anchor: Option<Address>,
    /// Without a folder: the indexer's `blockchain.start_block`.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 0,
        conflicts_with = "data_dir"
    )]
    pub start_block: u64,
    /// Holds the URL of the database to check.
    #[arg(long, value_name = "FILE")]
    pub database_url_file: Option<PathBuf>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}
