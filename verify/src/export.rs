//! `hotpot export`: final blocks out of a node or a folder.

use crate::nodes::Copy;
use crate::source::Copies;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use client::BlockAnswer;
use domain::Block;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

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

/// Final blocks with their certificates, one JSON object a line, the genesis first, the checkpoints of these blocks last.
pub async fn export_blocks(args: ExportBlocksArgs) -> Result<ExitCode> {
    let copies = match &args.data_dir {
        Some(dir) => Copies::of_folder(dir).await?,
        None => Copies::of_node(&args.node).await?,
    };

    let last = copies.last_height();
    let from = args.from.unwrap_or(copies.genesis.first_height);
    let to = args.to.unwrap_or(last);
    if to > last {
        bail!("--to {to}: the last final block is {last}");
    }

    let mut out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(std::io::BufWriter::new(
            std::fs::File::create(path).with_context(|| format!("write {}", path.display()))?,
        )),
        None => Box::new(std::io::BufWriter::new(std::io::stdout())),
    };

    let genesis = &copies.genesis;
    write_line(
        &mut out,
        &json!({"type": "genesis", "sidechain_id": genesis.sidechain_id(), "genesis": genesis}),
    )?;

    for height in from..=to {
        let block =
            block_answer(copies.block(height).await?).with_context(|| format!("block {height}"))?;
        write_line(&mut out, &json!({"type": "block", "block": block}))?;
    }

    for epoch in 1..=copies.last_epoch() {
        let Some((signed, chunks)) = copies.checkpoint(epoch).await? else {
            continue;
        };
        if (from..=to).contains(&signed.checkpoint.last_height) {
            write_line(
                &mut out,
                &json!({"type": "checkpoint", "checkpoint": signed, "chunks": chunks}),
            )?;
        }
    }

    out.flush()?;
    if args.output.is_some() {
        eprintln!(
            "{} blocks, heights {from} to {to}",
            (to + 1).saturating_sub(from)
        );
    }

    Ok(ExitCode::SUCCESS)
}

/// As a node would answer it.
fn block_answer(copy: Copy) -> Result<BlockAnswer> {
    let Block {
        header,
        transactions,
        ..
    } = Block::decode(&copy.raw)?;
    let raw = format!("0x{}", hex::encode(&copy.raw));

    Ok(BlockAnswer {
        hash: header.hash(),
        header,
        certificate: copy.certificate,
        transactions,
        raw,
    })
}

fn write_line(out: &mut impl Write, value: &serde_json::Value) -> Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    Ok(out.write_all(b"\n")?)
}
