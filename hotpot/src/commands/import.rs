//! `hotpot import`.

use crate::cli::ImportArgs;
use crate::import::map::Map;
use crate::import::run::{Progress, Target, import, read_orders, sign_orders};
use crate::keys::Keys;
use crate::up::network::NetworkFile;
use anyhow::Result;
use client::NodeClient;
use indicatif::{ProgressBar, ProgressStyle};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Runs what was typed; exit code 1 if an order was refused.
pub async fn run(args: ImportArgs) -> Result<ExitCode> {
    let map = Map::read(&args.map)?;
    let target = Target {
        nodes: if args.dry_run {
            Vec::new()
        } else {
            nodes(&args)?
        },
        genesis: sidechain::read_genesis(&args.data_dir.join("genesis.json"))?,
        data_dir: args.data_dir.clone(),
        rate: args.rate,
    };
    let keys = Keys::open(&args.data_dir)?;
    if args.dry_run {
        return dry_run(&args, &target, &keys, &map);
    }
    let progress = Arc::new(Progress::default());
    let bar = tokio::spawn(show(Arc::clone(&progress)));
    let report = import(&target, &keys, &args.file, &map, args.strict, &progress).await;
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

fn nodes(args: &ImportArgs) -> Result<Vec<NodeClient>> {
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

async fn show(progress: Arc<Progress>) {
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
