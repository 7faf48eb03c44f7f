//! `hotpot import inspect`: what stands in a file, a map for it, and what an import under that map would do.

use crate::import::run::Look;
use crate::import::show::show_look;
use anyhow::{Context, Result};
use clap::Args;
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use domain::Currency;
use import::inspect::{Inspection, inspect};
use import::map::Format;
use import::{Item, MadeTimes, Map, Order, Plan, Preview, format_money};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Orders that are shown as they would be signed.
const ORDERS_SHOWN: usize = 10;

/// Arguments of `hotpot import inspect`.
#[derive(Clone, Debug, Args)]
pub struct InspectArgs {
    /// The file: text with separators, JSON lines or a JSON array.
    pub file: PathBuf,
    /// Show what this map makes of it instead of a proposed one.
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// The currency of its prices, for the proposed map, where the file names none.
    #[arg(long, default_value = "GEL")]
    pub currency: Currency,
    /// Write the proposed map to this file, which must not exist yet.
    #[arg(long, value_name = "FILE", conflicts_with = "map")]
    pub write_map: Option<PathBuf>,
}

/// Prints all of it; exit code 1 if orders would be refused or the proposed map needs an answer first.
pub fn inspect_file(args: &InspectArgs) -> Result<ExitCode> {
    if let Some(map) = &args.map {
        return show_orders(args, Map::read(map)?);
    }

    let found = inspect(&args.file).with_context(|| args.file.display().to_string())?;
    show_columns(&found);
    match propose(args, &found)? {
        Some(map) => show_orders(args, map),
        None => Ok(ExitCode::FAILURE),
    }
}

fn show_columns(found: &Inspection) {
    let writing = match found.format {
        Format::Json => "a JSON array".to_owned(),
        Format::JsonLines => "JSON lines".to_owned(),
        Format::Delimited => format!(
            "encoding {}, separator {:?}, columns named in line {}",
            found.encoding.name(),
            found.separator,
            found.header_line
        ),
    };
    let preset = found
        .preset
        .map_or_else(String::new, |preset| format!(", looks like {preset}"));
    println!("{writing}{preset}");

    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    table.set_header(["column", "holds", "examples"]);
    for column in &found.columns {
        let examples = column.examples.join(" | ");
        table.add_row([column.name.as_str(), column.holds.name(), &examples]);
    }
    println!("{table}");
}

/// The proposed map, if it asks nothing that only a person can answer.
fn propose(args: &InspectArgs, found: &Inspection) -> Result<Option<Map>> {
    let source = args
        .file
        .file_stem()
        .map_or_else(|| "till".into(), |stem| stem.to_string_lossy().into_owned());
    let text = found.propose_map(&source, args.currency);
    println!("\nA map for it:\n\n{text}");

    if let Some(path) = &args.write_map {
        let mut file =
            std::fs::File::create_new(path).with_context(|| format!("write {}", path.display()))?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        println!("written to {}\n", path.display());
    }

    if text.contains("\"?\"") {
        println!("Answer the questions in it, then: hotpot import inspect FILE --map MAP");
        return Ok(None);
    }
    Ok(Some(Map::from_toml(&text)?))
}

fn show_orders(args: &InspectArgs, map: Map) -> Result<ExitCode> {
    let plan = Plan::read(&args.file, &map, &AtomicU64::new(0))
        .with_context(|| args.file.display().to_string())?;
    let times = MadeTimes::default();
    let preview = Preview::read(&plan, &times, service_kit::clock::now_ms())?;

    let mut orders: Vec<Order> = Vec::new();
    plan.for_each_item(|item| {
        if let Item::Sale(order) = item
            && orders.len() < ORDERS_SHOWN
        {
            orders.push(order);
        }
        Ok(())
    })?;
    println!("The first orders, as they would be signed:");
    orders.iter().for_each(|order| show_order(order, &map));

    let is_good = preview.rejected == 0;
    show_look(&Look {
        plan: Arc::new(plan),
        preview,
        times: Arc::new(times),
    });
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show_order(order: &Order, map: &Map) {
    let money = |units: u64| format_money(units, map.exponent, map.currency);
    println!(
        "  {}: outlet {}, {}, {}",
        order.id,
        order.outlet,
        order
            .occurred_at_ms
            .map_or_else(|| "time is made".into(), client::format_time),
        money(order.total)
    );
    for line in &order.lines {
        println!(
            "    {} × {} at {}",
            line.quantity,
            line.name,
            money(line.unit_price)
        );
    }
}
