//! Sales: as a terminal sends them, as a node answers, and as the read model knows them.

use crate::moment::{format_time, parse_time};
use crate::{AsOf, Stage, StageName};
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
