//! Where the columns of a map stand in a file, and what its rows are.

use crate::file::{FileError, Row, Table, normalise_name, words_of_name};
use crate::map::{KeyPart, Map, OneOrMany};
use crate::order::OrderRows;
use crate::row_kind::{
    RowKind, RowRule, Telling, kind_of_group, kind_of_name, kind_of_value, telling,
};
use csv::StringRecord;

/// Names of columns that hold a day or a time, by a word in them.
const DAY_WORDS: [&str; 8] = [
    "date",
    "day",
    "дата",
    "день",
    "თარიღი",
    "დღე",
    "datum",
    "fecha",
];
/// Names of columns that hold a moment, of which the day counts.
const MOMENT_COLUMNS: [&str; 14] = [
    "created at",
    "closed at",
    "opened at",
    "paid at",
    "ordered at",
    "completed at",
    "sold at",
    "time",
    "datetime",
    "timestamp",
    "created",
    "closed",
    "время",
    "დრო",
];
/// Names of columns that hold an outlet.
pub(crate) const OUTLET_COLUMNS: [&str; 24] = [
    "outlet",
    "outlet id",
    "outlet name",
    "store",
    "store id",
    "store name",
    "shop",
    "shop id",
    "shop name",
    "location",
    "location id",
    "location name",
    "branch",
    "restaurant",
    "venue",
    "filiale",
    "sucursal",
    "точка",
    "заведение",
    "ресторан",
    "филиал",
    "торговое предприятие",
    "ფილიალი",
    "რესტორანი",
];
/// Codes of currencies as headers write them in capitals; `ALL` and `TOP` are words there.
const CURRENCY_CODES: [&str; 38] = [
    "AED", "AMD", "AUD", "AZN", "BGN", "BRL", "BYN", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR",
    "GBP", "GEL", "HUF", "ILS", "INR", "JPY", "KGS", "KWD", "KZT", "MDL", "MXN", "NOK", "PLN",
    "QAR", "RON", "RSD", "RUB", "SAR", "SEK", "SGD", "TRY", "UAH", "USD", "UZS", "ZAR",
];
/// Signs of currencies in headers, with those that may be meant.
const CURRENCY_SIGNS: [(char, &[&str]); 9] = [
    ('₾', &["GEL"]),
    ('$', &["USD", "CAD", "AUD", "MXN", "SGD", "BRL"]),
    ('€', &["EUR"]),
    ('£', &["GBP"]),
    ('₽', &["RUB"]),
    ('₴', &["UAH"]),
    ('₺', &["TRY"]),
    ('₸', &["KZT"]),
    ('¥', &["JPY", "CNY"]),
];
/// Names of columns that hold a currency.
pub(crate) const CURRENCY_COLUMNS: [&str; 5] =
    ["currency", "currency code", "ccy", "валюта", "ვალუტა"];
/// What spreadsheets and programs write where an id is missing.
const NO_IDS: [&str; 8] = [
    "nan",
    "n/a",
    "#n/a",
    "#ref!",
    "#value!",
    "none",
    "null",
    "undefined",
];

/// The columns of a map as places in a file.
#[derive(Debug)]
pub(crate) struct Layout {
    header: Vec<String>,
    keys: Vec<(usize, bool)>,
    fill_down: Vec<usize>,
    rules: Vec<(usize, RowRule)>,
    tellings: Vec<(usize, Telling)>,
    usual_words: bool,
    pub names: Vec<usize>,
    pub quantity: Option<usize>,
    pub unit: Option<usize>,
    pub price: usize,
    pub sku: Option<usize>,
    pub currency: Option<usize>,
    pub receipt_total: Option<usize>,
    pub refund_of: Option<usize>,
    pub time: Vec<usize>,
    pub zone: Option<usize>,
    pub outlet: Option<usize>,
    /// Columns of days that the map does not speak of: rows of one order must agree on them.
    pub unmapped_days: Vec<usize>,
    /// Columns of moments that it does not speak of.
    pub unmapped_moments: Vec<usize>,
    /// Columns of outlets that it does not speak of.
    pub unmapped_outlets: Vec<usize>,
}

/// Where a row belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// To the order of this id.
    Order {
        /// The order's id.
        id: OrderId,
        /// What the row is there.
        kind: RowKind,
    },
    /// To none.
    Nowhere {
        /// What it is.
        kind: RowKind,
        /// The cell that says so; empty of an empty row.
        told_by: String,
    },
}

/// What joins rows to an order: the values of its key columns, each in a line.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct OrderId(pub String);

impl std::fmt::Display for OrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.replace('\n', " / "))
    }
}

impl Layout {
    /// Finds the columns of a map in a file.
    pub fn resolve(map: &Map, table: &Table) -> Result<Self, FileError> {
        let find = |column: &str| table.column(column);
        let maybe = |column: &Option<String>| column.as_deref().map(find).transpose();
        let all = |columns: &[String]| -> Result<Vec<usize>, FileError> {
            columns.iter().map(|column| find(column)).collect()
        };

        let columns = &map.columns;
        let price = columns.line_total.as_ref().or(columns.unit_price.as_ref());
        let time = map
            .time
            .column
            .as_ref()
            .map_or(&[][..], OneOrMany::as_slice);
        let rules = map
            .rows
            .iter()
            .map(|rule| Ok((find(&rule.column)?, rule.clone())));
        let keys = map.group_by.as_slice().iter();

        let mut layout = Self {
            header: table.header.clone(),
            keys: keys
                .map(|part| Ok((find(part.column())?, matches!(part, KeyPart::Day { .. }))))
                .collect::<Result<_, FileError>>()?,
            fill_down: all(&map.file.fill_down)?,
            rules: rules.collect::<Result<_, FileError>>()?,
            tellings: Vec::new(),
            usual_words: map.usual_words,
            names: all(&columns.name)?,
            quantity: maybe(&columns.quantity)?,
            unit: maybe(&columns.unit)?,
            price: find(price.map_or("", String::as_str))?,
            sku: maybe(&columns.sku)?,
            currency: maybe(&columns.currency)?,
            receipt_total: maybe(&columns.receipt_total)?,
            refund_of: maybe(&columns.refund_of)?,
            time: all(time)?,
            zone: maybe(&map.time.zone_column)?,
            outlet: maybe(&map.outlet.column)?,
            unmapped_days: Vec::new(),
            unmapped_moments: Vec::new(),
            unmapped_outlets: Vec::new(),
        };
        layout.check_currency_of_columns(map)?;
        layout.add_usual_columns();

        Ok(layout)
    }

    /// Columns that say something by their usual names, where the map says nothing of them.
    fn add_usual_columns(&mut self) {
        let names: Vec<String> = self.header.iter().map(|name| words_of_name(name)).collect();
        let places = || names.iter().enumerate();

        if self.currency.is_none() {
            let found = places().find(|(_, name)| CURRENCY_COLUMNS.contains(&name.as_str()));
            self.currency = found.map(|(place, _)| place);
        }
        if self.usual_words {
            self.tellings = places()
                .filter_map(|(place, name)| Some((place, telling(name)?)))
                .collect();
        }
        let unmapped = |fits: &dyn Fn(&str) -> bool| {
            let fitting = places().filter(|(place, name)| {
                fits(name) && !self.keys.iter().any(|(column, _)| column == place)
            });
            fitting.map(|(place, _)| place).collect::<Vec<usize>>()
        };
        if self.time.is_empty() {
            let names_a_day = |name: &str| name.split(' ').any(|word| DAY_WORDS.contains(&word));
            self.unmapped_days = unmapped(&names_a_day);
            self.unmapped_moments = unmapped(&|name| MOMENT_COLUMNS.contains(&name));
        }
        if self.outlet.is_none() {
            self.unmapped_outlets = unmapped(&|name| OUTLET_COLUMNS.contains(&name));
        }
    }

    /// A currency in the name of a column of money is that of its amounts.
    fn check_currency_of_columns(&self, map: &Map) -> Result<(), FileError> {
        for column in self.money_columns() {
            let name = self.name_of(column);
            let named = currencies_of_name(name);
            let expected = map.currency.as_str();
            if !named.is_empty() && !named.contains(&expected) {
                return Err(FileError::OtherCurrency {
                    column: name.to_owned(),
                    expected: expected.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// The name of a column.
    pub fn name_of(&self, column: usize) -> &str {
        self.header.get(column).map_or("", String::as_str)
    }

    /// The cells that hold money.
    pub fn money_columns(&self) -> impl Iterator<Item = usize> {
        [Some(self.price), self.receipt_total].into_iter().flatten()
    }

    /// Where a row belongs. A row that may belong to any order is an error of the file.
    pub fn place_of(&self, row: &Row, map: &Map) -> Result<Place, FileError> {
        if self.is_header(row) {
            let problem = "the header stands again: are these two exports in one file?".to_owned();
            return Err(FileError::LostRow {
                line: row.line,
                problem,
            });
        }
        if let Some(place) = self.place_without_order(row, map) {
            return Ok(place);
        }
        if let Some(value) = self.value_without_name(row) {
            let problem = format!("{value:?} stands in a column without a name");
            return Err(FileError::LostRow {
                line: row.line,
                problem,
            });
        }

        let (kind, told_by) = self.kind_of(row);
        match self.order_id(row, map) {
            Ok(id) => Ok(Place::Order { id, kind }),
            Err(_) if belongs_nowhere(kind) => Ok(Place::Nowhere { kind, told_by }),
            Err(problem) => Err(FileError::LostRow {
                line: row.line,
                problem,
            }),
        }
    }

    /// What stands where the header names nothing, as the cents of prices do whose comma is the separator too.
    fn value_without_name<'r>(&self, row: &'r Row) -> Option<&'r str> {
        let columns = self.header.iter().enumerate();
        let unnamed = columns.filter(|(_, name)| name.trim().is_empty());
        let mut values = unnamed.map(|(column, _)| row.cell(column));
        values.find(|value| !value.is_empty())
    }

    /// Whether the columns are named again: what follows may be the same orders once more.
    fn is_header(&self, row: &Row) -> bool {
        let names = self.header.iter().map(|name| normalise_name(name));
        row.cells.iter().map(normalise_name).eq(names)
    }

    /// Empty rows, and sums of more than one order.
    fn place_without_order(&self, row: &Row, map: &Map) -> Option<Place> {
        let nowhere = |kind, told_by: &str| {
            Some(Place::Nowhere {
                kind,
                told_by: told_by.to_owned(),
            })
        };

        if row.cells.iter().all(|cell| map.is_null(cell)) {
            return nowhere(RowKind::Ignore, "");
        }
        if !self.usual_words {
            return None;
        }

        let keys = self.keys.iter().map(|(column, _)| *column);
        let groups = keys.clone().chain(self.fill_down.iter().copied());
        for cell in groups.map(|column| row.cell(column)) {
            if let Some(kind) = kind_of_group(cell) {
                return nowhere(kind, cell);
            }
        }

        let has_no_key = keys.into_iter().all(|column| map.is_null(row.cell(column)));
        if !has_no_key || !self.fill_down.is_empty() {
            return None;
        }
        let mut cells = row.cells.iter();
        let sum = cells.find(|cell| kind_of_name(cell) == Some(RowKind::Total));
        sum.and_then(|cell| nowhere(RowKind::Total, cell))
    }

    /// What a row is, and the cell that says so.
    pub fn kind_of(&self, row: &Row) -> (RowKind, String) {
        let by_rule = self
            .rules
            .iter()
            .find(|(column, rule)| rule.fits(row.cell(*column)));
        if let Some((column, rule)) = by_rule {
            return (rule.kind, self.quote_cell(row, *column));
        }
        if !self.usual_words {
            return (RowKind::Goods, String::new());
        }

        if let Some(found) = self.kind_by_telling(row) {
            return found;
        }
        match self
            .names
            .first()
            .and_then(|name| Some((name, kind_of_name(row.cell(*name))?)))
        {
            Some((column, kind)) => (kind, self.quote_cell(row, *column)),
            None => (RowKind::Goods, String::new()),
        }
    }

    /// The kind that a rule of the map gives a row.
    pub fn kind_by_rule(&self, row: &Row) -> Option<RowKind> {
        let mut rules = self.rules.iter();
        let found = rules.find(|(column, rule)| rule.fits(row.cell(*column)));
        found.map(|(_, rule)| rule.kind)
    }

    /// A state that stands in the first row of an order alone is the order's.
    pub fn fill_states(&self, rows: &mut OrderRows, map: &Map) {
        let states = self.tellings.iter();
        let states = states.filter(|(_, telling)| *telling != Telling::VoidFlag);
        for (column, _) in states {
            let Some(((first, _), others)) = rows.split_first_mut() else {
                return;
            };
            let is_empty = |row: &Row| map.is_null(row.cell(*column));
            if is_empty(first) || !others.iter().all(|(row, _)| is_empty(row)) {
                continue;
            }
            for (row, kind) in others {
                row.set_cell(*column, first.cell(*column));
                *kind = self.kind_of(row).0;
            }
        }
    }

    /// Whether nothing but its name says what a row is.
    pub fn is_told_by_name(&self, row: &Row) -> bool {
        let is_told = self.kind_by_rule(row).is_some() || self.kind_by_telling(row).is_some();
        self.usual_words && !is_told && kind_of_name(self.name_of_row(row)).is_some()
    }

    /// What a row calls itself.
    pub fn name_of_row<'r>(&self, row: &'r Row) -> &'r str {
        self.names.first().map_or("", |column| row.cell(*column))
    }

    /// What a column such as a state says; a sum among the rows of a refund is a sum.
    fn kind_by_telling(&self, row: &Row) -> Option<(RowKind, String)> {
        let mut tellings = self.tellings.iter();
        let (kind, column) = tellings.find_map(|(column, telling)| {
            Some((kind_of_value(*telling, row.cell(*column))?, *column))
        })?;

        let name = self.names.first().copied().unwrap_or(column);
        match kind_of_name(row.cell(name)) {
            Some(sum @ (RowKind::Subtotal | RowKind::Total | RowKind::Payment))
                if matches!(kind, RowKind::Refund | RowKind::Refunded) =>
            {
                Some((sum, self.quote_cell(row, name)))
            }
            _ => Some((kind, self.quote_cell(row, column))),
        }
    }

    fn quote_cell(&self, row: &Row, column: usize) -> String {
        format!("{:?} is {:?}", self.name_of(column), row.cell(column))
    }

    fn order_id(&self, row: &Row, map: &Map) -> Result<OrderId, String> {
        let parts = self.keys.iter().map(|(column, is_day)| {
            let value = row.cell(*column);
            let name = self.name_of(*column);
            if value.is_empty()
                || map.is_null(value)
                || NO_IDS.contains(&normalise_name(value).as_str())
            {
                return Err(format!(
                    "the column {name:?} holds no order id, found {value:?}"
                ));
            }
            if value.contains(['\n', '\u{feff}', '\u{200b}']) {
                return Err(format!(
                    "the column {name:?} holds a line break or a sign that nobody sees"
                ));
            }
            Ok(if *is_day { day_part(value) } else { value })
        });

        let parts = parts.collect::<Result<Vec<&str>, String>>()?;
        Ok(OrderId(parts.join("\n")))
    }

    /// The order that a row's refund is of: the row's own keys, but for the last one, which the refund names.
    pub fn refunded_id(&self, row: &Row, named: &str) -> OrderId {
        let keys = self.keys.split_last().map_or(&[][..], |(_, before)| before);
        let before = keys.iter().map(|(column, _)| row.cell(*column));
        let parts: Vec<&str> = before.chain([named]).collect();
        OrderId(parts.join("\n"))
    }

    /// Puts what stands above into the empty cells of the map's columns, and keeps what is there for the next row.
    pub fn fill_down(&self, row: &mut Row, above: &mut StringRecord, map: &Map) {
        if self.fill_down.is_empty() || self.place_without_order(row, map).is_some() {
            return;
        }

        let mut filled = StringRecord::new();
        for (column, cell) in row.cells.iter().enumerate() {
            let is_gap = self.fill_down.contains(&column) && map.is_null(cell);
            filled.push_field(if is_gap {
                above.get(column).unwrap_or_default()
            } else {
                cell
            });
        }
        above.clone_from(&filled);
        row.cells = filled;
    }
}

/// Rows that take nothing from an order by being in none; a discount or a refund would.
const fn belongs_nowhere(kind: RowKind) -> bool {
    matches!(
        kind,
        RowKind::Void | RowKind::Ignore | RowKind::Subtotal | RowKind::Total | RowKind::Payment
    )
}

/// The currencies that the name of a column may mean.
pub(crate) fn currencies_of_name(name: &str) -> Vec<&'static str> {
    let words = || name.split(|c: char| !c.is_alphanumeric());
    let codes = CURRENCY_CODES.iter().copied();
    // Programs write `price_usd`; `price_try` is no lira.
    let is_named = |code: &str| {
        let lower = code.to_lowercase();
        words().any(|word| word == code || (word == lower && code != "TRY"))
    };
    let signs = CURRENCY_SIGNS
        .iter()
        .filter(|(sign, _)| name.contains(*sign));

    codes
        .filter(|code| is_named(code))
        .chain(signs.flat_map(|(_, codes)| codes.iter().copied()))
        .collect()
}

/// The day of a moment, if one stands there: `2026-11-30T10:00`, `30.11.2026 10:00`.
pub(crate) fn day_of_moment(text: &str) -> Option<&str> {
    let day = day_part(text);
    let marks = day.matches(['-', '/', '.']).count();
    let has_digit = day.starts_with(|c: char| c.is_ascii_digit());
    (marks == 2 && has_digit).then_some(day)
}

/// What stands before the first space, or the `T` between a day and a time.
pub(crate) fn day_part(text: &str) -> &str {
    let text = text.trim();
    let end = text
        .char_indices()
        .find(|(place, c)| c.is_whitespace() || (*c == 'T' && *place == 10));
    end.map_or(text, |(place, _)| &text[..place])
}
