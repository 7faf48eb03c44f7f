//! Parameters that the founder may change while the chain lives, within bounds fixed here, and what of the election
//! genesis fixes for ever.

use crate::limits::{DAY_MS, PPM, SALE_TOTAL_MAX};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the founder may change: with a delay, and cancelled by the guardian (`docs/PROTOCOL.md`, Parameters).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The least total that issues, in the currency's smallest unit.
    pub sale_total_min: u64,
    /// Units that an outlet's owner may owe from refunds before the outlet's sales stop issuing.
    pub owner_debt_max: u64,
    /// Every how many epochs validators are elected; 0 = never.
    pub election_epochs: u64,
    /// How long bonded units stay bonded after Unbond, and how old evidence may be, milliseconds.
    pub unbonding_ms: u64,
    /// How long a validator that signed two different things stays jailed at least, milliseconds.
    pub jail_ms: u64,
    /// Share of the bonded units that such an offence costs, parts per million, rounded down.
    pub slash_ppm: u32,
    /// How long a receipt may be claimed, milliseconds of block time; then its units go to the pool.
    pub receipt_ms: u64,
    /// How often the pool is shared out, milliseconds of block time.
    pub pool_ms: u64,
}

impl Parameters {
    /// What genesis of a chain has unless it says otherwise.
    pub const DEFAULT: Self = Self {
        sale_total_min: 0,
        owner_debt_max: 10_000,
        election_epochs: 0,
        unbonding_ms: 21 * DAY_MS,
        jail_ms: DAY_MS,
        slash_ppm: 50_000,
        receipt_ms: 365 * DAY_MS,
        pool_ms: 365 * DAY_MS,
    };

    /// The first field that is out of its bounds: its name, the least and the greatest allowed, and what was found.
    pub fn out_of_bounds(&self) -> Option<(&'static str, u64, u64, u64)> {
        let years = |n: u64| n * 365 * DAY_MS;

        [
            ("sale_total_min", 0, SALE_TOTAL_MAX, self.sale_total_min),
            ("owner_debt_max", 0, 1_000_000_000, self.owner_debt_max),
            ("election_epochs", 0, 10_000, self.election_epochs),
            ("unbonding_ms", 1, years(1), self.unbonding_ms),
            ("jail_ms", 1, years(1), self.jail_ms),
            ("slash_ppm", 0, PPM / 2, self.slash_ppm.into()),
            ("receipt_ms", 1, years(10), self.receipt_ms),
            ("pool_ms", 1, years(10), self.pool_ms),
        ]
        .into_iter()
        .find(|(_, min, max, found)| found < min || found > max)
    }
}

/// What genesis fixes of the election. A small network waives the caps with large numbers.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ElectionRules {
    /// What a city counts, parts per million; one that is not listed counts 0.
    pub city_weights: BTreeMap<String, u32>,
    /// The most validators from one city.
    pub per_city_max: u32,
    /// The most validators of one owner.
    pub per_owner_max: u32,
}

impl Default for ElectionRules {
    fn default() -> Self {
        Self {
            city_weights: BTreeMap::new(),
            per_city_max: 2,
            per_owner_max: 1,
        }
    }
}
