//! The rows of one order to what is signed: a sale, a refund, or why not. One bad row rejects its whole order.

use crate::file::Row;
use crate::layout::{Layout, OrderId, day_of_moment, day_part};
use crate::lines::{Goods, read_goods, spread_discount, total_of_row};
use crate::map::{DiscountRule, ExtraRule, Map, OutletSpec, RefundedRule};
use crate::moment::{Moment, parse_moment};
use crate::number::{Decimal, DecimalMark, Reading, Thousands, format_money};
use crate::row_kind::RowKind;
use crate::sums::SumNames;
use domain::limits::{SALE_LINES_MAX, SALE_TOTAL_MAX};
use domain::sale::Line;
use domain::{Currency, OutletId, RefundId, SaleId, keccak256};
use jiff::civil::Date;
use serde::Serialize;

const ONE_DAY: &str = "one day in all rows of an order: if numbers begin anew each day, add { day_of = \"COLUMN\" } to group_by";
const HOUR_MS: u64 = 3_600_000;

/// An order, ready to be signed as a sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id in the source.
    pub id: String,
    /// First 16 bytes of keccak256(source, LF, order id).
    pub sale_id: SaleId,
    /// The outlet that sold.
    pub outlet: OutletId,
    /// Sum of the lines.
    pub total: u64,
    /// What was sold.
    pub lines: Vec<Line>,
    /// When, if the file says so.
    pub occurred_at_ms: Option<u64>,
    /// The outlet's day, if the file says so.
    pub day: Option<Date>,
    /// Which of the map's wallets bought; `None` = a receipt.
    pub wallet: Option<u64>,
}

/// Money that was given back, ready to be signed as a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// The refund's id in the source.
    pub id: String,
    /// The order whose goods came back.
    pub of: String,
    /// The sale of that order.
    pub sale_id: SaleId,
    /// First 16 bytes of keccak256(source, LF, refund's id, LF, "refund").
    pub refund_id: RefundId,
    /// The outlet that gives it back.
    pub outlet: OutletId,
    /// Money given back, in the currency's smallest unit.
    pub amount: u64,
}

/// Why an order is not imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// What is no part of any sale, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its order's id in the source, if it has one.
    pub order: Option<String>,
    /// Line of the file.
    pub line: u64,
    /// What it is.
    pub kind: String,
    /// What says so.
    pub told_by: String,
    /// Its name, if nothing but that says so: it may be a dish all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it costs, if it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
}

/// What became of one order, or of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A sale to be signed.
    Sale(Order),
    /// A refund to be signed.
    Return(Return),
    /// An order that is refused.
    Rejected(Rejected),
    /// A row that is no part of a sale.
    LeftOut(LeftOut),
}

/// The id of a sale that comes from another system.
pub fn sale_id(source: &str, order: &str) -> SaleId {
    SaleId(first_bytes(&format!("{source}\n{order}")))
}

fn refund_id(source: &str, order: &str) -> RefundId {
    RefundId(first_bytes(&format!("{source}\n{order}\nrefund")))
}

fn first_bytes<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&keccak256(text)[..N]);
    bytes
}

/// All that is needed to read the rows of an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'r> {
    pub map: &'r Map,
    pub layout: &'r Layout,
    /// How money is read.
    pub numbers: Reading,
    /// How quantities are read.
    pub quantities: Reading,
    /// What rows of unknown names are by custom.
    pub sum_names: &'r SumNames,
}

/// The rows of one order with what each is, in the order of the file.
pub(crate) type OrderRows = Vec<(Row, RowKind)>;

impl Reader<'_> {
    /// Rows whose kind is known once all of their order are.
    pub fn prepare(&self, mut rows: OrderRows) -> OrderRows {
        self.layout.fill_states(&mut rows, self.map);
        for (row, kind) in &mut rows {
            if *kind == RowKind::Refunded && self.is_below_zero(row) {
                *kind = RowKind::Refund;
            }
            if *kind == RowKind::Refunded && self.map.amounts.refunded == RefundedRule::LeaveOut {
                *kind = RowKind::Void;
            }
        }
        rows
    }

    /// Goods that came back have a minus before what they cost or how many they are.
    fn is_below_zero(&self, row: &Row) -> bool {
        let is_negative = |reading: Reading, column: usize| {
            let number = self.parse(reading, row, column);
            number.is_ok_and(|number| number.is_negative)
        };
        let pieces = self.layout.quantity;
        is_negative(self.numbers, self.layout.price)
            || pieces.is_some_and(|column| is_negative(self.quantities, column))
    }

    /// What becomes of an order: first what is left out of it, then its sale or its rejection, then its refunds.
    pub fn read_order(&self, id: &OrderId, rows: &OrderRows) -> Vec<Item> {
        let mut items = self.list_left_out(id, rows);
        let goes_back = rows.iter().any(|(_, kind)| goes_back(*kind));
        let is_sold = rows.iter().any(|(_, kind)| !is_no_sale(*kind));

        if is_sold {
            items.push(match self.read_sale(id, rows) {
                Ok(sale) if sale.total == 0 => Item::LeftOut(LeftOut {
                    order: Some(id.to_string()),
                    line: rows[0].0.line,
                    kind: "nothing was paid".into(),
                    told_by: "its total is zero".into(),
                    name: None,
                    amount: None,
                }),
                Ok(sale) => Item::Sale(sale),
                Err(rejected) => Item::Rejected(rejected),
            });
        }
        let is_rejected = matches!(items.last(), Some(Item::Rejected(_)));
        if goes_back && !is_rejected {
            let sold = is_sold.then_some(id);
            items.push(match self.read_return(id, rows, sold) {
                Ok(refund) => Item::Return(refund),
                Err(rejected) => Item::Rejected(rejected),
            });
        }

        items
    }

    fn list_left_out(&self, id: &OrderId, rows: &OrderRows) -> Vec<Item> {
        let is_sold = rows.iter().any(|(_, kind)| !is_no_sale(*kind));
        let left_out = |kind: RowKind| match kind {
            RowKind::Void | RowKind::Ignore => true,
            RowKind::Subtotal | RowKind::Total | RowKind::Payment => !is_sold,
            RowKind::Tip | RowKind::Service | RowKind::Tax => {
                self.extra_rule(kind) == ExtraRule::LeaveOut
            }
            _ => false,
        };
        let rows = rows.iter().filter(|(_, kind)| left_out(*kind));
        rows.map(|(row, kind)| {
            Item::LeftOut(LeftOut {
                order: Some(id.to_string()),
                line: row.line,
                kind: kind.name().into(),
                told_by: self.layout.kind_of(row).1,
                name: self
                    .layout
                    .is_told_by_name(row)
                    .then(|| self.layout.name_of_row(row).to_owned()),
                amount: self.amount_of(row),
            })
        })
        .collect()
    }

    fn extra_rule(&self, kind: RowKind) -> ExtraRule {
        match kind {
            RowKind::Tip | RowKind::Service | RowKind::Tax => {
                self.declared_rule(kind).unwrap_or_default()
            }
            _ => ExtraRule::Refuse,
        }
    }

    /// What the map itself says of such rows.
    const fn declared_rule(&self, kind: RowKind) -> Option<ExtraRule> {
        let amounts = self.map.amounts;
        match kind {
            RowKind::Tip => amounts.tip,
            RowKind::Service => amounts.service,
            RowKind::Tax => amounts.tax,
            _ => None,
        }
    }

    fn read_sale(&self, id: &OrderId, rows: &OrderRows) -> Result<Order, Rejected> {
        if is_rewritten(id) {
            let allowed = "an id with all its digits: a spreadsheet rewrote this one, and others became the same";
            return Err(refuse(id, &rows[0].0, "order", &id.to_string(), allowed));
        }
        self.refuse_kinds(id, rows)?;
        let sold: Vec<&Row> = rows
            .iter()
            .filter(|(_, kind)| !is_no_sale(*kind))
            .map(|(row, _)| row)
            .collect();

        let hash = order_hash(&self.map.source, &id.0);
        let outlet = self.read_outlet(id, &sold, hash)?;
        let moment = self.read_moment(id, &sold)?;
        self.check_days(id, &sold)?;
        self.check_currency(id, &sold)?;

        let lines = self.read_lines(id, rows)?;
        self.refuse_sums(id, rows, RowKind::Goods)?;
        let total = self.check_sale(id, rows, &lines)?;
        self.check_receipt(id, rows, total)?;

        Ok(Order {
            id: id.to_string(),
            sale_id: sale_id(&self.map.source, &id.0),
            outlet,
            total,
            lines,
            occurred_at_ms: moment.map(|moment| moment.ms),
            day: moment.map(|moment| moment.day),
            wallet: choose_wallet(self.map, hash),
        })
    }

    /// A row that may be the sum of the others. Where a sum is known, the lines are compared with it instead.
    fn refuse_sums(&self, id: &OrderId, rows: &OrderRows, kind: RowKind) -> Result<(), Rejected> {
        if !self.map.sum_rows_checked || self.has_sum(rows) {
            return Ok(());
        }

        let Some(row) = self.sum_names.find(self, rows, kind) else {
            return Ok(());
        };
        let (field, found) = (
            self.layout.name_of(self.layout.price),
            self.layout.name_of_row(row),
        );
        let allowed = "no row that may be the sum of the others: say in [[rows]] whether rows of this name are \
            of kind total, payment or goods, or sum_rows_checked = false";
        Err(refuse(id, row, field, found, allowed))
    }

    /// Whether an order says what its lines add up to.
    fn has_sum(&self, rows: &OrderRows) -> bool {
        let has_total = |row: &Row| {
            let column = self.layout.receipt_total;
            column.is_some_and(|column| !self.map.is_null(row.cell(column)))
        };
        let mut rows = rows.iter();
        rows.any(|(row, kind)| is_sum(*kind) || (is_goods(*kind) && has_total(row)))
    }

    /// Kinds of rows with which no sale is made.
    fn refuse_kinds(&self, id: &OrderId, rows: &OrderRows) -> Result<(), Rejected> {
        for (row, kind) in rows {
            let allowed = match kind {
                RowKind::Unpaid => "an order that was paid",
                RowKind::Unclear => "a value that is known: say in [[rows]] what such rows are",
                RowKind::Refunded if self.map.amounts.refunded == RefundedRule::Refuse => {
                    "a price below zero for what came back; of what was sold and refunded later say amounts.refunded = \"leave_out\" or \"give_back\""
                }
                RowKind::Discount if self.map.amounts.discount == DiscountRule::Refuse => {
                    "no row of a discount, which is below zero: say amounts.discount = \"spread\" in the map"
                }
                RowKind::Tip | RowKind::Service | RowKind::Tax
                    if self.extra_rule(*kind) == ExtraRule::Refuse =>
                {
                    "no such row, since the map says amounts: refuse"
                }
                _ => continue,
            };
            let (_, told_by) = self.layout.kind_of(row);
            return Err(refuse(id, row, kind.name(), &told_by, allowed));
        }

        Ok(())
    }

    /// The goods and what the map includes, with the discounts taken off.
    fn read_lines(&self, id: &OrderId, rows: &OrderRows) -> Result<Vec<Line>, Rejected> {
        let mut goods: Vec<Goods> = Vec::new();
        for (row, kind) in rows {
            let is_included = self.extra_rule(*kind) == ExtraRule::Include;
            if is_goods(*kind) || is_included {
                goods.push(read_goods(self, id, row)?);
            }
        }
        let discounts = rows.iter().filter(|(_, kind)| *kind == RowKind::Discount);
        let discounts: Vec<&Row> = discounts.map(|(row, _)| row).collect();
        let discount = self.sum_taken_off(id, &discounts)?;

        spread_discount(goods, discount).map_err(|total| {
            let (row, _) = &rows[0];
            let allowed = format!("at most what the goods cost, {}", self.money(total));
            refuse(id, row, "discount", &self.money(discount), &allowed)
        })
    }

    /// What a row costs, its sign left out of account, if that can be read.
    pub fn amount_of(&self, row: &Row) -> Option<u64> {
        let id = OrderId(String::new());
        if let Ok(total) = total_of_row(self, &id, row) {
            return Some(total);
        }
        let count = self.read_count(&id, row).ok()?;
        self.price_of(row)?.checked_mul(count)
    }

    /// What its price says alone, if that can be read.
    pub fn price_of(&self, row: &Row) -> Option<u64> {
        let id = OrderId(String::new());
        let price = self.read_signed(&id, row, self.layout.price).ok();
        price.map(|(_, price)| price)
    }

    /// Money as people write it.
    pub fn money(&self, units: u64) -> String {
        format_money(units, self.map.exponent, self.map.currency)
    }

    /// Whether an amount of money is below zero, and how much it is.
    fn read_signed(&self, id: &OrderId, row: &Row, column: usize) -> Result<(bool, u64), Rejected> {
        let text = self.required(id, row, column)?;
        let name = self.layout.name_of(column);
        let number = self
            .parse(self.numbers, row, column)
            .map_err(|allowed| refuse(id, row, name, text, &allowed))?;

        let amount = number.to_units(self.map.exponent).ok_or_else(|| {
            let allowed = format!("money with at most {} decimals", self.map.exponent);
            refuse(id, row, name, text, &allowed)
        })?;
        Ok((number.is_negative, amount))
    }

    /// What rows of a discount or of a refund take off together. They say so all with a minus or all without one: a
    /// discount that was taken back is none.
    fn sum_taken_off(&self, id: &OrderId, rows: &[&Row]) -> Result<u64, Rejected> {
        let mut sum: u64 = 0;
        let mut sign = None;
        for row in rows {
            let (is_negative, price) = self.read_signed(id, row, self.layout.price)?;
            let amount = price.checked_mul(self.read_count(id, row)?);
            sum = sum.saturating_add(amount.unwrap_or(u64::MAX));

            if amount != Some(0) && *sign.get_or_insert(is_negative) != is_negative {
                let name = self.layout.name_of(self.layout.price);
                let found = row.cell(self.layout.price);
                let allowed = "one sign in all rows of a discount or of a refund";
                return Err(refuse(id, row, name, found, allowed));
            }
        }
        Ok(sum)
    }

    /// The number in a cell. The error says what is allowed.
    pub fn parse(&self, reading: Reading, row: &Row, column: usize) -> Result<Decimal, String> {
        let of_json = Reading {
            mark: Some(DecimalMark::Point),
            grouping: Thousands::Never,
            ..reading
        };
        let is_json = row.is_json_number(column);
        let reading = if is_json { of_json } else { reading };
        reading.parse(row.cell(column))
    }

    /// How often a price of one is meant, where the file has no total of the row.
    fn read_count(&self, id: &OrderId, row: &Row) -> Result<u64, Rejected> {
        let Some(column) = self.layout.quantity else {
            return Ok(1);
        };
        let text = row.cell(column);
        if self.map.columns.line_total.is_some() || self.map.is_null(text) {
            return Ok(1);
        }

        let name = self.layout.name_of(column);
        let count = self.parse(self.quantities, row, column).ok();
        let count = count.and_then(|number| number.to_units(0));
        count.ok_or_else(|| refuse(id, row, name, text, "a whole number of pieces"))
    }

    /// A cell that must say something.
    pub fn required<'w>(
        &self,
        id: &OrderId,
        row: &'w Row,
        column: usize,
    ) -> Result<&'w str, Rejected> {
        let value = row.cell(column);
        if self.map.is_null(value) {
            return Err(refuse(
                id,
                row,
                self.layout.name_of(column),
                value,
                "a value",
            ));
        }
        Ok(value)
    }

    /// What no node would take: too many lines, or too much money.
    fn check_sale(&self, id: &OrderId, rows: &OrderRows, lines: &[Line]) -> Result<u64, Rejected> {
        let (first, _) = &rows[0];
        if lines.len() > SALE_LINES_MAX {
            let allowed = format!("at most {SALE_LINES_MAX} lines in one order");
            return Err(refuse(
                id,
                first,
                "lines",
                &lines.len().to_string(),
                &allowed,
            ));
        }

        let total = sum_lines(lines).filter(|total| *total <= SALE_TOTAL_MAX);
        total.ok_or_else(|| {
            let allowed = format!("at most {} in one order", self.money(SALE_TOTAL_MAX));
            refuse(id, first, "total", "too much", &allowed)
        })
    }

    /// Subtotals, totals, payments and the receipt's own total, where the file has them.
    fn check_receipt(&self, id: &OrderId, rows: &OrderRows, total: u64) -> Result<(), Rejected> {
        if !self.has_sum(rows) {
            return Ok(());
        }
        let sums = self.read_sums(id, rows, total)?;
        for (row, kind) in rows {
            let column = match (kind, self.layout.receipt_total) {
                (RowKind::Subtotal | RowKind::Total, _) => self.layout.price,
                (kind, Some(column)) if is_goods(*kind) && !self.map.is_null(row.cell(column)) => {
                    column
                }
                _ => continue,
            };
            let (is_negative, found) = self.read_signed(id, row, column)?;
            let fits = match kind {
                RowKind::Subtotal => sums.has_subtotal(found),
                RowKind::Total => is_sum_with(total, &sums.on_top, found),
                _ => is_sum_with(total, &sums.of_receipt, found),
            };
            if is_negative || !fits {
                return Err(self.refuse_sum(id, row, column, total));
            }
        }

        self.check_payments(id, rows, &sums, total)
    }

    /// What was paid in one or several ways is the total, with or without what is on top.
    fn check_payments(
        &self,
        id: &OrderId,
        rows: &OrderRows,
        sums: &Sums,
        total: u64,
    ) -> Result<(), Rejected> {
        let price = self.layout.price;
        let mut paid: u64 = 0;
        let mut last = None;
        for (row, _) in rows.iter().filter(|(_, kind)| *kind == RowKind::Payment) {
            let (is_negative, amount) = self.read_signed(id, row, price)?;
            if is_negative {
                return Err(self.refuse_sum(id, row, price, total));
            }
            paid = paid.saturating_add(amount);
            last = Some(row);
        }

        match last {
            Some(row) if !is_sum_with(total, &sums.on_top, paid) => {
                Err(self.refuse_sum(id, row, price, total))
            }
            _ => Ok(()),
        }
    }

    fn refuse_sum(&self, id: &OrderId, row: &Row, column: usize, total: u64) -> Rejected {
        let allowed = format!(
            "what the lines add up to, {}; what is paid on top counts in a receipt's own total only where the map speaks of it (amounts, [[rows]])",
            self.money(total)
        );
        refuse(
            id,
            row,
            self.layout.name_of(column),
            row.cell(column),
            &allowed,
        )
    }

    /// The sums that may be printed of an order.
    fn read_sums(&self, id: &OrderId, rows: &OrderRows, total: u64) -> Result<Sums, Rejected> {
        let mut sums = Sums {
            discounted: total,
            ..Sums::default()
        };
        for (row, kind) in rows {
            if is_goods(*kind) {
                sums.goods = sums.goods.saturating_add(total_of_row(self, id, row)?);
            }
            if !matches!(kind, RowKind::Tip | RowKind::Service | RowKind::Tax) {
                continue;
            }

            let (_, price) = self.read_signed(id, row, self.layout.price)?;
            let amount = price.saturating_mul(self.read_count(id, row)?);
            sums.extras.push(amount);
            if self.extra_rule(*kind) == ExtraRule::LeaveOut {
                let is_declared = self.declared_rule(*kind).is_some();
                let is_named = !is_declared && self.layout.is_told_by_name(row);
                sums.of_receipt.extend((!is_named).then_some(amount));
                sums.on_top.push(amount);
            } else {
                sums.discounted = sums.discounted.saturating_sub(amount);
            }
        }
        Ok(sums)
    }

    /// The moment of the first row in time; rows of one order are of one day, and not too far apart.
    fn read_moment(&self, id: &OrderId, rows: &[&Row]) -> Result<Option<Moment>, Rejected> {
        let Some(column) = self.layout.time.first() else {
            return Ok(None);
        };
        let name = self.layout.name_of(*column);
        let longest_ms = self.map.time.order_hours.saturating_mul(HOUR_MS);

        let mut first: Option<Moment> = None;
        let mut last_ms = 0;
        for row in rows {
            let (text, moment) = self.moment_of(id, row, name)?;
            let known = *first.get_or_insert(moment);
            let earlier = if moment.ms < known.ms { moment } else { known };
            first = Some(earlier);
            last_ms = moment.ms.max(last_ms);

            if known.day != moment.day {
                return Err(refuse(id, row, name, &text, ONE_DAY));
            }
            if last_ms - earlier.ms > longest_ms {
                let hours = self.map.time.order_hours;
                let allowed = format!(
                    "at most {hours} hours between rows of an order: if numbers begin anew, add what tells them apart to group_by, else say time.order_hours"
                );
                return Err(refuse(id, row, name, &text, &allowed));
            }
        }

        Ok(first)
    }

    /// When a row was, with the text that says so.
    fn moment_of(&self, id: &OrderId, row: &Row, name: &str) -> Result<(String, Moment), Rejected> {
        let columns = self.layout.time.iter();
        let cells = columns.map(|column| self.required(id, row, *column));
        let text = cells.collect::<Result<Vec<&str>, Rejected>>()?.join(" ");
        let zone = self.layout.zone.map(|column| row.cell(column));

        let moment = parse_moment(&text, &self.map.time, zone);
        let moment = moment.map_err(|allowed| refuse(id, row, name, &text, &allowed))?;
        Ok((text, moment))
    }

    /// Days that the map does not speak of tell two orders of one number apart all the same.
    fn check_days(&self, id: &OrderId, rows: &[&Row]) -> Result<(), Rejected> {
        let layout = self.layout;
        for column in &layout.unmapped_days {
            self.check_same(id, rows, *column, |cell| Some(day_part(cell)))?;
        }
        for column in &layout.unmapped_moments {
            self.check_same(id, rows, *column, day_of_moment)?;
        }
        Ok(())
    }

    /// Rows of one order agree on the day of a column, in all that have one.
    fn check_same(
        &self,
        id: &OrderId,
        rows: &[&Row],
        column: usize,
        day_of: impl Fn(&str) -> Option<&str>,
    ) -> Result<(), Rejected> {
        let mut days = rows
            .iter()
            .filter_map(|row| Some((*row, day_of(row.cell(column))?)));
        let Some((_, first)) = days.next() else {
            return Ok(());
        };
        let Some((row, _)) = days.find(|(_, day)| *day != first) else {
            return Ok(());
        };

        let name = self.layout.name_of(column);
        let allowed = format!(
            "{first:?} as in the order's first row: if numbers begin anew each day, add {{ day_of = {name:?} }} to group_by"
        );
        Err(refuse(id, row, name, row.cell(column), &allowed))
    }

    fn check_currency(&self, id: &OrderId, rows: &[&Row]) -> Result<(), Rejected> {
        let Some(column) = self.layout.currency else {
            return Ok(());
        };

        let expected = self.map.currency;
        for row in rows {
            let found = row.cell(column);
            let is_other = found.to_uppercase().parse::<Currency>() != Ok(expected);
            if is_other && !self.map.is_null(found) {
                let name = self.layout.name_of(column);
                return Err(refuse(id, row, name, found, expected.as_str()));
            }
        }

        Ok(())
    }

    fn read_outlet(&self, id: &OrderId, rows: &[&Row], hash: u64) -> Result<OutletId, Rejected> {
        let outlets = &self.map.outlets;
        let Some(column) = self.layout.outlet else {
            self.check_outlets(id, rows)?;
            let place = usize::try_from(hash % outlets.len() as u64).unwrap_or(0);
            return Ok(outlets[place].id);
        };

        let first = self.required(id, rows[0], column)?;
        let name = self.layout.name_of(column);
        if let Some(row) = rows.iter().find(|row| row.cell(column) != first) {
            let allowed = format!(
                "{first:?} as in the order's first row: numbers of two outlets are told apart by group_by"
            );
            return Err(refuse(id, row, name, row.cell(column), &allowed));
        }

        let found = outlets.iter().find(|outlet| is_called(outlet, first));
        found.map(|outlet| outlet.id).ok_or_else(|| {
            let known: Vec<String> = outlets.iter().map(|outlet| outlet.id.to_string()).collect();
            refuse(id, rows[0], name, first, &known.join(", "))
        })
    }

    /// Two outlets that the map does not speak of have their own numbers all the same.
    fn check_outlets(&self, id: &OrderId, rows: &[&Row]) -> Result<(), Rejected> {
        for column in &self.layout.unmapped_outlets {
            let mut named = rows
                .iter()
                .filter(|row| !self.map.is_null(row.cell(*column)));
            let first = named.next().map_or("", |row| row.cell(*column));
            let Some(row) = named.find(|row| row.cell(*column) != first) else {
                continue;
            };

            let name = self.layout.name_of(*column);
            let allowed = format!(
                "{first:?} as in the order's first row: say outlet.column = {name:?}, and add it to group_by if numbers are each outlet's own"
            );
            return Err(refuse(id, row, name, row.cell(*column), &allowed));
        }
        Ok(())
    }

    /// The one order that all rows of a refund name, or the one that they stand in.
    fn refunded_order(
        &self,
        id: &OrderId,
        returned: &[&Row],
        sold: Option<&OrderId>,
    ) -> Result<OrderId, Rejected> {
        let first = returned[0];
        let named = self
            .layout
            .refund_of
            .map(|column| (column, first.cell(column)));
        let named = named.filter(|(_, name)| !self.map.is_null(name));
        if let Some((column, name)) = named {
            let other = returned.iter().find(|row| row.cell(column) != name);
            if let Some(row) = other {
                let field = self.layout.name_of(column);
                let allowed = format!("{name:?} as in the refund's first row");
                return Err(refuse(id, row, field, row.cell(column), &allowed));
            }
            return Ok(self.layout.refunded_id(first, name));
        }

        match (sold, self.layout.refund_of) {
            (Some(sold), _) => Ok(sold.clone()),
            (None, Some(column)) => {
                let field = self.layout.name_of(column);
                Err(refuse(
                    id,
                    first,
                    field,
                    "",
                    "the order whose goods came back",
                ))
            }
            (None, None) => {
                let (_, told_by) = self.layout.kind_of(first);
                let allowed = "a refund that names the order whose goods came back: say columns.refund_of in the map";
                Err(refuse(id, first, "refund", &told_by, allowed))
            }
        }
    }

    /// The refund that the rows of a group make, of the sale in the same group or of the one that they name.
    fn read_return(
        &self,
        id: &OrderId,
        rows: &OrderRows,
        sold: Option<&OrderId>,
    ) -> Result<Return, Rejected> {
        let returned: Vec<&Row> = rows
            .iter()
            .filter(|(_, kind)| goes_back(*kind))
            .map(|(row, _)| row)
            .collect();
        self.refuse_sums(id, rows, RowKind::Refund)?;
        let of = self.refunded_order(id, &returned, sold)?;
        let amount = self.sum_taken_off(id, &returned)?;
        self.check_currency(id, &returned)?;
        let hash = order_hash(&self.map.source, &of.0);

        Ok(Return {
            id: id.to_string(),
            of: of.to_string(),
            sale_id: sale_id(&self.map.source, &of.0),
            refund_id: refund_id(&self.map.source, &id.0),
            outlet: self.read_outlet(id, &returned, hash)?,
            amount,
        })
    }
}

/// The sums that may be printed of an order.
#[derive(Debug, Default)]
struct Sums {
    /// The goods before discounts.
    goods: u64,
    /// The goods behind discounts.
    discounted: u64,
    /// All that is paid on top of them.
    extras: Vec<u64>,
    /// What of it is left out.
    on_top: Vec<u64>,
    /// What of that may be part of the receipt's own total.
    of_receipt: Vec<u64>,
}

impl Sums {
    /// A subtotal stands before or behind the discount, and before or behind what is paid on top.
    fn has_subtotal(&self, found: u64) -> bool {
        is_sum_with(self.goods, &self.extras, found)
            || is_sum_with(self.discounted, &self.extras, found)
    }
}

/// Kinds of rows that are lines of the sale; of refunded ones there are none left where the map does not say so.
const fn is_goods(kind: RowKind) -> bool {
    matches!(kind, RowKind::Goods | RowKind::Refunded)
}

const fn goes_back(kind: RowKind) -> bool {
    matches!(kind, RowKind::Refund | RowKind::Refunded)
}

/// Kinds of rows that are compared with the lines.
const fn is_sum(kind: RowKind) -> bool {
    matches!(kind, RowKind::Subtotal | RowKind::Total | RowKind::Payment)
}

/// Kinds of rows that alone make no sale.
const fn is_no_sale(kind: RowKind) -> bool {
    is_sum(kind) || matches!(kind, RowKind::Void | RowKind::Refund | RowKind::Ignore)
}

/// Whether a part of an id is a long number as spreadsheets shorten it, such as `2.02E+12`.
fn is_rewritten(id: &OrderId) -> bool {
    let is_number = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
    };
    id.0.lines().any(|part| {
        let halves = part.split_once("E+").or_else(|| part.split_once("e+"));
        halves.is_some_and(|(digits, power)| is_number(digits) && is_number(power))
    })
}

fn is_called(outlet: &OutletSpec, name: &str) -> bool {
    outlet.id.to_string() == name || outlet.names.iter().any(|known| known == name)
}

fn sum_lines(lines: &[Line]) -> Option<u64> {
    lines.iter().try_fold(0u64, |sum, line| {
        u64::from(line.quantity)
            .checked_mul(line.unit_price)?
            .checked_add(sum)
    })
}

/// Whether a printed sum is the goods alone, or with some of what was left out: each kind of sum is in use.
pub(crate) fn is_sum_with(total: u64, extras: &[u64], found: u64) -> bool {
    const EXTRAS_MAX: usize = 8;
    let counted = &extras[..extras.len().min(EXTRAS_MAX)];

    (0..1u32 << counted.len()).any(|choice| {
        let chosen = counted
            .iter()
            .enumerate()
            .filter(|(place, _)| choice >> place & 1 == 1);
        let mut chosen = chosen.map(|(_, extra)| *extra);
        let sum = chosen.try_fold(total, u64::checked_add);
        sum == Some(found)
    })
}

/// Eight bytes that depend on nothing but source and order id.
fn order_hash(source: &str, order: &str) -> u64 {
    u64::from_be_bytes(first_bytes(&format!("{source}\n{order}\nspread")))
}

fn choose_wallet(map: &Map, hash: u64) -> Option<u64> {
    let spread = hash >> 16;
    let to_wallet = map.buyer.wallet_one_in > 0 && spread.is_multiple_of(map.buyer.wallet_one_in);
    to_wallet.then(|| (spread / map.buyer.wallet_one_in) % map.buyer.wallets)
}

/// A rejection of an order, for what stands in one of its rows.
pub(crate) fn refuse(id: &OrderId, row: &Row, field: &str, found: &str, allowed: &str) -> Rejected {
    Rejected {
        order: Some(id.to_string()),
        line: Some(row.line),
        field: field.into(),
        found: found.into(),
        allowed: allowed.into(),
    }
}
