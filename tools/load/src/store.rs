//! How much room each table of a node's store takes.

use crate::cli::StoreArgs;
use anyhow::{Context, Result};
use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableHandle};
use serde_json::{Map, json};

/// Prints bytes by table as a JSON object: entries, what leads to them, and what is left empty on their pages.
pub fn run(args: &StoreArgs) -> Result<bool> {
    let store = || format!("the store {}", args.file.display());
    let database = Database::open(&args.file).with_context(store)?;
    let read = database.begin_read().with_context(store)?;

    let mut bytes = Map::new();
    for handle in read.list_tables().with_context(store)? {
        let name = handle.name().to_owned();
        let stats = read
            .open_untyped_table(handle)
            .with_context(store)?
            .stats()
            .with_context(store)?;
        bytes.insert(
            name,
            json!(stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes()),
        );
    }

    println!("{}", json!(bytes));
    Ok(true)
}
