//! Arguments of `hotpot import`, and what is done in which order: read, show, ask, send.

use crate::import::inspect::{InspectArgs, inspect_file};
use crate::import::local;
use crate::import::run::{Look, Source, look_at, send_orders};
use crate::import::show;
use crate::import::till;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use domain::B256;
use import::{Map, Preview, Progress, Signed, Standing, compare_with_network, sign_all};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const EXAMPLES: &str = "Examples:
  hotpot import inspect orders.csv                       what stands in a file, and a map for it
  hotpot import orders.csv --map orders.toml --dry-run   all that an import would do; writes and sends nothing
  hotpot import orders.csv --map orders.toml             into the network that runs in .hotpot
  hotpot import orders.csv --map orders.toml --keystore till.json --node https://node.example
                                                         with an outlet's own till, into a network elsewhere

Exit code 0: all orders stand; 1: some were refused, which are listed.
A second import of the same file finds every sale known and changes nothing: what was interrupted is simply run again.";

/// Arguments of `hotpot import`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = EXAMPLES)]
pub struct ImportArgs {
    /// Look at a file instead.
    #[command(subcommand)]
    pub command: Option<ImportCommand>,
    /// What is imported, and into what.
    #[command(flatten)]
    pub orders: Option<OrdersArgs>,
}

/// `hotpot import …`.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// Show what stands in a file: encoding, columns, a map for it, and what an import under that map would do.
    Inspect(InspectArgs),
}

/// What is imported, and into what.
#[derive(Clone, Debug, Args)]
pub struct OrdersArgs {
    /// CSV or any text with separators, JSON lines, or a JSON array; the format follows from the name's ending.
    pub file: PathBuf,
    /// TOML file that says what the columns mean; see docs/IMPORT.md.
    #[arg(long, value_name = "FILE")]
    pub map: PathBuf,
    /// The folder of the running network: its keys sign.
    #[arg(long, default_value = ".hotpot", conflicts_with = "keystore")]
    pub data_dir: PathBuf,
    /// Sign with this till's key instead; no other key is needed.
    #[arg(long, value_name = "FILE", requires = "node")]
    pub keystore: Option<PathBuf>,
    /// Holds the key file's password; default: a file `passphrase` beside it, else you are asked.
    #[arg(long, value_name = "FILE", requires = "keystore")]
    pub password_file: Option<PathBuf>,
    /// With --keystore: where sales are sent. Repeatable; all must be of one network.
    #[arg(long, value_name = "URL", requires = "keystore")]
    pub node: Vec<String>,
    /// With --keystore: sign for this sidechain only.
    #[arg(long, value_name = "HASH", requires = "keystore")]
    pub sidechain_id: Option<B256>,
    /// With --keystore: where made times and refused orders are kept. Default: FILE.import beside the file.
    #[arg(long, value_name = "DIR", requires = "keystore")]
    pub state_dir: Option<PathBuf>,
    /// Send nothing if a single order is bad.
    #[arg(long)]
    pub strict: bool,
    /// At most this many sales a second, such as 20/s.
    #[arg(long, value_name = "N/s", value_parser = parse_rate)]
    pub rate: Option<u32>,
    /// Read, check and sign, but write and send nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: print each signed sale as a line of JSON, ready for POST /api/v1/sales, then each refund, ready
    /// for POST /api/v1/transactions.
    #[arg(long, requires = "dry_run")]
    pub print_signed: bool,
    /// With --dry-run: write all refusals to this file, a JSON object a line.
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    pub refusals: Option<PathBuf>,
    /// Do not ask before sending.
    #[arg(long, short)]
    pub yes: bool,
    /// The summary as one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Runs what was typed; exit code 1 if an order was refused.
pub async fn run(args: ImportArgs) -> Result<ExitCode> {
    match (args.command, args.orders) {
        (Some(ImportCommand::Inspect(args)), _) => inspect_file(&args),
        (None, Some(args)) => import_orders(args).await,
        (None, None) => bail!("name a file and its --map; see hotpot import --help"),
    }
}

async fn import_orders(args: OrdersArgs) -> Result<ExitCode> {
    let map = Map::read(&args.map)?;
    let source = match &args.keystore {
        Some(_) => till::open(&args, &map).await?,
        None => local::open(&args, &map)?,
    };

    let progress = Arc::new(Progress::default());
    let bar = tokio::spawn(show_reading(Arc::clone(&progress)));
    let look = look_at(&args.file, map, &source, &progress).await;
    bar.abort();
    let look = look?;
    show::show_look(&look);

    if args.dry_run {
        return finish_dry_run(&args, &look, &source).await;
    }
    if args.strict && look.preview.rejected > 0 {
        bail!(
            "{} orders are bad, nothing is sent (--strict)",
            look.preview.rejected
        );
    }
    if !is_confirmed(&args, &look)? {
        eprintln!("nothing was sent");
        return Ok(ExitCode::FAILURE);
    }

    send_and_report(&args, &look, &source, &progress).await
}

/// A person at a terminal is asked; a script was asked when it was written.
fn is_confirmed(args: &OrdersArgs, look: &Look) -> Result<bool> {
    let is_person = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if args.yes || !is_person {
        return Ok(true);
    }

    eprint!("Send {} sales? [y/N] ", look.preview.sales);
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

async fn send_and_report(
    args: &OrdersArgs,
    look: &Look,
    source: &Source,
    progress: &Arc<Progress>,
) -> Result<ExitCode> {
    let bar = tokio::spawn(show_sending(Arc::clone(progress)));
    let report = send_orders(look, source, progress).await;
    bar.abort();
    let report = report?;

    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{} new, {} known already, {} rejected",
            report.new, report.known, report.rejected
        );
    }

    let Some(file) = &report.rejected_file else {
        return Ok(ExitCode::SUCCESS);
    };
    eprintln!("rejected orders are listed in {}", file.display());
    Ok(ExitCode::FAILURE)
}

/// With `--print-signed` what is signed, else what the network has of it already.
async fn finish_dry_run(args: &OrdersArgs, look: &Look, source: &Source) -> Result<ExitCode> {
    if let Some(file) = &args.refusals {
        write_refusals(look, file).with_context(|| format!("write {}", file.display()))?;
        eprintln!("all refusals are listed in {}", file.display());
    }
    let mut standing = Standing::default();
    if args.print_signed {
        print_signed(look, source)?;
    } else if let Some(found) = ask_network(look, source).await? {
        show::show_standing(&found);
        standing = found;
    } else {
        eprintln!("no node answers: what the network has of it already is not known");
    }

    let (good, bad) = (look.preview.sales, look.preview.rejected);
    eprintln!("{good} orders are good, {bad} are bad; nothing was sent");
    let late = look.preview.foreseen.saturating_sub(standing.known);
    let is_good = bad == 0 && late == 0 && standing.conflicts == 0;
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn print_signed(look: &Look, source: &Source) -> Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for pass in look.passes() {
        sign_all(&look.plan, &source.signer, &look.times, *pass, |item| {
            let written = match item {
                Ok(Signed::Sale(_, sale)) => serde_json::to_writer(&mut out, &sale),
                Ok(Signed::Return(_, refund)) => serde_json::to_writer(&mut out, &refund),
                Err(_) => return Ok(()),
            };
            written.map_err(std::io::Error::from)?;
            out.write_all(b"\n")?;
            Ok(())
        })?;
    }
    out.flush()?;
    Ok(())
}

/// Reads the file once more, since no more than the first refusals are kept.
fn write_refusals(look: &Look, file: &Path) -> Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    let now_ms = service_kit::clock::now_ms();
    Preview::read_each(&look.plan, &look.times, now_ms, |rejected| {
        serde_json::to_writer(&mut out, rejected)?;
        out.write_all(b"\n")
    })?;
    out.flush()?;
    Ok(())
}

/// What the furthest node has of the sales; none if no node answers.
async fn ask_network(look: &Look, source: &Source) -> Result<Option<Standing>> {
    let Some(node) = client::furthest_node(&source.destination.nodes).await else {
        return Ok(None);
    };
    let standing = compare_with_network(&look.plan, &source.signer, &look.times, &node).await?;
    Ok(Some(standing))
}

const LOOK_PAUSE: Duration = Duration::from_millis(100);

async fn show_reading(progress: Arc<Progress>) {
    let bar = ProgressBar::new_spinner();
    loop {
        bar.set_message(format!("{} rows read", count(&progress.rows)));
        bar.tick();
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

async fn show_sending(progress: Arc<Progress>) {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} sales  {per_sec}  {eta}")
    {
        bar.set_style(style);
    }
    loop {
        bar.set_length(count(&progress.total));
        bar.set_position(count(&progress.new) + count(&progress.known) + count(&progress.rejected));
        tokio::time::sleep(LOOK_PAUSE).await;
    }
}

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Reads sales a second, such as `20/s`.
pub fn parse_rate(text: &str) -> Result<u32, String> {
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
    use super::parse_rate;

    #[test]
    fn rates_are_read_with_and_without_their_unit() {
        assert_eq!(parse_rate("20/s"), Ok(20));
        assert_eq!(parse_rate("7"), Ok(7));
        for wrong in ["0/s", "20/m", "-1"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }
}
