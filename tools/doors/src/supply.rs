//! Where units are, and how a door moves them.

use api_types::SupplyAnswer;
use std::fmt;
use std::ops::{Add, Sub};

/// A figure of `GET /api/v1/supply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Ever issued.
    Issued,
    /// Taken back by refunds.
    Reversed,
    /// Released to accounts.
    Released,
    /// Waiting for an epoch's end.
    Pending,
    /// On accounts, pending or released.
    Held,
    /// On receipts.
    Unclaimed,
    /// In the pool.
    Pool,
    /// Owed by owners.
    Debt,
    /// Sales recorded; no units.
    Sales,
}

use Place::{Debt, Held, Issued, Pending, Pool, Released, Reversed, Sales, Unclaimed};

/// What a door may change. An epoch may end meanwhile, so it does not matter whether units are pending or released.
pub const OF_A_DOOR: &[Place] = &[Issued, Reversed, Held, Unclaimed, Pool, Debt, Sales];
/// What an epoch's end may change.
pub const OF_AN_EPOCH: &[Place] = &[
    Issued, Reversed, Pending, Released, Unclaimed, Pool, Debt, Sales,
];
/// What is printed when it changes.
const SHOWN: [Place; 7] = [Issued, Reversed, Released, Pending, Unclaimed, Pool, Debt];
/// What every copy of the books has to agree on.
const COMPARED: [Place; 8] = [
    Issued, Reversed, Released, Pending, Unclaimed, Pool, Debt, Sales,
];

impl Place {
    /// Its figure.
    pub fn of(self, supply: &SupplyAnswer) -> i128 {
        match self {
            Issued => supply.issued.into(),
            Reversed => supply.reversed.into(),
            Released => supply.released.into(),
            Pending => supply.pending.into(),
            Held => Pending.of(supply) + Released.of(supply),
            Unclaimed => supply.unclaimed.into(),
            Pool => supply.pool.into(),
            Debt => supply.debt.into(),
            Sales => supply.sales.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Issued => "issued",
            Reversed => "reversed",
            Released => "released",
            Pending => "pending",
            Held => "held",
            Unclaimed => "unclaimed",
            Pool => "pool",
            Debt => "debt",
            Sales => "sales",
        })
    }
}

/// A change of one place, written `Issued + 100` or `Pool - 49`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    place: Place,
    by: i128,
}

impl Add<u64> for Place {
    type Output = Move;

    fn add(self, units: u64) -> Move {
        let by = units.into();
        Move { place: self, by }
    }
}

impl Sub<u64> for Place {
    type Output = Move;

    fn sub(self, units: u64) -> Move {
        let by = -i128::from(units);
        Move { place: self, by }
    }
}

/// What did not move as it should have, and whether the sums still agree; empty when all is right.
/// A place that no move names has to stay as it was.
pub fn differences(
    before: &SupplyAnswer,
    after: &SupplyAnswer,
    places: &[Place],
    moves: &[Move],
) -> Vec<String> {
    let moved = places.iter().filter_map(|place| {
        let found = place.of(after) - place.of(before);
        let want = expected(*place, moves);
        (found != want).then(|| format!("{place} by {found}, expected {want}."))
    });
    let sums = (!agrees(after)).then(|| "The sums do not agree.".to_owned());

    moved.chain(sums).collect()
}

fn expected(place: Place, moves: &[Move]) -> i128 {
    let about = moves.iter().filter(|one| one.place == place);
    about.map(|one| one.by).sum()
}

fn agrees(supply: &SupplyAnswer) -> bool {
    let of = |place: Place| place.of(supply);
    of(Held) + of(Unclaimed) + of(Pool) - of(Debt) == of(Issued) - of(Reversed)
}

/// What moved, for who reads the walk.
pub fn moved(before: &SupplyAnswer, after: &SupplyAnswer) -> String {
    let changes = SHOWN
        .iter()
        .map(|place| (place, place.of(before), place.of(after)))
        .filter(|(_, before, after)| before != after)
        .map(|(place, before, after)| format!("{place} {before} → {after}"));
    changes.collect::<Vec<_>>().join(", ")
}

/// The figures that every copy has to have, as JSON.
pub fn books(supply: &SupplyAnswer) -> String {
    let figures = COMPARED.map(|place| format!("\"{place}\":{}", place.of(supply)));
    format!("{{{}}}", figures.join(","))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Genesis' 100 units in the pool, and one sale's.
    pub fn after_a_sale() -> SupplyAnswer {
        SupplyAnswer {
            issued: 200,
            pending: 51,
            pool: 149,
            sales: 1,
            ..genesis()
        }
    }

    pub fn genesis() -> SupplyAnswer {
        SupplyAnswer {
            height: 0,
            issued: 100,
            reversed: 0,
            released: 0,
            pending: 0,
            unclaimed: 0,
            pool: 100,
            debt: 0,
            bonded: 0,
            slashed: 0,
            sales: 0,
        }
    }

    fn wrong(moves: &[Move]) -> Vec<String> {
        differences(&genesis(), &after_a_sale(), OF_A_DOOR, moves)
    }

    #[test]
    fn every_place_has_to_move_as_written_and_no_other() {
        assert!(wrong(&[Issued + 100, Held + 51, Pool + 49, Sales + 1]).is_empty());
        assert!(wrong(&[Issued + 100, Held + 50, Held + 1, Pool + 49, Sales + 1]).is_empty());
        assert_eq!(
            wrong(&[Issued + 100, Held + 51, Pool + 48, Debt - 1, Sales + 1]),
            ["pool by 49, expected 48.", "debt by 0, expected -1."]
        );
        assert_eq!(wrong(&[]).len(), 4);
    }

    #[test]
    fn units_that_are_nowhere_are_seen() {
        let lost = SupplyAnswer {
            pool: 99,
            ..genesis()
        };
        let found = differences(&genesis(), &lost, OF_A_DOOR, &[Pool - 1]);
        assert_eq!(found, ["The sums do not agree."]);
    }

    #[test]
    fn what_moved_is_told() {
        assert_eq!(
            moved(&genesis(), &after_a_sale()),
            "issued 100 → 200, pending 0 → 51, pool 100 → 149"
        );
        assert_eq!(
            books(&genesis()),
            r#"{"issued":100,"reversed":0,"released":0,"pending":0,"unclaimed":0,"pool":100,"debt":0,"sales":0}"#
        );
    }
}
