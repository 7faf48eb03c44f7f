//! Lines of text to cells, strictly as RFC 4180 says.
//!
//! The csv crate forgives: it takes the rest of a file as one cell when a quote is not closed, and joins what follows a
//! closing quote to the cell. In a file of money both must be errors that name the line of the quote.

use crate::file::FileError;
use crate::text::TextLines;
use csv::StringRecord;

/// Line breaks that a quoted cell may hold; more, and the quote was never meant to open.
const QUOTED_LINES_MAX: u64 = 20;

/// The records of a text with separators.
pub(crate) struct Delimited {
    lines: TextLines,
    /// What stands between two cells.
    separator: char,
    /// Whether a quote at the start of a cell opens one that may hold separators and line breaks.
    has_quotes: bool,
}

/// Where the scan of a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scan {
    CellStart,
    Bare,
    /// Inside quotes that were opened in this line.
    Quoted(u64),
    /// Behind the quote that closed those of this line.
    Closed(u64),
}

impl Delimited {
    pub const fn new(lines: TextLines, separator: char, has_quotes: bool) -> Self {
        Self {
            lines,
            separator,
            has_quotes,
        }
    }

    /// Fills `record` with the next one and says the line in which it begins. Empty lines are passed over.
    pub fn next_record(&mut self, record: &mut StringRecord) -> Result<Option<u64>, FileError> {
        record.clear();
        let mut cell = String::new();
        let mut scan = Scan::CellStart;
        let mut first = None;

        while let Some((line, text)) = self.lines.next_line()? {
            if first.is_none() && text.is_empty() {
                continue;
            }
            let first = *first.get_or_insert(line);

            let mut cells = Cells {
                separator: self.separator,
                has_quotes: self.has_quotes,
                line,
                cell: &mut cell,
                record,
            };
            scan = cells.scan(text, scan)?;

            let Scan::Quoted(opened) = scan else {
                record.push_field(&cell);
                return Ok(Some(first));
            };
            if line - opened >= QUOTED_LINES_MAX {
                return Err(FileError::OpenQuote { line: opened });
            }
            cell.push('\n');
        }

        match scan {
            Scan::Quoted(line) => Err(FileError::OpenQuote { line }),
            _ => Ok(None),
        }
    }
}

/// The cells of one line, put into the record as they end.
struct Cells<'r> {
    separator: char,
    has_quotes: bool,
    line: u64,
    cell: &'r mut String,
    record: &'r mut StringRecord,
}

impl Cells<'_> {
    fn scan(&mut self, text: &str, mut scan: Scan) -> Result<Scan, FileError> {
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            let doubled = char == '"' && chars.peek() == Some(&'"');
            if doubled && matches!(scan, Scan::Quoted(_)) {
                chars.next();
                self.cell.push('"');
                continue;
            }
            scan = self.step(char, scan)?;
        }

        Ok(scan)
    }

    fn step(&mut self, char: char, scan: Scan) -> Result<Scan, FileError> {
        match scan {
            Scan::Quoted(opened) if char == '"' => Ok(Scan::Closed(opened)),
            Scan::Quoted(_) => {
                self.cell.push(char);
                Ok(scan)
            }
            _ if char == self.separator => {
                self.record.push_field(self.cell);
                self.cell.clear();
                Ok(Scan::CellStart)
            }
            Scan::Closed(opened) => Err(FileError::TextBehindQuote {
                line: self.line,
                opened,
            }),
            Scan::CellStart if char == '"' && self.has_quotes => Ok(Scan::Quoted(self.line)),
            Scan::CellStart | Scan::Bare => {
                self.cell.push(char);
                Ok(Scan::Bare)
            }
        }
    }
}

/// The cells of one line that is known to hold a whole record, such as a header.
pub(crate) fn split_header(text: &str, separator: char, has_quotes: bool) -> Vec<String> {
    let lines = TextLines::new(std::io::Cursor::new(text.to_owned()), None);
    let mut record = StringRecord::new();
    let found = Delimited::new(lines, separator, has_quotes).next_record(&mut record);

    match found {
        Ok(Some(_)) => record.iter().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records_of(text: &str, separator: char) -> Result<Vec<Vec<String>>, FileError> {
        let lines = TextLines::new(std::io::Cursor::new(text.to_owned()), None);
        let mut reader = Delimited::new(lines, separator, separator != '\t');
        let mut record = StringRecord::new();
        let mut records = Vec::new();
        while reader.next_record(&mut record)?.is_some() {
            records.push(record.iter().map(str::to_owned).collect());
        }
        Ok(records)
    }

    #[test]
    fn quoted_cells_hold_separators_quotes_and_line_breaks() {
        let found = records_of("a;\"b;\"\"c\"\"\nd\";e\n\nf;;\n", ';').unwrap();
        assert_eq!(found, [vec!["a", "b;\"c\"\nd", "e"], vec!["f", "", ""]]);
    }

    #[test]
    fn a_quote_within_a_cell_is_a_character() {
        assert_eq!(
            records_of("12\" pizza,1\n", ',').unwrap(),
            [vec!["12\" pizza", "1"]]
        );
        assert_eq!(
            records_of("\"Special\" soup\t1\n", '\t').unwrap(),
            [vec!["\"Special\" soup", "1"]]
        );
    }

    #[test]
    fn a_quote_that_is_not_closed_is_named_with_its_line() {
        let many = format!("a,b\n1,\"open\n{}", "2,x\n".repeat(500));
        assert!(matches!(
            records_of(&many, ','),
            Err(FileError::OpenQuote { line: 2 })
        ));
        assert!(matches!(
            records_of("a,b\n1,\"open\n", ','),
            Err(FileError::OpenQuote { line: 2 })
        ));
        assert!(matches!(
            records_of("a,b\n1,\"open\n2,15\" pizza\n", ','),
            Err(FileError::TextBehindQuote { line: 3, opened: 2 })
        ));
    }

    proptest! {
        #[test]
        fn what_the_library_writes_is_read(
            records in prop::collection::vec(prop::collection::vec("[a\", ;\n\u{10d0}]{0,8}", 2..5), 0..6),
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for record in &records {
                writer.write_record(record).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(records_of(&text, ',').unwrap(), records);
        }

        #[test]
        fn hostile_text_is_read_or_refused(text in "[\",;\t\r\n a-z]{0,200}") {
            let _ = records_of(&text, ',');
            let _ = records_of(&text, '\t');
        }
    }
}
