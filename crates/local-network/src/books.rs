//! The three books — ledger, contract, database — and whether they agree.

use crate::evm::{Evm, EvmBooks};
use crate::network_file::Contracts;
use crate::registrations::furthest_node;
use alloy::rpc::types::BlockNumberOrTag;
use anyhow::{Context, Result};
use client::{NodeClient, StatusAnswer, SupplyAnswer};
use futures::future::join_all;
use read_model::Totals;
use serde::Serialize;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use std::time::Duration;

/// A node that takes longer is shown as down.
const LOOK_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections to the database; looking needs one.
const CONNECTIONS_MAX: u32 = 2;

/// What a node says of itself, if it says it soon.
async fn quick_status(node: &NodeClient) -> Option<StatusAnswer> {
    tokio::time::timeout(LOOK_TIMEOUT, node.status())
        .await
        .ok()?
        .ok()
}

/// Readers of all three books.
pub struct Books {
    nodes: Vec<NodeClient>,
    evm: Evm,
    contracts: Contracts,
    pool: PgPool,
}

/// One look at everything; what does not answer is absent.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// One for each validator, in the network's order; none for one that does not answer.
    pub nodes: Vec<Option<StatusAnswer>>,
    /// The ledger, as the first validator that answers has it.
    pub supply: Option<SupplyAnswer>,
    /// The contracts at the head.
    pub latest: Option<EvmBooks>,
    /// The contracts where nothing is replaced any more.
    pub finalized: Option<EvmBooks>,
    /// The EVM's last block.
    pub evm_block: u64,
    /// What the database holds in sum.
    pub totals: Option<Totals>,
}

impl Look {
    /// The highest height among the validators.
    pub fn height(&self) -> u64 {
        self.nodes
            .iter()
            .flatten()
            .map(|status| status.height)
            .max()
            .unwrap_or(0)
    }

    /// Everything final, released, minted beyond the reach of reorganisations, and indexed.
    pub fn is_settled(&self) -> bool {
        let (Some(supply), Some(finalized), Some(totals)) =
            (self.supply, self.finalized, self.totals)
        else {
            return false;
        };

        let idle = self
            .nodes
            .iter()
            .flatten()
            .all(|status| !status.busy && status.mempool == 0);
        let minted = finalized.minted == u128::from(supply.released);
        let indexed = totals.sidechain_height >= supply.height && totals.minted == finalized.minted;

        idle && supply.pending == 0 && minted && indexed
    }
}

/// Rows of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// Sales that are mirrored.
    pub sales: u64,
    /// Payouts: transfers from nobody.
    pub payouts: u64,
    /// Transfers of the token, payouts included.
    pub transfers: u64,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Always `summary`: tells this line from others of the same output.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether all books agree.
    pub ok: bool,
    /// Sales in final blocks.
    pub sales_final: u64,
    /// Units issued, genesis' 100 included.
    pub issued: u64,
    /// Units released to accounts.
    pub released: u64,
    /// Units on receipts that nobody has claimed.
    pub unclaimed: u64,
    /// Units in the pool of all holders.
    pub pool: u64,
    /// Units minted on the EVM.
    pub minted: u128,
    /// Rows of the database.
    pub rows: Rows,
    /// Last final block.
    pub height: u64,
    /// Last anchored epoch.
    pub epoch: u64,
    /// From start to settled, without the fraction.
    pub seconds: u64,
    /// What differs, one sentence each.
    pub differences: Vec<String>,
}

impl Books {
    /// Opens all three.
    pub async fn open(
        nodes: Vec<NodeClient>,
        evm: Evm,
        contracts: Contracts,
        database_url: &str,
    ) -> Result<Self> {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .connect(database_url)
            .await?;

        Ok(Self {
            nodes,
            evm,
            contracts,
            pool,
        })
    }

    /// Looks at everything.
    pub async fn look(&self) -> Look {
        Look {
            nodes: join_all(self.nodes.iter().map(quick_status)).await,
            supply: self.supply().await.ok(),
            latest: self
                .evm
                .books(self.contracts, BlockNumberOrTag::Latest)
                .await
                .ok(),
            finalized: self
                .evm
                .books(self.contracts, BlockNumberOrTag::Finalized)
                .await
                .ok(),
            evm_block: self.evm.heads().await.map_or(0, |(latest, _)| latest),
            totals: read_model::read_totals(&self.pool).await.ok(),
        }
    }

    /// The supply of the node that is furthest.
    async fn supply(&self) -> Result<SupplyAnswer> {
        Ok(furthest_node(&self.nodes).await?.supply().await?)
    }

    /// Compares ledger, contract and database, account by account.
    pub async fn check(&self, elapsed: Duration) -> Result<Summary> {
        let supply = self.supply().await?;
        let books = self
            .evm
            .books(self.contracts, BlockNumberOrTag::Latest)
            .await?;
        let totals = read_model::read_totals(&self.pool)
            .await
            .context("ask the database")?;
        let (transfers, payouts) = self.evm.count_transfers(self.contracts).await?;

        let mut differences = Vec::new();
        let mut same = |what: &str, expected: u128, found: u128| {
            if expected != found {
                differences.push(format!("{what}: expected {expected}, found {found}"));
            }
        };

        let free = supply.released + supply.pending + supply.unclaimed + supply.pool;
        let held = free + supply.bonded + supply.slashed + supply.reversed;
        same(
            "ledger: issued and owed against where units are",
            (supply.issued + supply.debt).into(),
            held.into(),
        );

        same(
            "contract: minted against the ledger's released",
            supply.released.into(),
            books.minted,
        );
        same(
            "contract: total supply against minted",
            books.minted,
            self.evm.total_supply(self.contracts).await?,
        );

        same(
            "database: sales against the ledger's",
            supply.sales.into(),
            totals.sales.into(),
        );
        same(
            "database: issued against the ledger's",
            supply.issued.into(),
            totals.issued.into(),
        );
        same(
            "database: reversed against the ledger's",
            supply.reversed.into(),
            totals.reversed.into(),
        );
        same(
            "database: debt against the ledger's",
            supply.debt.into(),
            totals.debt.into(),
        );
        same(
            "database: released against the ledger's",
            supply.released.into(),
            totals.released.into(),
        );
        same(
            "database: minted against the contract's",
            books.minted,
            totals.minted,
        );
        same(
            "database: transfers against the chain's logs",
            transfers.into(),
            totals.transfers.into(),
        );
        same(
            "database: payouts against the chain's logs",
            payouts.into(),
            totals.payouts.into(),
        );
        same(
            "database: anchored checkpoints that blocks do not lead to",
            0,
            totals.checkpoint_disagreements.into(),
        );

        differences.extend(self.check_accounts().await?);

        Ok(Summary {
            kind: "summary",
            ok: differences.is_empty(),
            sales_final: supply.sales,
            issued: supply.issued,
            released: supply.released,
            unclaimed: supply.unclaimed,
            pool: supply.pool,
            minted: books.minted,
            rows: Rows {
                sales: totals.sales,
                payouts: totals.payouts,
                transfers: totals.transfers,
            },
            height: supply.height,
            epoch: books.epoch,
            seconds: elapsed.as_secs(),
            differences,
        })
    }

    /// Each account of the database must be paid what the ledger released and the contract minted.
    async fn check_accounts(&self) -> Result<Vec<String>> {
        let mut differences = Vec::new();
        let node = furthest_node(&self.nodes).await?;

        for row in read_model::payouts_by_account(&self.pool).await? {
            let account = row.account;
            let released = node
                .account(account)
                .await?
                .map_or(0, |account| account.released);
            let minted = self.evm.issued_to(self.contracts, account).await?;

            if u128::from(released) != minted || minted != row.minted {
                differences.push(format!(
                    "{account}: ledger {released}, contract {minted}, database {}",
                    row.minted
                ));
            }
        }

        Ok(differences)
    }
}
