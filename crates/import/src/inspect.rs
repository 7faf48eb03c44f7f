//! A file of orders without a map: what stands in it. Nothing here decides about money; what is proposed is shown to a
//! person, who signs under it.

use crate::delimited::Delimited;
use crate::file::{FileError, SEPARATORS, Table, normalise_name};
use crate::map::{FileRules, Format, Map};
use crate::number::{Fit, fit};
use crate::preset;
use crate::text::{TextEncoding, TextLines};
use csv::StringRecord;
use domain::Currency;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of a file that tell its encoding.
const SAMPLE_BYTES: u64 = 1 << 20;
/// Rows that tell what a column holds.
const SAMPLE_ROWS: usize = 200;
/// Lines among which the header is looked for.
const HEAD_LINES: usize = 30;
/// Examples of a column that are shown.
const EXAMPLES: usize = 3;
/// Different values of a column that are kept.
const VALUES_MAX: usize = 20;

/// What stands in a file, as far as its first rows tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// What kind of file it is.
    pub format: Format,
    /// What its bytes stand for.
    pub encoding: TextEncoding,
    /// What stands between two cells.
    pub separator: char,
    /// The line that names the columns.
    pub header_line: u64,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
    /// The preset whose columns it has, if there is one.
    pub preset: Option<&'static str>,
    /// Its first rows.
    pub(crate) rows: Vec<Vec<String>>,
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the header names it.
    pub name: String,
    /// Its first different values.
    pub examples: Vec<String>,
    /// What most of its values are.
    pub holds: Holds,
    /// More of its different values.
    pub(crate) values: Vec<String>,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// No value in any row.
    Nothing,
    /// Numbers, with or without a currency.
    Numbers,
    /// Days or times.
    Times,
    /// Whatever is none of these.
    Text,
}

impl Holds {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Numbers => "numbers",
            Self::Times => "times",
            Self::Text => "text",
        }
    }
}

/// Why a file says nothing.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It has no line with at least two cells.
    #[error("no line of the first {HEAD_LINES} has columns: is this a file with separators?")]
    NoColumns,
}

impl From<std::io::Error> for InspectError {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.into())
    }
}

/// Looks at the first rows of a file, with the reader of an import.
pub fn inspect(path: &Path) -> Result<Inspection, InspectError> {
    let encoding = guess_encoding(path)?;
    let format = format_of(path);
    let (separator, header_line) = match format {
        Format::Delimited => {
            let lines = read_lines(path, encoding)?;
            let found = find_header(&lines).ok_or(InspectError::NoColumns)?;
            (found.0, u64::try_from(found.1 + 1).unwrap_or(1))
        }
        Format::JsonLines | Format::Json => (',', 1),
    };

    let mut found = Inspection {
        format,
        encoding,
        separator,
        header_line,
        columns: Vec::new(),
        preset: None,
        rows: Vec::new(),
    };
    let table = Table::open(path, &found.file_rules(), &[])?;
    found.rows = read_rows(&table)?;
    found.preset = find_preset(&table.header);
    let columns = table.header.iter().enumerate();
    let columns = columns.map(|(place, name)| describe_column(name, place, &found.rows));
    found.columns = columns.collect();

    Ok(found)
}

/// By the ending of the name; what that does not tell is text with separators, or an import would refuse it.
fn format_of(path: &Path) -> Format {
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending.unwrap_or_default().to_ascii_lowercase().as_str() {
        "json" => Format::Json,
        "jsonl" | "ndjson" => Format::JsonLines,
        _ => Format::Delimited,
    }
}

/// The first rows. One that cannot be read ends them: an import says why.
fn read_rows(table: &Table) -> Result<Vec<Vec<String>>, FileError> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let read = table.for_each(|row| {
        rows.push(row.cells.iter().map(str::to_owned).collect());
        if rows.len() < SAMPLE_ROWS {
            Ok(())
        } else {
            Err(FileError::Stopped)
        }
    });
    match read {
        Err(error) if rows.is_empty() && !matches!(error, FileError::Stopped) => Err(error),
        _ => Ok(rows),
    }
}

/// UTF-8 and UTF-16 tell themselves; of the code pages the one is taken whose letters are those of a language.
fn guess_encoding(path: &Path) -> Result<TextEncoding, InspectError> {
    let mut sample = Vec::new();
    File::open(path)?
        .take(SAMPLE_BYTES)
        .read_to_end(&mut sample)?;

    if sample.starts_with(b"\xff\xfe") || sample.starts_with(b"\xfe\xff") {
        return Ok(TextEncoding::Utf16);
    }
    let is_cut = |error: &std::str::Utf8Error| error.error_len().is_none();
    if std::str::from_utf8(&sample).is_ok()
        || std::str::from_utf8(&sample).is_err_and(|error| is_cut(&error))
    {
        return Ok(TextEncoding::Utf8);
    }

    // Letters of Cyrillic are the upper half of 1251; in western text such bytes stand alone among Latin letters.
    let is_high = |byte: &u8| *byte >= 0xc0;
    let pairs = sample
        .windows(2)
        .filter(|pair| pair.iter().all(is_high))
        .count();
    let high = sample.iter().filter(|byte| is_high(byte)).count();
    Ok(if pairs * 2 > high {
        TextEncoding::Windows1251
    } else {
        TextEncoding::Windows1252
    })
}

fn read_lines(path: &Path, encoding: TextEncoding) -> Result<Vec<String>, InspectError> {
    let mut reader = TextLines::new(File::open(path)?, Some(encoding));
    let mut lines = Vec::new();
    while let Some((_, line)) = reader.next_line()? {
        lines.push(line.to_owned());
        if lines.len() >= HEAD_LINES + SAMPLE_ROWS {
            break;
        }
    }
    Ok(lines)
}

/// How many cells the records of a text have, as far as they can be read.
fn widths(lines: &[String], separator: char) -> Vec<usize> {
    let text = std::io::Cursor::new(lines.join("\n"));
    let mut records = Delimited::new(TextLines::new(text, None), separator, separator != '\t');
    let mut record = StringRecord::new();
    let mut widths = Vec::new();
    while let Ok(Some(_)) = records.next_record(&mut record) {
        widths.push(record.len());
    }
    widths
}

/// The first line after which most records have as many cells as it has.
fn find_header(lines: &[String]) -> Option<(char, usize)> {
    let fits = |separator: char, at: usize| {
        // A record that begins in this line and ends in another names no columns.
        let wanted = widths(&lines[at..=at], separator).first().copied()?;
        let all = widths(&lines[at..], separator);
        let below = all.get(1..).unwrap_or_default();
        let same = below.iter().filter(|width| **width == wanted).count();
        (wanted >= 2 && same * 2 > below.len()).then_some((wanted, separator, at))
    };

    let places = 0..lines.len().min(HEAD_LINES);
    let found = SEPARATORS
        .into_iter()
        .flat_map(|separator| places.clone().map(move |at| (separator, at)))
        .filter_map(|(separator, at)| fits(separator, at));
    let widest = found.max_by_key(|(width, _, at)| (*width, std::cmp::Reverse(*at)));
    widest.map(|(_, separator, at)| (separator, at))
}

fn describe_column(name: &str, place: usize, rows: &[Vec<String>]) -> Column {
    let cells = rows.iter().filter_map(|row| row.get(place));
    let cells: Vec<&str> = cells
        .map(|cell| cell.trim())
        .filter(|cell| !cell.is_empty())
        .collect();
    let mut values: Vec<String> = Vec::new();
    for cell in &cells {
        if values.len() < VALUES_MAX && !values.iter().any(|known| known == cell) {
            values.push((*cell).to_owned());
        }
    }

    Column {
        name: name.to_owned(),
        examples: values.iter().take(EXAMPLES).cloned().collect(),
        holds: kind_of_values(&cells),
        values,
    }
}

fn kind_of_values(values: &[&str]) -> Holds {
    let most = |fits: &dyn Fn(&str) -> bool| {
        let fitting = values.iter().filter(|value| fits(value)).count();
        fitting * 10 > values.len() * 8
    };

    if values.is_empty() {
        Holds::Nothing
    } else if most(&looks_like_number) {
        Holds::Numbers
    } else if most(&looks_like_time) {
        Holds::Times
    } else {
        Holds::Text
    }
}

/// Whether a text is a number in any of the usual currencies.
fn looks_like_number(text: &str) -> bool {
    CURRENCIES
        .iter()
        .filter_map(|code| code.parse::<Currency>().ok())
        .any(|currency| fit(text, currency) != Fit::None)
}

/// Two separators of a date, and digits on their sides.
fn looks_like_time(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let marks = text.matches(['-', '/', '.', ':']).count();
    (4..=17).contains(&digits) && marks >= 2
}

pub(crate) const CURRENCIES: [&str; 6] = ["GEL", "USD", "EUR", "GBP", "RUB", "UAH"];

/// The first preset all of whose columns the file has.
fn find_preset(header: &[String]) -> Option<&'static str> {
    let known: Vec<String> = header.iter().map(|name| normalise_name(name)).collect();
    preset::names().find(|name| {
        let map = Map::from_toml(&minimal_map(name));
        map.is_ok_and(|map| {
            let mut wanted = map.wanted_columns().into_iter();
            wanted.all(|column| known.contains(&normalise_name(column)))
        })
    })
}

fn minimal_map(preset: &str) -> String {
    format!("source = \"x\"\npreset = \"{preset}\"\ncurrency = \"GEL\"\n{OUTLET}")
}

const OUTLET: &str = "\n[[outlets]]\nid = 1\ncity = \"Tbilisi\"\nkind = \"owner_operated\"\n";

impl Inspection {
    /// The rules under which the file can be opened.
    pub fn file_rules(&self) -> FileRules {
        let is_delimited = self.format == Format::Delimited;
        FileRules {
            format: Some(self.format),
            encoding: is_delimited.then_some(self.encoding),
            separator: is_delimited.then_some(self.separator),
            header_line: is_delimited.then_some(self.header_line),
            ..FileRules::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspected(bytes: &[u8]) -> Inspection {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("orders.csv");
        std::fs::write(&path, bytes).unwrap();
        inspect(&path).unwrap()
    }

    #[test]
    fn separators_headers_and_encodings_are_found() {
        let found =
            inspected("Cafe\n\nNr;Artikel;Menge;Preis\n1;Tee;1;1,60\n2;Tee;1;1,60\n".as_bytes());
        assert_eq!((found.separator, found.header_line), (';', 3));
        assert_eq!(found.columns[3].holds, Holds::Numbers);
        assert_eq!(found.columns[3].examples, ["1,60"]);

        let found = inspected(b"order,item,price\n1,\xd7\xe0\xe9,3.00\n");
        assert_eq!(found.encoding, TextEncoding::Windows1251);
    }

    #[test]
    fn cells_of_several_lines_are_read_as_an_import_reads_them() {
        let note = "\"no ice,\nno sugar;\nto go\"";
        let rows: String = (0..9).map(|i| format!("{i},Tea,{note},3.00\n")).collect();
        let found = inspected(format!("order,item,note,price\n{rows}").as_bytes());
        assert_eq!((found.separator, found.header_line), (',', 1));
        assert_eq!((found.columns.len(), found.rows.len()), (4, 9));
        assert_eq!(found.columns[3].holds, Holds::Numbers);
    }

    #[test]
    fn each_preset_is_a_map_and_is_recognised_by_its_columns() {
        for name in preset::names() {
            let map = Map::from_toml(&minimal_map(name)).unwrap();
            let header: Vec<String> = map
                .wanted_columns()
                .iter()
                .map(|c| (*c).to_owned())
                .collect();
            assert!(find_preset(&header).is_some(), "{name}");
        }
    }
}
