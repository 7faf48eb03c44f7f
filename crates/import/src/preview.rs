//! What an import would do, before anything is sent: sums by day and outlet, and all that would be refused.

use crate::file::FileError;
use crate::map::Map;
use crate::number::format_money;
use crate::order::{Item, LeftOut, Order, Rejected, Return};
use crate::plan::Plan;
use crate::times::MadeTimes;
use domain::limits::{SALE_AHEAD_MS_MAX, SALE_LATE_MS_MAX};
use domain::{OutletId, SaleId};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Rejections and rows left out that are kept to be shown; all of them are counted.
pub const SHOWN_MAX: usize = 20;
/// Names of rows left out, and kinds of refusals, that are told apart.
const NAMES_MAX: usize = 200;
/// Characters of a kind of refusal.
const KIND_CHARS_MAX: usize = 160;
/// Refunds whose sales are looked up in the file.
const RETURNS_MAX: usize = 100_000;

/// Sales of one outlet on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DaySum {
    /// How many there are.
    pub sales: u64,
    /// Their totals, in the currency's smallest unit.
    pub total: u64,
}

/// Rows of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NameSum {
    /// How many there are.
    pub rows: u64,
    /// What they cost together, in the currency's smallest unit.
    pub amount: u64,
}

/// What an import would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// By day, where the file has times, and outlet.
    pub days: BTreeMap<(Option<Date>, OutletId), DaySum>,
    /// Sales that would be sent.
    pub sales: u64,
    /// Refunds that would be sent.
    pub returns: u64,
    /// What they give back.
    pub returned: u64,
    /// Orders that are refused.
    pub rejected: u64,
    /// The first of them.
    pub first_rejected: Vec<Rejected>,
    /// All of them, by what is wrong and what is allowed.
    pub rejected_kinds: BTreeMap<String, u64>,
    /// Sales that the network refuses unless it has them already.
    pub foreseen: u64,
    /// The first of them.
    pub first_foreseen: Vec<Rejected>,
    /// Rows that are no part of a sale, by what they are.
    pub left_out: BTreeMap<String, u64>,
    /// The first of them.
    pub first_left_out: Vec<LeftOut>,
    /// Rows that nothing but their name leaves out, by kind and name: each may be a dish all the same.
    pub left_out_names: BTreeMap<(String, String), NameSum>,
    /// Sales without a time in the file, in its order.
    pub without_time: Vec<SaleId>,
}

impl Preview {
    /// Reads the file once more. `now_ms` decides what comes too late.
    pub fn read(plan: &Plan, times: &MadeTimes, now_ms: u64) -> Result<Self, FileError> {
        Self::read_each(plan, times, now_ms, |_| Ok(()))
    }

    /// As [`Self::read`]; each refusal, also those that are foreseen of the network, is handed out.
    pub fn read_each(
        plan: &Plan,
        times: &MadeTimes,
        now_ms: u64,
        mut each: impl FnMut(&Rejected) -> std::io::Result<()>,
    ) -> Result<Self, FileError> {
        let mut preview = Self::default();
        let mut returns: Vec<Return> = Vec::new();
        plan.for_each_item(|item| {
            match item {
                Item::Sale(order) => {
                    if let Some(foreseen) = preview.add_sale(&order, times, now_ms) {
                        each(&foreseen)?;
                        preview.add_foreseen(foreseen);
                    }
                }
                Item::Return(refund) => {
                    preview.add_return(&refund);
                    if returns.len() < RETURNS_MAX {
                        returns.push(refund);
                    }
                }
                Item::Rejected(rejected) => {
                    each(&rejected)?;
                    preview.add_rejected(rejected);
                }
                Item::LeftOut(left_out) => preview.add_left_out(left_out),
            }
            Ok(())
        })?;

        for foreseen in find_late_returns(plan, returns)? {
            each(&foreseen)?;
            preview.add_foreseen(foreseen);
        }
        Ok(preview)
    }

    /// Sum of all sales.
    pub fn total(&self) -> u64 {
        self.days
            .values()
            .map(|sum| sum.total)
            .fold(0, u64::saturating_add)
    }

    /// Adds a sale. The answer is why the network will refuse it, if it will.
    fn add_sale(&mut self, order: &Order, times: &MadeTimes, now_ms: u64) -> Option<Rejected> {
        self.sales += 1;
        let sum = self.days.entry((order.day, order.outlet)).or_default();
        sum.sales += 1;
        sum.total = sum.total.saturating_add(order.total);

        let occurred_at_ms = order.occurred_at_ms.or_else(|| times.get(order.sale_id));
        if occurred_at_ms.is_none() {
            self.without_time.push(order.sale_id);
        }
        foresee(order, occurred_at_ms?, now_ms)
    }

    fn add_return(&mut self, refund: &Return) {
        self.returns += 1;
        self.returned = self.returned.saturating_add(refund.amount);
    }

    fn add_rejected(&mut self, rejected: Rejected) {
        self.rejected += 1;
        let mut kind = kind_of_refusal(&rejected);
        if !self.rejected_kinds.contains_key(&kind) && self.rejected_kinds.len() >= NAMES_MAX {
            kind = "others".into();
        }
        *self.rejected_kinds.entry(kind).or_default() += 1;
        if self.first_rejected.len() < SHOWN_MAX {
            self.first_rejected.push(rejected);
        }
    }

    fn add_foreseen(&mut self, rejected: Rejected) {
        self.foreseen += 1;
        if self.first_foreseen.len() < SHOWN_MAX {
            self.first_foreseen.push(rejected);
        }
    }

    fn add_left_out(&mut self, left_out: LeftOut) {
        *self.left_out.entry(left_out.kind.clone()).or_default() += 1;
        if let Some(name) = &left_out.name {
            let key = (left_out.kind.clone(), name.clone());
            let is_known = self.left_out_names.contains_key(&key);
            if is_known || self.left_out_names.len() < NAMES_MAX {
                let sum = self.left_out_names.entry(key).or_default();
                sum.rows += 1;
                sum.amount = sum.amount.saturating_add(left_out.amount.unwrap_or(0));
            }
        }
        if self.first_left_out.len() < SHOWN_MAX {
            self.first_left_out.push(left_out);
        }
    }
}

/// Refunds of sales that are not in the file, or of more than was paid.
fn find_late_returns(plan: &Plan, returns: Vec<Return>) -> Result<Vec<Rejected>, FileError> {
    if returns.is_empty() {
        return Ok(Vec::new());
    }

    let named: BTreeSet<[u8; 16]> = returns.iter().map(|refund| refund.sale_id.0).collect();
    let mut totals: BTreeMap<[u8; 16], u64> = BTreeMap::new();
    plan.for_each_item(|item| {
        if let Item::Sale(order) = item
            && named.contains(&order.sale_id.0)
        {
            totals.insert(order.sale_id.0, order.total);
        }
        Ok(())
    })?;

    let refused = returns.iter().filter_map(|refund| {
        let left = totals.get_mut(&refund.sale_id.0);
        foresee_return(refund, left, plan.map())
    });
    Ok(refused.collect())
}

/// What is wrong and what is allowed, without the numbers and names of the one order.
fn kind_of_refusal(rejected: &Rejected) -> String {
    let mut kind = format!("{}: ", rejected.field);
    let (mut is_quoted, mut was_number) = (false, false);
    for c in rejected.allowed.chars().take(KIND_CHARS_MAX) {
        let is_number = c.is_ascii_digit() || (was_number && c == '.');
        match c {
            '"' => {
                is_quoted = !is_quoted;
                kind.push_str(if is_quoted { "\"…" } else { "\"" });
            }
            _ if is_quoted || (is_number && was_number) => {}
            _ if is_number => kind.push('…'),
            _ => kind.push(c),
        }
        was_number = is_number;
    }
    kind
}

/// Why the network will refuse a sale, as far as its time tells.
fn foresee(order: &Order, occurred_at_ms: u64, now_ms: u64) -> Option<Rejected> {
    let hours = |ms: u64| ms / 3_600_000;
    let late_ms = now_ms.saturating_sub(occurred_at_ms);
    let ahead_ms = occurred_at_ms.saturating_sub(now_ms);

    let (found, allowed) = if late_ms > SALE_LATE_MS_MAX {
        let max = hours(SALE_LATE_MS_MAX);
        let found = format!("{} hours ago", hours(late_ms));
        (
            found,
            format!(
                "at most {max} hours ago: the network refuses older sales that it does not have"
            ),
        )
    } else if ahead_ms > SALE_AHEAD_MS_MAX {
        let found = format!("{} minutes ahead", ahead_ms / 60_000);
        (found, "no time in the future: is the zone right?".into())
    } else {
        return None;
    };

    Some(Rejected {
        order: Some(order.id.clone()),
        line: None,
        field: "occurred_at".into(),
        found,
        allowed,
    })
}

/// Takes a refund off what is left of its sale; why the network will refuse it, if the file tells.
fn foresee_return(refund: &Return, left: Option<&mut u64>, map: &Map) -> Option<Rejected> {
    let money = |units: u64| format_money(units, map.exponent, map.currency);
    let (found, allowed) = match left {
        None => (
            refund.of.clone(),
            "an order of this file, or one that the network has".to_owned(),
        ),
        Some(left) if refund.amount > *left => (
            money(refund.amount),
            format!(
                "at most {}, what is left of order {}",
                money(*left),
                refund.of
            ),
        ),
        Some(left) => {
            *left -= refund.amount;
            return None;
        }
    };

    Some(Rejected {
        order: Some(refund.id.clone()),
        line: None,
        field: "refund".into(),
        found,
        allowed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_of_one_kind_whatever_their_order_is() {
        let kind = |allowed: &str| {
            kind_of_refusal(&Rejected {
                order: None,
                line: None,
                field: "price".into(),
                found: String::new(),
                allowed: allowed.into(),
            })
        };
        let expected = "price: what the lines add up to, … GEL in \"…\"";
        assert_eq!(
            kind("what the lines add up to, 17.00 GEL in \"A\""),
            expected
        );
        assert_eq!(
            kind("what the lines add up to, 3.50 GEL in \"B 7\""),
            expected
        );
    }
}
