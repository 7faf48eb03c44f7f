//! `hotpot import`: orders of another system as signed sales of a running network.

use crate::import::map::Map;
use crate::import::run::{Progress, Target, import_file, read_orders, sign_orders};
use anyhow::Result;
use clap::Args;
use client::NodeClient;
use indicatif::{ProgressBar, ProgressStyle};
use local_network::{Keys, NetworkFile};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Arguments of `hotpot import`.
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
    #[arg(long, value_name = "N/s", value_parser = parse_rate)]
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

/// Runs what was typed; exit code 1 if an order was refused.
pub async fn run(args: ImportArgs) -> Result<ExitCode> {
    let map = Map::read(&args.map)?;
    let target = Target {
        nodes: if args.dry_run {
            Vec::new()
        } else {
            read_nodes(&args)?
        },
        genesis: local_network::genesis::read(&args.data_dir.join("genesis.json"))?,
        data_dir: args.data_dir.clone(),
        rate: args.rate,
    };
    let keys = Keys::open(&args.data_dir)?;

    if args.dry_run {
        return dry_run(&args, &target, &keys, &map);
    }

    let progress = Arc::new(Progress::default());
    let bar = tokio::spawn(show_progress(Arc::clone(&progress)));
    let report = import_file(&target, &keys, &args.file, &map, args.strict, &progress).await;
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

fn read_nodes(args: &ImportArgs) -> Result<Vec<NodeClient>> {
    let network = NetworkFile::read(&args.data_dir)?;
    Ok(network
        .nodes
        .iter()
        .map(|node| NodeClient::new(&node.http))
        .collect())
}

fn dry_run(args: &ImportArgs, target: &Target, keys: &Keys, map: &Map) -> Result<ExitCode> {
    let orders = read_orders(&args.file, map, args.strict)?;
    let signed = sign_orders(target, keys, map, &orders.good)?;

    if args.print_signed {
        for (_, sale) in &signed {
            println!("{}", serde_json::to_string(sale)?);
        }
    }

    eprintln!(
        "{} orders are good, {} are bad; nothing was sent",
        signed.len(),
        orders.rejected.len()
    );
    for bad in &orders.rejected {
        let order = bad.order.as_deref().unwrap_or("?");
        let line = bad.line.unwrap_or(0);
        eprintln!(
            "line {line}, order {order}, {}: found {:?}, allowed: {}",
            bad.field, bad.found, bad.allowed
        );
    }

    Ok(if orders.rejected.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn show_progress(progress: Arc<Progress>) {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} sales  {per_sec}  {eta}")
    {
        bar.set_style(style);
    }
    loop {
        let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        bar.set_length(count(&progress.total));
        bar.set_position(count(&progress.new) + count(&progress.known) + count(&progress.rejected));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
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
