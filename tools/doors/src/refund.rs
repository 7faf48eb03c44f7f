//! What the protocol says that a refund does, computed from the sale as a node tells it.

use crate::supply::{Move, Place};
use anyhow::{Result, bail};
use api_types::{SaleAnswer, ShareAnswer};

/// The moves of a refund of so much money of a sale's total. A share that is released already becomes its owner's debt.
pub fn moves(sale: &SaleAnswer, total: u64, amount: u64) -> Result<Vec<Move>> {
    let back = part_of(
        sale.issued.unwrap_or_default(),
        sale.refunded + amount,
        total,
    );
    let units = back - sale.shares.iter().map(|share| share.reversed).sum::<u64>();
    let left = |share: &ShareAnswer| share.units - share.reversed;
    let parts = apportion(units, &sale.shares.iter().map(left).collect::<Vec<_>>());

    let taken = sale.shares.iter().zip(parts);
    let mut moves = taken
        .map(|(share, part)| taken_back(share, part))
        .collect::<Result<Vec<_>>>()?;
    moves.push(Place::Reversed + units);
    Ok(moves)
}

fn taken_back(share: &ShareAnswer, units: u64) -> Result<Move> {
    Ok(match (share.kind.as_str(), share.released) {
        ("receipt", _) => Place::Unclaimed - units,
        ("pool", _) => Place::Pool - units,
        ("account", false) => Place::Held - units,
        ("account", true) => Place::Debt + units,
        (other, _) => bail!("a sale has a share of an unknown kind, {other}"),
    })
}

/// Whole parts first, then one each to the largest remainders, the earlier share first among equal ones.
fn apportion(units: u64, weights: &[u64]) -> Vec<u64> {
    let sum = weights.iter().sum::<u64>().max(1);
    let mut parts: Vec<u64> = weights.iter().map(|w| part_of(units, *w, sum)).collect();
    let rest = |at: &usize| u128::from(units) * u128::from(weights[*at]) % u128::from(sum);
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(rest(at)));

    let left = units - parts.iter().sum::<u64>();
    for at in order.into_iter().zip(0..left).map(|(at, _)| at) {
        parts[at] += 1;
    }
    parts
}

/// units · weight / sum, rounded down.
fn part_of(units: u64, weight: u64, sum: u64) -> u64 {
    let part = u128::from(units) * u128::from(weight) / u128::from(sum);
    u64::try_from(part).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn remainders_go_to_the_largest_and_among_equal_ones_to_the_earlier() {
        assert_eq!(apportion(50, &[51, 49]), [26, 24]);
        assert_eq!(apportion(33, &[25, 25]), [17, 16]);
        assert_eq!(apportion(10, &[48, 3, 49]), [5, 0, 5]);
        assert_eq!(apportion(100, &[48, 3, 49]), [48, 3, 49]);
        assert_eq!(apportion(0, &[]), [0; 0]);
    }

    fn sale() -> SaleAnswer {
        let id = "0x".to_owned() + &"11".repeat(32);
        let share = |kind, released| json!({"kind": kind, "units": 50, "reversed": 25, "released": released});
        let text = json!({
            "status": "final", "outlet": 1, "sale_id": "22".repeat(16), "transaction_id": id,
            "issued": 100, "refunded": 500, "shares": [share("account", true), share("receipt", false)],
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn what_is_left_is_taken_from_where_it_is() {
        let found = moves(&sale(), 1000, 333).unwrap();
        let wanted = [
            Place::Debt + 17,
            Place::Unclaimed - 16,
            Place::Reversed + 33,
        ];
        assert_eq!(found, wanted);
    }
}
