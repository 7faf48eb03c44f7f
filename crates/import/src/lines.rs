//! A row of goods to a line of a sale, whatever a till calls a quantity.

use crate::file::Row;
use crate::layout::OrderId;
use crate::map::Rounding;
use crate::number::Decimal;
use crate::order::{Reader, Rejected, refuse};
use domain::limits::{LINE_NAME_CHARS_MAX, LINE_SKU_CHARS_MAX};
use domain::sale::Line;

/// Goods of one row, before discounts of the whole order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Goods {
    sku: String,
    name: String,
    quantity: Quantity,
    total: u64,
}

/// How much of the goods.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Quantity {
    /// Pieces, at least one.
    Pieces(u32),
    /// A measure with decimals, as it is written before the name: `0.35 kg`.
    Measure(String),
}

impl Goods {
    /// A line that costs `total`. What the quantity does not divide is one line that names the quantity.
    fn to_line(&self, total: u64) -> Line {
        let (quantity, unit_price, name) = match &self.quantity {
            Quantity::Pieces(pieces) if total.is_multiple_of(u64::from(*pieces)) => {
                (*pieces, total / u64::from(*pieces), self.name.clone())
            }
            Quantity::Pieces(pieces) => (1, total, format!("{pieces} × {}", self.name)),
            Quantity::Measure(measure) => (1, total, format!("{measure} × {}", self.name)),
        };

        Line {
            sku: self.sku.clone(),
            name,
            quantity,
            unit_price,
        }
    }
}

/// Reads one row of goods.
pub(crate) fn read_goods(reader: &Reader<'_>, id: &OrderId, row: &Row) -> Result<Goods, Rejected> {
    let name = read_name(reader, id, row)?;
    let sku = match reader.layout.sku {
        Some(column) if !reader.map.is_null(row.cell(column)) => row.cell(column).to_owned(),
        _ => sku_of(reader.required(id, row, reader.layout.names[0])?),
    };
    check_length(id, row, "sku", &sku, LINE_SKU_CHARS_MAX)?;

    let amount = read_quantity(reader, id, row)?;
    let total = read_total(reader, id, row, amount)?;
    let goods = Goods {
        sku,
        name,
        quantity: name_quantity(reader, row, amount),
        total,
    };
    check_length(
        id,
        row,
        "name",
        &goods.to_line(total).name,
        LINE_NAME_CHARS_MAX,
    )?;

    Ok(goods)
}

fn check_length(
    id: &OrderId,
    row: &Row,
    field: &str,
    text: &str,
    max: usize,
) -> Result<(), Rejected> {
    if text.chars().count() <= max {
        return Ok(());
    }
    Err(refuse(
        id,
        row,
        field,
        text,
        &format!("at most {max} characters"),
    ))
}

fn read_name(reader: &Reader<'_>, id: &OrderId, row: &Row) -> Result<String, Rejected> {
    let mut name = reader.required(id, row, reader.layout.names[0])?.to_owned();
    for column in &reader.layout.names[1..] {
        let detail = row.cell(*column);
        if !reader.map.is_null(detail) {
            name = format!("{name}, {detail}");
        }
    }
    Ok(name)
}

/// Lower-case letters and digits, everything else one hyphen; the first characters of a long name.
fn sku_of(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let sku: String = words.join("-").chars().take(LINE_SKU_CHARS_MAX).collect();
    sku.trim_end_matches('-').to_owned()
}

fn read_quantity(reader: &Reader<'_>, id: &OrderId, row: &Row) -> Result<Decimal, Rejected> {
    let pieces = |pieces: u32| Decimal {
        is_negative: false,
        units: pieces.into(),
        scale: 0,
    };
    let Some(column) = reader.layout.quantity else {
        return Ok(pieces(1));
    };
    if let (true, Some(default)) = (
        reader.map.is_null(row.cell(column)),
        reader.map.columns.quantity_default,
    ) {
        return Ok(pieces(default));
    }

    let text = reader.required(id, row, column)?;
    let found = reader.parse(reader.quantities, row, column);
    let is_above_zero = |number: &Decimal| !number.is_negative && number.units > 0;
    let fits = |number: &Decimal| number.scale > 0 || number.to_whole().is_some();
    let name = reader.layout.name_of(column);

    match found {
        Ok(number) if is_above_zero(&number) && fits(&number) => Ok(number),
        Ok(_) => Err(refuse(
            id,
            row,
            name,
            text,
            "a quantity above zero; goods that came back are a refund",
        )),
        Err(allowed) => Err(refuse(id, row, name, text, &allowed)),
    }
}

/// What a row of goods costs.
pub(crate) fn total_of_row(reader: &Reader<'_>, id: &OrderId, row: &Row) -> Result<u64, Rejected> {
    let amount = read_quantity(reader, id, row)?;
    read_total(reader, id, row, amount)
}

fn name_quantity(reader: &Reader<'_>, row: &Row, amount: Decimal) -> Quantity {
    if let Some(pieces) = amount.to_whole() {
        return Quantity::Pieces(pieces);
    }
    let unit = reader.layout.unit.map_or("", |column| row.cell(column));
    let measure = format!("{amount} {unit}");
    Quantity::Measure(measure.trim_end().to_owned())
}

/// What the row costs: its total, or its price times its quantity.
fn read_total(
    reader: &Reader<'_>,
    id: &OrderId,
    row: &Row,
    amount: Decimal,
) -> Result<u64, Rejected> {
    let column = reader.layout.price;
    let text = reader.required(id, row, column)?;
    let refuse = |allowed: &str| refuse(id, row, reader.layout.name_of(column), text, allowed);

    let price = reader
        .parse(reader.numbers, row, column)
        .map_err(|allowed| refuse(&allowed))?;
    if price.is_negative {
        return Err(refuse(
            "a price of at least 0; a row below zero is a discount or a refund: say which in [[rows]]",
        ));
    }
    let exponent = reader.map.exponent;
    let price = price
        .to_units(exponent)
        .ok_or_else(|| refuse(&format!("a price with at most {exponent} decimals")))?;
    if reader.map.columns.line_total.is_some() {
        return Ok(price);
    }

    multiply(price, amount, reader.map.numbers.rounding).ok_or_else(|| {
        refuse("a price that the quantity makes a whole number of the smallest unit, or numbers.rounding in the map")
    })
}

/// A price times a quantity; rounded only if the map says how.
fn multiply(price: u64, amount: Decimal, rounding: Option<Rounding>) -> Option<u64> {
    let product = u128::from(price).checked_mul(amount.units)?;
    let power = 10u128.checked_pow(amount.scale)?;
    let (whole, rest) = (product / power, product % power);
    if rest == 0 {
        return u64::try_from(whole).ok();
    }

    let half = (rest * 2).cmp(&power);
    let is_up = match rounding? {
        Rounding::Down => false,
        Rounding::HalfUp => half.is_ge(),
        Rounding::HalfEven => half.is_gt() || (half.is_eq() && whole % 2 == 1),
    };
    u64::try_from(whole + u128::from(is_up)).ok()
}

/// The lines, made cheaper by a discount of the whole order: each in proportion to what it costs, and what is left
/// over by one unit where the remainder is largest. The error is what the goods cost, which is less.
pub(crate) fn spread_discount(goods: Vec<Goods>, discount: u64) -> Result<Vec<Line>, u64> {
    let total: u128 = goods.iter().map(|goods| u128::from(goods.total)).sum();
    if u128::from(discount) > total {
        return Err(u64::try_from(total).unwrap_or(u64::MAX));
    }
    if discount == 0 {
        return Ok(goods
            .iter()
            .map(|goods| goods.to_line(goods.total))
            .collect());
    }

    let exact = |goods: &Goods| u128::from(goods.total) * u128::from(discount);
    let mut parts: Vec<u128> = goods.iter().map(|goods| exact(goods) / total).collect();
    let mut left = u128::from(discount) - parts.iter().sum::<u128>();

    let mut places: Vec<usize> = (0..goods.len()).collect();
    places.sort_by_key(|place| (std::cmp::Reverse(exact(&goods[*place]) % total), *place));
    for place in places {
        if left == 0 {
            break;
        }
        parts[place] += 1;
        left -= 1;
    }

    let lines = goods.iter().zip(parts).map(|(goods, part)| {
        let part = u64::try_from(part).unwrap_or(goods.total);
        goods.to_line(goods.total - part.min(goods.total))
    });
    Ok(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn goods(pieces: u32, total: u64) -> Goods {
        Goods {
            sku: "sku".into(),
            name: "Name".into(),
            quantity: Quantity::Pieces(pieces),
            total,
        }
    }

    fn decimal(units: u128, scale: u32) -> Decimal {
        Decimal {
            is_negative: false,
            units,
            scale,
        }
    }

    #[test]
    fn what_a_quantity_does_not_divide_is_one_line_that_names_it() {
        let line = goods(3, 1000).to_line(1000);
        assert_eq!(
            (line.quantity, line.unit_price, line.name.as_str()),
            (1, 1000, "3 × Name")
        );
        let line = goods(4, 1000).to_line(1000);
        assert_eq!(
            (line.quantity, line.unit_price, line.name.as_str()),
            (4, 250, "Name")
        );
    }

    #[test]
    fn a_weight_times_its_price_is_rounded_only_by_a_rule() {
        let (price, weight) = (3500, decimal(275, 3));
        assert_eq!(multiply(price, weight, None), None);
        assert_eq!(multiply(price, weight, Some(Rounding::HalfUp)), Some(963));
        assert_eq!(multiply(price, weight, Some(Rounding::HalfEven)), Some(962));
        assert_eq!(multiply(price, weight, Some(Rounding::Down)), Some(962));
        assert_eq!(multiply(2000, decimal(35, 2), None), Some(700));
    }

    #[test]
    fn a_sku_is_made_of_the_name_and_never_too_long() {
        assert_eq!(sku_of("Хачапури (по-аджарски)"), "хачапури-по-аджарски");
        assert_eq!(sku_of("აჭარული ხაჭაპური"), "აჭარული-ხაჭაპური");
        assert_eq!(sku_of(&"ა".repeat(100)).chars().count(), LINE_SKU_CHARS_MAX);
    }

    proptest! {
        #[test]
        fn a_discount_takes_off_exactly_itself(
            prices in prop::collection::vec((1u32..20, 0u64..1_000_000), 1..30),
            share in 0u64..=1000,
        ) {
            let rows: Vec<Goods> = prices.iter().map(|(pieces, total)| goods(*pieces, *total)).collect();
            let total: u64 = rows.iter().map(|goods| goods.total).sum();
            let discount = total * share / 1000;
            let lines = spread_discount(rows.clone(), discount).unwrap();
            let sum: u64 = lines.iter().map(|line| u64::from(line.quantity) * line.unit_price).sum();
            prop_assert_eq!(sum, total - discount);
            for (line, goods) in lines.iter().zip(&rows) {
                prop_assert!(u64::from(line.quantity) * line.unit_price <= goods.total);
            }
            prop_assert!(spread_discount(rows, total + 1).is_err());
        }
    }
}
