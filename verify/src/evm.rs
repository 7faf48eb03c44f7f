//! Reads the EVM: blocks, logs of the contracts, and what the contracts say at one block.

use crate::evm_facts::{Block, Contracts, Entry, Facts, Head};
use alloy::consensus::BlockHeader;
use alloy::network::Ethereum;
use alloy::primitives::Address;
use alloy::providers::{Provider, RootProvider};
use alloy::rpc::types::{BlockId, BlockNumberOrTag, Filter, Log};
use alloy::transports::RpcError;
use anyhow::{Context, Result};
use contract_bindings::finality::{Tag, TagAnswer, read_tag};
use contract_bindings::{CheckpointAnchor, FranchiseToken};
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use std::collections::BTreeSet;

/// Blocks in one request for logs.
const LOG_RANGE: u64 = 2_000;
/// Requests under way at once.
const CALLS_AT_ONCE: usize = 8;

/// The contracts to read, and where they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    pub token: Address,
    pub anchor: Address,
    /// The first block that may hold their logs.
    pub first_block: u64,
}

/// A connection that cannot write.
pub struct Evm {
    provider: RootProvider<Ethereum>,
    scope: Scope,
}

fn block_of(header: &alloy::rpc::types::Header) -> Block {
    let (number, parent_hash, time_s) = (header.number(), header.parent_hash(), header.timestamp());
    Block {
        number,
        hash: header.hash,
        parent_hash,
        time_s,
    }
}

fn entry_of(log: Log) -> Option<Entry> {
    Some(Entry {
        block_number: log.block_number?,
        block_hash: log.block_hash?,
        log_index: log.log_index?,
        tx_hash: log.transaction_hash?,
        tx_index: log.transaction_index?,
        inner: log.inner,
    })
}

impl Evm {
    /// Connects; nothing is asked yet.
    pub fn connect(url: &str, scope: Scope) -> Result<Self> {
        let url = url.parse().context("--evm-rpc is not a URL")?;
        Ok(Self {
            provider: RootProvider::new_http(url),
            scope,
        })
    }

    /// The chain, which of the contracts are not there, and how far the chain is.
    pub async fn head(&self) -> Result<(u64, Vec<Address>, Head)> {
        let chain_id = self
            .provider
            .get_chain_id()
            .await
            .context("ask the EVM node for its chain id")?;
        let mut absent = Vec::new();
        for contract in [self.scope.token, self.scope.anchor] {
            if self.provider.get_code_at(contract).await?.is_empty() {
                absent.push(contract);
            }
        }

        let number = self.provider.get_block_number().await?;
        let finalized = self.finalized().await?.map(|last| last.min(number));
        Ok((chain_id, absent, Head { number, finalized }))
    }

    /// Reads everything up to the last block. `accounts`: who may have been minted to; `epochs`: what may be anchored.
    pub async fn read(
        &self,
        head: Head,
        accounts: &BTreeSet<Address>,
        epochs: &[u64],
        bar: &ProgressBar,
    ) -> Result<Facts> {
        let (first, last) = (self.scope.first_block, head.number);
        bar.set_length((last + 1).saturating_sub(first));

        let mut facts = Facts {
            chain_id: self.provider.get_chain_id().await?,
            genesis_hash: self.block(0).await?.hash,
            finalized: head.finalized,
            ..Facts::default()
        };

        let mut from = first;
        while from <= last {
            let to = (from + LOG_RANGE - 1).min(last);
            facts.blocks.extend(self.blocks(from, to, bar).await?);
            facts.logs.extend(self.logs(from, to).await?);
            from = to + 1;
        }

        facts
            .logs
            .sort_by_key(|entry| (entry.block_number, entry.log_index));

        let holders = token_holders(&facts.logs);
        let accounts: BTreeSet<Address> = accounts.union(&holders).copied().collect();
        facts.contracts = self.contracts(last, &accounts, &holders, epochs).await?;

        Ok(facts)
    }

    async fn block(&self, number: u64) -> Result<Block> {
        let found = self
            .provider
            .get_block_by_number(BlockNumberOrTag::Number(number))
            .await;
        let found = found.with_context(|| format!("ask the EVM node for block {number}"))?;
        found
            .map(|block| block_of(&block.header))
            .with_context(|| format!("the EVM node has no block {number}"))
    }

    /// `None` where the node has no such tag. An error does not mean that: then nothing is known, and nothing checked.
    async fn finalized(&self) -> Result<Option<u64>> {
        let tag = BlockNumberOrTag::Finalized;
        let answer = self.provider.get_block_by_number(tag).await;
        let said = match &answer {
            Ok(Some(block)) => TagAnswer::Block(block.header.number()),
            Ok(None) => TagAnswer::Null,
            Err(RpcError::ErrorResp(refusal)) => TagAnswer::Refused {
                code: refusal.code,
                message: &refusal.message,
            },
            Err(_) => TagAnswer::Unanswered,
        };

        match read_tag(said, false) {
            Tag::At(number) => Ok(Some(number)),
            Tag::Absent => Ok(None),
            Tag::Unclear => answer
                .map(|_| None)
                .context("ask the EVM node for its last final block"),
        }
    }

    async fn blocks(&self, from: u64, to: u64, bar: &ProgressBar) -> Result<Vec<Block>> {
        let one = |number| async move {
            let block = self.block(number).await;
            bar.inc(1);
            block
        };
        stream::iter(from..=to)
            .map(one)
            .buffered(CALLS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn logs(&self, from: u64, to: u64) -> Result<Vec<Entry>> {
        let addresses = vec![self.scope.token, self.scope.anchor];
        let filter = Filter::new()
            .address(addresses)
            .from_block(from)
            .to_block(to);

        let logs = self
            .provider
            .get_logs(&filter)
            .await
            .context("ask the EVM node for logs")?;

        let entries = logs
            .into_iter()
            .map(|log| entry_of(log).context("the EVM node gave a log without a place"));
        entries.collect()
    }

    async fn contracts(
        &self,
        head: u64,
        accounts: &BTreeSet<Address>,
        holders: &BTreeSet<Address>,
        epochs: &[u64],
    ) -> Result<Contracts> {
        let (token, anchor) = self.instances();
        let at = BlockId::number(head);

        let last = anchor
            .head()
            .block(at)
            .call()
            .await
            .context("ask the anchor for its head")?;

        let mut contracts = Contracts {
            sidechain_id: anchor.sidechainId().block(at).call().await?,
            anchor_token: anchor.token().block(at).call().await?,
            issuer: token
                .issuer()
                .block(at)
                .call()
                .await
                .context("ask the token for its issuer")?,
            decimals: token.decimals().block(at).call().await?,
            minted: token.minted().block(at).call().await?,
            supply: narrow_units(token.totalSupply().block(at).call().await?)?,
            epoch: last.epoch,
            last_height: last.lastHeight,
            total_released: last.totalReleased,
            issuing_paused_until_s: anchor
                .issuingPausedUntil()
                .block(at)
                .call()
                .await?
                .to::<u64>(),
            allowance: token.issueAllowance().block(at).call().await?,
            ..Contracts::default()
        };

        for epoch in epochs {
            contracts
                .commitments
                .insert(*epoch, anchor.commitmentOf(*epoch).block(at).call().await?);
        }

        for account in accounts {
            contracts
                .issued
                .insert(*account, token.issuedTo(*account).block(at).call().await?);
        }

        for holder in holders {
            contracts.balances.insert(
                *holder,
                narrow_units(token.balanceOf(*holder).block(at).call().await?)?,
            );
        }

        Ok(contracts)
    }

    fn instances(
        &self,
    ) -> (
        FranchiseToken::FranchiseTokenInstance<&RootProvider<Ethereum>>,
        CheckpointAnchor::CheckpointAnchorInstance<&RootProvider<Ethereum>>,
    ) {
        let token = FranchiseToken::new(self.scope.token, &self.provider);
        (
            token,
            CheckpointAnchor::new(self.scope.anchor, &self.provider),
        )
    }
}

fn narrow_units(value: alloy::primitives::U256) -> Result<u128> {
    u128::try_from(value).context("an amount beyond 128 bits")
}

/// Everybody that a transfer names.
fn token_holders(logs: &[Entry]) -> BTreeSet<Address> {
    let transfers = logs.iter().filter_map(super::evm_rows::decode_transfer);
    transfers
        .flat_map(|transfer| [transfer.from, transfer.to])
        .filter(|holder| !holder.is_zero())
        .collect()
}
