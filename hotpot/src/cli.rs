//! What may be typed.

use crate::commands::WalletCommand;
use crate::up::services::LOCAL_CHAIN_ID;
use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::Address;
use service_kit::config::Sources;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The Hot Pot Spot: a franchise's sales on a chain of its own, anchored on an EVM chain.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole system on this machine: validators, contracts, relayer, indexer, PostgreSQL, anvil.
    Up(UpArgs),
    /// Make the keys and the genesis of a local network, and start nothing.
    Genesis(GenesisArgs),
    /// Turn the orders of another system into signed sales of a running network.
    Import(ImportArgs),
    /// Write what a node holds to a file.
    #[command(subcommand)]
    Export(ExportCommand),
    /// Check everything that a network holds: blocks and all copies of them, contracts, every row of the database.
    ///
    /// Exit code 0: all agree; 1: something differs, one line each; 2: it could not be checked.
    Verify(VerifyArgs),
    /// Check the proof of one sale, from the terminal's signature to the contract.
    ///
    /// Exit code 0: proved; 1: a step does not hold; 2: it could not be checked; 3: not compared with the contract.
    VerifySale(VerifySaleArgs),
    /// Bring a database to the schema of this version, or see how far it is.
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Print what the gateway's HTTP API takes and answers, as an OpenAPI 3.1 document.
    Openapi,
    /// Keys: make, back up, derive, sign, claim. See docs/WALLET.md.
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Run one validator, or without its key a node that only follows; `hotpot node status` looks at running ones.
    Node(NodeArgs),
    /// Run the relayer: checkpoints and payouts to the EVM chain.
    Relayer(Sources),
    /// Run the indexer: both chains into PostgreSQL.
    Indexer(Sources),
    /// Run the gateway: the web page and the public API.
    Gateway(Sources),
}

/// `hotpot node`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct NodeArgs {
    /// What to do; without it the node runs.
    #[command(subcommand)]
    pub command: Option<NodeCommand>,
    /// Its configuration.
    #[command(flatten)]
    pub sources: Sources,
}

/// `hotpot node …`.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Show how nodes are: ready or why not, height, power, signatures, mempool, epochs.
    ///
    /// Exit code 0: all are ready; 1: one is not, or does not answer.
    Status(NodeStatusArgs),
}

/// `hotpot node status`.
#[derive(Clone, Debug, Args)]
pub struct NodeStatusArgs {
    /// The folder of a network that `hotpot up` runs: all its nodes.
    #[arg(long, default_value = ".hotpot", conflicts_with = "node")]
    pub data_dir: PathBuf,
    /// Ask these nodes instead. Repeatable.
    #[arg(long, value_name = "URL")]
    pub node: Vec<String>,
    /// Look again every second, until Ctrl-C.
    #[arg(long)]
    pub watch: bool,
    /// One JSON object a look on standard output.
    #[arg(long)]
    pub json: bool,
}

/// `hotpot up`.
#[derive(Clone, Debug, Args)]
pub struct UpArgs {
    /// Holds everything of this network; a second `up` on it continues.
    #[arg(long, default_value = ".hotpot")]
    pub data_dir: PathBuf,
    /// What a new network is like.
    #[command(flatten)]
    pub network: NewNetworkArgs,
    /// Register so many validators for election, each with an outlet of its own in another city.
    /// The first of them are the --validators of genesis.
    #[arg(long, value_parser = clap::value_parser!(u32).range(4..=16), requires = "election_epochs")]
    pub candidates: Option<u32>,
    /// Validators copy their state for the next start at every height that this divides; 0 never.
    #[arg(long, default_value_t = 5000)]
    pub snapshot_blocks: u64,
    /// Validators forget blocks older than so many, as far as a start and the next checkpoint allow; 0 keeps all.
    #[arg(long, default_value_t = 0)]
    pub keep_blocks: u64,
    /// Run a video agent at one outlet, with a kitchen and a table camera that play this film again and again, or a
    /// test picture. The owner's legal basis and a guest's consent are recorded with keys of this folder.
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    pub with_video: Option<Option<PathBuf>>,
    /// Use this EVM node rather than starting anvil. It must not be of a public chain.
    #[arg(long, value_name = "URL")]
    pub evm_rpc: Option<String>,
    /// Where recordings are kept: a Kubo node (the URL of its RPC); `own`: one that is started here; `built-in`, as
    /// without this: a block store with the same CIDs.
    #[arg(long, value_name = "URL")]
    pub ipfs: Option<String>,
    /// Use this PostgreSQL database rather than starting a cluster.
    #[arg(long, value_name = "URL", conflicts_with = "database_url_file")]
    pub database_url: Option<String>,
    /// The same, read from a file, so that it appears in no process list.
    #[arg(long, value_name = "FILE")]
    pub database_url_file: Option<PathBuf>,
    /// An order file to import once the network runs; each needs its --map. Repeatable.
    #[arg(long, value_name = "FILE")]
    pub sales: Vec<PathBuf>,
    /// The map of the order file at the same place.
    #[arg(long, value_name = "FILE")]
    pub map: Vec<PathBuf>,
    /// Import at most this many sales a second, such as 20/s.
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<u32>,
    /// Stop once every sale is final, minted and indexed; check that all books agree; exit 0 if they do, else 1.
    #[arg(long)]
    pub exit_when_settled: bool,
    /// One JSON object a line on standard output; the last is the summary.
    #[arg(long)]
    pub json: bool,
    /// Where the gateway serves the web page and the public API (default 127.0.0.1:8080, or a free port with
    /// --free-ports). Only an address that you name here is reachable from other machines.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub http: Option<SocketAddr>,
    /// Validator i serves HTTP on this port + i.
    #[arg(long, default_value_t = 7000)]
    pub node_port: u16,
    /// Validator i speaks to the others on this port + i.
    #[arg(long, default_value_t = 7100)]
    pub p2p_port: u16,
    /// Health and metrics of the relayer.
    #[arg(long, default_value_t = 7200)]
    pub relayer_port: u16,
    /// Health and metrics of the indexer.
    #[arg(long, default_value_t = 7400)]
    pub indexer_port: u16,
    /// anvil's JSON-RPC.
    #[arg(long, default_value_t = 8545)]
    pub anvil_port: u16,
    /// Kubo's RPC.
    #[arg(long, default_value_t = 7500)]
    pub kubo_port: u16,
    /// Preview, health and metrics of the video agent.
    #[arg(long, default_value_t = 7600)]
    pub video_port: u16,
    /// The RTSP server that plays the film of --with-video.
    #[arg(long, default_value_t = 7650)]
    pub camera_port: u16,
    /// Milliseconds between anvil's blocks; what is eight blocks old is final.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(100..))]
    pub anvil_block_ms: u64,
    /// Take free ports instead; they are in network.json.
    #[arg(long)]
    pub free_ports: bool,
}

/// What is fixed when a network is made.
#[derive(Clone, Debug, Args)]
pub struct NewNetworkArgs {
    /// How many validators a new network gets (default 4).
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub validators: Option<u32>,
    /// Blocks in an epoch of a new network (default 32).
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub epoch_blocks: Option<u64>,
    /// Elect validators every so many epochs in a new network (default: never).
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub election_epochs: Option<u64>,
}

/// `hotpot genesis`.
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

/// `hotpot import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// CSV, TSV or JSON lines; the format follows from the name's ending.
    pub file: PathBuf,
    /// TOML file that says what the columns mean; see examples/.
    #[arg(long, value_name = "FILE")]
    pub map: PathBuf,
    /// The folder of the running network: its keys sign.
    #[arg(long, default_value = ".hotpot")]
    pub data_dir: PathBuf,
    /// Send nothing if a single order is bad.
    #[arg(long)]
    pub strict: bool,
    /// At most this many sales a second, such as 20/s.
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<u32>,
    /// Read, check and sign, but send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: print each signed sale as a line of JSON, ready for POST /api/v1/sales.
    #[arg(long, requires = "dry_run")]
    pub print_signed: bool,
    /// The summary as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// `hotpot export`.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Final blocks with their certificates, one JSON object a line, the genesis first, the checkpoints of these blocks
    /// with their signatures and payouts last. `scripts/replay` tells such a file again.
    Blocks(ExportBlocksArgs),
}

/// `hotpot export blocks`.
#[derive(Clone, Debug, Args)]
pub struct ExportBlocksArgs {
    /// The node to ask.
    #[arg(long, default_value = "http://127.0.0.1:7000", value_name = "URL")]
    pub node: String,
    /// Read this network's folder instead, running or stopped.
    #[arg(long, value_name = "DIR", conflicts_with = "node")]
    pub data_dir: Option<PathBuf>,
    /// First height.
    #[arg(long)]
    pub from: Option<u64>,
    /// Last height.
    #[arg(long)]
    pub to: Option<u64>,
    /// Where to write; standard output without it.
    #[arg(long, visible_alias = "out", value_name = "FILE")]
    pub output: Option<PathBuf>,
}

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

/// `hotpot verify-sale`.
#[derive(Clone, Debug, Args)]
pub struct VerifySaleArgs {
    /// The proof, as `GET /api/v1/sales/OUTLET/SALE_ID/proof` answers; `-` reads standard input.
    pub file: PathBuf,
    /// Ask this EVM node what the contracts keep.
    #[arg(long, value_name = "URL")]
    pub evm_rpc: Option<String>,
    /// The anchor that you know, from the documentation or a block explorer; without it the file's own is believed.
    #[arg(long, value_name = "ADDRESS")]
    pub anchor: Option<Address>,
    /// The token that you know.
    #[arg(long, value_name = "ADDRESS")]
    pub token: Option<Address>,
    /// At which block the contracts are asked.
    #[arg(long, value_enum, default_value_t = At::Latest)]
    pub at: At,
    /// One JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// A block of the EVM chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum At {
    /// The newest.
    Latest,
    /// The newest that no reorganisation can replace.
    Finalized,
}

/// `hotpot migrate`.
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Apply what is missing.
    Up(DatabaseArgs),
    /// Undo the newest migration. Every migration that can be undone says how; others refuse.
    Down(DatabaseArgs),
    /// Say what is applied and what is missing.
    Status(DatabaseArgs),
}

/// Which database.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// `postgres://…`
    #[arg(
        long,
        value_name = "URL",
        required_unless_present = "database_url_file"
    )]
    pub database_url: Option<String>,
    /// The same, read from a file, so that it appears in no process list.
    #[arg(long, value_name = "FILE", conflicts_with = "database_url")]
    pub database_url_file: Option<PathBuf>,
}

fn rate(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    let rate = number
        .parse()
        .ok()
        .filter(|rate| (1..=100_000).contains(rate));
    rate.ok_or_else(|| {
        format!("expected sales a second such as 20/s (1 to 100000), found {text:?}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn rates_are_read_with_and_without_their_unit() {
        assert_eq!(rate("20/s"), Ok(20));
        assert_eq!(rate("7"), Ok(7));
        assert!(rate("0/s").is_err() && rate("20/m").is_err() && rate("-1").is_err());
    }
}
