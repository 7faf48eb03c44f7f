//! The validator set, as the contract hashes it.

use crate::limits::{POWER_MAX, VALIDATORS_MAX};
#[cfg(feature = "schema")]
use crate::schema::{AddressText, PublicKeyText};
use alloy_primitives::{Address, B256, FixedBytes, U256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// A validator as the set and the contract know it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Validator {
    /// The Ethereum address of `public_key`.
    pub address: Address,
    /// Voting power, 1 to 1,000,000.
    pub power: u64,
    /// Compressed secp256k1 key; the engine verifies votes against it.
    pub public_key: FixedBytes<33>,
}

/// Why a list is not a validator set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each field is")]
pub enum ValidatorSetError {
    #[error("a set has 1 to {VALIDATORS_MAX} validators, found {found}")]
    Count { found: usize },
    #[error("addresses must ascend: {found} is out of order")]
    Order { found: Address },
    #[error("power of {address} must be 1 to {POWER_MAX}, found {found}")]
    Power { address: Address, found: u64 },
    #[error("{address} is not the address of its public key")]
    Key { address: Address },
}

/// A well-formed set: ascending addresses, bounded power, keys that match.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(utoipa::ToSchema),
    schema(value_type = Vec<Validator>)
)]
#[serde(try_from = "Vec<Validator>", into = "Vec<Validator>")]
pub struct ValidatorSet(Vec<Validator>);

impl TryFrom<Vec<Validator>> for ValidatorSet {
    type Error = ValidatorSetError;
    fn try_from(validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        check_validators(&validators)?;
        Ok(Self(validators))
    }
}

impl From<ValidatorSet> for Vec<Validator> {
    fn from(set: ValidatorSet) -> Self {
        set.0
    }
}

impl BorshDeserialize for ValidatorSet {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        Vec::<Validator>::deserialize_reader(reader)?
            .try_into()
            .map_err(std::io::Error::other)
    }
}

fn check_validators(validators: &[Validator]) -> Result<(), ValidatorSetError> {
    if validators.is_empty() || validators.len() > VALIDATORS_MAX {
        return Err(ValidatorSetError::Count {
            found: validators.len(),
        });
    }

    let mut last = Address::ZERO;
    for validator in validators {
        let Validator {
            address,
            power,
            public_key,
        } = *validator;

        if address <= last {
            return Err(ValidatorSetError::Order { found: address });
        }
        if power == 0 || power > POWER_MAX {
            return Err(ValidatorSetError::Power {
                address,
                found: power,
            });
        }

        let key = secp256k1::PublicKey::from_slice(public_key.as_slice());
        if key.map(|key| crate::crypto::address_of(&key)) != Ok(address) {
            return Err(ValidatorSetError::Key { address });
        }
        last = address;
    }

    Ok(())
}

impl ValidatorSet {
    /// The validators, addresses ascending.
    pub fn as_slice(&self) -> &[Validator] {
        &self.0
    }

    /// The validator with this address.
    pub fn get(&self, address: Address) -> Option<&Validator> {
        self.0
            .binary_search_by_key(&address, |validator| validator.address)
            .ok()
            .map(|index| &self.0[index])
    }

    /// The power of everybody.
    pub fn total_power(&self) -> u64 {
        self.0.iter().map(|validator| validator.power).sum()
    }

    /// Whether this power is more than two thirds, strictly.
    pub fn is_quorum(&self, power: u64) -> bool {
        power * 3 > self.total_power() * 2
    }

    /// keccak256(abi.encode((address, uint64)[])), as the contract computes it.
    pub fn hash(&self) -> B256 {
        let mut bytes = Vec::with_capacity(64 * (self.0.len() + 1));
        bytes.extend_from_slice(&U256::from(32).to_be_bytes::<32>());
        bytes.extend_from_slice(&U256::from(self.0.len()).to_be_bytes::<32>());
        for validator in &self.0 {
            bytes.extend_from_slice(validator.address.into_word().as_slice());
            bytes.extend_from_slice(&U256::from(validator.power).to_be_bytes::<32>());
        }
        keccak256(bytes)
    }
}
