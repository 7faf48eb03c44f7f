//! `xtask tables`: tables of the documentation that are made from code, each between two marks.

use crate::{repository, text};
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::path::Path;

/// What `xtask tables` is told.
#[derive(Debug, Default, Args)]
pub struct TablesArgs {
    /// Write nothing: name what is stale, and fail then.
    #[arg(long)]
    check: bool,
}

impl TablesArgs {
    /// Only compares.
    pub const fn checking() -> Self {
        Self { check: true }
    }
}

/// A table, and where it stands: after `<!-- xtask NAME -->`, before the next `<!-- end -->`.
struct Table {
    file: &'static str,
    name: &'static str,
    make: fn() -> Result<String>,
}

const TABLES: [Table; 1] = [Table {
    file: "docs/DEVELOPING.md",
    name: "text",
    make: text::table,
}];

/// Writes or compares all of them.
pub fn run(args: &TablesArgs) -> Result<bool> {
    let mut stale = 0;
    for table in TABLES {
        let Table { file, name, make } = table;
        let before = std::fs::read_to_string(file).with_context(|| format!("read {file}"))?;
        let after = with_table(&before, name, &make()?).with_context(|| file.to_owned())?;

        if args.check && after != before {
            eprintln!("error: {file}: the table {name} is stale: run cargo xtask tables");
            stale += 1;
        } else if repository::write_changed(Path::new(file), &after)? {
            println!("wrote the table {name} in {file}");
        }
    }
    Ok(stale == 0)
}

/// The document with another table between the marks of this name.
fn with_table(document: &str, name: &str, table: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- xtask {name} -->\n"), "<!-- end -->");
    let mut parts = document.split(&begin);
    let (before, rest) = parts
        .next()
        .zip(parts.next())
        .with_context(|| format!("{} is not there", begin.trim_end()))?;
    ensure!(
        parts.next().is_none(),
        "{} is there twice",
        begin.trim_end()
    );

    let place = rest
        .find(end)
        .with_context(|| format!("{} has no {end}", begin.trim_end()))?;
    let table = table.trim_end();
    Ok([before, &begin, "\n", table, "\n\n", &rest[place..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_replaced() {
        let before = "a\n<!-- xtask text -->\nold\n<!-- end -->\nb\n<!-- end -->\n";
        let after = with_table(before, "text", "| new |\n").unwrap();

        let expected = "a\n<!-- xtask text -->\n\n| new |\n\n<!-- end -->\nb\n<!-- end -->\n";
        assert_eq!(after, expected);
        assert_eq!(with_table(&after, "text", "| new |\n").unwrap(), after);
    }

    #[test]
    fn a_mark_that_is_missing_or_doubled_is_an_error() {
        let mark = "<!-- xtask text -->\n";
        let refused = |document: &str| with_table(document, "text", "").unwrap_err().to_string();

        assert_eq!(refused("a"), "<!-- xtask text --> is not there");
        assert_eq!(refused(mark), "<!-- xtask text --> has no <!-- end -->");
        assert_eq!(
            refused(&mark.repeat(2)),
            "<!-- xtask text --> is there twice"
        );
    }
}
