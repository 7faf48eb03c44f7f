//! The first facts of a sidechain. Their hash is its name.

use crate::canonical::canonical_bytes;
use crate::eip712::DomainSeparator;
use crate::parameters::{ElectionRules, Parameters};
#[cfg(feature = "schema")]
use crate::schema::{AddressText, HashText};
use crate::validators::ValidatorSet;
use alloy_primitives::{Address, B256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// When an epoch ends.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum EpochLength {
    /// With its n-th block: tests and demos.
    Blocks(u64),
    /// With the first block this many milliseconds after its start: production.
    Milliseconds(u64),
}

/// Parameters and actors of a sidechain, fixed at its start.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// A name for people.
    pub name: String,
    /// The EVM chain that the token lives on.
    pub evm_chain_id: u64,
    /// Block time before the first block, milliseconds.
    pub time_ms: u64,
    /// The first block's height; above 1 when a chain continues an older one.
    pub first_height: u64,
    /// The first block's parent; zero for a new chain.
    pub parent_hash: B256,
    /// Registers outlets, binds contracts, earns royalties.
    pub founder: Address,
    /// Cancels the founder's delayed changes.
    pub guardian: Address,
    /// Approves outlets after KYC.
    pub registrar: Address,
    /// When an epoch ends.
    pub epoch_length: EpochLength,
    /// Every how many epochs payouts are settled.
    pub settlement_epochs: u64,
    /// How long an accrual stays pending, milliseconds.
    pub maturity_ms: u64,
    /// How long the founder's changes of parameters wait, milliseconds; 0 on local networks.
    pub change_delay_ms: u64,
    /// What may change later.
    pub parameters: Parameters,
    /// What of the election never changes.
    pub election: ElectionRules,
    /// The set of the first epoch.
    pub validators: ValidatorSet,
}

/// Why a genesis is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum GenesisError {
    #[error("{field} must be at least 1")]
    Zero { field: &'static str },
    #[error("{field} must not be the zero address")]
    ZeroAddress { field: &'static str },
    #[error("parameters.{field} must be {min} to {max}, found {found}")]
    Parameter {
        field: &'static str,
        min: u64,
        max: u64,
        found: u64,
    },
}

impl Genesis {
    /// Parameters that would stop the chain or lose units are refused.
    pub fn check(&self) -> Result<(), GenesisError> {
        let epoch = match self.epoch_length {
            EpochLength::Blocks(n) | EpochLength::Milliseconds(n) => n,
        };
        let numbers = [
            ("first_height", self.first_height),
            ("epoch_length", epoch),
            ("settlement_epochs", self.settlement_epochs),
            ("evm_chain_id", self.evm_chain_id),
        ];
        if let Some((field, _)) = numbers.iter().find(|(_, number)| *number == 0) {
            return Err(GenesisError::Zero { field });
        }

        if let Some((field, min, max, found)) = self.parameters.out_of_bounds() {
            return Err(GenesisError::Parameter {
                field,
                min,
                max,
                found,
            });
        }

        let actors = [
            ("founder", self.founder),
            ("guardian", self.guardian),
            ("registrar", self.registrar),
        ];
        match actors.iter().find(|(_, address)| address.is_zero()) {
            Some((field, _)) => Err(GenesisError::ZeroAddress { field }),
            None => Ok(()),
        }
    }

    /// The chain's name for machines: keccak256 of the canonical bytes.
    pub fn sidechain_id(&self) -> B256 {
        keccak256(canonical_bytes(self))
    }

    /// The typed-data domain of this chain's transactions.
    pub fn domain(&self) -> DomainSeparator {
        DomainSeparator::transactions(self.evm_chain_id, self.sidechain_id())
    }
}
