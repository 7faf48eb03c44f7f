//! Files as tills write them, read as an import reads them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod cases;
mod files;
mod presets;
mod signed;

use import::{Item, MadeTimes, Map, Plan, Preview};
use std::path::Path;
use std::sync::atomic::AtomicU64;

/// 30 November 2026, 12:00 UTC.
const NOW_MS: u64 = 1_796_040_000_000;

/// What an import of a file would do, or why it cannot be read.
fn look_at(file: &Path, map: &Map) -> Result<(Plan, Preview), String> {
    let plan = Plan::read(file, map, &AtomicU64::new(0)).map_err(|error| error.to_string())?;
    let preview =
        Preview::read(&plan, &MadeTimes::default(), NOW_MS).map_err(|error| error.to_string())?;
    Ok((plan, preview))
}

/// All items of a text under a map.
fn items_of(name: &str, text: &str, map: &Map) -> Result<Vec<Item>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();

    let plan = Plan::read(&path, map, &AtomicU64::new(0)).map_err(|error| error.to_string())?;
    let mut items = Vec::new();
    plan.for_each_item(|item| {
        items.push(item);
        Ok(())
    })
    .map_err(|error| error.to_string())?;
    Ok(items)
}
