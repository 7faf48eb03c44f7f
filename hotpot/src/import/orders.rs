//! Rows to orders: what an order holds, which outlet sold it, who bought it. One bad line rejects its whole order.

use super::map::{Map, OutletSpec};
use super::money;
use super::rows::{Row, Rows};
use client::parse_time;
use domain::sale::Line;
use domain::{OutletId, SaleId, keccak256};
use std::collections::BTreeMap;

/// An order, ready to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id in the source.
    pub id: String,
    /// First 16 bytes of keccak256(source, LF, order id).
    pub sale_id: SaleId,
    pub outlet: OutletId,
    /// Sum of the lines.
    pub total: u64,
    /// What was sold.
    pub lines: Vec<Line>,
    /// When, if the file says so.
    pub occurred_at_ms: Option<u64>,
    /// Which of the map's wallets bought; `None` = a receipt.
    pub wallet: Option<u64>,
}

/// Why an order is not imported.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rejected {
    /// Its id in the source, if it can be told.
    pub order: Option<String>,
    /// Line of the file; absent when the network said no.
    pub line: Option<u64>,
    /// The column, or the field of the sale that the network refused.
    pub field: String,
    /// What stands there.
    pub found: String,
    /// What may stand there.
    pub allowed: String,
}

/// All orders of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// Good ones, in the order of the file.
    pub good: Vec<Order>,
    /// Orders that are not imported, and lines that are no rows.
    pub rejected: Vec<Rejected>,
}

/// The id of a sale that comes from another system.
pub fn sale_id(source: &str, order: &str) -> SaleId {
    let hash = keccak256(format!("{source}\n{order}"));
    let mut id = [0u8; 16];
    id.copy_from_slice(&hash[..16]);
    SaleId(id)
}

/// Joins rows to orders. Lines of one order need not stand together.
pub fn group_rows(map: &Map, rows: Rows) -> Orders {
    let mut orders = Orders::default();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<(String, Vec<Row>)> = Vec::new();

    for row in rows {
        match row
            .map_err(|bad| rejected(None, bad.line, "line", "", &bad.reason))
            .and_then(|row| order_id(map, row))
        {
            Err(rejection) => orders.rejected.push(rejection),
            Ok((id, row)) => {
                let place = *places.entry(id.clone()).or_insert_with(|| {
                    groups.push((id, Vec::new()));
                    groups.len() - 1
                });
                groups[place].1.push(row);
            }
        }
    }

    for (id, rows) in groups {
        match parse_order(map, id, &rows) {
            Ok(order) => orders.good.push(order),
            Err(rejection) => orders.rejected.push(rejection),
        }
    }

    orders
}

fn rejected(order: Option<&str>, line: u64, field: &str, found: &str, allowed: &str) -> Rejected {
    Rejected {
        order: order.map(str::to_owned),
        line: Some(line),
        field: field.into(),
        found: found.into(),
        allowed: allowed.into(),
    }
}

fn order_id(map: &Map, row: Row) -> Result<(String, Row), Rejected> {
    match row.values.get(&map.group_by).map(|value| value.trim()) {
        Some(id) if !map.is_null(id) => Ok((id.to_owned(), row)),
        Some(id) => Err(rejected(None, row.line, &map.group_by, id, "an order id")),
        None => Err(rejected(
            None,
            row.line,
            &map.group_by,
            "no such column",
            "the column that joins lines to orders",
        )),
    }
}

fn parse_order(map: &Map, id: String, rows: &[Row]) -> Result<Order, Rejected> {
    let lines = rows
        .iter()
        .map(|row| parse_line(map, &id, row))
        .collect::<Result<Vec<Line>, Rejected>>()?;

    let first = &rows[0];
    let hash = order_hash(&map.source, &id);
    let total = lines.iter().try_fold(0u64, |sum, line| {
        u64::from(line.quantity)
            .checked_mul(line.unit_price)
            .and_then(|price| price.checked_add(sum))
    });

    Ok(Order {
        sale_id: sale_id(&map.source, &id),
        outlet: outlet_of(map, &id, first, hash)?,
        total: total.ok_or_else(|| {
            rejected(
                Some(&id),
                first.line,
                "total",
                "too much",
                "a sum within 64 bits",
            )
        })?,
        lines,
        occurred_at_ms: occurred_at(map, &id, first)?,
        wallet: choose_wallet(map, hash),
        id,
    })
}

/// Eight bytes that depend on nothing but source and order id.
fn order_hash(source: &str, order: &str) -> u64 {
    let digest = keccak256(format!("{source}\n{order}\nspread"));
    let mut bytes = [0u8; 8];
    bytes.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(bytes)
}

fn outlet_of(map: &Map, order: &str, row: &Row, hash: u64) -> Result<OutletId, Rejected> {
    let Some(column) = &map.outlet.column else {
        let place = usize::try_from(hash % map.outlets.len() as u64).unwrap_or(0);
        return Ok(map.outlets[place].id);
    };

    let found = required_value(map, order, row, column)?;
    let known = |outlet: &&OutletSpec| outlet.id.to_string() == found;
    let ids: Vec<String> = map
        .outlets
        .iter()
        .map(|outlet| outlet.id.to_string())
        .collect();

    let outlet = map.outlets.iter().find(known);
    outlet
        .map(|outlet| outlet.id)
        .ok_or_else(|| rejected(Some(order), row.line, column, found, &ids.join(", ")))
}

fn choose_wallet(map: &Map, hash: u64) -> Option<u64> {
    let spread = hash >> 16;
    let to_wallet = map.buyer.wallet_one_in > 0 && spread.is_multiple_of(map.buyer.wallet_one_in);
    to_wallet.then(|| (spread / map.buyer.wallet_one_in) % map.buyer.wallets)
}

fn occurred_at(map: &Map, order: &str, row: &Row) -> Result<Option<u64>, Rejected> {
    let Some(column) = &map.time.column else {
        return Ok(None);
    };
    let found = required_value(map, order, row, column)?;
    parse_time(found)
        .map(Some)
        .map_err(|allowed| rejected(Some(order), row.line, column, found, &allowed))
}

fn required_value<'r>(
    map: &Map,
    order: &str,
    row: &'r Row,
    column: &str,
) -> Result<&'r str, Rejected> {
    match row.values.get(column).map(|value| value.trim()) {
        Some(value) if !map.is_null(value) => Ok(value),
        Some(value) => Err(rejected(Some(order), row.line, column, value, "a value")),
        None => Err(rejected(
            Some(order),
            row.line,
            column,
            "no such column",
            "a column that the file has",
        )),
    }
}

fn parse_line(map: &Map, order: &str, row: &Row) -> Result<Line, Rejected> {
    let name = parse_name(map, order, row)?;
    let quantity = parse_quantity(map, order, row)?;
    let (quantity, unit_price, name) = parse_price(map, order, row, quantity, name)?;
    let sku = match &map.columns.sku {
        Some(column) => required_value(map, order, row, column)?.to_owned(),
        None => sku_of(required_value(map, order, row, &map.columns.name[0])?),
    };

    check_length(order, row, "sku", &sku, domain::limits::LINE_SKU_BYTES_MAX)?;
    check_length(
        order,
        row,
        "name",
        &name,
        domain::limits::LINE_NAME_BYTES_MAX,
    )?;

    Ok(Line {
        sku,
        name,
        quantity,
        unit_price,
    })
}

fn check_length(
    order: &str,
    row: &Row,
    field: &str,
    text: &str,
    max: usize,
) -> Result<(), Rejected> {
    if text.len() <= max {
        return Ok(());
    }

    Err(rejected(
        Some(order),
        row.line,
        field,
        text,
        &format!("at most {max} bytes"),
    ))
}

fn parse_name(map: &Map, order: &str, row: &Row) -> Result<String, Rejected> {
    let mut name = required_value(map, order, row, &map.columns.name[0])?.to_owned();
    for column in &map.columns.name[1..] {
        let detail = row.values.get(column).map_or("", |detail| detail.trim());
        if !map.is_null(detail) {
            name = format!("{name}, {detail}");
        }
    }
    Ok(name)
}

/// Lower-case letters and digits, everything else one hyphen.
fn sku_of(name: &str) -> String {
    let words: Vec<String> = name
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

fn parse_quantity(map: &Map, order: &str, row: &Row) -> Result<u32, Rejected> {
    let Some(column) = &map.columns.quantity else {
        return Ok(1);
    };

    let found = required_value(map, order, row, column)?;
    let quantity = found.parse().ok().filter(|quantity| *quantity > 0);
    quantity.ok_or_else(|| {
        rejected(
            Some(order),
            row.line,
            column,
            found,
            "a whole number of at least 1",
        )
    })
}

/// A line's total that its quantity does not divide becomes one line of quantity 1 that names the quantity.
fn parse_price(
    map: &Map,
    order: &str,
    row: &Row,
    quantity: u32,
    name: String,
) -> Result<(u32, u64, String), Rejected> {
    let parse = |column: &String| {
        let found = required_value(map, order, row, column)?;
        money::parse(found, map.exponent)
            .map_err(|allowed| rejected(Some(order), row.line, column, found, &allowed))
    };

    if let Some(column) = &map.columns.unit_price {
        return Ok((quantity, parse(column)?, name));
    }

    let total = parse(map.columns.line_total.as_ref().unwrap_or(&map.group_by))?;
    match total.checked_div(u64::from(quantity)) {
        Some(unit) if unit * u64::from(quantity) == total => Ok((quantity, unit, name)),
        _ => Ok((1, total, format!("{quantity} × {name}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::rows::parse_delimited;

    fn map() -> Map {
        toml::from_str(
            r#"
            source = "test"
            group_by = "order"
            currency = "GEL"
            buyer = { wallet_one_in = 4, wallets = 12 }
            [columns]
            name = ["item", "detail"]
            quantity = "quantity"
            line_total = "price"
            [[outlets]]
            id = 1
            city = "Tbilisi"
            kind = "owner_operated"
            [[outlets]]
            id = 2
            city = "Batumi"
            kind = "franchised"
            "#,
        )
        .unwrap()
    }

    fn grouped(text: &str) -> Orders {
        group_rows(&map(), parse_delimited(text.as_bytes(), b',').unwrap())
    }

    #[test]
    fn lines_of_an_order_are_joined_wherever_they_stand() {
        let orders = grouped(
            "order,item,detail,quantity,price\nA,Tea,NULL,2,₾5.00\nB,Cake,,1,3.00\nA,Khinkali,Beef,3,10.00\n",
        );
        assert_eq!(orders.rejected, vec![]);
        let first = &orders.good[0];
        assert_eq!(
            (first.id.as_str(), first.total, first.lines.len()),
            ("A", 1500, 2)
        );
        assert_eq!(first.lines[0].unit_price, 250);
        assert_eq!(first.lines[1].name, "3 × Khinkali, Beef");
        assert_eq!(first.lines[1].sku, "khinkali");
    }

    #[test]
    fn a_bad_line_rejects_its_whole_order_with_line_field_found_and_allowed() {
        let orders = grouped(
            "order,item,detail,quantity,price\nA,Tea,,2,5.00\nA,Cake,,none,3.00\nB,Cake,,1,3.00\n,Lost,,1,1\nC,x,,1,-4\n",
        );
        assert_eq!(
            orders
                .good
                .iter()
                .map(|order| order.id.as_str())
                .collect::<Vec<_>>(),
            ["B"]
        );
        let lost: Vec<_> = orders
            .rejected
            .iter()
            .map(|r| (r.line.unwrap(), r.field.as_str(), r.found.as_str()))
            .collect();
        assert_eq!(
            lost,
            [
                (5, "order", ""),
                (3, "quantity", "none"),
                (6, "price", "-4")
            ]
        );
    }

    #[test]
    fn outlets_and_buyers_depend_on_the_order_id_alone() {
        let text: String = (0..400).map(|i| format!("{i},Tea,,1,1.00\n")).collect();
        let orders = grouped(&format!("order,item,detail,quantity,price\n{text}")).good;
        let to_wallets = orders.iter().filter(|order| order.wallet.is_some()).count();
        assert!((60..140).contains(&to_wallets), "{to_wallets}");
        assert!(
            orders.iter().any(|order| order.outlet == 1)
                && orders.iter().any(|order| order.outlet == 2)
        );
        let alone = grouped("order,item,detail,quantity,price\n7,Tea,,1,1.00\n").good;
        assert_eq!(alone[0].outlet, orders[7].outlet);
        assert_eq!(alone[0].sale_id, orders[7].sale_id);
    }
}
