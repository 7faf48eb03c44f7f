//! `video-agent`: the process at an outlet.

use clap::{Args, Parser, Subcommand};
use service_kit::config::{Loaded, Sources, load_config};
use service_kit::{shutdown, telemetry};
#[cfg(feature = "rtsp-camera")]
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use video_agent::{Config, MeasureArgs};

#[derive(Parser)]
#[command(
    version,
    about = "Anonymises an outlet's cameras, records and streams them while consent is in force"
)]
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
    /// Play a film as a camera on loopback.
    #[cfg(feature = "rtsp-camera")]
    #[command(hide = true)]
    RtspCamera(RtspCamera),
}

#[derive(Args)]
struct Measure {
    #[command(flatten)]
    args: MeasureArgs,
}

#[cfg(feature = "rtsp-camera")]
#[derive(Args)]
struct RtspCamera {
    /// The film to play: a local file.
    film: PathBuf,
    /// At `rtsp://127.0.0.1:PORT/kitchen` and `/table`.
    #[arg(long)]
    port: u16,
    /// Stop when standard input closes.
    #[arg(long)]
    stop_on_stdin_close: bool,
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
    match cli.command {
        Some(Command::Measure(Measure { args })) => {
            telemetry::init_logs("info");
            println!("{}", video_agent::measure(&args)?);
            Ok(())
        }
        #[cfg(feature = "rtsp-camera")]
        Some(Command::RtspCamera(RtspCamera {
            film,
            port,
            stop_on_stdin_close,
        })) => {
            telemetry::init_logs("info");
            until_stopped(stop_on_stdin_close, async |stop| {
                video_agent::rtsp_camera(&film, port, stop).await
            })
        }
        None => {
            let Loaded { config, log_level } = load_config(&Config::default(), &cli.sources)?;
            telemetry::init_logs(log_level.as_deref().unwrap_or("info"));
            until_stopped(cli.sources.stop_on_stdin_close, async |stop| {
                video_agent::run(config, stop).await
            })
            .inspect_err(|error| {
                tracing::error!(fatal = true, error = format!("{error:#}"), "stopped");
            })
        }
    }
}

fn until_stopped(
    on_stdin_close: bool,
    work: impl AsyncFnOnce(CancellationToken) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let result = runtime.block_on(async { work(shutdown::token(on_stdin_close)?).await });
    // A thread that hangs in a camera's driver must not keep the process alive.
    runtime.shutdown_timeout(Duration::from_millis(500));
    result
}
