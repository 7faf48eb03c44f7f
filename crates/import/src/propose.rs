//! The map that a file seems to want: a text for a person, with a question wherever the first rows do not tell.

use crate::file::{normalise_name, words_of_name};
use crate::inspect::{CURRENCIES, Column, Inspection};
use crate::layout::{CURRENCY_COLUMNS, OUTLET_COLUMNS, currencies_of_name};
use crate::map::{Format, RepeatedTime, SkippedTime, TimeRule, exponent_of};
use crate::moment::parse_moment;
use crate::number::{Fit, fit};
use crate::row_kind::{RowKind, Telling, kind_of_value, telling};
use domain::Currency;
use std::collections::BTreeMap;

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
const TIME_NAMES: [&str; 14] = [
    "date",
    "order date",
    "order time",
    "datetime",
    "timestamp",
    "created at",
    "closed at",
    "paid at",
    "closed",
    "at",
    "time",
    "datum",
    "дата",
    "თარიღი",
];

/// Names of the receipt's own total, which all its rows repeat.
const RECEIPT_TOTAL_NAMES: [&str; 17] = [
    "receipt total",
    "order total",
    "check total",
    "bill total",
    "total collected",
    "total paid",
    "amount paid",
    "grand total",
    "invoice total",
    "total",
    "paid",
    "сумма чека",
    "итого по чеку",
    "итого",
    "gesamtbetrag",
    "total général",
    "ჯამი",
];
/// Columns of a time of day beside one of a day.
const CLOCK_NAMES: [&str; 5] = ["time", "время", "დრო", "uhrzeit", "hora"];
const DAY_FORMATS: [&str; 11] = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
];
const CLOCK_FORMATS: [&str; 6] = [
    "%H:%M:%S",
    "%H:%M",
    "%I:%M %p",
    "%I:%M:%S %p",
    "%I:%M %p %Z",
    "%H:%M:%S %Z",
];
/// Outlets that a proposal names.
const OUTLETS_MAX: usize = 20;
/// The zone of a proposal.
const ZONE: &str = "Asia/Tbilisi";

impl Inspection {
    fn column_called(&self, names: &[&str]) -> Option<&Column> {
        let mut names = names.iter();
        names.find_map(|name| {
            let mut columns = self.columns.iter();
            columns.find(|column| {
                normalise_name(&column.name) == *name || words_of_name(&column.name) == *name
            })
        })
    }

    fn price_column(&self) -> Option<&Column> {
        let total = self.column_called(&LINE_TOTAL_NAMES);
        total.or_else(|| self.column_called(&UNIT_PRICE_NAMES))
    }

    /// A map as TOML, with a question where a person must decide. `currency` is taken where the file names none.
    pub fn propose_map(&self, source: &str, currency: Currency) -> String {
        let currency = self.currency_seen().unwrap_or(currency);
        let mut map = format!(
            "# Proposed by hotpot import inspect: check each line. The name of the source must never change for these orders.\n\
             source = {}\n",
            quoted(source)
        );
        match self.preset {
            Some(preset) => map.push_str(&format!("preset = {preset:?}\n")),
            None => map.push_str(&self.propose_key()),
        }
        map.push_str(&format!("currency = \"{currency}\"\n"));
        if exponent_of(currency) != 2 {
            map.push_str(&format!("exponent = {}\n", exponent_of(currency)));
        }
        if self.preset.is_none() {
            map.push_str(&self.propose_columns());
        }

        map.push_str(&self.propose_file());
        map.push_str(&self.propose_time());
        map.push_str(&self.propose_states());
        map.push_str(&self.propose_outlets());
        map
    }

    /// The one currency that a column, a header or signs beside the prices name.
    fn currency_seen(&self) -> Option<Currency> {
        if let Some(column) = self.column_called(&CURRENCY_COLUMNS) {
            return match column.values.as_slice() {
                [one] => one.to_uppercase().parse().ok(),
                _ => None,
            };
        }
        let price = self.price_column()?;
        if let [one] = currencies_of_name(&price.name).as_slice() {
            return one.parse().ok();
        }

        let is_plain = |text: &str| {
            let mut chars = text.chars();
            chars.all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '-'))
        };
        let marked: Vec<&String> = price.values.iter().filter(|text| !is_plain(text)).collect();
        let codes = CURRENCIES.iter().filter_map(|code| code.parse().ok());
        let fits = |currency: &Currency| {
            !marked.is_empty() && marked.iter().all(|text| fit(text, *currency) != Fit::None)
        };
        let mut fitting = codes.filter(fits);
        fitting.next().filter(|_| fitting.next().is_none())
    }

    fn propose_key(&self) -> String {
        match self.column_called(&ORDER_NAMES) {
            Some(column) => format!("group_by = {}\n", quoted(&column.name)),
            None => "group_by = \"?\"  # the column whose value joins rows to one order\n".into(),
        }
    }

    fn propose_columns(&self) -> String {
        let name = self
            .column_called(&ITEM_NAMES)
            .map_or("?", |column| &column.name);
        let mut columns = format!("\n[columns]\nname = [{}]\n", quoted(name));
        if let Some(quantity) = self.column_called(&QUANTITY_NAMES) {
            columns.push_str(&format!("quantity = {}\n", quoted(&quantity.name)));
        }

        let total = self.column_called(&LINE_TOTAL_NAMES);
        let price = self.column_called(&UNIT_PRICE_NAMES);
        columns.push_str(&match (total, price) {
            (Some(total), _) => format!("line_total = {}\n", quoted(&total.name)),
            (None, Some(price)) => format!("unit_price = {}\n", quoted(&price.name)),
            (None, None) => "unit_price = \"?\"  # or line_total\n".into(),
        });
        if let Some(column) = self.column_called(&CURRENCY_COLUMNS) {
            columns.push_str(&format!("currency = {}\n", quoted(&column.name)));
        }
        if let Some(column) = self.receipt_total() {
            columns.push_str(&format!("receipt_total = {}\n", quoted(&column.name)));
        }
        columns
    }

    /// A column of that name which has one value in all rows of an order, and orders have several rows.
    fn receipt_total(&self) -> Option<&Column> {
        let price = self.price_column()?;
        let key = self.place_of(self.column_called(&ORDER_NAMES)?)?;
        let column = self.column_called(&RECEIPT_TOTAL_NAMES)?;
        let place = self
            .place_of(column)
            .filter(|_| column.name != price.name)?;

        let mut totals: BTreeMap<&str, &str> = BTreeMap::new();
        for row in &self.rows {
            let (order, total) = (row.get(key)?.as_str(), row.get(place)?.as_str());
            if *totals.entry(order).or_insert(total) != total {
                return None;
            }
        }
        (totals.len() < self.rows.len()).then_some(column)
    }

    fn place_of(&self, column: &Column) -> Option<usize> {
        let mut columns = self.columns.iter();
        columns.position(|known| known.name == column.name)
    }

    fn propose_file(&self) -> String {
        match self.format {
            Format::JsonLines => "\n[file]\nformat = \"json_lines\"\n".into(),
            Format::Json => "\n[file]\nformat = \"json\"\n".into(),
            Format::Delimited => format!(
                "\n[file]\nformat = \"delimited\"\nencoding = {:?}\nseparator = {:?}\nheader_line = {}\n",
                self.encoding.name(),
                self.separator.to_string(),
                self.header_line
            ),
        }
    }

    fn propose_time(&self) -> String {
        let Some(column) = self.column_called(&TIME_NAMES) else {
            return String::new();
        };
        if self.preset.is_some() {
            return format!("\n[time]\nzone = \"{ZONE}\"  # of the outlets\n");
        }

        let clock = self.column_called(&CLOCK_NAMES);
        let clock = clock.filter(|clock| clock.name != column.name);
        let clock = clock.filter(|_| column.values.iter().all(|day| !day.contains(':')));
        let columns: Vec<&Column> = std::iter::once(column).chain(clock).collect();
        let found = formats_of(&self.values_of(&columns));

        let named: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let section = format!("\n[time]\ncolumn = [{}]\n", named.join(", "));
        let zone = format!("zone = \"{ZONE}\"  # of the outlets\n");
        match found.as_slice() {
            [] => format!(
                "\n# Times of the file, such as {}. Without them times are made.\n# [time]\n# column = {}\n\
                 # format = \"%d.%m.%Y %H:%M\"\n# zone = \"{ZONE}\"\n",
                column.examples.join(", "),
                quoted(&column.name)
            ),
            [format] if format.is_empty() => format!("{section}{zone}"),
            [format] => format!("{section}format = {format:?}\n{zone}"),
            several => format!(
                "{section}format = \"?\"  # the first rows fit each of {}\n{zone}",
                several.join(" and ")
            ),
        }
    }

    /// What stands in these columns of each row, joined as an import joins it.
    fn values_of(&self, columns: &[&Column]) -> Vec<String> {
        let places: Vec<usize> = columns
            .iter()
            .filter_map(|column| self.place_of(column))
            .collect();
        let joined = self.rows.iter().map(|row| {
            let cells = places.iter().filter_map(|place| row.get(*place));
            cells
                .map(|cell| cell.trim())
                .collect::<Vec<&str>>()
                .join(" ")
        });
        joined.filter(|text| !text.trim().is_empty()).collect()
    }

    /// Columns such as a state, with what their values are understood as.
    fn propose_states(&self) -> String {
        let mut text = String::new();
        for column in &self.columns {
            let Some(telling) = telling(&column.name) else {
                continue;
            };
            let understood = column.values.iter().map(|value| {
                let kind = kind_of_value(telling, value).unwrap_or(RowKind::Goods);
                format!("{value:?} is {}", kind.name())
            });
            let understood: Vec<String> = understood.collect();
            if !understood.is_empty() {
                text.push_str(&format!(
                    "\n# {:?}: {}.\n",
                    column.name,
                    understood.join(", ")
                ));
            }
            text.push_str(&propose_rule(column, telling));
        }
        text
    }

    fn propose_outlets(&self) -> String {
        let outlet = |id: usize, names: &str| {
            format!(
                "[[outlets]]\nid = {id}\ncity = \"Tbilisi\"\nkind = \"owner_operated\"\n{names}"
            )
        };
        let note = "\n# The outlets of the file: id, city and kind are the founder's.\n";
        match self.column_called(&OUTLET_COLUMNS) {
            Some(column) if (1..=OUTLETS_MAX).contains(&column.values.len()) => {
                let outlets = (1..).zip(&column.values);
                let outlets =
                    outlets.map(|(id, name)| outlet(id, &format!("names = [{}]\n", quoted(name))));
                let outlets: Vec<String> = outlets.collect();
                let column = quoted(&column.name);
                format!(
                    "\n[outlet]\ncolumn = {column}\n{note}{}",
                    outlets.join("\n")
                )
            }
            _ => format!("{note}{}", outlet(1, "")),
        }
    }
}

/// A text as TOML writes it, whatever signs are in it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A rule for the values that nobody knows, which a person must finish.
fn propose_rule(column: &Column, telling: Telling) -> String {
    let values = column.values.iter();
    let unclear = values.filter(|value| kind_of_value(telling, value) == Some(RowKind::Unclear));
    let unclear: Vec<String> = unclear.map(|value| quoted(value)).collect();
    if unclear.is_empty() {
        return String::new();
    }
    format!(
        "# [[rows]]\n# column = {}\n# values = [{}]\n# kind = \"unclear\"  # or goods, void, refund, unpaid\n",
        quoted(&column.name),
        unclear.join(", ")
    )
}

/// The formats under which all of these are times; the empty one needs no format.
fn formats_of(times: &[String]) -> Vec<String> {
    let fits = |format: &str| {
        let rule = TimeRule {
            format: (!format.is_empty()).then(|| format.to_owned()),
            skipped: Some(SkippedTime::Later),
            repeated: Some(RepeatedTime::First),
            ..TimeRule::default()
        };
        let is_read = |text: &String| parse_moment(text, &rule, Some(ZONE)).is_ok();
        !times.is_empty() && times.iter().all(is_read)
    };
    for simple in ["", "unix", "unix_ms"] {
        if fits(simple) {
            return vec![simple.to_owned()];
        }
    }

    let days = DAY_FORMATS.iter();
    let formats = days.flat_map(|day| {
        CLOCK_FORMATS
            .iter()
            .map(move |clock| format!("{day} {clock}"))
    });
    formats.filter(|format| fits(format)).collect()
}

#[cfg(test)]
mod tests {
    use crate::Map;
    use crate::inspect::inspect;

    fn proposed(name: &str, text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        inspect(&path)
            .unwrap()
            .propose_map("till", "GEL".parse().unwrap())
    }

    #[test]
    fn a_proposal_is_a_map() {
        let text = proposed("orders.csv", "order,item,qty,price\n1,Tea,1,3.00\n");
        let map = Map::from_toml(&text).unwrap();
        assert_eq!(map.wanted_columns(), ["item", "order", "price", "qty"]);
    }

    #[test]
    fn what_a_file_shows_beside_its_prices_is_proposed() {
        let text = proposed(
            "orders.csv",
            "order_id;Location;Closed at;Status;Currency;item;qty;price;Order total\n\
             1;Main;31.12.2026 10:00;Paid;EUR;Tea;1;3,00;10,00\n1;Main;31.12.2026 10:00;Paid;EUR;Cake;1;7,00;10,00\n\
             2;Old Town;30.12.2026 10:00;In transit;EUR;Tea;1;3,00;3,00\n",
        );
        let map = Map::from_toml(&text).unwrap();
        assert_eq!(map.currency.as_str(), "EUR");
        assert_eq!(map.columns.currency.as_deref(), Some("Currency"));
        assert_eq!(map.columns.receipt_total.as_deref(), Some("Order total"));
        assert_eq!(map.outlet.column.as_deref(), Some("Location"));
        assert_eq!(map.outlets[1].names, ["Old Town"]);
        assert_eq!(map.time.format.as_deref(), Some("%d.%m.%Y %H:%M"));
        assert!(
            text.contains("\"Paid\" is goods") && text.contains("# values = [\"In transit\"]"),
            "{text}"
        );
    }

    #[test]
    fn names_of_any_signs_are_written_as_toml() {
        let text = proposed(
            "orders.csv",
            "order;item;\"Net\u{a0}\"\"sales\"\"\";price\u{a0}\n1;Tea;3.00;3.00\n",
        );
        let map = Map::from_toml(&text);
        assert!(map.is_ok(), "{text}: {map:?}");
    }

    #[test]
    fn days_that_may_be_months_are_asked_for() {
        let rows = |day: &str| format!("order,date,item,price\n1,{day} 10:00,Tea,3.00\n");
        let text = proposed("orders.csv", &rows("10/11/2026"));
        assert!(text.contains("format = \"?\""), "{text}");
        let text = proposed("orders.csv", &rows("20/11/2026"));
        assert!(text.contains("format = \"%d/%m/%Y %H:%M\""), "{text}");
        let text = proposed("orders.csv", &rows("2026-11-20"));
        assert!(text.contains("column = [\"date\"]\nzone"), "{text}");
    }

    #[test]
    fn json_is_looked_at_too() {
        let text = proposed(
            "orders.json",
            "[{\"order\":1,\"item\":\"Tea\",\"qty\":1,\"price\":3.00,\"outlet\":\"Main\"}]",
        );
        let map = Map::from_toml(&text).unwrap();
        assert_eq!(
            map.wanted_columns(),
            ["item", "order", "outlet", "price", "qty"]
        );
        let text = proposed(
            "orders.jsonl",
            "{\"order\":1,\"item\":\"Tea\",\"price\":3.00}\n",
        );
        assert!(Map::from_toml(&text).is_ok(), "{text}");
    }
}
