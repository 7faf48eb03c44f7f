//! Rows that may be sums of others under a name that nobody knows. What a row costs tells it, together with what rows of
//! its name are elsewhere in the file.

use crate::file::Row;
use crate::order::{OrderRows, Reader, is_sum_with};
use crate::row_kind::RowKind;
use std::collections::HashMap;

/// Names that are counted; of others nothing is known, so that they are never dishes by custom.
const NAMES_MAX: usize = 50_000;

/// How rows of one name stand in their orders.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// They cost what at least two others cost together.
    sums: u32,
    /// They cost what the only other one costs.
    twins: u32,
    twin_amount: u64,
    /// Twins of different amounts: dishes have their price, payments do not.
    twins_differ: bool,
    /// Neither.
    dishes: u32,
}

/// What the names of a file's rows are by custom.
#[derive(Debug, Default)]
pub(crate) struct SumNames {
    tallies: HashMap<String, Tally>,
}

/// A row of goods, what it costs, and how many others it is the sum of: 0 if it is none.
struct Counted<'r> {
    row: &'r Row,
    amount: u64,
    others: usize,
}

impl SumNames {
    /// Counts the goods of one order.
    pub fn add(&mut self, reader: &Reader<'_>, rows: &OrderRows) {
        for counted in count_sums(reader, rows, RowKind::Goods) {
            let name = name_of(reader, counted.row);
            if self.tallies.len() >= NAMES_MAX && !self.tallies.contains_key(&name) {
                continue;
            }
            self.tallies.entry(name).or_default().add(&counted);
        }
    }

    /// The row of an order that may be the sum of its others.
    pub fn find<'r>(
        &self,
        reader: &Reader<'_>,
        rows: &'r OrderRows,
        kind: RowKind,
    ) -> Option<&'r Row> {
        let counted = count_sums(reader, rows, kind);
        let found = counted.iter().find(|counted| {
            let is_listed = reader.layout.kind_by_rule(counted.row).is_some();
            !is_listed && self.may_be_sum(&name_of(reader, counted.row), counted.others)
        });
        found.map(|counted| counted.row)
    }

    fn may_be_sum(&self, name: &str, others: usize) -> bool {
        let tally = self.tallies.get(name).copied().unwrap_or_default();
        if tally.dishes > tally.sums + tally.twins {
            return false;
        }
        match others {
            // A payment with a tip in it, or one of two.
            0 => tally.sums > 1 || (tally.twins > 2 && tally.twins_differ),
            1 => tally.sums > 0 || tally.twins_differ,
            _ => true,
        }
    }
}

impl Tally {
    fn add(&mut self, counted: &Counted<'_>) {
        match counted.others {
            0 => self.dishes += 1,
            1 => {
                self.twins_differ |= self.twins > 0 && self.twin_amount != counted.amount;
                self.twin_amount = counted.amount;
                self.twins += 1;
            }
            _ => self.sums += 1,
        }
    }
}

fn name_of(reader: &Reader<'_>, row: &Row) -> String {
    reader.layout.name_of_row(row).to_lowercase()
}

/// The rows of one kind, with how many others each is the sum of. Nothing if one of them has no readable amount.
fn count_sums<'r>(reader: &Reader<'_>, rows: &'r OrderRows, kind: RowKind) -> Vec<Counted<'r>> {
    let of_kind = rows.iter().filter(|(_, found)| *found == kind);
    let amounts: Option<Vec<(&Row, u64)>> = of_kind
        .map(|(row, _)| Some((row, reader.amount_of(row)?)))
        .collect();
    let amounts = amounts.unwrap_or_default();
    let total = amounts
        .iter()
        .fold(0u64, |sum, (_, amount)| sum.saturating_add(*amount));

    let (discount, extras) = beside_goods(reader, rows);
    let is_sum = |others: u64, amount: u64| {
        amount > 0
            && (is_sum_with(others, &extras, amount)
                || is_sum_with(others.saturating_sub(discount), &extras, amount))
    };
    let count = |(row, amount): &(&'r Row, u64)| {
        let others = total - amount;
        // Beside a sum some tills count all pieces of the order.
        let price = match reader.map.columns.line_total {
            Some(_) => *amount,
            None => reader.price_of(row).unwrap_or(*amount),
        };
        let is_sum = is_sum(others, *amount) || is_sum(others, price);
        Counted {
            row,
            amount: *amount,
            others: if is_sum && !has_namesake(reader, row, &amounts) {
                amounts.len() - 1
            } else {
                0
            },
        }
    };
    amounts.iter().map(count).collect()
}

/// Another row of the same name is the same dish once more.
fn has_namesake(reader: &Reader<'_>, row: &Row, amounts: &[(&Row, u64)]) -> bool {
    let name = name_of(reader, row);
    let mut others = amounts.iter().filter(|(other, _)| other.line != row.line);
    others.any(|(other, _)| name_of(reader, other) == name)
}

/// What discounts take off, and what is paid on top.
fn beside_goods(reader: &Reader<'_>, rows: &OrderRows) -> (u64, Vec<u64>) {
    let amounts = |wanted: &'static [RowKind]| {
        let found = rows.iter().filter(|(_, kind)| wanted.contains(kind));
        found.filter_map(|(row, _)| reader.amount_of(row))
    };
    let discount = amounts(&[RowKind::Discount]).fold(0, u64::saturating_add);
    let extras = amounts(&[RowKind::Tip, RowKind::Service, RowKind::Tax]);
    (discount, extras.collect())
}
