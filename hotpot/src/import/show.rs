//! What an import would do, for people, before it does it.

use crate::import::run::Look;
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use import::{LeftOut, Rejected, Standing, format_money};

/// Days and outlets that are shown one by one.
const DAYS_SHOWN_MAX: usize = 31;

/// Prints sums, what is left out and what is refused to standard error.
pub fn show_look(look: &Look) {
    let map = look.plan.map();
    let money = |units: u64| format_money(units, map.exponent, map.currency);
    let preview = &look.preview;

    eprintln!(
        "{} rows, {} orders; {}",
        look.plan.rows,
        look.plan.orders(),
        look.plan.explain_numbers()
    );
    if preview.sales > 0 {
        eprintln!("{}", day_table(look));
    }
    eprintln!("{} sales, {}", preview.sales, money(preview.total()));
    if preview.returns > 0 {
        eprintln!("{} refunds, {}", preview.returns, money(preview.returned));
    }

    show_left_out(look);
    show_rejected("are refused", preview.rejected, &preview.first_rejected);
    if preview.rejected > preview.first_rejected.len() as u64 {
        eprintln!("refusals by kind; --dry-run --refusals FILE lists all:");
        for (kind, orders) in &preview.rejected_kinds {
            eprintln!("  {orders} × {kind}");
        }
    }
    let foreseen = "the network will refuse, unless it has them already";
    show_rejected(foreseen, preview.foreseen, &preview.first_foreseen);
}

/// Prints what the network has of a file's sales already.
pub fn show_standing(standing: &Standing) {
    if standing.known > 0 {
        eprintln!("{} sales stand in the network already", standing.known);
    }
    show_rejected(
        "stand in the network with other content",
        standing.conflicts,
        &standing.first_conflicts,
    );
}

fn day_table(look: &Look) -> Table {
    let map = look.plan.map();
    let days = &look.preview.days;
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    table.set_header(["day", "outlet", "sales", "total"]);

    for ((day, outlet), sum) in days.iter().take(DAYS_SHOWN_MAX) {
        table.add_row([
            day.map_or_else(|| "time is made".to_owned(), |day| day.to_string()),
            outlet.to_string(),
            sum.sales.to_string(),
            format_money(sum.total, map.exponent, map.currency),
        ]);
    }
    if days.len() > DAYS_SHOWN_MAX {
        let more = format!("{} more", days.len() - DAYS_SHOWN_MAX);
        table.add_row([more, "…".into(), "…".into(), "…".into()]);
    }

    for column in [1, 2, 3] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn show_left_out(look: &Look) {
    for (kind, rows) in &look.preview.left_out {
        eprintln!("left out: {rows} × {kind}");
    }
    for LeftOut {
        order,
        line,
        kind,
        told_by,
        ..
    } in &look.preview.first_left_out
    {
        let order = order.as_deref().unwrap_or("-");
        eprintln!("  line {line}, order {order}: {kind}, {told_by}");
    }
    show_left_out_names(look);
}

/// A dish that is called as a tax or a tip would be missing from its sale: a person must see it.
fn show_left_out_names(look: &Look) {
    let names = &look.preview.left_out_names;
    if names.is_empty() {
        return;
    }

    let map = look.plan.map();
    eprintln!("left out for its name alone; if one of these is a dish, say so in [[rows]]:");
    for ((kind, name), sum) in names {
        let amount = format_money(sum.amount, map.exponent, map.currency);
        eprintln!("  {name:?}, {kind}: {} rows, {amount}", sum.rows);
    }
}

fn show_rejected(what: &str, count: u64, first: &[Rejected]) {
    if count == 0 {
        return;
    }

    eprintln!("{count} orders {what}:");
    for Rejected {
        order,
        line,
        field,
        found,
        allowed,
    } in first
    {
        let order = order.as_deref().unwrap_or("?");
        let line = line.map_or_else(String::new, |line| format!("line {line}, "));
        eprintln!("  {line}order {order}, {field}: found {found:?}, allowed: {allowed}");
    }
    let hidden = count.saturating_sub(first.len() as u64);
    if hidden > 0 {
        eprintln!("  and {hidden} more");
    }
}
