//! The map: a TOML file that says what the columns of an order file mean and what is done about what it lacks.

use crate::moment::{find_zone, is_half_day};
use crate::number::DecimalMark;
use crate::preset;
use crate::row_kind::RowRule;
use crate::text::TextEncoding;
use domain::{Currency, OutletId, OutletKind};
use serde::Deserialize;
use std::path::Path;

/// The finest currency of ISO 4217 has four decimals.
const EXPONENT_MAX: u32 = 4;

/// Why a map cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// It cannot be read.
    #[error("read the map {path}")]
    Read {
        /// Where it is.
        path: String,
        /// What the disk says.
        #[source]
        source: std::io::Error,
    },
    /// It is no TOML, or says something that no map says.
    #[error("the map is not valid: {0}")]
    Syntax(#[from] toml::de::Error),
    /// It contradicts itself.
    #[error("the map is not valid: {field}: {problem}")]
    Field {
        /// The setting, with its section.
        field: &'static str,
        /// What is wrong with it and what is allowed.
        problem: String,
    },
}

/// How an order file becomes sales.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// Name of the source; part of every sale's id, so it must never change for the same orders.
    pub source: String,
    /// A till whose usual export fills in what this map does not say: see [`preset::names`].
    #[serde(default)]
    pub preset: Option<String>,
    /// The columns whose values together join lines to an order.
    pub group_by: OneOrMany<KeyPart>,
    /// The currency of all prices.
    pub currency: Currency,
    /// Digits behind the decimal point of the currency's smallest unit. Default 2.
    #[serde(default = "default_exponent")]
    pub exponent: u32,
    /// Values that mean "nothing". Default: the empty one and `NULL`.
    #[serde(default = "default_nulls")]
    pub null_values: Vec<String>,
    /// How the file is written.
    #[serde(default)]
    pub file: FileRules,
    /// How its numbers are written.
    #[serde(default)]
    pub numbers: NumberRules,
    /// The columns of the order file, by what they mean.
    pub columns: Columns,
    /// When a sale occurred.
    #[serde(default)]
    pub time: TimeRule,
    /// Rows that are no sold goods, by the value of a column; the first that fits decides.
    #[serde(default)]
    pub rows: Vec<RowRule>,
    /// Whether the usual words of tills for voids, refunds, totals and tips are understood without a rule.
    #[serde(default = "default_true")]
    pub usual_words: bool,
    /// Whether a row that costs what all others of its order cost together is refused, since it may be their sum.
    #[serde(default = "default_true")]
    pub sum_rows_checked: bool,
    /// What is done with amounts that are no goods.
    #[serde(default)]
    pub amounts: AmountRules,
    /// Which outlet sold.
    #[serde(default)]
    pub outlet: OutletRule,
    /// How often a wallet buys rather than a receipt.
    #[serde(default)]
    pub buyer: BuyerRule,
    /// The outlets that the orders are spread over or name.
    pub outlets: Vec<OutletSpec>,
}

/// One value where a list of one is meant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// Without brackets.
    One(T),
    /// A list, in brackets.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// All of them.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// A column, or the day of a column that holds a time, as part of what makes an order one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum KeyPart {
    /// Its whole value.
    Column(String),
    /// `{ day_of = "Date" }`: what stands before the first space or `T`.
    Day {
        /// The column of the time.
        day_of: String,
    },
}

impl KeyPart {
    /// The column's name.
    pub fn column(&self) -> &str {
        match self {
            Self::Column(column) | Self::Day { day_of: column } => column,
        }
    }
}

/// How the file is written. What is left out follows from its name and its first line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileRules {
    /// Default: by the ending of the name.
    pub format: Option<Format>,
    /// Default: a byte order mark, else UTF-8.
    pub encoding: Option<TextEncoding>,
    /// One of `,` `;` `|` or a tab. Default: the one under which the first line has the map's columns.
    pub separator: Option<char>,
    /// Whether quotes wrap cells. Default: yes, but not in files with tabs.
    pub quotes: Option<bool>,
    /// The line that names the columns, counted from 1. Default: the first, or the second behind `sep=;`.
    pub header_line: Option<u64>,
    /// Columns whose empty cells mean what stands above them, as in a pivot table.
    pub fill_down: Vec<String>,
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A first line that names the columns, then a row a line.
    Delimited,
    /// One JSON object a line.
    JsonLines,
    /// One JSON array of objects.
    Json,
}

/// How numbers are written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberRules {
    /// The character before decimals. Default: what all numbers of the file together prove.
    pub decimal: Option<DecimalMark>,
    /// The character between thousands. Default: any that cannot be mistaken.
    pub thousands: Option<char>,
    /// What a weight times its price is rounded to, where the file has no total of the line. Default: refused.
    pub rounding: Option<Rounding>,
}

/// How a product with finer decimals than the currency's becomes money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest, a half up.
    HalfUp,
    /// To the nearest, a half to the even one.
    HalfEven,
    /// Towards zero.
    Down,
}

/// The columns of the order file, by what they mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Joined by ", " to the line's name; the first is required in each line.
    pub name: Vec<String>,
    /// How many. Without it: 1.
    pub quantity: Option<String>,
    /// What an empty quantity means. Default: it is refused.
    pub quantity_default: Option<u32>,
    /// What a quantity with decimals is measured in, such as kg.
    pub unit: Option<String>,
    /// Price of one. Either this or `line_total`.
    pub unit_price: Option<String>,
    /// Price of the whole line.
    pub line_total: Option<String>,
    /// Stock-keeping unit. Without it: made from the first name.
    pub sku: Option<String>,
    /// A code of ISO 4217 that must be the map's. Default: a column of that name, if there is one.
    pub currency: Option<String>,
    /// The receipt's own total, which the lines must add up to.
    pub receipt_total: Option<String>,
    /// In a row of a refund: the order whose goods came back, by the last column of `group_by`.
    pub refund_of: Option<String>,
}

/// When a sale occurred.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeRule {
    /// The column, or those of day and time. Without one, times are made: up to an order's first import, and kept.
    pub column: Option<OneOrMany<String>>,
    /// As `strftime` writes it, `unix` or `unix_ms`; letters of a zone at the end (`%Z`) must not
    /// contradict the zone, since they stand for several. Default: RFC 3339, or ISO 8601 in the zone.
    pub format: Option<String>,
    /// Zone of times that name none: an IANA name such as Asia/Tbilisi.
    pub zone: Option<String>,
    /// Holds the IANA name instead.
    pub zone_column: Option<String>,
    /// What a time in the hour that clocks skip is taken for. Default: refused.
    pub skipped: Option<SkippedTime>,
    /// What a time in the hour that clocks repeat is taken for. Default: refused.
    pub repeated: Option<RepeatedTime>,
    /// Hours that rows of one order may lie apart; more, and its number began anew. Default 12.
    pub order_hours: u64,
    /// Milliseconds between two made times. Default 1000.
    pub step_ms: u64,
}

impl Default for TimeRule {
    fn default() -> Self {
        Self {
            column: None,
            format: None,
            zone: None,
            zone_column: None,
            skipped: None,
            repeated: None,
            order_hours: 12,
            step_ms: 1_000,
        }
    }
}

/// What a time in the hour that clocks skip is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkippedTime {
    /// As if clocks had not been set yet: an hour later by the new time.
    Later,
    /// As if they had been set already: an hour earlier by the old time.
    Earlier,
}

/// What a time in the hour that clocks repeat is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedTime {
    /// The first of the two.
    First,
    /// The second of the two.
    Second,
}

/// What is done with amounts in rows that are no goods.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AmountRules {
    /// Rows of a discount. Default: the order is refused.
    pub discount: DiscountRule,
    /// Rows above zero whose state says that they were refunded. Default: the order is refused.
    pub refunded: RefundedRule,
    /// Rows of a tip. Default: left out, and no part of a receipt's own total.
    pub tip: Option<ExtraRule>,
    /// Rows of a service charge. Default: as of a tip.
    pub service: Option<ExtraRule>,
    /// Rows of a tax on top of the prices. Default: as of a tip.
    pub tax: Option<ExtraRule>,
}

/// What is done with a row below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscountRule {
    /// Its order is refused.
    #[default]
    Refuse,
    /// It makes all lines of its order cheaper, in proportion; what is left over goes to the largest remainders.
    Spread,
}

/// What is done with a row that was sold and given back later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundedRule {
    /// Its order is refused.
    #[default]
    Refuse,
    /// It is no part of the sale, and nothing is given back.
    LeaveOut,
    /// It is part of the sale, and a refund of that sale gives it back.
    GiveBack,
}

/// What is done with an amount that is paid on top of the goods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtraRule {
    /// It is no part of the sale.
    #[default]
    LeaveOut,
    /// It is a line of the sale.
    Include,
    /// Its order is refused.
    Refuse,
}

/// Which outlet sold: by a column that holds its id or a name of it, else by a hash of the order id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutletRule {
    /// Holds the outlet's id or one of its names.
    pub column: Option<String>,
}

/// Who bought: by a hash of the order id, one order in `wallet_one_in` goes to one of `wallets` wallets, the others to
/// receipts. 0 = all to receipts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BuyerRule {
    /// One order in so many goes to a wallet.
    pub wallet_one_in: u64,
    /// How many wallets share them.
    pub wallets: u64,
}

/// An outlet that the import may register.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutletSpec {
    /// The founder's number for it.
    pub id: OutletId,
    /// The city that it stands in.
    pub city: String,
    /// Who runs it.
    pub kind: OutletKind,
    /// What the file calls it, beside its id.
    #[serde(default)]
    pub names: Vec<String>,
}

/// What a file may call an outlet.
fn names_of_outlet(outlet: &OutletSpec) -> impl Iterator<Item = String> {
    let names = outlet.names.iter().cloned();
    names.chain([outlet.id.to_string()])
}

/// Decimals of a currency by ISO 4217; two for all that are not listed.
pub(crate) fn exponent_of(currency: Currency) -> u32 {
    match currency.as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

const fn default_exponent() -> u32 {
    2
}

const fn default_true() -> bool {
    true
}

fn default_nulls() -> Vec<String> {
    vec![String::new(), "NULL".into()]
}

impl Map {
    /// Reads and checks a map.
    pub fn read(path: &Path) -> Result<Self, MapError> {
        let text = std::fs::read_to_string(path).map_err(|source| MapError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::from_toml(&text)
    }

    /// A map from its text, filled in by the preset that it names, and checked. A byte order mark is passed over.
    pub fn from_toml(text: &str) -> Result<Self, MapError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let own: toml::Table = toml::from_str(text)?;

        let preset = own.get("preset").and_then(toml::Value::as_str);
        let mut map: Self = match preset.map(str::to_owned) {
            None => toml::from_str(text)?,
            Some(name) => preset::fill_in(&name, own)?.try_into()?,
        };
        map.check()?;
        // What stands between thousands does not stand before decimals.
        let implied = match map.numbers.thousands {
            Some('.') => Some(DecimalMark::Comma),
            Some(',') => Some(DecimalMark::Point),
            _ => None,
        };
        map.numbers.decimal = map.numbers.decimal.or(implied);

        Ok(map)
    }

    fn check(&self) -> Result<(), MapError> {
        let refuse = |field, problem: &str| {
            Err(MapError::Field {
                field,
                problem: problem.into(),
            })
        };

        if self.outlets.is_empty() {
            return refuse("outlets", "at least one [[outlets]] is needed");
        }
        let mut names: Vec<String> = self.outlets.iter().flat_map(names_of_outlet).collect();
        names.sort_unstable();
        if names.windows(2).any(|two| two[0] == two[1]) {
            return refuse("outlets", "two outlets have the same id or name");
        }
        if self.group_by.as_slice().is_empty() {
            return refuse("group_by", "at least one column is needed");
        }
        if self.columns.name.is_empty() {
            return refuse("columns.name", "at least one column is needed");
        }
        if self.columns.unit_price.is_some() == self.columns.line_total.is_some() {
            return refuse(
                "columns",
                "exactly one of unit_price and line_total is needed",
            );
        }
        let has_day = |part: &KeyPart| matches!(part, KeyPart::Day { .. });
        if self.columns.refund_of.is_some() && self.group_by.as_slice().iter().any(has_day) {
            return refuse(
                "columns.refund_of",
                "the day of the sale is not known from its refund: take day_of out of group_by",
            );
        }
        if self.columns.quantity_default == Some(0) {
            return refuse("columns.quantity_default", "at least 1 is allowed");
        }
        if self.buyer.wallet_one_in > 0 && self.buyer.wallets == 0 {
            return refuse(
                "buyer.wallets",
                "must be at least 1 when wallet_one_in is set",
            );
        }
        if self.exponent > EXPONENT_MAX {
            return refuse("exponent", "0 to 4 is allowed");
        }

        self.check_columns()?;
        self.check_writing()
    }

    /// One column has one meaning, and what a row costs stands in the row.
    fn check_columns(&self) -> Result<(), MapError> {
        let refuse = |field, problem: String| Err(MapError::Field { field, problem });
        let columns = &self.columns;
        let price = columns.line_total.as_ref().or(columns.unit_price.as_ref());

        if columns.quantity.is_some() && columns.quantity.as_ref() == price {
            return refuse("columns.quantity", "it is the price already".into());
        }
        let amounts = [
            price,
            columns.quantity.as_ref(),
            columns.receipt_total.as_ref(),
        ];
        let filled = amounts
            .into_iter()
            .flatten()
            .find(|name| self.file.fill_down.contains(name));
        if let Some(column) = filled {
            let problem = format!("an empty {column:?} does not cost what the row above costs");
            return refuse("file.fill_down", problem);
        }
        if self.source.trim().is_empty() {
            return refuse("source", "a name is needed".into());
        }

        let expected = exponent_of(self.currency);
        if self.exponent != expected {
            let problem = format!("{} has {expected} decimals", self.currency);
            return refuse("exponent", problem);
        }
        Ok(())
    }

    fn check_writing(&self) -> Result<(), MapError> {
        let refuse = |field, problem: String| Err(MapError::Field { field, problem });

        if let Some(separator) = self.file.separator
            && !crate::file::SEPARATORS.contains(&separator)
        {
            return refuse(
                "file.separator",
                format!("one of , ; | and tab is allowed, found {separator:?}"),
            );
        }
        if let (Some(decimal), Some(thousands)) = (self.numbers.decimal, self.numbers.thousands)
            && decimal.char() == thousands
        {
            return refuse(
                "numbers.thousands",
                format!("{thousands:?} stands before the decimals already"),
            );
        }
        if let Some(zone) = &self.time.zone
            && let Err(allowed) = find_zone(zone)
        {
            return refuse("time.zone", format!("allowed is {allowed}"));
        }
        if let Some(format) = &self.time.format
            && is_half_day(format)
        {
            let problem =
                format!("{format:?} has hours up to 12 (%I) and not which half of the day (%p)");
            return refuse("time.format", problem);
        }

        Ok(())
    }

    /// Whether a value means "nothing".
    pub fn is_null(&self, value: &str) -> bool {
        self.null_values.iter().any(|null| null == value.trim())
    }

    /// The columns that the file must have.
    pub fn wanted_columns(&self) -> Vec<&str> {
        let columns = &self.columns;
        let keys = self.group_by.as_slice().iter().map(KeyPart::column);
        let named = [
            &columns.quantity,
            &columns.unit,
            &columns.unit_price,
            &columns.line_total,
            &columns.sku,
            &columns.currency,
            &columns.receipt_total,
            &columns.refund_of,
            &self.time.zone_column,
            &self.outlet.column,
        ];
        let time = self.time.column.iter().flat_map(OneOrMany::as_slice);

        let mut wanted: Vec<&str> = keys
            .chain(columns.name.iter().map(String::as_str))
            .chain(named.into_iter().flatten().map(String::as_str))
            .chain(time.map(String::as_str))
            .chain(self.rows.iter().map(|rule| rule.column.as_str()))
            .chain(self.file.fill_down.iter().map(String::as_str))
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"
        source = "till"
        group_by = "order"
        currency = "GEL"
        [columns]
        name = ["item"]
        unit_price = "price"
        [[outlets]]
        id = 1
        city = "Tbilisi"
        kind = "owner_operated"
    "#;

    fn refused(text: &str) -> String {
        Map::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn the_least_that_a_map_says() {
        let map = Map::from_toml(&format!("\u{feff}{LEAST}")).unwrap();
        assert_eq!(map.wanted_columns(), ["item", "order", "price"]);
        assert!(map.is_null(" NULL "));
    }

    #[test]
    fn several_columns_and_a_day_make_an_order_one() {
        let keys = r#"group_by = ["check", { day_of = "Date" }]"#;
        let map = Map::from_toml(&LEAST.replace(r#"group_by = "order""#, keys)).unwrap();
        let columns: Vec<&str> = map
            .group_by
            .as_slice()
            .iter()
            .map(KeyPart::column)
            .collect();
        assert_eq!(columns, ["check", "Date"]);
    }

    #[test]
    fn what_a_map_may_not_say_is_named() {
        let with = |line: &str| LEAST.replace("[columns]", &format!("{line}\n[columns]"));
        assert!(refused(&with("exponent = 5")).contains("exponent"));
        assert!(refused(&LEAST.replace("GEL", "JPY")).contains("JPY has 0 decimals"));
        assert!(refused(&with("file.fill_down = [\"price\"]")).contains("file.fill_down"));
        let none = LEAST.replace("[columns]", "[columns]\nquantity_default = 0");
        assert!(refused(&none).contains("columns.quantity_default"));
        let day = LEAST
            .replace(
                r#"group_by = "order""#,
                r#"group_by = ["order", { day_of = "at" }]"#,
            )
            .replace("[columns]", "[columns]\nrefund_of = \"of\"");
        assert!(refused(&day).contains("columns.refund_of"));
        assert!(refused(&with("colour = 1")).contains("colour"));
        assert!(refused(&with("preset = \"abacus\"")).contains("abacus"));
        assert!(refused(&with("file.separator = \"x\"")).contains("file.separator"));
        assert!(
            refused(&with("numbers.decimal = \",\"\nnumbers.thousands = \",\""))
                .contains("numbers.thousands")
        );
        assert!(refused(&with("time.zone = \"Tbilisi\"")).contains("Asia/Tbilisi"));
        assert!(refused(&with("time.zone = \"Etc/GMT+4\"")).contains("behind UTC"));
        assert!(refused(&with("time.format = \"%d.%m.%Y %I:%M\"")).contains("%p"));
    }
}
