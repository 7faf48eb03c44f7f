//! Bytes to rows: CSV, TSV and JSON lines.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::Path;

/// One row with the line it stands in, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Line of the file.
    pub line: u64,
    /// Values by column.
    pub values: BTreeMap<String, String>,
}

/// A line that is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Line of the file.
    pub line: u64,
    /// Why it cannot be read, for people.
    pub reason: String,
}

/// Rows and the lines that are none, in the order of the file.
pub type Rows = Vec<Result<Row, BadRow>>;

/// Reads a whole file; the format follows from its name (`.csv`, `.tsv`, `.jsonl` or `.ndjson`).
pub fn read(path: &Path) -> Result<Rows> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => parse_delimited(&bytes, b','),
        Some("tsv" | "tab") => parse_delimited(&bytes, b'\t'),
        Some("jsonl" | "ndjson") => Ok(json_lines(&bytes)),
        other => bail!(
            "{}: expected a name ending in .csv, .tsv or .jsonl, found {other:?}",
            path.display()
        ),
    }
}

/// Rows of a file whose first line names the columns.
pub fn parse_delimited(bytes: &[u8], delimiter: u8) -> Result<Rows> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(bytes);

    let columns: Vec<String> = reader
        .headers()
        .context("the first line must name the columns")?
        .iter()
        .map(str::to_owned)
        .collect();

    let mut rows = Vec::new();
    for record in reader.records() {
        rows.push(match record {
            Ok(record) => to_row(&columns, &record),
            Err(error) => Err(BadRow {
                line: error.position().map_or(0, csv::Position::line),
                reason: error.to_string(),
            }),
        });
    }

    Ok(rows)
}

fn to_row(columns: &[String], record: &csv::StringRecord) -> Result<Row, BadRow> {
    let line = record.position().map_or(0, csv::Position::line);
    if record.len() != columns.len() {
        let reason = format!("expected {} columns, found {}", columns.len(), record.len());
        return Err(BadRow { line, reason });
    }
    let values = columns
        .iter()
        .cloned()
        .zip(record.iter().map(str::to_owned))
        .collect();
    Ok(Row { line, values })
}

/// One JSON object a line; empty lines are passed over.
pub fn json_lines(bytes: &[u8]) -> Rows {
    let text = String::from_utf8_lossy(bytes);
    let lines = (1u64..)
        .zip(text.lines())
        .filter(|(_, text)| !text.trim().is_empty());
    lines.map(|(line, text)| json_row(line, text)).collect()
}

fn json_row(line: u64, text: &str) -> Result<Row, BadRow> {
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|error| BadRow {
            line,
            reason: format!("expected a JSON object: {error}"),
        })?;

    let value = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };

    Ok(Row {
        line,
        values: object
            .into_iter()
            .map(|(column, found)| (column, value(found)))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_with_too_few_columns_is_named_and_the_others_stay() {
        let rows = parse_delimited(b"id,name\n1,tea\n2\n3,\"two\nlines\"\n4,last\n", b',').unwrap();
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[1].as_ref().unwrap_err().line, 3);
        assert_eq!(rows[3].as_ref().unwrap().line, 6);
    }

    #[test]
    fn json_lines_keep_numbers_as_text() {
        let rows = json_lines(b"{\"id\":1,\"price\":\"2.50\",\"note\":null}\n\nnot json\n");
        assert_eq!(rows[0].as_ref().unwrap().values["id"], "1");
        assert_eq!(rows[1].as_ref().unwrap_err().line, 3);
    }

    proptest! {
        #[test]
        fn hostile_files_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse_delimited(&bytes, b',');
            let _ = json_lines(&bytes);
        }
    }
}
