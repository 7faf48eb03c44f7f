//! What accounts bond, and the validators that outlets' owners register.

use crate::election::share_of;
use crate::evidence::Offence;
use crate::outlet::OutletId;
use crate::parameters::Parameters;
use alloy_primitives::FixedBytes;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// Bonded units on their way out.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Unbonding {
    /// Block time from which they are released, milliseconds.
    pub at_ms: u64,
    /// How many units are on their way.
    pub units: u64,
}

/// What an account bonds.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
pub struct Stake {
    /// Share of what matures from now on, parts per million.
    pub bonding_ppm: u32,
    /// Units that back the owner's validators.
    pub bonded: u64,
    /// Units that back nothing any more, but can still be slashed; in order of time.
    pub unbonding: Vec<Unbonding>,
}

impl Stake {
    /// Everything that is not free yet.
    pub fn total(&self) -> u64 {
        self.bonded
            + self
                .unbonding
                .iter()
                .map(|unbonding| unbonding.units)
                .sum::<u64>()
    }

    /// Takes a share of the bonded units and of each unbonding, each rounded down; says how many units.
    pub fn slash(&mut self, share_ppm: u32) -> u64 {
        let before = self.total();
        let keep = |units: u64| units - share_of(units, share_ppm.into());
        self.bonded = keep(self.bonded);
        for unbonding in &mut self.unbonding {
            unbonding.units = keep(unbonding.units);
        }
        before - self.total()
    }
}

/// A validator that an outlet's owner registered.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct Candidate {
    /// The outlet that it validates for; one validator each.
    pub outlet: OutletId,
    /// Its compressed key.
    pub public_key: FixedBytes<33>,
    /// Block time from which tenure and days of sales count: the registration, or the last unjailing.
    pub since_ms: u64,
    /// The last epoch with a heartbeat; 0 before the first.
    pub heartbeat_epoch: u64,
    /// Block time from which the owner may unjail it; `None` while it is free.
    pub jailed_until_ms: Option<u64>,
    /// Offences at this height or below were punished, or are too old.
    pub punished_to: u64,
}

/// An offence that was punished.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct Punished {
    /// The block that punished it.
    pub height: u64,
    /// What proved it.
    pub offence: Offence,
    /// Units that it cost.
    pub slashed: u64,
}

/// A change that waits for its time.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
pub struct WaitingChange {
    /// Block time from which the next epoch starts with it, milliseconds.
    pub at_ms: u64,
    /// The parameters from then on.
    pub parameters: Parameters,
}
