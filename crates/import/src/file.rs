//! A file of orders as rows under named columns. It is read anew for each pass, so that it never sits in memory.

use crate::delimited::{Delimited, split_header};
use crate::json;
use crate::map::{FileRules, Format};
use crate::text::{LINE_BYTES_MAX, TextLines};
use csv::StringRecord;
use domain::limits::SALE_LINES_MAX;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What may stand between two cells, the most usual first.
pub const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];
/// Lines that are looked at for a header which does not stand where it should.
const HEADER_LINES_MAX: u64 = 50;
/// The most columns of a file.
pub(crate) const COLUMNS_MAX: usize = 1_000;

/// Why a file cannot be read. Nothing of it is imported then.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The disk says no.
    #[error("read the file")]
    Io(#[from] std::io::Error),
    /// Bytes that are no text of the encoding.
    #[error(
        "line {line} is not {encoding} text; say file.encoding in the map: utf-8, utf-16, windows-1251, windows-1252 or iso-8859-1"
    )]
    NotText {
        /// The encoding that was tried.
        encoding: &'static str,
        /// Where it stands.
        line: u64,
    },
    /// A zero byte, as UTF-16 without a mark is full of.
    #[error(
        "line {line} holds a zero byte: is the file UTF-16? Say file.encoding in the map, or save it as UTF-8"
    )]
    ZeroBytes {
        /// Where it stands.
        line: u64,
    },
    /// A line that no till writes.
    #[error("line {line} is longer than {LINE_BYTES_MAX} bytes")]
    LongLine {
        /// Where it stands.
        line: u64,
    },
    /// A quote that runs on.
    #[error(
        "the quote that opens in line {line} is not closed; take it out, or write it twice inside quotes"
    )]
    OpenQuote {
        /// Where it opens.
        line: u64,
    },
    /// A quote that closes in the middle of a cell.
    #[error(
        "line {line}: text stands behind a closing quote, which opened in line {opened}; a quote inside quotes is written twice"
    )]
    TextBehindQuote {
        /// Where the text is.
        line: u64,
        /// Where the quote opens.
        opened: u64,
    },
    /// The ending of the name says nothing.
    #[error(
        "the name ends in {found:?}; .csv, .tsv, .txt, .jsonl, .ndjson or .json is expected, or file.format in the map"
    )]
    UnknownFormat {
        /// The ending of the name.
        found: String,
    },
    /// The columns of the map are not there.
    #[error(
        "line {line} does not name the columns of the map: {missing} missing, found {found}{hint}"
    )]
    NoHeader {
        /// Where the header should be.
        line: u64,
        /// Columns of the map.
        missing: String,
        /// Columns of the file.
        found: String,
        /// What may help.
        hint: String,
    },
    /// A column of the map that the file has twice.
    #[error("the column {column:?} stands {times} times in the header; rename it in the file")]
    ColumnTwice {
        /// As the map names it.
        column: String,
        /// How often it stands there.
        times: usize,
    },
    /// Amounts of another currency, as the header says.
    #[error("the column {column:?} names another currency than {expected}, which is the map's")]
    OtherCurrency {
        /// Its name.
        column: String,
        /// The map's currency.
        expected: String,
    },
    /// A time that shows that day and month are exchanged in the map.
    #[error(
        "line {line}: {found:?} is no time of the form {format:?}, and is one with day and month exchanged: no time of the file can be believed; say the right time.format"
    )]
    TimeFormat {
        /// Where it stands.
        line: u64,
        /// What stands there.
        found: String,
        /// The map's format.
        format: String,
    },
    /// No JSON, or not the JSON that is expected.
    #[error("line {line}: {problem}")]
    BadJson {
        /// Where it stands.
        line: u64,
        /// What the parser says.
        problem: String,
    },
    /// A row that may belong to any order.
    #[error(
        "line {line}: {problem}; it may belong to any order, so that nothing of the file is imported"
    )]
    LostRow {
        /// Where it stands.
        line: u64,
        /// Why it cannot be given to an order.
        problem: String,
    },
    /// Rows of one order stand far apart.
    #[error("{rows} rows are waiting for others of their orders: sort the file by order")]
    Scattered {
        /// How many wait.
        rows: usize,
    },
    /// One order has more rows than all that may wait.
    #[error(
        "order {order:?} has {rows} rows, and a sale has at most {SALE_LINES_MAX} lines: does group_by name the column that joins rows to one order?"
    )]
    GiantOrder {
        /// Its id.
        order: String,
        /// How many rows it has.
        rows: u32,
    },
    /// The file is not the one that was looked at.
    #[error("the file changed while it was read")]
    Changed,
    /// Whoever took the rows wants no more.
    #[error("stopped")]
    Stopped,
}

/// One row with the line it stands in, counted from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Line of the file; of a JSON array, the object's number.
    pub line: u64,
    /// Its cells, one for each column.
    pub cells: StringRecord,
    /// Of a JSON object, the columns whose values stand there as numbers.
    pub json_numbers: Vec<usize>,
}

impl Row {
    /// The trimmed text of a cell; empty if the row has no such cell.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or_default().trim()
    }

    /// Puts a text into a cell.
    pub(crate) fn set_cell(&mut self, column: usize, text: &str) {
        let cells = self.cells.iter().enumerate();
        let changed = cells.map(|(place, cell)| if place == column { text } else { cell });
        self.cells = changed.collect();
    }

    /// Whether a cell is a number of JSON, which has a point before its decimals and nothing between thousands.
    pub fn is_json_number(&self, column: usize) -> bool {
        self.json_numbers.contains(&column)
    }
}

/// A file whose columns are known.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    writing: Writing,
    stamp: Stamp,
    /// The names of its columns, in their order.
    pub header: Vec<String>,
}

/// How the file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// Cells between separators.
    Delimited {
        /// What its bytes stand for, if the map says so.
        encoding: Option<crate::text::TextEncoding>,
        /// What stands between two cells.
        separator: char,
        /// Whether quotes wrap cells.
        has_quotes: bool,
        /// The line that names the columns.
        header_line: u64,
    },
    /// One JSON object a line.
    JsonLines,
    /// One JSON array of objects.
    Json,
}

/// What tells that a file was not changed between two passes.
type Stamp = (u64, Option<SystemTime>);

impl Table {
    /// Looks at the head of a file (of JSON: at all of it) and finds its columns.
    pub fn open(path: &Path, rules: &FileRules, wanted: &[&str]) -> Result<Self, FileError> {
        let format = match rules.format {
            Some(format) => format,
            None => format_of_name(path)?,
        };
        let stamp = read_stamp(path)?;

        let (writing, header) = match format {
            Format::Delimited => find_header(path, rules, wanted)?,
            Format::JsonLines => (Writing::JsonLines, json::read_columns(path, true)?),
            Format::Json => (Writing::Json, json::read_columns(path, false)?),
        };

        Ok(Self {
            path: path.to_owned(),
            writing,
            stamp,
            header,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How it is written.
    pub const fn writing(&self) -> Writing {
        self.writing
    }

    /// Size of the file in bytes.
    pub const fn bytes(&self) -> u64 {
        self.stamp.0
    }

    /// Where a column of the map stands.
    pub fn column(&self, wanted: &str) -> Result<usize, FileError> {
        let missing = || missing_columns(&self.header, &[wanted], self.header_line());
        find_column(&self.header, wanted)?.ok_or_else(missing)
    }

    const fn header_line(&self) -> u64 {
        match self.writing {
            Writing::Delimited { header_line, .. } => header_line,
            Writing::JsonLines | Writing::Json => 1,
        }
    }

    /// Hands out all rows in the order of the file.
    pub fn for_each(
        &self,
        mut each: impl FnMut(&Row) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        match self.writing {
            Writing::Delimited { .. } => self.for_each_delimited(&mut each)?,
            Writing::JsonLines => json::for_each_line(&self.path, &self.header, &mut each)?,
            Writing::Json => json::for_each_element(&self.path, &self.header, &mut each)?,
        }

        if read_stamp(&self.path)? == self.stamp {
            Ok(())
        } else {
            Err(FileError::Changed)
        }
    }

    fn for_each_delimited(
        &self,
        each: &mut dyn FnMut(&Row) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let Writing::Delimited {
            encoding,
            separator,
            has_quotes,
            header_line,
        } = self.writing
        else {
            return Ok(());
        };

        let mut lines = TextLines::new(File::open(&self.path)?, encoding);
        for _ in 0..header_line {
            lines.next_line()?;
        }

        let mut records = Delimited::new(lines, separator, has_quotes);
        let mut row = Row::default();
        while let Some(line) = records.next_record(&mut row.cells)? {
            row.line = line;
            self.check_width(&mut row)?;
            each(&row)?;
        }

        Ok(())
    }

    /// A row with another number of cells than columns may have any of them in any place.
    fn check_width(&self, row: &mut Row) -> Result<(), FileError> {
        let (columns, cells) = (self.header.len(), row.cells.len());
        let rest_is_empty = row
            .cells
            .iter()
            .skip(columns)
            .all(|cell| cell.trim().is_empty());
        let is_empty = row.cells.iter().all(|cell| cell.trim().is_empty());

        if cells == columns || (cells > columns && rest_is_empty) || is_empty {
            row.cells.truncate(columns);
            return Ok(());
        }

        Err(FileError::LostRow {
            line: row.line,
            problem: format!("expected {columns} columns, found {cells}"),
        })
    }
}

fn read_stamp(path: &Path) -> Result<Stamp, FileError> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.len(), metadata.modified().ok()))
}

fn format_of_name(path: &Path) -> Result<Format, FileError> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();

    match ending.as_str() {
        "csv" | "tsv" | "tab" | "txt" => Ok(Format::Delimited),
        "jsonl" | "ndjson" => Ok(Format::JsonLines),
        "json" => Ok(Format::Json),
        _ => Err(FileError::UnknownFormat { found: ending }),
    }
}

/// The separator is the one under which the header has the columns of the map: no other could be meant.
fn find_header(
    path: &Path,
    rules: &FileRules,
    wanted: &[&str],
) -> Result<(Writing, Vec<String>), FileError> {
    let lines = read_head(path, rules)?;
    let named = lines.first().and_then(|line| separator_line(line));
    let header_line = rules
        .header_line
        .unwrap_or(if named.is_some() { 2 } else { 1 });
    let separators = match rules.separator.or(named) {
        Some(separator) => vec![separator],
        None => SEPARATORS.to_vec(),
    };

    let place = usize::try_from(header_line.saturating_sub(1)).unwrap_or(usize::MAX);
    let text = lines.get(place).map_or("", String::as_str);
    let candidates = |text: &str| {
        let split = |separator: char| {
            let has_quotes = rules.quotes.unwrap_or(separator != '\t');
            (
                separator,
                has_quotes,
                split_header(text, separator, has_quotes),
            )
        };
        separators.iter().copied().map(split).collect::<Vec<_>>()
    };

    for (separator, has_quotes, header) in candidates(text) {
        if has_all(&header, wanted)? {
            let writing = Writing::Delimited {
                encoding: rules.encoding,
                separator,
                has_quotes,
                header_line,
            };
            return Ok((writing, header));
        }
    }

    let widest = candidates(text)
        .into_iter()
        .max_by_key(|(_, _, header)| header.len());
    let header = widest.map(|(_, _, header)| header).unwrap_or_default();
    let elsewhere = (1u64..).zip(&lines).find(|(_, line)| {
        candidates(line)
            .iter()
            .any(|(_, _, header)| has_all(header, wanted).unwrap_or(false))
    });

    let mut error = missing_columns(&header, wanted, header_line);
    if let (FileError::NoHeader { hint, .. }, Some((line, _))) = (&mut error, elsewhere) {
        *hint = format!("; line {line} does: say file.header_line = {line} in the map");
    }
    Err(error)
}

fn read_head(path: &Path, rules: &FileRules) -> Result<Vec<String>, FileError> {
    let mut lines = TextLines::new(File::open(path)?, rules.encoding);
    let wanted = HEADER_LINES_MAX.max(rules.header_line.unwrap_or(1).min(10 * HEADER_LINES_MAX));

    let mut head = Vec::new();
    for _ in 0..wanted {
        match lines.next_line() {
            Ok(Some((_, line))) => head.push(line.to_owned()),
            Ok(None) => break,
            Err(error) if head.is_empty() => return Err(error),
            // It will be met again, with the rows before it.
            Err(_) => break,
        }
    }

    Ok(head)
}

/// The separator that a first line such as `sep=;` names, as Excel writes it.
fn separator_line(line: &str) -> Option<char> {
    let named = line.trim_matches('"').strip_prefix("sep=")?;
    let mut chars = named.chars();
    match (chars.next(), chars.next()) {
        (Some(separator), None) if SEPARATORS.contains(&separator) => Some(separator),
        _ => None,
    }
}

fn has_all(header: &[String], wanted: &[&str]) -> Result<bool, FileError> {
    for column in wanted {
        if find_column(header, column)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where a column stands: under its very name, or the only one that differs in case and spaces alone.
fn find_column(header: &[String], wanted: &str) -> Result<Option<usize>, FileError> {
    let places = |fits: &dyn Fn(&str) -> bool| {
        let columns = header.iter().enumerate();
        let fitting = columns.filter(|(_, column)| fits(column));
        fitting.map(|(place, _)| place).collect::<Vec<usize>>()
    };

    let mut found = places(&|column| column == wanted);
    if found.is_empty() {
        found = places(&|column| normalise_name(column) == normalise_name(wanted));
    }

    match found.as_slice() {
        [] => Ok(None),
        [place] => Ok(Some(*place)),
        _ => Err(FileError::ColumnTwice {
            column: wanted.into(),
            times: found.len(),
        }),
    }
}

/// A name in lower case, with single spaces, and without byte order marks, which some exports hold within.
pub(crate) fn normalise_name(name: &str) -> String {
    let name = name.replace('\u{feff}', "");
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ")
}

/// The words of a name as programs write it: `order_date`, `orderDate`, `Currency:`.
pub(crate) fn words_of_name(name: &str) -> String {
    let mut words = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && was_lower {
            words.push(' ');
        }
        was_lower = c.is_lowercase();
        words.push(if matches!(c, '_' | '-' | ':' | '.' | '(' | ')') {
            ' '
        } else {
            c
        });
    }
    normalise_name(&words)
}

fn missing_columns(header: &[String], wanted: &[&str], line: u64) -> FileError {
    let missing = wanted
        .iter()
        .filter(|column| !matches!(find_column(header, column), Ok(Some(_))));
    let quote = |name: &str| format!("{name:?}");

    FileError::NoHeader {
        line,
        missing: missing
            .map(|name| quote(name))
            .collect::<Vec<_>>()
            .join(", "),
        found: header
            .iter()
            .take(40)
            .map(|name| quote(name))
            .collect::<Vec<_>>()
            .join(", "),
        hint: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(name: &str, bytes: &[u8], rules: &FileRules) -> Result<Vec<Vec<String>>, FileError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let table = Table::open(&path, rules, &["order", "price"])?;
        let mut rows = Vec::new();
        table.for_each(|row| {
            let columns = [table.column("order")?, table.column("price")?];
            rows.push(columns.map(|column| row.cell(column).to_owned()).to_vec());
            Ok(())
        })?;
        Ok(rows)
    }

    fn plain(name: &str, text: &str) -> Result<Vec<Vec<String>>, FileError> {
        open(name, text.as_bytes(), &FileRules::default())
    }

    #[test]
    fn the_separator_is_the_one_that_shows_the_columns() {
        for separator in SEPARATORS {
            let text = format!("order{separator}price\nA{separator}1\n");
            assert_eq!(plain("orders.csv", &text).unwrap(), [["A", "1"]]);
        }
        assert_eq!(
            plain("ORDERS.CSV", "sep=;\r\norder;price\r\nA;1\r\n").unwrap(),
            [["A", "1"]]
        );
        assert_eq!(
            plain("orders.txt", "Order ;PRICE\nA;1\n").unwrap(),
            [["A", "1"]]
        );
    }

    #[test]
    fn json_is_read_in_both_forms_and_numbers_keep_their_digits() {
        let rows = [["A", "1.10"], ["B", ""]];
        let lines = "\u{feff}{\"order\":\"A\",\"price\":1.10}\n\n{\"order\":\"B\"}\n";
        assert_eq!(plain("orders.jsonl", lines).unwrap(), rows);
        let array = "[{\"order\":\"A\",\"price\":1.10},\n{\"order\":\"B\",\"price\":null}]";
        assert_eq!(plain("orders.json", array).unwrap(), rows);
    }

    #[test]
    fn a_header_elsewhere_is_shown_and_not_taken() {
        let text = "Cafe One\nPrinted,2026\n\norder,price\nA,1\n";
        let refused = plain("orders.csv", text).unwrap_err().to_string();
        assert!(refused.contains("file.header_line = 4"), "{refused}");
        let rules = FileRules {
            header_line: Some(4),
            ..FileRules::default()
        };
        assert_eq!(
            open("orders.csv", text.as_bytes(), &rules).unwrap(),
            [["A", "1"]]
        );
    }

    #[test]
    fn what_may_be_in_any_column_refuses_the_file() {
        let refused = plain("orders.csv", "order,price\nA,1,2\n").unwrap_err();
        assert!(
            matches!(refused, FileError::LostRow { line: 2, .. }),
            "{refused}"
        );
        assert_eq!(
            plain("orders.csv", "order,price\nA,1,,\n,,\n")
                .unwrap()
                .len(),
            2
        );
        let refused = plain("orders.csv", "order,price,price\nA,1,2\n").unwrap_err();
        assert!(
            matches!(refused, FileError::ColumnTwice { times: 2, .. }),
            "{refused}"
        );
    }
}
