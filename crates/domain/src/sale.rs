//! A sale, its lines, and what the ledger keeps of it.

use crate::eip712;
use crate::limits::{LINE_NAME_BYTES_MAX, LINE_SKU_BYTES_MAX, SALE_LINES_MAX};
use crate::outlet::{Currency, OutletId};
use crate::rejection::Rejection;
use alloy_primitives::{Address, B256, hex};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// The point of sale's own id of a sale: 16 bytes, 32 hex digits in JSON.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct SaleId(pub [u8; 16]);

impl std::fmt::Display for SaleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for SaleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for SaleId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut id = [0u8; 16];
        if text.len() != 32 || hex::decode_to_slice(text, &mut id).is_err() {
            return Err(format!("a sale id has 32 hex digits, found {text:?}"));
        }
        Ok(Self(id))
    }
}

impl Serialize for SaleId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SaleId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What makes a sale unique for ever, across terminals, nodes and restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct SaleKey {
    /// The outlet that sold.
    pub outlet: OutletId,
    /// The outlet's own id of the sale.
    pub sale_id: SaleId,
}

/// Who gets the buyer's share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum BuyerKind {
    /// Nobody: the units go to the pool.
    None = 0,
    /// A known wallet.
    Wallet = 1,
    /// The holder of a key printed on this one receipt.
    Receipt = 2,
}

/// What a terminal signs. `occurred_at_ms` is informative: no right depends on it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
pub struct Sale {
    /// The outlet that sold.
    pub outlet: OutletId,
    /// The terminal that signs.
    pub terminal: Address,
    /// The outlet's own id of the sale.
    pub sale_id: SaleId,
    /// Milliseconds since the Unix epoch, by the terminal's clock.
    pub occurred_at_ms: u64,
    /// The outlet's currency.
    pub currency: Currency,
    /// The sum of the lines, in the currency's smallest unit.
    pub total: u64,
    /// [`lines_hash`] of the salt and the lines.
    pub lines_hash: B256,
    /// Who gets the buyer's share.
    pub buyer_kind: BuyerKind,
    /// The wallet or the receipt's address; zero for [`BuyerKind::None`].
    pub buyer: Address,
}

impl Sale {
    /// What makes this sale unique.
    pub const fn key(&self) -> SaleKey {
        SaleKey { outlet: self.outlet, sale_id: self.sale_id }
    }
}

/// One line of a sale. Lines travel beside the sale and never enter a block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Stock-keeping unit.
    pub sku: String,
    /// What the guest reads.
    pub name: String,
    /// How many.
    pub quantity: u32,
    /// Price of one, in the currency's smallest unit.
    pub unit_price: u64,
}

/// EIP-712 `hashStruct` of `SaleLines(bytes32 salt,Line[] lines)`.
pub fn lines_hash(salt: B256, lines: &[Line]) -> B256 {
    eip712::sale_lines_hash(salt, lines)
}

/// Lines must be within bounds, add up to `total`, and hash with the salt to what the terminal signed.
/// Checked at admission only: block validity sees the hash alone.
pub fn check_lines(sale: &Sale, salt: B256, lines: &[Line]) -> Result<(), Rejection> {
    if lines.is_empty() || lines.len() > SALE_LINES_MAX {
        return Err(Rejection::LineCount { found: lines.len() });
    }
    let mut sum: u64 = 0;
    for (index, line) in lines.iter().enumerate() {
        sum = add_line(sum, line).ok_or(Rejection::LineOutOfBounds { index })?;
    }
    if sum != sale.total {
        return Err(Rejection::LinesDoNotAddUp { expected: sale.total, found: sum });
    }
    let found = lines_hash(salt, lines);
    if found != sale.lines_hash {
        return Err(Rejection::LinesHashMismatch { expected: sale.lines_hash, found });
    }
    Ok(())
}

fn add_line(sum: u64, line: &Line) -> Option<u64> {
    let text_fits = line.sku.len() <= LINE_SKU_BYTES_MAX && line.name.len() <= LINE_NAME_BYTES_MAX;
    if line.quantity == 0 || !text_fits {
        return None;
    }
    u64::from(line.quantity).checked_mul(line.unit_price)?.checked_add(sum)
}

/// Who holds one share of a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Beneficiary {
    /// An account of the ledger.
    Account(Address),
    /// A receipt that nobody has claimed yet.
    Receipt(Address),
    /// A receipt whose units went to a wallet.
    Claimed {
        /// The key printed on the receipt.
        receipt: Address,
        /// Where its units went.
        wallet: Address,
    },
    /// The pool of all holders.
    Pool,
}

impl Beneficiary {
    /// The account that the units are released to, if there is one yet.
    pub const fn account(self) -> Option<Address> {
        match self {
            Self::Account(account) | Self::Claimed { wallet: account, .. } => Some(account),
            Self::Receipt(_) | Self::Pool => None,
        }
    }
}

/// One share of a sale, as split when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Share {
    /// Who holds it.
    pub to: Beneficiary,
    /// How much.
    pub units: u64,
    /// True once it left pending for released.
    pub released: bool,
}

/// Why a sale was recorded without issuing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotIssued {
    /// The total is below the network's minimum.
    BelowMinimum,
    /// The outlet has used up its quota of issuing sales.
    OutletQuota,
    /// The terminal has used up its quota of issuing sales.
    TerminalQuota,
}

/// What the ledger keeps of a sale, for ever.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SaleEntry {
    /// Digest of the content; a second sale with this key must have the same one.
    pub tx_id: B256,
    /// The block it is in.
    pub height: u64,
    /// Units issued: 100 or 0.
    pub issued: u64,
    /// Why nothing was issued.
    pub not_issued: Option<NotIssued>,
    /// The split, as stored.
    pub shares: Vec<Share>,
    /// Block time from which its units may be released.
    pub matures_at_ms: u64,
}
