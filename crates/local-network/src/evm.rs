//! The EVM side as `hotpot up` needs it: deploy, fund on local chains, read the books.

use crate::network_file::Contracts;
use alloy::network::EthereumWallet;
use alloy::primitives::U256;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::{BlockId, BlockNumberOrTag, Filter};
use alloy::signers::local::PrivateKeySigner;
use alloy::sol_types::SolEvent;
use anyhow::{Context, Result, bail};
use contract_bindings::{CheckpointAnchor, FranchiseToken, ValidatorSets};
use domain::crypto::address_of_secret;
use domain::{Address, Genesis};
use std::time::Duration;
use wallet::SecretKey;

/// Wei that an account of a local chain is given.
const LOCAL_FUNDS: u128 = 1_000_000_000_000_000_000_000;
/// Seconds that a change of admin waits.
const ADMIN_DELAY_S: u64 = 3 * 86_400;
/// The token's rate limit on a local network: practically none, so that tests are bound by the ledger alone.
const LOCAL_ISSUE_CAPACITY: u128 = 1_000_000_000_000_000;
/// Refill of that limit, units a second.
const LOCAL_ISSUE_REFILL: u128 = 1_000_000_000_000;
/// How long the contracts may take to become final.
const FINALITY_TIMEOUT: Duration = Duration::from_secs(1_800);
/// How often that is looked at.
const FINALITY_POLL: Duration = Duration::from_millis(250);
/// Blocks in one request for logs.
const LOG_RANGE: u64 = 5_000;

/// A connection to the EVM node.
#[derive(Clone, Debug)]
pub struct Evm {
    provider: DynProvider,
    founder: Address,
    /// The chain's id, as the node says it.
    pub chain_id: u64,
}

/// What the contracts say at one block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EvmBooks {
    /// Units ever minted.
    pub minted: u128,
    /// The last anchored epoch.
    pub epoch: u64,
    /// Its last height.
    pub last_height: u64,
}

impl Evm {
    /// Connects; `founder` deploys.
    pub async fn connect(url: &str, founder: &SecretKey) -> Result<Self> {
        let signer =
            PrivateKeySigner::from_slice(&founder.secret_bytes()).context("the founder's key")?;
        let url = url.parse().context("the EVM node's address is not a URL")?;

        let provider = ProviderBuilder::new()
            .wallet(EthereumWallet::from(signer))
            .connect_http(url)
            .erased();
        let chain_id = provider
            .get_chain_id()
            .await
            .context("ask the EVM node for its chain id")?;

        Ok(Self {
            provider,
            founder: address_of_secret(founder),
            chain_id,
        })
    }

    /// Gives accounts gas money, where the node lets us (anvil does).
    pub async fn fund_local(&self, accounts: &[Address]) -> Result<()> {
        for account in accounts {
            let balance = self.provider.get_balance(*account).await?;
            if !balance.is_zero() {
                continue;
            }

            let funds = (account, U256::from(LOCAL_FUNDS));
            let given: Result<(), _> = self
                .provider
                .raw_request("anvil_setBalance".into(), funds)
                .await;
            given.with_context(|| {
                format!("{account} has no gas money and this node gives none: fund it")
            })?;
        }

        Ok(())
    }

    /// Deploys token and anchor; they name each other, so the anchor's address is computed first.
    pub async fn deploy(&self, genesis: &Genesis, first_epoch: u64) -> Result<Contracts> {
        let nonce = self.provider.get_transaction_count(self.founder).await?;
        let start_block = self.provider.get_block_number().await?;
        let anchor = self.founder.create(nonce + 1);
        let delay = alloy::primitives::Uint::from(ADMIN_DELAY_S);

        let token = FranchiseToken::deploy(
            self.provider.clone(),
            anchor,
            self.founder,
            delay,
            LOCAL_ISSUE_CAPACITY,
            LOCAL_ISSUE_REFILL,
        )
        .await
        .context("deploy FranchiseToken")?;

        let validator = |validator: &domain::Validator| ValidatorSets::Validator {
            account: validator.address,
            power: validator.power,
        };
        let deployed = CheckpointAnchor::deploy(
            self.provider.clone(),
            *token.address(),
            genesis.sidechain_id(),
            first_epoch,
            genesis.first_height,
            genesis
                .validators
                .as_slice()
                .iter()
                .map(validator)
                .collect(),
            self.founder,
            delay,
            genesis.guardian,
        )
        .await
        .context("deploy CheckpointAnchor")?;

        if *deployed.address() != anchor {
            bail!(
                "the anchor is at {}, expected {anchor}: the founder's key was used elsewhere meanwhile",
                deployed.address()
            );
        }

        self.wait_until_final(anchor).await?;
        Ok(Contracts {
            token: *token.address(),
            anchor,
            start_block,
        })
    }

    /// The ledger is bound to a contract for long: one that a reorganisation can still take away will not do.
    async fn wait_until_final(&self, contract: Address) -> Result<()> {
        let deadline = tokio::time::Instant::now() + FINALITY_TIMEOUT;
        while self
            .provider
            .get_code_at(contract)
            .block_id(BlockId::finalized())
            .await?
            .is_empty()
        {
            if tokio::time::Instant::now() > deadline {
                bail!("{contract} did not become final within {FINALITY_TIMEOUT:?}");
            }
            tokio::time::sleep(FINALITY_POLL).await;
        }

        Ok(())
    }

    /// Whether there is a contract.
    pub async fn has_code(&self, address: Address) -> Result<bool> {
        Ok(!self.provider.get_code_at(address).await?.is_empty())
    }

    /// Number of the last block and of the last final one.
    pub async fn heads(&self) -> Result<(u64, u64)> {
        let latest = self.provider.get_block_number().await?;
        let finalized = self
            .provider
            .get_block_by_number(BlockNumberOrTag::Finalized)
            .await?;
        Ok((latest, finalized.map_or(0, |block| block.header.number)))
    }

    /// What the contracts say at a block.
    pub async fn books(&self, contracts: Contracts, block: BlockNumberOrTag) -> Result<EvmBooks> {
        let token = FranchiseToken::new(contracts.token, &self.provider);
        let anchor = CheckpointAnchor::new(contracts.anchor, &self.provider);
        let minted = token.minted().block(BlockId::Number(block)).call().await?;
        let head = anchor.head().block(BlockId::Number(block)).call().await?;
        Ok(EvmBooks {
            minted,
            epoch: head.epoch,
            last_height: head.lastHeight,
        })
    }

    /// The token's total supply.
    pub async fn total_supply(&self, contracts: Contracts) -> Result<u128> {
        let supply = FranchiseToken::new(contracts.token, &self.provider)
            .totalSupply()
            .call()
            .await?;
        u128::try_from(supply).context("the supply is beyond 128 bits")
    }

    /// Units ever minted to an account.
    pub async fn issued_to(&self, contracts: Contracts, account: Address) -> Result<u128> {
        Ok(FranchiseToken::new(contracts.token, &self.provider)
            .issuedTo(account)
            .call()
            .await?)
    }

    /// Counts all transfers of the token, and those from nobody: payouts.
    pub async fn count_transfers(&self, contracts: Contracts) -> Result<(u64, u64)> {
        let latest = self.provider.get_block_number().await?;
        let (mut transfers, mut payouts) = (0, 0);
        let mut from = contracts.start_block;

        while from <= latest {
            let to = (from + LOG_RANGE - 1).min(latest);
            let filter = Filter::new()
                .address(contracts.token)
                .event_signature(FranchiseToken::Transfer::SIGNATURE_HASH)
                .from_block(from)
                .to_block(to);

            for log in self.provider.get_logs(&filter).await? {
                transfers += 1;
                payouts += u64::from(log.topics().get(1).is_some_and(|sender| sender.is_zero()));
            }
            from = to + 1;
        }

        Ok((transfers, payouts))
    }
}
