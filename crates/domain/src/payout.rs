//! Payouts: which accounts the EVM may mint for, in chunks that the contract rebuilds with one proof.

use crate::limits::CHUNK_WORDS_MAX;
use crate::merkle;
#[cfg(feature = "schema")]
use crate::schema::{AddressText, HashText};
use alloy_primitives::{Address, B256, U256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// An account and everything it was ever released. Cumulative, so paying twice is impossible.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Payout {
    /// The account that is paid.
    pub account: Address,
    /// Units ever released to it.
    pub released: u64,
}

impl Payout {
    /// account << 96 | released, as the contract reads it.
    pub fn word(&self) -> B256 {
        let mut word = [0u8; 32];
        word[..20].copy_from_slice(self.account.as_slice());
        word[24..].copy_from_slice(&self.released.to_be_bytes());
        B256::from(word)
    }

    /// keccak256(keccak256(abi.encode(account, released))): the payout's leaf in its chunk.
    pub fn leaf(&self) -> B256 {
        let mut value = [0u8; 64];
        value[12..32].copy_from_slice(self.account.as_slice());
        value[32..].copy_from_slice(&U256::from(self.released).to_be_bytes::<32>());
        merkle::leaf(&value)
    }
}

/// One chunk: a power of two of words, zero words behind the last payout.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Chunk {
    /// What the contract is given.
    pub words: Vec<B256>,
    /// Root over the words' leaves.
    pub root: B256,
    /// Siblings from the chunk's root to the payout root.
    pub proof: Vec<B256>,
}

/// The payouts of one settlement, accounts ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Settlement {
    payouts: Vec<Payout>,
}

impl Settlement {
    /// `payouts` must ascend by account; the ledger's maps do.
    pub fn new(payouts: Vec<Payout>) -> Self {
        debug_assert!(payouts.is_sorted_by(|a, b| a.account < b.account));
        Self { payouts }
    }

    /// Who is paid, accounts ascending.
    pub fn payouts(&self) -> &[Payout] {
        &self.payouts
    }

    fn chunk_leaves(&self) -> Vec<Vec<B256>> {
        self.payouts
            .chunks(CHUNK_WORDS_MAX)
            .map(padded_words(Payout::leaf))
            .collect()
    }

    /// The root that the checkpoint carries; the empty tree's when nobody is paid.
    pub fn root(&self) -> B256 {
        let roots: Vec<B256> = self
            .chunk_leaves()
            .iter()
            .map(|leaves| merkle::root(leaves))
            .collect();
        merkle::root(&roots)
    }

    /// Everything that the contract needs, in order.
    pub fn chunks(&self) -> Vec<Chunk> {
        let roots: Vec<B256> = self
            .chunk_leaves()
            .iter()
            .map(|leaves| merkle::root(leaves))
            .collect();

        self.payouts
            .chunks(CHUNK_WORDS_MAX)
            .map(padded_words(Payout::word))
            .enumerate()
            .map(|(index, words)| Chunk {
                words,
                root: roots[index],
                proof: merkle::proof(&roots, index).unwrap_or_default(),
            })
            .collect()
    }

    /// The proof for one account alone: siblings inside its chunk, then the chunk's own.
    pub fn proof_of(&self, account: Address) -> Option<(Payout, Vec<B256>)> {
        let index = self
            .payouts
            .binary_search_by_key(&account, |payout| payout.account)
            .ok()?;
        let (chunk, inside) = (index / CHUNK_WORDS_MAX, index % CHUNK_WORDS_MAX);
        let leaves = self.chunk_leaves();
        let roots: Vec<B256> = leaves.iter().map(|leaves| merkle::root(leaves)).collect();
        let mut proof = merkle::proof(&leaves[chunk], inside)?;
        proof.extend(merkle::proof(&roots, chunk)?);
        Some((self.payouts[index], proof))
    }
}

fn padded_words(value: impl Fn(&Payout) -> B256) -> impl Fn(&[Payout]) -> Vec<B256> {
    move |payouts| {
        let mut values: Vec<B256> = payouts.iter().map(&value).collect();
        values.resize(payouts.len().next_power_of_two(), B256::ZERO);
        values
    }
}

/// keccak256(abi.encode(payoutRoot, restHash)): what the contract keeps of a checkpoint.
pub fn checkpoint_commitment(payout_root: B256, rest_hash: B256) -> B256 {
    keccak256([payout_root.as_slice(), rest_hash.as_slice()].concat())
}
