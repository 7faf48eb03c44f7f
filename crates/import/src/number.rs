//! Numbers as people write them. A number is never guessed: where `9.000` may be nine or nine thousand, the map says
//! which character stands before the decimals, or all numbers of the file together prove it, or the cell is refused.

use domain::Currency;
use serde::Deserialize;

/// The most digits that a number of an order may have.
const DIGITS_MAX: usize = 24;

/// A decimal number: `units` × 10^−`scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Below zero: a minus, brackets, or `CR` behind it.
    pub is_negative: bool,
    /// All digits, decimals too.
    pub units: u128,
    /// How many of them are decimals; without zeros at the end.
    pub scale: u32,
}

impl Decimal {
    /// In units of 10^−`exponent`; nothing if it has finer decimals, or more digits than 64 bits hold.
    pub fn to_units(self, exponent: u32) -> Option<u64> {
        let power = 10u128.checked_pow(exponent.checked_sub(self.scale)?)?;
        u64::try_from(self.units.checked_mul(power)?).ok()
    }

    /// The number if it is whole and not below zero.
    pub fn to_whole(self) -> Option<u32> {
        let is_whole = self.scale == 0 && !self.is_negative;
        is_whole.then(|| u32::try_from(self.units).ok()).flatten()
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.is_negative { "-" } else { "" };
        let power = 10u128.pow(self.scale.min(38));
        let (whole, fraction) = (self.units / power, self.units % power);
        let width = self.scale as usize;

        match self.scale {
            0 => write!(f, "{sign}{whole}"),
            _ => write!(f, "{sign}{whole}.{fraction:0width$}"),
        }
    }
}

/// Units of a currency as people write them.
pub fn format_money(units: u64, exponent: u32, currency: Currency) -> String {
    let power = 10u64.pow(exponent);
    let (whole, fraction) = (units / power, units % power);
    let width = exponent as usize;
    match exponent {
        0 => format!("{whole} {currency}"),
        _ => format!("{whole}.{fraction:0width$} {currency}"),
    }
}

/// Which character stands before the decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum DecimalMark {
    /// `1,234.50`
    #[serde(rename = ".")]
    Point,
    /// `1.234,50`
    #[serde(rename = ",")]
    Comma,
}

impl DecimalMark {
    /// The character that it stands for.
    pub const fn char(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }
}

/// What a cell's text allows it to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// One number under both marks, such as `7`.
    Same,
    /// A number only if a point stands before the decimals.
    PointOnly,
    /// A number only if a comma does.
    CommaOnly,
    /// Two different numbers, such as `9.000`.
    Differ,
    /// No number under either.
    None,
}

/// Cells of a file that show one use of a sign. One cell may be a slip of whoever edited the file; two rows of sold goods
/// that agree, while nothing in the file speaks against them, are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The first line that shows it.
    pub line: Option<u64>,
    /// The first row of sold goods that shows it.
    sold_line: Option<u64>,
    /// Whether a second one does.
    pub is_doubled: bool,
}

impl Proof {
    fn add(&mut self, line: u64, is_sold: bool) {
        self.line.get_or_insert(line);
        if is_sold {
            let first = *self.sold_line.get_or_insert(line);
            self.is_doubled |= first != line;
        }
    }
}

/// What the numbers of a file prove about each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Numbers only with a point before the decimals.
    pub point: Proof,
    /// Numbers only with a comma before the decimals.
    pub comma: Proof,
    /// Those of the two in which the other sign stands between thousands.
    groups: Proof,
}

impl Evidence {
    /// Adds what the text of one cell proves. Where it is not of sold goods it can only contradict.
    pub fn add(&mut self, text: &str, line: u64, is_sold: bool, currency: Currency) {
        let other = match fit(text, currency) {
            Fit::PointOnly => {
                self.point.add(line, is_sold);
                ','
            }
            Fit::CommaOnly => {
                self.comma.add(line, is_sold);
                '.'
            }
            Fit::Same | Fit::Differ | Fit::None => return,
        };
        if text.contains(other) {
            self.groups.add(line, is_sold);
        }
    }

    /// The mark of the whole file, unless nothing proves one or two lines contradict each other.
    pub const fn mark(&self) -> Option<DecimalMark> {
        match (self.point, self.comma) {
            (point, Proof { line: None, .. }) if point.is_doubled => Some(DecimalMark::Point),
            (Proof { line: None, .. }, comma) if comma.is_doubled => Some(DecimalMark::Comma),
            _ => None,
        }
    }

    /// Whether a number whose only sign would stand between thousands, such as `9.000` beside `0,5`, may be read so.
    pub const fn thousands(&self) -> Thousands {
        if self.groups.is_doubled {
            Thousands::Any
        } else {
            Thousands::BesideDecimals
        }
    }

    /// Whether a number of the file speaks against a mark.
    pub const fn contradicts(&self, mark: DecimalMark) -> bool {
        match mark {
            DecimalMark::Point => self.comma.line.is_some(),
            DecimalMark::Comma => self.point.line.is_some(),
        }
    }
}

/// Where thousands may stand apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thousands {
    /// In any number.
    Any,
    /// Not where their separator may be the mark before three decimals.
    BesideDecimals,
    /// In none.
    Never,
}

/// How the numbers of a file are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Stands before the decimals of every number; unknown: each number must tell by itself.
    pub mark: Option<DecimalMark>,
    /// Stands between thousands, if the map says which.
    pub thousands: Option<char>,
    /// The only one whose sign or name may stand beside a number.
    pub currency: Currency,
    /// Where thousands may stand apart.
    pub grouping: Thousands,
}

impl Reading {
    /// Reads one number. The error says what is allowed.
    pub fn parse(&self, text: &str) -> Result<Decimal, String> {
        let bare = bare_number(text, self.currency)?;
        let number = match self.mark {
            Some(mark) => parse_digits(&bare.digits, mark, self.thousands),
            None => self.parse_alone(&bare.digits)?,
        };

        let number = number.ok_or_else(|| allowed(self.currency))?;
        self.check_thousands(&bare.digits)?;
        Ok(Decimal {
            is_negative: bare.is_negative && number.units > 0,
            ..number
        })
    }

    /// Thousands are believed where no other reading is left.
    fn check_thousands(&self, digits: &str) -> Result<(), String> {
        if !has_thousands(digits, self.mark) {
            return Ok(());
        }
        match self.grouping {
            Thousands::Any => Ok(()),
            Thousands::BesideDecimals => self.parse_alone(digits).map(|_| ()),
            Thousands::Never => Err(
                "a quantity whose thousands do not stand apart, or numbers.decimal in the map"
                    .into(),
            ),
        }
    }

    /// Reads a number that no other one explains.
    fn parse_alone(&self, digits: &str) -> Result<Option<Decimal>, String> {
        let point = parse_digits(digits, DecimalMark::Point, self.thousands);
        let comma = parse_digits(digits, DecimalMark::Comma, self.thousands);

        match (point, comma) {
            (Some(one), Some(other)) if one != other => Err(format!(
                "a number that can be read in one way only: this is {one} or {other}; say numbers.decimal in the map"
            )),
            (found, other) => Ok(found.or(other)),
        }
    }
}

/// Whether another separator than the one before decimals stands in a number; without a mark, whether two do.
fn has_thousands(digits: &str, mark: Option<DecimalMark>) -> bool {
    let separators = digits.chars().filter(|c| !c.is_ascii_digit());
    match mark {
        Some(mark) => separators.into_iter().any(|c| c != mark.char()),
        None => separators.count() > 1 || digits.contains(is_thousands_space),
    }
}

/// What a cell's text allows it to be, by itself.
pub fn fit(text: &str, currency: Currency) -> Fit {
    let Ok(bare) = bare_number(text, currency) else {
        return Fit::None;
    };
    let point = parse_digits(&bare.digits, DecimalMark::Point, None);
    let comma = parse_digits(&bare.digits, DecimalMark::Comma, None);

    match (point, comma) {
        (None, None) => Fit::None,
        (Some(_), None) => Fit::PointOnly,
        (None, Some(_)) => Fit::CommaOnly,
        (Some(one), Some(other)) if one == other => Fit::Same,
        (Some(_), Some(_)) => Fit::Differ,
    }
}

fn allowed(currency: Currency) -> String {
    format!(
        "a number such as 1234.50 or 1234,50, with nothing but {currency} or its sign beside it"
    )
}

/// A number without what may stand at its ends.
struct BareNumber {
    is_negative: bool,
    digits: String,
}

/// Takes signs, brackets, the currency and a credit mark off the ends; anything else there is refused.
fn bare_number(text: &str, currency: Currency) -> Result<BareNumber, String> {
    let (is_bracketed, rest) = strip_brackets(text.trim());
    let (is_signed, rest) = strip_minus(rest);
    let rest = strip_currency(rest, currency);
    let (is_signed_behind, rest) = strip_minus(rest);
    let (is_credited, rest) = strip_credit(rest);

    let signs = [is_bracketed, is_signed, is_signed_behind, is_credited];
    if signs.iter().filter(|sign| **sign).count() > 1 {
        return Err("a number with one sign".into());
    }
    check_characters(rest, currency)?;

    Ok(BareNumber {
        is_negative: signs.contains(&true),
        digits: rest.to_owned(),
    })
}

fn strip_brackets(text: &str) -> (bool, &str) {
    let inner = text
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    (inner.is_some(), inner.unwrap_or(text).trim())
}

fn strip_minus(text: &str) -> (bool, &str) {
    let bare = text
        .strip_prefix(['-', '−'])
        .or_else(|| text.strip_suffix('-'));
    (bare.is_some(), bare.unwrap_or(text).trim())
}

fn strip_credit(text: &str) -> (bool, &str) {
    let bare = text
        .strip_suffix("CR")
        .or_else(|| text.strip_suffix("Cr"))
        .or_else(|| text.strip_suffix("cr"));
    (bare.is_some(), bare.unwrap_or(text).trim())
}

/// Takes the currency's code, sign or name off one end.
fn strip_currency(text: &str, currency: Currency) -> &str {
    let lower = text.to_lowercase();
    // Lower case may have another length in bytes; then no mark of ours is there.
    if lower.len() != text.len() {
        return text;
    }

    for mark in currency_marks(currency) {
        let bare = if lower.starts_with(mark.as_str()) {
            text.get(mark.len()..)
        } else if lower.ends_with(mark.as_str()) {
            text.get(..text.len() - mark.len())
        } else {
            None
        };
        if let Some(bare) = bare {
            return bare.trim();
        }
    }

    text
}

/// What tills write for a currency beside its code; longer ones first, in lower case.
fn currency_marks(currency: Currency) -> Vec<String> {
    let marks: &[&str] = match currency.as_str() {
        "GEL" => &["ლარი", "лари", "lari", "₾", "ლ"],
        "USD" => &["us$", "$"],
        "EUR" => &["euro", "€"],
        "GBP" => &["£"],
        "RUB" => &["руб.", "руб", "р.", "₽"],
        "UAH" => &["грн.", "грн", "₴"],
        "TRY" => &["₺", "tl"],
        "AMD" => &["֏"],
        "AZN" => &["₼"],
        "JPY" | "CNY" => &["¥"],
        _ => &[],
    };

    let code = currency.as_str().to_lowercase();
    std::iter::once(code)
        .chain(marks.iter().map(|mark| (*mark).to_owned()))
        .collect()
}

fn check_characters(text: &str, currency: Currency) -> Result<(), String> {
    let strange = text
        .chars()
        .find(|c| !c.is_ascii_digit() && !matches!(c, '.' | ',') && !is_thousands_space(*c));

    match strange {
        Some(_) => Err(allowed(currency)),
        None if text.chars().any(|c| c.is_ascii_digit()) => Ok(()),
        None => Err(allowed(currency)),
    }
}

/// Spaces and apostrophes that stand between thousands; never before decimals.
const fn is_thousands_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '\u{2019}'
    )
}

/// The number under one mark, or nothing if the text is none.
fn parse_digits(text: &str, mark: DecimalMark, thousands: Option<char>) -> Option<Decimal> {
    let (whole, fraction) = match text.split_once(mark.char()) {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    if !fraction.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }

    let whole = join_thousands(whole, thousands)?;
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    if digits.len() > DIGITS_MAX {
        return None;
    }

    Some(Decimal {
        is_negative: false,
        units: if digits.is_empty() {
            0
        } else {
            digits.parse().ok()?
        },
        scale: u32::try_from(fraction.len()).ok()?,
    })
}

/// The digits of the whole part, with or without one kind of separator between groups of three.
fn join_thousands(whole: &str, declared: Option<char>) -> Option<String> {
    let Some(separator) = whole.chars().find(|c| !c.is_ascii_digit()) else {
        return Some(whole.to_owned());
    };
    if declared.is_some_and(|declared| declared != separator) {
        return None;
    }

    let groups: Vec<&str> = whole.split(separator).collect();
    let first_fits = (1..=3).contains(&groups[0].len()) && !groups[0].starts_with('0');
    let is_group = |group: &&str| group.len() == 3 && group.chars().all(|c| c.is_ascii_digit());
    let fits = first_fits && is_digits(groups[0]) && groups[1..].iter().all(is_group);

    fits.then(|| groups.concat())
}

fn is_digits(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gel() -> Currency {
        "GEL".parse().unwrap()
    }

    fn alone() -> Reading {
        Reading {
            mark: None,
            thousands: None,
            currency: gel(),
            grouping: Thousands::Any,
        }
    }

    fn under(mark: DecimalMark) -> Reading {
        Reading {
            mark: Some(mark),
            ..alone()
        }
    }

    fn tetri(text: &str) -> Option<u64> {
        alone().parse(text).ok()?.to_units(2)
    }

    #[test]
    fn prices_of_many_countries() {
        let cases = [
            ("16.98 ", 1698),
            ("16,98 ₾", 1698),
            ("GEL 7", 700),
            ("₾5.00", 500),
            ("10.00 lari", 1000),
            ("1.234,50", 123_450),
            ("1,234.50", 123_450),
            ("1 234,50", 123_450),
            ("1\u{a0}234.50", 123_450),
            ("1'234.50", 123_450),
            ("1.234.567", 123_456_700),
            ("2.5", 250),
            ("0.10", 10),
            (".50", 50),
            ("3.9900", 399),
            ("0.500", 50),
        ];
        for (text, expected) in cases {
            assert_eq!(tetri(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn below_zero_is_a_minus_brackets_or_a_credit() {
        for text in [
            "-12.50",
            "−12.50",
            "(12.50)",
            "12.50 CR",
            "12.50-",
            "-₾12.50",
            "₾-12.50",
        ] {
            let number = alone().parse(text).unwrap();
            assert!(number.is_negative, "{text}");
            assert_eq!(number.to_units(2), Some(1250), "{text}");
        }
        assert!(!alone().parse("-0.00").unwrap().is_negative);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let texts = [
            "",
            "free",
            "1/2",
            "12.3.4,5",
            "1,2,3",
            ".",
            "5.",
            "1e3",
            "12.50DR",
            "2 for 5",
            "3x4.00",
            "12O.50",
            "1l.00",
            "2½",
            "5 ლარი 50 თეთრი",
            "$10.00",
            "9,50 €",
            "10.00 USD",
            "nan",
            "N/A",
            "--5",
            "(-5)",
            "12,34,567.00",
            "0,123,456",
            "99999999999999999999999999",
        ];
        for text in texts {
            assert!(alone().parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_with_two_readings_needs_the_map_or_the_file() {
        for text in ["9.000", "1,234", "18.500"] {
            assert_eq!(fit(text, gel()), Fit::Differ, "{text}");
            let refused = alone().parse(text).unwrap_err();
            assert!(refused.contains("numbers.decimal"), "{refused}");
        }

        let point = under(DecimalMark::Point).parse("9.000").unwrap();
        assert_eq!(point.to_units(2), Some(900));
        let comma = under(DecimalMark::Comma).parse("9.000").unwrap();
        assert_eq!(comma.to_units(2), Some(900_000));
    }

    fn evidence_of(cells: &[(&str, bool)]) -> Evidence {
        let mut evidence = Evidence::default();
        for (line, (text, is_sold)) in (2..).zip(cells) {
            evidence.add(text, line, *is_sold, gel());
        }
        evidence
    }

    #[test]
    fn the_numbers_of_a_file_prove_one_reading_or_none() {
        let mark = |cells: &[_]| evidence_of(cells).mark();
        let one = [("9.000", true), ("7", true), ("0.750", true)];
        assert_eq!(mark(&one), None, "one cell may be a slip");
        assert_eq!(mark(&[("0.750", true), ("2.00", false)]), None);

        let two = [("0.750", true), ("2.00", true)];
        assert_eq!(mark(&two), Some(DecimalMark::Point));
        let but = [two[0], two[1], ("1.250,00", false)];
        assert_eq!(mark(&but), None);
    }

    #[test]
    fn thousands_are_proven_by_thousands_alone() {
        let read = |cells: &[_]| {
            let evidence = evidence_of(cells);
            let reading = Reading {
                mark: evidence.mark(),
                grouping: evidence.thousands(),
                ..alone()
            };
            reading.parse("9.000").ok()?.to_units(2)
        };
        let commas = [("0,5", true), ("12,50", true)];
        assert_eq!(read(&commas), None);
        assert_eq!(read(&[commas[0], ("1.250,00", true)]), None);
        let twice = [("1.250,00", true), ("2.000,50", true)];
        assert_eq!(read(&twice), Some(900_000));
    }

    #[test]
    fn money_has_as_many_decimals_as_its_currency() {
        let money = |units, exponent| format_money(units, exponent, gel());
        assert_eq!(money(128_825, 2), "1288.25 GEL");
        assert_eq!(money(5, 3), "0.005 GEL");
        assert_eq!(money(7, 0), "7 GEL");
    }

    #[test]
    fn a_quantity_of_thousands_needs_the_map() {
        let quantity = |text, mark| {
            let reading = Reading {
                grouping: Thousands::Never,
                mark,
                ..alone()
            };
            reading.parse(text).ok().map(|number| number.to_string())
        };
        let (point, comma) = (Some(DecimalMark::Point), Some(DecimalMark::Comma));
        assert_eq!(quantity("1.000", point).as_deref(), Some("1"));
        assert_eq!(quantity("1,000", point), None);
        assert_eq!(quantity("1.500", comma), None);
        assert_eq!(quantity("0,350", None).as_deref(), Some("0.35"));
        assert_eq!(quantity("1 000", None), None);
    }

    #[test]
    fn finer_decimals_than_the_currency_has_are_no_money() {
        assert_eq!(tetri("1.2345"), None);
        assert_eq!(alone().parse("0.275").unwrap().to_string(), "0.275");
        assert_eq!(alone().parse("1.0").unwrap().to_whole(), Some(1));
        assert_eq!(alone().parse("1.5").unwrap().to_whole(), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(units in 0u64..1_000_000_000_000) {
            let (whole, fraction) = (units / 100, units % 100);
            let grouped = |separator: char| {
                let digits = whole.to_string();
                let mut text = String::new();
                for (place, digit) in digits.chars().enumerate() {
                    if place > 0 && (digits.len() - place) % 3 == 0 {
                        text.push(separator);
                    }
                    text.push(digit);
                }
                text
            };
            prop_assert_eq!(tetri(&format!("₾{whole}.{fraction:02} ")), Some(units));
            prop_assert_eq!(tetri(&format!("{whole},{fraction:02}")), Some(units));
            prop_assert_eq!(tetri(&format!("{}.{fraction:02}", grouped(','))), Some(units));
            prop_assert_eq!(tetri(&format!("{},{fraction:02}", grouped('\u{a0}'))), Some(units));
        }

        #[test]
        fn both_marks_never_agree_on_different_money(text in "[0-9.,]{1,12}") {
            let read = |mark| under(mark).parse(&text).ok();
            match fit(&text, gel()) {
                Fit::Same => prop_assert_eq!(read(DecimalMark::Point), read(DecimalMark::Comma)),
                Fit::Differ => prop_assert!(alone().parse(&text).is_err()),
                Fit::PointOnly => prop_assert_eq!(read(DecimalMark::Comma), None),
                Fit::CommaOnly => prop_assert_eq!(read(DecimalMark::Point), None),
                Fit::None => prop_assert!(alone().parse(&text).is_err()),
            }
        }

        #[test]
        fn anything_is_read_or_refused(text in ".{0,30}") {
            let _ = alone().parse(&text);
        }
    }
}
