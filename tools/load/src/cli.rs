//! What may be typed.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Sends sales to a local network at intended times, measures, and checks that nothing is lost.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send sales; Ctrl-C ends the sending, not the waiting for answers. Exit 1 when a sale was not acknowledged.
    Sales(SalesArgs),
    /// Ask every node for every sale of a journal. Exit 1 when one is missing or another than was acknowledged.
    Check(CheckArgs),
    /// Time one signature check on one thread.
    Signatures,
    /// Say how many bytes each table of a node's store takes. Give a copy: a node that runs does not share its own.
    Store(StoreArgs),
    /// Offer transactions of a sale's size to a CometBFT network with its own key-value application.
    Cometbft(CometbftArgs),
}

/// Arguments of `load store`.
#[derive(Clone, Debug, Args)]
pub struct StoreArgs {
    /// The copy of a `store.redb`.
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
}

/// Arguments of `load cometbft`.
#[derive(Clone, Debug, Args)]
pub struct CometbftArgs {
    /// The RPC address of a node, `http://host:port`. Repeatable: they take turns.
    #[arg(long, value_name = "URL", required = true)]
    pub node: Vec<String>,
    /// Transactions a second.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: u32,
    /// Seconds that are measured, after the warm-up.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    pub seconds: u32,
    /// Seconds at the same rate before that.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=3_600))]
    pub warmup: u32,
    /// Transactions in one request.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub batch: u32,
    /// Let the node answer once a transaction is in a block, as ours answer a sale. One in a request.
    #[arg(long, conflicts_with = "batch")]
    pub commit: bool,
    /// Bytes of a transaction; a signed sale has 182.
    #[arg(long, default_value_t = 182)]
    pub bytes: usize,
}

/// Arguments of `load sales`.
#[derive(Clone, Debug, Args)]
pub struct SalesArgs {
    /// The `network.json` of a running `hotpot up`.
    #[arg(long, value_name = "FILE")]
    pub network: PathBuf,
    /// Sales a second.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: u32,
    /// Seconds that are measured, after the warm-up.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=604_800))]
    pub seconds: u32,
    /// Seconds at the same rate before that; their answers are not measured.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=3_600))]
    pub warmup: u32,
    /// Append a line for each acknowledged sale, warm-up included.
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
    /// Number of outlets that sell; each is registered if it is missing.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub outlets: u64,
    /// Terminals of each outlet.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub terminals: u64,
    /// Send sales to this base URL, such as a gateway's, rather than to the nodes. Repeatable: they take turns.
    #[arg(long, value_name = "URL")]
    pub through: Vec<String>,
    /// Also report the latencies of each stretch of so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub stretch: Option<u32>,
    /// Send a sale again, to the next node, while the answer is missing or 5xx. Latencies include it.
    #[arg(long)]
    pub retry: bool,
    /// Sales in one request, as an offline terminal sends its queue. Each one's latency counts from its own time.
    #[arg(long, default_value_t = 1, conflicts_with = "retry", value_parser = clap::value_parser!(u32).range(1..=500))]
    pub batch: u32,
    /// Sale ids follow from it; without it, one is made from the clock.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Sales without an answer at one time; those beyond it count as errors. Each request is an open connection.
    #[arg(long, default_value_t = 8_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub in_flight_max: u32,
    /// The report as one JSON object on standard output, rather than as a table.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `load check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// The `network.json` of a running `hotpot up`.
    #[arg(long, value_name = "FILE")]
    pub network: PathBuf,
    /// Written by `load sales --journal`.
    #[arg(long, value_name = "FILE")]
    pub journal: PathBuf,
    /// How long the nodes may take to answer and to reach the journal's last height.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub patience: u64,
    /// The result as one JSON object.
    #[arg(long)]
    pub json: bool,
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
