//! Registered validators, punished offences, and parameters.

use domain::election::Score;
use domain::evidence::Offence;
use domain::schema::AddressText;
use domain::{Address, OutletId, Parameters};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A registered validator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CandidateAnswer {
    /// The validator's address.
    pub address: Address,
    /// For which outlet.
    pub outlet: OutletId,
    /// Whether it has a seat.
    pub seated: bool,
    /// Whether it would be electable now; false without a recent heartbeat or in jail.
    pub electable: bool,
    /// Its score and what it is made of, parts per million; `None` without a recent heartbeat or in jail.
    #[schema(required)]
    pub score: Option<Score>,
    /// Units that back it.
    pub stake: u64,
    /// The last epoch with a heartbeat; 0 before the first.
    pub heartbeat_epoch: u64,
    /// Block time from which it may be unjailed, milliseconds; `None` while it is free.
    #[schema(required)]
    pub jailed_until_ms: Option<u64>,
    /// Block time from which its tenure counts, milliseconds.
    pub since_ms: u64,
}

/// An offence that was punished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceAnswer {
    /// Who did it.
    pub validator: Address,
    /// What it was, with both signatures.
    pub offence: Offence,
    /// The block that punished it.
    pub height: u64,
    /// Units that it cost.
    pub slashed: u64,
}

/// What may change of the chain's parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ParametersAnswer {
    /// Those in force now.
    pub parameters: Parameters,
    /// Changes that wait.
    pub waiting: Vec<WaitingChangeAnswer>,
}

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingChangeAnswer {
    /// Its number, for `cancel_change`.
    pub change: u64,
    /// Block time from which the next epoch starts with it, milliseconds.
    pub at_ms: u64,
    /// The parameters from then on.
    pub parameters: Parameters,
}
