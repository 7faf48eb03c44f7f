//! A file of orders without a map: what stands in it, and the map that it seems to want. Nothing here decides about
//! money; a proposal is shown to a person, who signs under it.

use crate::delimited::split_header;
use crate::file::{SEPARATORS, normalise_name};
use crate::map::{FileRules, Map};
use crate::number::{Fit, fit};
use crate::preset;
use crate::text::{TextEncoding, TextLines};
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

/// What stands in a file, as far as its first rows tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
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
    File(#[from] crate::file::FileError),
    /// Its columns have names in every row.
    #[error("a JSON file is not looked at; write a map and see what it makes of the file: --map")]
    Json,
    /// It has no line with at least two cells.
    #[error("no line of the first {HEAD_LINES} has columns: is this a file with separators?")]
    NoColumns,
}

impl From<std::io::Error> for InspectError {
    fn from(error: std::io::Error) -> Self {
        Self::File(error.into())
    }
}

/// Looks at the first rows of a file with separators.
pub fn inspect(path: &Path) -> Result<Inspection, InspectError> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    if ["json", "jsonl", "ndjson"].contains(&ending.as_str()) {
        return Err(InspectError::Json);
    }

    let encoding = guess_encoding(path)?;
    let lines = read_lines(path, encoding)?;
    let (separator, header_at) = find_header(&lines).ok_or(InspectError::NoColumns)?;

    let has_quotes = separator != '\t';
    let header = split_header(&lines[header_at], separator, has_quotes);
    let rows: Vec<Vec<String>> = lines[header_at + 1..]
        .iter()
        .map(|line| split_header(line, separator, has_quotes))
        .filter(|cells| cells.len() == header.len())
        .collect();
    let columns = (0..header.len()).map(|place| describe_column(&header[place], place, &rows));

    Ok(Inspection {
        encoding,
        separator,
        header_line: u64::try_from(header_at + 1).unwrap_or(1),
        preset: find_preset(&header),
        columns: columns.collect(),
    })
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

/// The first line after which most lines have as many cells as it has.
fn find_header(lines: &[String]) -> Option<(char, usize)> {
    let width =
        |line: &str, separator: char| split_header(line, separator, separator != '\t').len();
    let fits = |separator: char, at: usize| {
        let wanted = width(&lines[at], separator);
        let below = lines[at + 1..].iter().filter(|line| !line.is_empty());
        let (mut same, mut all) = (0, 0);
        for line in below {
            all += 1;
            same += usize::from(width(line, separator) == wanted);
        }
        wanted >= 2 && all > 0 && same * 2 > all
    };

    let places = 0..lines.len().min(HEAD_LINES);
    let found = SEPARATORS
        .into_iter()
        .flat_map(|separator| places.clone().map(move |at| (separator, at)))
        .filter(|(separator, at)| fits(*separator, *at));
    found.max_by_key(|(separator, at)| (width(&lines[*at], *separator), std::cmp::Reverse(*at)))
}

fn describe_column(name: &str, place: usize, rows: &[Vec<String>]) -> Column {
    let values: Vec<&str> = rows
        .iter()
        .map(|row| row[place].trim())
        .filter(|value| !value.is_empty())
        .collect();
    let mut examples: Vec<String> = Vec::new();
    for value in &values {
        if examples.len() < EXAMPLES && !examples.iter().any(|known| known == value) {
            examples.push((*value).to_owned());
        }
    }

    Column {
        name: name.to_owned(),
        examples,
        holds: kind_of_values(&values),
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

const CURRENCIES: [&str; 6] = ["GEL", "USD", "EUR", "GBP", "RUB", "UAH"];

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

/// Names under which tills keep what a map asks for, the surest first.
const ORDER_NAMES: [&str; 16] = [
    "transaction id",
    "order id",
    "order_id",
    "orderid",
    "receipt number",
    "receipt no",
    "order",
    "order number",
    "order no",
    "invoice",
    "check",
    "ticket",
    "bill",
    "номер чека",
    "чек",
    "ჩეკი",
];
const ITEM_NAMES: [&str; 14] = [
    "item",
    "item name",
    "item_name",
    "menu item",
    "product",
    "product name",
    "dish",
    "name",
    "article",
    "artikel",
    "description",
    "блюдо",
    "товар",
    "კერძი",
];
const QUANTITY_NAMES: [&str; 11] = [
    "qty",
    "quantity",
    "pieces",
    "count",
    "amount sold",
    "menge",
    "quantité",
    "количество",
    "количество блюд",
    "кол-во",
    "რაოდენობა",
];
const LINE_TOTAL_NAMES: [&str; 11] = [
    "net sales",
    "line total",
    "net price",
    "item total",
    "total price",
    "item_price",
    "amount",
    "sum",
    "сумма",
    "сумма со скидкой",
    "თანხა",
];
const UNIT_PRICE_NAMES: [&str; 7] = [
    "unit price",
    "unit_price",
    "price",
    "product price",
    "preis",
    "цена",
    "ფასი",
];
const TIME_NAMES: [&str; 7] = [
    "date",
    "order date",
    "datetime",
    "created at",
    "closed",
    "дата",
    "თარიღი",
];

impl Inspection {
    /// The rules under which the file can be opened.
    pub fn file_rules(&self) -> FileRules {
        FileRules {
            encoding: Some(self.encoding),
            separator: Some(self.separator),
            header_line: Some(self.header_line),
            ..FileRules::default()
        }
    }

    fn column_called(&self, names: &[&str]) -> Option<&Column> {
        let mut names = names.iter();
        names.find_map(|name| {
            let mut columns = self.columns.iter();
            columns.find(|column| normalise_name(&column.name) == *name)
        })
    }

    /// A map as TOML, with a question where a person must decide.
    pub fn propose_map(&self, source: &str, currency: Currency) -> String {
        let mut map = format!(
            "# Proposed by hotpot import inspect: check each line. The name of the source must never change for these orders.\n\
             source = {source:?}\n"
        );
        match self.preset {
            Some(preset) => {
                map.push_str(&format!("preset = {preset:?}\ncurrency = \"{currency}\"\n"));
            }
            None => {
                map.push_str(&self.propose_key());
                map.push_str(&format!("currency = \"{currency}\"\n"));
                map.push_str(&self.propose_columns());
            }
        }

        map.push_str(&format!(
            "\n[file]\nencoding = {:?}\nseparator = {:?}\nheader_line = {}\n",
            self.encoding.name(),
            self.separator.to_string(),
            self.header_line
        ));
        map.push_str(&self.propose_time());
        map.push_str("\n# The outlets of the file: id and kind are the founder's.\n[[outlets]]\nid = 1\ncity = \"Tbilisi\"\nkind = \"owner_operated\"\n");
        map
    }

    fn propose_key(&self) -> String {
        match self.column_called(&ORDER_NAMES) {
            Some(column) => format!("group_by = {:?}\n", column.name),
            None => "group_by = \"?\"  # the column whose value joins rows to one order\n".into(),
        }
    }

    fn propose_columns(&self) -> String {
        let name = self
            .column_called(&ITEM_NAMES)
            .map_or("?", |column| &column.name);
        let mut columns = format!("\n[columns]\nname = [{name:?}]\n");
        if let Some(quantity) = self.column_called(&QUANTITY_NAMES) {
            columns.push_str(&format!("quantity = {:?}\n", quantity.name));
        }

        let total = self.column_called(&LINE_TOTAL_NAMES);
        let price = self.column_called(&UNIT_PRICE_NAMES);
        columns.push_str(&match (total, price) {
            (Some(total), _) => format!("line_total = {:?}\n", total.name),
            (None, Some(price)) => format!("unit_price = {:?}\n", price.name),
            (None, None) => "unit_price = \"?\"  # or line_total\n".into(),
        });
        columns
    }

    fn propose_time(&self) -> String {
        let Some(column) = self.column_called(&TIME_NAMES) else {
            return String::new();
        };
        let examples = column.examples.join(", ");
        match self.preset {
            Some(_) => "\n[time]\nzone = \"Asia/Tbilisi\"\n".into(),
            None => format!(
                "\n# Times of the file, such as {examples}. Without them times are made.\n# [time]\n# column = {:?}\n\
                 # format = \"%d.%m.%Y %H:%M\"\n# zone = \"Asia/Tbilisi\"\n",
                column.name
            ),
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
    fn a_proposal_is_a_map() {
        let found = inspected(b"order,item,qty,price\n1,Tea,1,3.00\n");
        let proposed = found.propose_map("till", "GEL".parse().unwrap());
        let map = Map::from_toml(&proposed).unwrap();
        assert_eq!(map.wanted_columns(), ["item", "order", "price", "qty"]);
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
