//! `video-agent`: the process at an outlet.

use clap::{Args, Parser, Subcommand};
use service_kit::config::{Sources, load};
use service_kit::{shutdown, telemetry};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use video_agent::{Config, MeasureArgs, NoVault};

#[derive(Parser)]
#[command(version, about = "Anonymises an outlet's cameras, records and streams them while consent is in force")]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    sources: Sources,
}

#[derive(Subcommand)]
enum Command {
    /// Anonymise a film and write down what was hidden.
    Measure(Measure),
}

#[derive(Args)]
struct Measure {
    #[command(flatten)]
    args: MeasureArgs,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("video-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    telemetry::init_logs("info");
    if let Some(Command::Measure(Measure { args })) = cli.command {
        println!("{}", video_agent::measure(&args)?);
        return Ok(());
    }
    let config = load(&Config::default(), &cli.sources)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(async {
        let stop = shutdown::token(cli.sources.stop_on_stdin_close)?;
        video_agent::run(config, Arc::new(NoVault), stop).await
    });
    // A thread that hangs in a camera's driver must not keep the process alive.
    runtime.shutdown_timeout(Duration::from_millis(500));
    result
}
