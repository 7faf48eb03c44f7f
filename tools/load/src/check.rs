//! Is every acknowledged sale at every node, with the content that was acknowledged?

use crate::cli::CheckArgs;
use crate::journal::{self, Entry};
use crate::network::Network;
use anyhow::{Result, bail};
use client::NodeClient;
use futures::{StreamExt, stream};
use serde::Serialize;
use std::time::Duration;
use tokio::time::Instant;

/// Questions at one time.
const IN_FLIGHT: usize = 64;
/// A question without an answer is asked again after this.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// Losses that are printed one by one.
const SHOWN_MAX: usize = 20;

/// A sale that a node does not have as it was acknowledged.
#[derive(Clone, Debug, Serialize)]
struct Loss {
    node: String,
    #[serde(flatten)]
    entry: Entry,
    found: String,
}

#[derive(Debug, Serialize)]
struct Outcome {
    acknowledged: usize,
    nodes: usize,
    lost: usize,
    losses: Vec<Loss>,
}

/// Asks every node for everything; true when nothing is lost.
pub async fn run(args: &CheckArgs) -> Result<bool> {
    let network = Network::read(&args.network)?;
    let entries = journal::read(&args.journal)?;
    if entries.is_empty() {
        bail!(
            "{} holds no acknowledged sale: there is nothing to check",
            args.journal.display()
        );
    }

    let deadline = Instant::now() + Duration::from_secs(args.patience);
    let mut losses = Vec::new();
    for node in &network.nodes {
        wait_for_height(
            node,
            entries.iter().map(|entry| entry.height).max().unwrap_or(0),
            deadline,
        )
        .await;
        losses.extend(missing_at(node, &entries, deadline).await);
    }

    let outcome = Outcome {
        acknowledged: entries.len(),
        nodes: network.nodes.len(),
        lost: losses.len(),
        losses,
    };

    print_outcome(args, &outcome)?;
    Ok(outcome.losses.is_empty())
}

/// A node that was away catches up first; one that does not in time is asked as it is.
async fn wait_for_height(node: &NodeClient, height: u64, deadline: Instant) {
    while Instant::now() < deadline {
        if node
            .status()
            .await
            .is_ok_and(|status| status.height >= height)
        {
            return;
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

async fn missing_at(node: &NodeClient, entries: &[Entry], deadline: Instant) -> Vec<Loss> {
    let question = |entry: Entry| async move {
        let found = compare_entry(node, &entry, deadline).await.err()?;
        Some(Loss {
            node: node.base().to_owned(),
            entry,
            found,
        })
    };
    let answers = stream::iter(entries.iter().copied())
        .map(question)
        .buffer_unordered(IN_FLIGHT);
    answers.filter_map(|loss| async { loss }).collect().await
}

/// What was found instead, if it is not what was acknowledged.
async fn compare_entry(node: &NodeClient, entry: &Entry, deadline: Instant) -> Result<(), String> {
    loop {
        match node.sale(entry.outlet, entry.sale_id).await {
            Ok(Some(sale)) if sale.transaction_id == entry.transaction_id => return Ok(()),
            Ok(Some(sale)) => return Err(format!("transaction {}", sale.transaction_id)),
            Ok(None) => return Err("nothing".into()),
            Err(error) if !error.is_retryable() || Instant::now() > deadline => {
                return Err(error.to_string());
            }
            Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
        }
    }
}

fn print_outcome(args: &CheckArgs, outcome: &Outcome) -> Result<()> {
    if args.json {
        println!("{}", serde_json::to_string(outcome)?);
        return Ok(());
    }

    for loss in outcome.losses.iter().take(SHOWN_MAX) {
        let Entry {
            outlet,
            sale_id,
            transaction_id,
            ..
        } = loss.entry;
        println!(
            "LOST  sale {sale_id} of outlet {outlet} at {}: expected {transaction_id}, found {}",
            loss.node, loss.found
        );
    }

    println!(
        "{} acknowledged sales asked of {} nodes: lost={}",
        outcome.acknowledged, outcome.nodes, outcome.lost
    );
    Ok(())
}
