//! What was read of the EVM chain.

use alloy::primitives::{Address, B256};
use std::collections::BTreeMap;

/// A block of the EVM, as far as it is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub number: u64,
    pub hash: B256,
    /// The block before.
    pub parent_hash: B256,
    /// Seconds since the Unix epoch.
    pub time_s: u64,
}

/// How far the chain was when the check began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last block; the contracts are asked at it.
    pub number: u64,
    /// The last block that no reorganisation can replace, where the node knows one; not after `number`.
    pub finalized: Option<u64>,
}

/// A log of one of the contracts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The block it is in.
    pub block_number: u64,
    pub block_hash: B256,
    /// Place in the block.
    pub log_index: u64,
    pub tx_hash: B256,
    /// Place of the transaction in the block.
    pub tx_index: u64,
    /// Who logged, and what.
    pub inner: alloy::primitives::Log,
}

/// What the contracts say at the last block that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contracts {
    /// The anchor's sidechain.
    pub sidechain_id: B256,
    /// The anchor's token.
    pub anchor_token: Address,
    /// The token's issuer.
    pub issuer: Address,
    /// The token's decimals.
    pub decimals: u8,
    /// Units ever minted.
    pub minted: u128,
    /// Units that exist.
    pub supply: u128,
    /// The last anchored epoch.
    pub epoch: u64,
    /// Its last height.
    pub last_height: u64,
    /// What that checkpoint said was released, ever.
    pub total_released: u128,
    /// When the last pause of issuing ends or ended, seconds since the Unix epoch; 0 when there was none.
    pub issuing_paused_until_s: u64,
    /// Units that the token's allowance lets through.
    pub allowance: u128,
    /// What the anchor keeps, by epoch.
    pub commitments: BTreeMap<u64, B256>,
    /// Units ever minted, by account.
    pub issued: BTreeMap<Address, u128>,
    /// Units held, by holder.
    pub balances: BTreeMap<Address, u128>,
}

/// Everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub chain_id: u64,
    /// Hash of block 0 of the EVM chain.
    pub genesis_hash: B256,
    /// The last block that no reorganisation can replace, where the node knows one.
    pub finalized: Option<u64>,
    /// Blocks from the scope's first one on.
    pub blocks: Vec<Block>,
    /// Logs, in order.
    pub logs: Vec<Entry>,
    /// What the contracts say.
    pub contracts: Contracts,
}

impl Facts {
    /// Time of the last block, which the contracts were asked at.
    pub fn head_time_s(&self) -> u64 {
        self.blocks.last().map_or(0, |block| block.time_s)
    }

    /// Time of a block that was read.
    pub fn time_s(&self, number: u64) -> Option<u64> {
        let place = number.checked_sub(self.blocks.first()?.number)?;
        let block = self.blocks.get(usize::try_from(place).ok()?)?;
        Some(block.time_s)
    }
}
