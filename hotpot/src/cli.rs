//! What may be typed, and what runs then.

use crate::commands;
use crate::commands::genesis::GenesisArgs;
use crate::commands::migrate::MigrateCommand;
use crate::commands::node_status::NodeStatusArgs;
use crate::commands::up::UpArgs;
use crate::commands::wallet::WalletCommand;
use crate::import;
use crate::import::command::ImportArgs;
use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};
use service_kit::config::{Loaded, Sources, load_config};
use service_kit::telemetry::filter_at;
use service_kit::{shutdown, telemetry};
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;
use verify::{ExportCommand, VerifyArgs, VerifySaleArgs};

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

/// Arguments of `hotpot node`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct NodeArgs {
    /// What to do; without it the node runs.
    #[command(subcommand)]
    pub command: Option<NodeCommand>,
    /// Where the node's configuration comes from.
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

/// Logs of a service: ours at info, the engine's network only when something is wrong. Clients of HTTP never say more:
/// an address may hold a provider's key.
const SERVICE_FILTER: &str = "info,arc_malachitebft_network=off,arc_malachitebft_discovery=off,libp2p=error,\
    arc_malachitebft_engine=warn,arc_malachitebft_core_consensus=warn,arc_malachitebft_sync=warn,informalsystems=warn,\
    alloy_transport_http=warn,alloy_rpc_client=warn,reqwest=warn,hyper_util=warn";
/// Logs of a command that a person watches.
const TOOL_FILTER: &str = "warn";

/// Runs what was typed.
pub fn run(cli: Cli) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;

    runtime.block_on(async {
        match cli.command {
            Command::Node(NodeArgs {
                command: Some(NodeCommand::Status(args)),
                ..
            }) => commands::node_status::run(&args).await,
            Command::Node(NodeArgs {
                command: None,
                sources,
            }) => run_service(&sources, &sidechain::NodeConfig::default(), sidechain::run).await,
            Command::Relayer(sources) => {
                run_service(&sources, &relayer::Config::default(), relayer::run).await
            }
            Command::Gateway(sources) => {
                run_service(&sources, &gateway::Config::default(), gateway::run).await
            }
            Command::Indexer(sources) => {
                run_service(&sources, &indexer::Config::default(), indexer::run).await
            }
            Command::Up(args) => {
                telemetry::init_logs(TOOL_FILTER);
                commands::up::run(args, shutdown::token(false)?).await
            }
            Command::Genesis(args) => commands::genesis::run(&args),
            Command::Import(args) => {
                telemetry::init_logs(TOOL_FILTER);
                import::command::run(args).await
            }
            Command::Export(ExportCommand::Blocks(args)) => verify::export_blocks(args).await,
            Command::Verify(args) => verify::run_network(args).await,
            Command::VerifySale(args) => verify::run_sale(args).await,
            Command::Migrate(command) => commands::migrate::run(command).await,
            Command::Openapi => commands::openapi::run(),
            Command::Wallet(command) => commands::wallet::run(command).await,
        }
    })
}

/// Runs a service until it is told to stop.
async fn run_service<C, F>(
    sources: &Sources,
    defaults: &C,
    run: impl FnOnce(C, CancellationToken) -> F,
) -> Result<ExitCode>
where
    C: serde::Serialize + serde::de::DeserializeOwned,
    F: Future<Output = Result<()>>,
{
    let Loaded { config, log_level } = load_config(defaults, sources)?;
    telemetry::init_logs(&filter_at(log_level.as_deref(), SERVICE_FILTER));
    let stop = shutdown::token(sources.stop_on_stdin_close)?;

    run(config, stop).await.inspect_err(|error| {
        tracing::error!(fatal = true, error = format!("{error:#}"), "stopped")
    })?;
    Ok(ExitCode::SUCCESS)
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
