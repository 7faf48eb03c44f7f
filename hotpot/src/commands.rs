//! One function for each command.

mod export;
mod genesis;
mod import;
mod migrate;
mod node_status;
mod openapi;
mod verify;
mod verify_sale;
mod wallet;

use crate::cli::{Cli, Command, ExportCommand, NodeArgs, NodeCommand};
use crate::up;
use anyhow::{Context, Result};
use service_kit::config::{Sources, load};
use service_kit::{shutdown, telemetry};
use std::future::Future;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

pub use migrate::migrate_up;
pub use wallet::{WalletCommand, witnessed, write_salt};

/// Logs of a service: ours at info, the engine's network only when something is wrong.
const SERVICE_FILTER: &str = "info,arc_malachitebft_network=off,arc_malachitebft_discovery=off,libp2p=error,\
    arc_malachitebft_engine=warn,arc_malachitebft_core_consensus=warn,arc_malachitebft_sync=warn,informalsystems=warn";
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
            }) => node_status::run(&args).await,
            Command::Node(NodeArgs {
                command: None,
                sources,
            }) => service(&sources, &sidechain::NodeConfig::default(), sidechain::run).await,
            Command::Relayer(sources) => {
                service(&sources, &relayer::Config::default(), relayer::run).await
            }
            Command::Gateway(sources) => {
                service(&sources, &gateway::Config::default(), gateway::run).await
            }
            Command::Indexer(sources) => {
                service(&sources, &indexer::Config::default(), indexer::run).await
            }
            Command::Up(args) => {
                telemetry::init_logs(TOOL_FILTER);
                up::run(args, shutdown::token(false)?).await
            }
            Command::Genesis(args) => genesis::run(&args),
            Command::Import(args) => {
                telemetry::init_logs(TOOL_FILTER);
                import::run(args).await
            }
            Command::Export(ExportCommand::Blocks(args)) => export::blocks(args).await,
            Command::Verify(args) => verify::run(args).await,
            Command::VerifySale(args) => verify_sale::run(args).await,
            Command::Migrate(command) => migrate::run(command).await,
            Command::Openapi => openapi::run(),
            Command::Wallet(command) => wallet::run(command).await,
        }
    })
}

/// Runs a service until it is told to stop.
async fn service<C, F>(
    sources: &Sources,
    defaults: &C,
    run: impl FnOnce(C, CancellationToken) -> F,
) -> Result<ExitCode>
where
    C: serde::Serialize + serde::de::DeserializeOwned,
    F: Future<Output = Result<()>>,
{
    telemetry::init_logs(SERVICE_FILTER);
    let config = load(defaults, sources)?;
    let stop = shutdown::token(sources.stop_on_stdin_close)?;
    run(config, stop)
        .await
        .inspect_err(|error| tracing::error!(error = format!("{error:#}"), "stopped"))?;
    Ok(ExitCode::SUCCESS)
}
