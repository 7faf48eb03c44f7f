//! A file of orders, read in passes: the first finds what all its rows say together, each further one hands out its
//! orders. Only the rows of orders that are not complete yet are in memory.

use crate::file::{FileError, Row, Table};
use crate::layout::{Layout, OrderId, Place};
use crate::map::Map;
use crate::moment::disproves_format;
use crate::number::{DecimalMark, Evidence, Proof, Reading, Thousands};
use crate::order::{Item, LeftOut, OrderRows, Reader};
use crate::row_kind::RowKind;
use crate::sums::SumNames;
use csv::StringRecord;
use domain::keccak256;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows that may wait for others of their orders.
const WAITING_ROWS_MAX: usize = 100_000;
/// Digits of [`OrderKey`] that a file of any size cannot make meet by chance.
type OrderKey = u128;

/// A file that was read once: what its columns, numbers and orders are is known.
#[derive(Debug)]
pub struct Plan {
    map: Map,
    table: Table,
    layout: Layout,
    counts: RowCounts,
    /// Rows of the file, the header left out.
    pub rows: u64,
    /// What its amounts of money prove.
    pub evidence: Evidence,
    /// What its quantities prove: some tills write them otherwise than money.
    quantities: Evidence,
    /// What rows of unknown names are by custom.
    sum_names: SumNames,
}

/// How many rows each order has.
#[derive(Debug, Default)]
struct RowCounts {
    /// In ascending order.
    keys: Vec<OrderKey>,
    counts: Vec<u32>,
}

impl RowCounts {
    /// From the order of each row.
    fn new(mut rows: Vec<OrderKey>) -> Self {
        rows.sort_unstable();
        let mut found = Self::default();
        for run in rows.chunk_by(|one, other| one == other) {
            found.keys.push(run[0]);
            found
                .counts
                .push(u32::try_from(run.len()).unwrap_or(u32::MAX));
        }
        found
    }

    fn rows_of(&self, key: OrderKey) -> u32 {
        self.keys
            .binary_search(&key)
            .map_or(0, |place| self.counts[place])
    }
}

fn key_of(id: &OrderId) -> OrderKey {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&keccak256(&id.0)[..16]);
    u128::from_be_bytes(bytes)
}

impl Plan {
    /// Reads a file once, from its first to its last row. `progress` counts the rows.
    pub fn read(path: &Path, map: &Map, progress: &AtomicU64) -> Result<Self, FileError> {
        let table = Table::open(path, &map.file, &map.wanted_columns())?;
        let layout = Layout::resolve(map, &table)?;
        let mut plan = Self {
            map: map.clone(),
            table,
            layout,
            counts: RowCounts::default(),
            rows: 0,
            evidence: Evidence::default(),
            quantities: Evidence::default(),
            sum_names: SumNames::default(),
        };

        plan.survey(progress)?;
        plan.sum_names = plan.count_sum_names()?;
        Ok(plan)
    }

    fn survey(&mut self, progress: &AtomicU64) -> Result<(), FileError> {
        let (mut keys, mut rows) = (Vec::new(), 0);
        let (mut evidence, mut quantities) = (Evidence::default(), Evidence::default());
        self.for_each_row(|row, place| {
            rows += 1;
            progress.fetch_add(1, Ordering::Relaxed);
            let mut is_sold = false;
            if let Place::Order { id, kind } = place {
                self.check_time_format(row)?;
                keys.push(key_of(&id));
                is_sold = kind == RowKind::Goods;
            }

            let amounts = self.layout.money_columns();
            amounts.for_each(|column| self.add_proof(&mut evidence, row, column, is_sold));
            let pieces = self.layout.quantity.into_iter();
            pieces.for_each(|column| self.add_proof(&mut quantities, row, column, is_sold));
            Ok(())
        })?;

        self.rows = rows;
        self.evidence = evidence;
        self.quantities = quantities;
        self.counts = RowCounts::new(keys);
        Ok(())
    }

    /// One time that shows day and month exchanged speaks against all of them: others fit both ways.
    fn check_time_format(&self, row: &Row) -> Result<(), FileError> {
        let Some(format) = &self.map.time.format else {
            return Ok(());
        };
        let cells = self.layout.time.iter().map(|column| row.cell(*column));
        let found = cells.collect::<Vec<&str>>().join(" ");
        if disproves_format(&found, &self.map.time) {
            return Err(FileError::TimeFormat {
                line: row.line,
                found,
                format: format.clone(),
            });
        }
        Ok(())
    }

    /// Where orders have several rows, one may be the sum of the others under any name: what it is elsewhere tells.
    fn count_sum_names(&self) -> Result<SumNames, FileError> {
        let mut names = SumNames::default();
        let none = SumNames::default();
        let has_rows = self.counts.counts.iter().any(|rows| *rows > 1);
        // Where receipts say their totals, the lines are compared with those.
        let has_totals = self.layout.receipt_total.is_some();
        if self.map.sum_rows_checked && has_rows && !has_totals {
            let reader = self.reader(&none);
            self.for_each_order(
                |_, rows| {
                    names.add(&reader, &reader.prepare(rows));
                    Ok(())
                },
                |_, _, _| Ok(()),
            )?;
        }
        Ok(names)
    }

    fn reader<'p>(&'p self, sum_names: &'p SumNames) -> Reader<'p> {
        Reader {
            map: &self.map,
            layout: &self.layout,
            numbers: self.numbers(),
            quantities: self.quantity_numbers(),
            sum_names,
        }
    }

    /// What a cell proves; a number of JSON has a point in any file.
    fn add_proof(&self, evidence: &mut Evidence, row: &Row, column: usize, is_sold: bool) {
        if !row.is_json_number(column) {
            evidence.add(row.cell(column), row.line, is_sold, self.map.currency);
        }
    }

    /// How the numbers of the file are read.
    pub fn numbers(&self) -> Reading {
        let grouping = match self.map.numbers.decimal {
            Some(_) => Thousands::Any,
            None => self.evidence.thousands(),
        };
        Reading {
            mark: self.map.numbers.decimal.or(self.evidence.mark()),
            thousands: self.map.numbers.thousands,
            currency: self.map.currency,
            grouping,
        }
    }

    /// How its quantities are read: as they prove themselves, else as money is unless one of them speaks against it.
    /// None is of thousands where the map does not say so, since a till that writes `1,000` for one piece beside
    /// `350.00` is more usual than a sale of a thousand.
    pub fn quantity_numbers(&self) -> Reading {
        let money = self.numbers();
        let own = self.map.numbers.decimal.or(self.quantities.mark());
        let of_money = money
            .mark
            .filter(|mark| !self.quantities.contradicts(*mark));
        Reading {
            mark: own.or(of_money),
            grouping: match self.map.numbers.decimal {
                Some(_) => Thousands::Any,
                None => Thousands::Never,
            },
            ..money
        }
    }

    /// For people: which character stands before decimals, and how that is known.
    pub fn explain_numbers(&self) -> String {
        let Evidence { point, comma, .. } = self.evidence;
        match (self.map.numbers.decimal, point.line, comma.line) {
            (Some(mark), ..) => {
                format!("{:?} stands before decimals, as the map says", mark.char())
            }
            (None, Some(line), None) => decided_by(DecimalMark::Point, point, line),
            (None, None, Some(line)) => decided_by(DecimalMark::Comma, comma, line),
            (None, Some(point), Some(comma)) => format!(
                "lines {point} and {comma} contradict each other: a number with two readings is refused; say numbers.decimal in the map"
            ),
            (None, None, None) => "no number needs to be told from another reading".into(),
        }
    }

    /// Orders that the file has, good and bad.
    pub fn orders(&self) -> usize {
        self.counts.keys.len()
    }

    /// The map that it is read through.
    pub const fn map(&self) -> &Map {
        &self.map
    }

    /// The file as rows.
    pub const fn table(&self) -> &Table {
        &self.table
    }

    /// Hands out what becomes of each order, as soon as its last row was read.
    pub fn for_each_item(
        &self,
        mut each: impl FnMut(Item) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let reader = self.reader(&self.sum_names);
        let each = RefCell::new(&mut each);
        self.for_each_order(
            |id, rows| {
                let items = reader.read_order(id, &reader.prepare(rows));
                items
                    .into_iter()
                    .try_for_each(|item| (each.borrow_mut())(item))
            },
            |row, kind, told_by| {
                (each.borrow_mut())(Item::LeftOut(LeftOut {
                    order: None,
                    line: row.line,
                    kind: kind.name().into(),
                    told_by,
                    name: None,
                    amount: None,
                }))
            },
        )
    }

    /// Hands out the rows of each order as soon as its last one was read, and rows that belong to none.
    fn for_each_order(
        &self,
        mut each: impl FnMut(&OrderId, OrderRows) -> Result<(), FileError>,
        mut left_out: impl FnMut(&Row, RowKind, String) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let mut waiting = WaitingRows::default();
        self.for_each_row(|row, place| match place {
            Place::Nowhere { told_by, .. } if told_by.is_empty() => Ok(()),
            Place::Nowhere { kind, told_by } => left_out(row, kind, told_by),
            Place::Order { id, kind } => {
                let expected = self.counts.rows_of(key_of(&id));
                match waiting.add(&id, row.clone(), kind, expected)? {
                    Some(rows) => each(&id, rows),
                    None => Ok(()),
                }
            }
        })?;

        // As many rows came as were counted, or the file changed between the two passes.
        if waiting.is_empty() {
            Ok(())
        } else {
            Err(FileError::Changed)
        }
    }

    fn for_each_row(
        &self,
        mut each: impl FnMut(&Row, Place) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let mut above = StringRecord::new();
        let mut filled = Row::default();
        self.table.for_each(|row| {
            filled.clone_from(row);
            self.layout.fill_down(&mut filled, &mut above, &self.map);
            let place = self.layout.place_of(&filled, &self.map)?;
            each(&filled, place)
        })
    }
}

fn decided_by(mark: DecimalMark, proof: Proof, line: u64) -> String {
    let mark = mark.char();
    if proof.is_doubled {
        format!(
            "{mark:?} stands before decimals: line {line} cannot be read otherwise, another row agrees, and no line contradicts it"
        )
    } else {
        format!(
            "{mark:?} stands before decimals in line {line}, but in no second row of goods: a number with two readings is refused; say numbers.decimal in the map"
        )
    }
}

/// Rows of orders that are not complete.
#[derive(Default)]
struct WaitingRows {
    orders: HashMap<OrderId, OrderRows>,
    rows: usize,
}

impl WaitingRows {
    /// Adds a row; all rows of its order if it was the last of `expected`.
    fn add(
        &mut self,
        id: &OrderId,
        row: Row,
        kind: crate::row_kind::RowKind,
        expected: u32,
    ) -> Result<Option<OrderRows>, FileError> {
        let rows = self.orders.entry(id.clone()).or_default();
        rows.push((row, kind));
        self.rows += 1;

        if u64::try_from(rows.len()).is_ok_and(|rows| rows >= u64::from(expected)) {
            let complete = self.orders.remove(id);
            self.rows -= complete.as_ref().map_or(0, Vec::len);
            return Ok(complete);
        }
        if self.rows > WAITING_ROWS_MAX && rows.len() > WAITING_ROWS_MAX / 2 {
            return Err(FileError::GiantOrder {
                order: id.to_string(),
                rows: expected,
            });
        }
        if self.rows > WAITING_ROWS_MAX {
            return Err(FileError::Scattered { rows: self.rows });
        }

        Ok(None)
    }

    fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }
}
