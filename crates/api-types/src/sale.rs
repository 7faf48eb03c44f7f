//! Sales: as a terminal sends them, as a node answers, and as the read model knows them.

use crate::AsOf;
use crate::moment::{format_time, parse_time};
use domain::sale::{Beneficiary, NotIssued, SaleEntry, Share};
use domain::schema::{AddressText, HashText};
use domain::{
    Address, B256, BuyerKind, Currency, Ledger, Line, OutletId, Payload, Sale, SaleId, SaleKey,
    Signature, SignedTransaction,
};
use problem::Problem;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A sale as a terminal sends it: what it signed, with the lines and their salt beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaleRequest {
    /// The outlet that sold.
    pub outlet: OutletId,
    /// The terminal that signed.
    pub terminal: Address,
    /// The outlet's own id of the sale: 32 hex digits.
    pub sale_id: SaleId,
    /// RFC 3339; milliseconds count, finer digits are cut off.
    pub occurred_at: String,
    /// Currency of the prices: a code of ISO 4217.
    pub currency: Currency,
    /// Sum of the lines, in the currency's smallest unit.
    pub total: u64,
    /// What was sold.
    pub lines: Vec<Line>,
    /// 32 random bytes that keep the lines' hash from being guessed.
    pub lines_salt: B256,
    /// Who gets the buyer's share.
    pub buyer_kind: BuyerKind,
    /// The wallet or receipt address; zero or absent for `none`.
    #[serde(default)]
    pub buyer: Address,
    /// r‖s‖v over the EIP-712 digest of `Sale`.
    pub signature: Signature,
}

impl SaleRequest {
    /// The wire form of a signed sale.
    pub fn new(sale: &Sale, lines: Vec<Line>, lines_salt: B256, signature: Signature) -> Self {
        Self {
            outlet: sale.outlet,
            terminal: sale.terminal,
            sale_id: sale.sale_id,
            occurred_at: format_time(sale.occurred_at_ms),
            currency: sale.currency,
            total: sale.total,
            lines,
            lines_salt,
            buyer_kind: sale.buyer_kind,
            buyer: sale.buyer,
            signature,
        }
    }

    /// What the terminal signed. The error says what is wrong with `occurred_at`.
    pub fn sale(&self) -> Result<Sale, String> {
        Ok(Sale {
            outlet: self.outlet,
            terminal: self.terminal,
            sale_id: self.sale_id,
            occurred_at_ms: parse_time(&self.occurred_at)?,
            currency: self.currency,
            total: self.total,
            lines_hash: domain::sale::lines_hash(self.lines_salt, &self.lines),
            buyer_kind: self.buyer_kind,
            buyer: self.buyer,
        })
    }

    /// The transaction that enters a block.
    pub fn transaction(&self) -> Result<SignedTransaction, String> {
        Ok(SignedTransaction {
            payload: Payload::Sale(self.sale()?),
            signature: self.signature,
        })
    }
}

/// How far a sale has come at the node that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SaleState {
    /// Checked and waiting for a block (only with `?wait=accepted`).
    Accepted,
    /// In a block that more than two thirds of the validators committed.
    Final,
}

/// One share of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareAnswer {
    /// To whom it belongs.
    #[schema(value_type = ShareKind)]
    pub kind: String,
    /// Who; absent for the pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub address: Option<Address>,
    /// Units of 0.01 FRT.
    pub units: u64,
    /// How much of it refunds took back.
    #[serde(default)]
    #[schema(required)]
    pub reversed: u64,
    /// Whether the EVM may mint them.
    pub released: bool,
    /// The epoch at whose end they were released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub released_in: Option<u64>,
}

impl ShareAnswer {
    fn new(ledger: &Ledger, entry: &SaleEntry, share: &Share) -> Self {
        let (kind, address) = match ledger.holder(entry, share) {
            Beneficiary::Account(account) => ("account", Some(account)),
            Beneficiary::Receipt(receipt) => ("receipt", Some(receipt)),
            Beneficiary::Claimed { wallet, .. } => ("account", Some(wallet)),
            Beneficiary::Pool => ("pool", None),
        };

        let (units, reversed, released_in) = (
            share.units,
            share.reversed,
            ledger.released_in(entry, share),
        );

        Self {
            kind: kind.into(),
            address,
            units,
            reversed,
            released: released_in.is_some(),
            released_in,
        }
    }
}

/// What the ledger says of a sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SaleAnswer {
    /// How far it has come.
    pub status: SaleState,
    /// The outlet that sold.
    pub outlet: OutletId,
    /// The outlet's own id of the sale.
    pub sale_id: SaleId,
    /// Id of the transaction: the digest that the terminal signed.
    pub transaction_id: B256,
    /// The block it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub height: Option<u64>,
    /// Units of 0.01 FRT issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub issued: Option<u64>,
    /// Why nothing was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub not_issued: Option<NotIssued>,
    /// Money given back, in the currency's smallest unit.
    #[serde(default)]
    #[schema(required)]
    pub refunded: u64,
    /// The split, as stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<ShareAnswer>,
}

impl SaleAnswer {
    /// A sale that stands in the ledger.
    pub fn is_final(ledger: &Ledger, key: SaleKey, entry: &SaleEntry) -> Self {
        Self {
            status: SaleState::Final,
            outlet: key.outlet,
            sale_id: key.sale_id,
            transaction_id: entry.tx_id,
            height: Some(entry.height),
            issued: Some(entry.issued),
            not_issued: entry.not_issued,
            refunded: entry.refunded(),
            shares: entry
                .shares
                .iter()
                .map(|share| ShareAnswer::new(ledger, entry, share))
                .collect(),
        }
    }
}

/// The most sales in one batch; the bound of a body holds too.
pub const SALES_PER_BATCH_MAX: usize = 500;

/// Sales that are sent at once; each may be refused on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_items = 1, max_items = 500)]
pub struct SaleBatch(pub Vec<SaleRequest>);

/// What became of one sale of a batch: the status and the body that it would have had alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchedSale {
    /// The HTTP status.
    pub status: u16,
    /// The answer, when the status is a success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sale: Option<SaleAnswer>,
    /// The refusal, when it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub problem: Option<Problem>,
}

/// A sale in a list, out of the read model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SaleRow {
    /// The outlet that sold.
    pub outlet: u64,
    /// The outlet's own id of the sale.
    pub sale_id: SaleId,
    /// The digest that the terminal signed.
    pub transaction_id: B256,
    /// The block it is in.
    pub height: u64,
    /// Its place among the sales of the block.
    #[serde(skip)]
    pub place: u64,
    /// The block's time.
    #[serde(with = "time::serde::rfc3339")]
    pub time: OffsetDateTime,
    /// By the terminal's clock.
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: OffsetDateTime,
    /// Currency of the total: a code of ISO 4217.
    pub currency: String,
    /// Sum of the lines, in the currency's smallest unit.
    pub total: u64,
    /// Who gets the buyer's share.
    #[schema(value_type = BuyerKind)]
    pub buyer_kind: String,
    /// Units issued: 100 or 0.
    pub issued: u64,
    /// Why nothing was issued.
    #[schema(required, value_type = Option<NotIssued>)]
    pub not_issued: Option<String>,
    /// Money given back, in the currency's smallest unit.
    pub refunded: u64,
    /// Whether the anchor keeps a checkpoint that covers its block.
    pub anchored: bool,
}

/// A sale and how far it has come on both chains. What a block would say is null while it is in none.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SaleDetail {
    /// The outlet that sold.
    pub outlet: u64,
    /// The outlet's own id of the sale.
    pub sale_id: SaleId,
    /// The digest that the terminal signed.
    pub transaction_id: B256,
    /// The terminal that signed it.
    pub terminal: Address,
    /// By the terminal's clock.
    #[schema(format = DateTime)]
    pub occurred_at: String,
    /// Currency of the total: a code of ISO 4217.
    pub currency: String,
    /// Sum of the lines, in the currency's smallest unit.
    pub total: u64,
    /// Who gets the buyer's share.
    #[schema(value_type = BuyerKind)]
    pub buyer_kind: String,
    /// The wallet or the receipt's address.
    #[schema(required)]
    pub buyer: Option<Address>,
    /// The block it is in.
    #[schema(required)]
    pub height: Option<u64>,
    /// The block's time.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    pub time: Option<OffsetDateTime>,
    /// Units issued: 100 or 0.
    #[schema(required)]
    pub issued: Option<u64>,
    /// Why nothing was issued.
    #[schema(required, value_type = Option<NotIssued>)]
    pub not_issued: Option<String>,
    /// Money given back, in the currency's smallest unit.
    pub refunded: u64,
    /// Units that refunds took back.
    pub reversed: u64,
    /// Whether the anchor keeps a checkpoint that covers its block.
    pub anchored: bool,
    /// The last stage that is behind it with all before.
    pub stage: StageName,
    /// All stages, in order.
    pub stages: Vec<Stage>,
    /// How far the read model was.
    pub as_of: AsOf,
}

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
        /// Voting power of those who signed.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        power_signed: Option<u64>,
        /// Voting power of the whole set.
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

/// To whom a share belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareKind {
    /// An account; a claimed receipt is its wallet's.
    Account,
    /// A receipt that nobody has claimed.
    Receipt,
    /// The pool of all holders.
    Pool,
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
