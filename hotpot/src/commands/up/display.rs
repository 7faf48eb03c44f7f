//! What a person or a program sees of a running network.

use crate::import::run::Report;
use anyhow::Result;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Attribute, Cell, Color, Table};
use import::Progress;
use local_network::books::{Look, Summary};
use serde::Serialize;
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A line of text without a terminal at most this often.
const PLAIN_INTERVAL_S: u64 = 5;

/// Shows how far everything is.
pub struct Display {
    json: bool,
    terminal: bool,
    drawn_lines: Mutex<usize>,
    last_plain_s: AtomicU64,
    last_rate: Mutex<(Duration, u64)>,
}

/// The last line of JSON.
#[derive(Serialize)]
struct Ended<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    imports: &'a [Report],
}

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Units of 0.01 FRT as people write them.
fn format_frt(units: u128) -> String {
    format!("{}.{:02} FRT", units / 100, units % 100)
}

impl Display {
    /// JSON lines on standard output, or a table on standard error.
    pub fn new(json: bool) -> Self {
        Self {
            json,
            terminal: std::io::stderr().is_terminal(),
            drawn_lines: Mutex::default(),
            last_plain_s: AtomicU64::new(0),
            last_rate: Mutex::default(),
        }
    }

    /// One step of the start.
    pub fn say(&self, what: &str) {
        if self.json {
            println!("{}", json!({"type": "progress", "message": what}));
        } else {
            eprintln!("{what} …");
        }
    }

    /// Shows one look at the books: a table on a terminal, else a line every few seconds.
    pub fn show(&self, look: &Look, progress: &Progress, elapsed: Duration) {
        if !self.json && self.terminal {
            return self.draw(&self.table(look, progress, elapsed));
        }

        let seconds = elapsed.as_secs();
        if seconds < count(&self.last_plain_s) + PLAIN_INTERVAL_S {
            return;
        }
        self.last_plain_s.store(seconds, Ordering::Relaxed);

        if self.json {
            println!("{}", status_json(look, progress, seconds));
        } else {
            eprintln!("{}", status_line(look, seconds));
        }
    }

    fn draw(&self, table: &Table) {
        let text = table.to_string();
        let Ok(mut drawn) = self.drawn_lines.lock() else {
            return;
        };
        let back = if *drawn > 0 {
            format!("\x1b[{}A\x1b[J", *drawn)
        } else {
            String::new()
        };
        *drawn = text.lines().count();
        // A terminal that is gone needs no table.
        let _ = writeln!(std::io::stderr(), "{back}{text}");
    }

    fn rate(&self, elapsed: Duration, sales: u64) -> u64 {
        let Ok(mut last) = self.last_rate.lock() else {
            return 0;
        };
        let millis = u64::try_from(elapsed.saturating_sub(last.0).as_millis())
            .unwrap_or(1)
            .max(1);
        let rate = sales.saturating_sub(last.1) * 1000 / millis;
        *last = (elapsed, sales);
        rate
    }

    fn table(&self, look: &Look, progress: &Progress, elapsed: Duration) -> Table {
        let supply = look.supply.map(|supply| {
            (
                supply.sales,
                supply.issued,
                supply.released,
                supply.pending,
                supply.unclaimed,
            )
        });
        let (sales, issued, released, pending, unclaimed) = supply.unwrap_or_default();

        let latest = look.latest.unwrap_or_default();
        let finalized = look.finalized.unwrap_or_default();
        let totals = look.totals.unwrap_or_default();

        let checkpointed = look
            .nodes
            .iter()
            .flatten()
            .map(|status| status.checkpointed_epoch)
            .max()
            .unwrap_or(0);
        let up = look
            .nodes
            .iter()
            .flatten()
            .filter(|status| status.ready)
            .count();
        let imported = count(&progress.new) + count(&progress.known);

        let mut table = Table::new();
        table.load_preset(UTF8_BORDERS_ONLY);
        let mut row = |name: &str, value: String, detail: String| {
            let detail = Cell::new(detail).fg(Color::DarkGrey);
            table.add_row([
                Cell::new(name).add_attribute(Attribute::Bold),
                Cell::new(value),
                detail,
            ]);
        };

        row(
            "validators",
            format!("{up} of {}", look.nodes.len()),
            format_heights(look),
        );
        row(
            "sidechain",
            format!("height {}", look.height()),
            format!("epoch {checkpointed} signed"),
        );
        row(
            "final",
            format!("{sales} sales"),
            format!(
                "{}/s, {} issued",
                self.rate(elapsed, sales),
                format_frt(issued.into())
            ),
        );

        row(
            "anchored",
            format!("epoch {}", latest.epoch),
            format!(
                "{} behind, epoch {} beyond reorgs",
                checkpointed.saturating_sub(latest.epoch),
                finalized.epoch
            ),
        );
        row(
            "minted",
            format_frt(latest.minted),
            format!(
                "of {} released, {} pending, {} unclaimed",
                format_frt(released.into()),
                format_frt(pending.into()),
                format_frt(unclaimed.into())
            ),
        );

        row(
            "indexed",
            format!("{} sales", totals.sales),
            format!(
                "height {}, EVM block {} of {}",
                totals.sidechain_height, totals.evm_block, look.evm_block
            ),
        );

        if count(&progress.total) > 0 {
            let rejected = count(&progress.rejected);
            row(
                "imported",
                format!("{imported} of {}", count(&progress.total)),
                format!("{rejected} rejected"),
            );
        }

        row(
            "running",
            format!("{} s", elapsed.as_secs()),
            "Ctrl-C stops everything".into(),
        );

        table
    }

    /// The last word.
    pub fn summary(&self, summary: &Summary, imports: &[Report]) -> Result<()> {
        if self.json {
            println!("{}", serde_json::to_string(&Ended { summary, imports })?);
            return Ok(());
        }

        let mut table = Table::new();
        table.load_preset(UTF8_BORDERS_ONLY);
        let rows = summary.rows;

        table.add_row(["sales final", &summary.sales_final.to_string()]);
        table.add_row(["issued", &format_frt(summary.issued.into())]);
        table.add_row(["released", &format_frt(summary.released.into())]);
        table.add_row(["unclaimed receipts", &format_frt(summary.unclaimed.into())]);
        table.add_row(["minted", &format_frt(summary.minted)]);
        table.add_row([
            "rows",
            &format!(
                "{} sales, {} payouts, {} transfers",
                rows.sales, rows.payouts, rows.transfers
            ),
        ]);
        table.add_row([
            "anchored",
            &format!("epoch {}, up to height {}", summary.epoch, summary.height),
        ]);
        table.add_row(["took", &format!("{} s", summary.seconds)]);
        println!("{table}");

        for report in imports.iter().filter(|report| report.rejected > 0) {
            let list = report
                .rejected_file
                .as_deref()
                .unwrap_or(std::path::Path::new("import/"))
                .display();
            println!("REJECTED {} orders, listed in {list}", report.rejected);
        }
        for difference in &summary.differences {
            println!("DIFFERS  {difference}");
        }

        println!(
            "{}",
            if summary.ok {
                "ledger, contract and database agree"
            } else {
                "the books do not agree"
            }
        );

        Ok(())
    }
}

fn format_heights(look: &Look) -> String {
    let height = |status: &Option<client::StatusAnswer>| {
        status
            .as_ref()
            .map_or("down".to_owned(), |s| s.height.to_string())
    };
    look.nodes.iter().map(height).collect::<Vec<_>>().join(" ")
}

fn status_json(look: &Look, progress: &Progress, seconds: u64) -> serde_json::Value {
    json!({
        "type": "status",
        "seconds": seconds,
        "height": look.height(),
        "validators_ready": look.nodes.iter().flatten().filter(|status| status.ready).count(),
        "sales_final": look.supply.map(|supply| supply.sales),
        "pending": look.supply.map(|supply| supply.pending),
        "released": look.supply.map(|supply| supply.released),
        "anchored_epoch": look.latest.map(|books| books.epoch),
        "minted": look.latest.map(|books| books.minted),
        "minted_final": look.finalized.map(|books| books.minted),
        "indexed_sales": look.totals.map(|totals| totals.sales),
        "imported": count(&progress.new) + count(&progress.known),
    })
}

fn status_line(look: &Look, seconds: u64) -> String {
    let sales = look.supply.map_or(0, |supply| supply.sales);
    let latest = look.latest.unwrap_or_default();
    let indexed = look.totals.map_or(0, |totals| totals.sales);
    format!(
        "{seconds:>4} s  height {}  final {sales}  anchored epoch {}  minted {}  indexed {indexed}",
        look.height(),
        latest.epoch,
        format_frt(latest.minted)
    )
}
