//! `hotpot export`.

use crate::cli::ExportBlocksArgs;
use anyhow::{Context, Result, bail};
use client::NodeClient;
use std::io::Write;
use std::process::ExitCode;

/// Final blocks with their certificates, one JSON object a line, the genesis first.
pub async fn blocks(args: ExportBlocksArgs) -> Result<ExitCode> {
    let node = NodeClient::new(&args.node);
    let genesis = node.genesis().await?;
    let last = node.status().await?.height;
    let from = args.from.unwrap_or(genesis.first_height);
    let to = args.to.unwrap_or(last);
    if to > last {
        bail!("--to {to}: the node's last final block is {last}");
    }
    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(std::io::BufWriter::new(
            std::fs::File::create(path).with_context(|| format!("write {}", path.display()))?,
        )),
        None => Box::new(std::io::BufWriter::new(std::io::stdout())),
    };
    line(
        &mut out,
        &serde_json::json!({"type": "genesis", "sidechain_id": genesis.sidechain_id(), "genesis": genesis}),
    )?;
    for height in from..=to {
        let block = node.block(height).await?.with_context(|| format!("the node has no block {height}"))?;
        line(&mut out, &serde_json::json!({"type": "block", "block": block}))?;
    }
    out.flush()?;
    if args.output.is_some() {
        eprintln!("{} blocks, heights {from} to {to}", (to + 1).saturating_sub(from));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(out: &mut impl Write, value: &serde_json::Value) -> Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    Ok(out.write_all(b"\n")?)
}
