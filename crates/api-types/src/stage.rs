//! How far a sale has come on both chains, stage by stage, and where the units of its shares are.

use crate::ShareKind;
use domain::schema::{AddressText, HashText};
use domain::{Address, B256};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The stages of a sale, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// The gateway has it.
    Received,
    /// It is in a block.
    InBlock,
    /// More than two thirds of the validators committed the block.
    Final,
    /// The contract keeps a checkpoint that covers the block.
    Anchored,
    /// Every share that belongs to an account is minted.
    Minted,
    /// All of it stands in EVM blocks that can no longer be replaced.
    Indexed,
}

/// Whether a stage is behind the sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// The sale has passed it.
    Done,
    /// Not yet, or not any more after a reorganisation.
    Waiting,
    /// It never will be, because nothing was issued.
    NotNeeded,
}

/// One stage of a sale, with what proves it once it is done; `at` is when it was reached, as far as known.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// The terminal's signature.
    Received {
        /// Whether it is behind the sale.
        state: StageState,
        /// By the gateway's clock; null unless the sale came through it since it started.
        #[serde(with = "time::serde::rfc3339::option")]
        #[schema(required)]
        at: Option<OffsetDateTime>,
        /// The terminal that signed it.
        terminal: Address,
    },
    /// The block that the sale is in.
    InBlock {
        /// Whether it is behind the sale.
        state: StageState,
        /// The block's time.
        #[serde(with = "time::serde::rfc3339::option")]
        #[schema(required)]
        at: Option<OffsetDateTime>,
        /// The block's height on the sidechain.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        height: Option<u64>,
        /// Hash of the block's header.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        block_hash: Option<B256>,
    },
    /// The commit certificate.
    Final {
        /// Whether it is behind the sale.
        state: StageState,
        /// By the gateway's clock; null unless the sale came through it since it started.
        #[serde(with = "time::serde::rfc3339::option")]
        #[schema(required)]
        at: Option<OffsetDateTime>,
        /// The round that decided.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        round: Option<u32>,
        /// How many validators signed.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        signatures: Option<usize>,
        /// Voting power of those who signed; absent while no node gives the set that decided the block.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        power_signed: Option<u64>,
        /// Voting power of that whole set; absent likewise.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        power_total: Option<u64>,
    },
    /// The checkpoint in the contract.
    Anchored {
        /// Whether it is behind the sale.
        state: StageState,
        /// The time of the transaction's block.
        #[serde(with = "time::serde::rfc3339::option")]
        #[schema(required)]
        at: Option<OffsetDateTime>,
        /// The epoch that the checkpoint sums up.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        epoch: Option<u64>,
        /// The transaction that anchored it.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        tx_hash: Option<B256>,
        /// The transaction's block.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        evm_block: Option<u64>,
        /// Whether that block can no longer be replaced.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        evm_final: Option<bool>,
    },
    /// The payouts of the sale's shares.
    Minted {
        /// Whether it is behind the sale.
        state: StageState,
        /// The time of the last payout's block.
        #[serde(with = "time::serde::rfc3339::option")]
        #[schema(required)]
        at: Option<OffsetDateTime>,
        /// The sale's split.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        shares: Option<Vec<SaleShare>>,
    },
    /// All of it in EVM blocks that can no longer be replaced.
    Indexed {
        /// Whether it is behind the sale.
        state: StageState,
        /// Nobody's clock says when.
        #[serde(with = "time::serde::rfc3339::option")]
        #[schema(required)]
        at: Option<OffsetDateTime>,
    },
}

impl Stage {
    /// Its name, and whether it is behind the sale.
    pub const fn state(&self) -> (StageName, StageState) {
        match self {
            Self::Received { state, .. } => (StageName::Received, *state),
            Self::InBlock { state, .. } => (StageName::InBlock, *state),
            Self::Final { state, .. } => (StageName::Final, *state),
            Self::Anchored { state, .. } => (StageName::Anchored, *state),
            Self::Minted { state, .. } => (StageName::Minted, *state),
            Self::Indexed { state, .. } => (StageName::Indexed, *state),
        }
    }
}

/// Where the units of a share are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareState {
    /// Waiting for maturity and an epoch's end.
    Pending,
    /// The EVM may mint them.
    Released,
    /// The EVM has minted them.
    Minted,
    /// On a receipt that nobody has claimed.
    Unclaimed,
    /// In the pool of all holders.
    Pool,
    /// Taken back by refunds.
    Reversed,
    /// They paid what the account owed.
    PaidDebt,
    /// They back the account's validators: it bonds all that it gets.
    Bonded,
}

/// One share of a sale and where its units are.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SaleShare {
    /// To whom it belongs.
    #[schema(value_type = ShareKind)]
    pub kind: String,
    /// Who; absent for the pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub address: Option<Address>,
    /// As split, in units of 0.01 FRT.
    pub units: u64,
    /// Taken back by refunds.
    pub reversed: u64,
    /// Where the units are.
    pub state: ShareState,
    /// When they were minted; absent until then, like what follows.
    #[serde(
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false)]
    pub at: Option<OffsetDateTime>,
    /// The epoch that paid them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub epoch: Option<u64>,
    /// The transaction that minted them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tx_hash: Option<B256>,
    /// The transaction's block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub evm_block: Option<u64>,
    /// Whether that block can no longer be replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub evm_final: Option<bool>,
}
