//! A sale, its lines, and what the ledger keeps of it.

mod hash;
pub(crate) mod id;

pub use id::{RefundId, SaleId, SaleKey};

use crate::limits::{
    LINE_NAME_CHARS_MAX, LINE_SKU_CHARS_MAX, LINES_TEXT_BYTES_MAX, SALE_LINES_MAX,
};
use crate::outlet::{Currency, OutletId};
use crate::rejection::Rejection;
#[cfg(feature = "schema")]
use crate::schema::{AddressText, HashText};
use alloy_primitives::{Address, B256};
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// Who gets the buyer's share.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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

impl BuyerKind {
    /// As in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Wallet => "wallet",
            Self::Receipt => "receipt",
        }
    }
}

/// What a terminal signs. `occurred_at_ms` is informative: no right depends on it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
        SaleKey {
            outlet: self.outlet,
            sale_id: self.sale_id,
        }
    }
}

/// One line of a sale. Lines travel beside the sale and never enter a block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The outlet's stock-keeping unit.
    pub sku: String,
    /// What the guest reads.
    pub name: String,
    /// How many pieces were sold.
    pub quantity: u32,
    /// Price of one, in the currency's smallest unit.
    pub unit_price: u64,
}

/// EIP-712 `hashStruct` of `SaleLines(bytes32 salt,Line[] lines)`.
pub fn lines_hash(salt: B256, lines: &[Line]) -> B256 {
    hash::sale_lines_hash(salt, lines)
}

/// Lines must be within bounds, add up to `total`, and hash with the salt to what the terminal signed.
/// Checked at admission only: block validity sees the hash alone.
pub fn check_lines(sale: &Sale, salt: B256, lines: &[Line]) -> Result<(), Rejection> {
    check_sum(sale, lines)?;
    let found = lines_hash(salt, lines);
    if found != sale.lines_hash {
        return Err(Rejection::LinesHashMismatch {
            expected: sale.lines_hash,
            found,
        });
    }
    Ok(())
}

/// [`check_lines`] but for the hash: for a sale whose hash was computed from these very lines.
pub fn check_sum(sale: &Sale, lines: &[Line]) -> Result<(), Rejection> {
    if lines.is_empty() || lines.len() > SALE_LINES_MAX {
        return Err(Rejection::LineCount { found: lines.len() });
    }
    let text_bytes = count_text_bytes(lines);
    if text_bytes > LINES_TEXT_BYTES_MAX {
        return Err(Rejection::LinesTooLong {
            max: LINES_TEXT_BYTES_MAX,
            found: text_bytes,
        });
    }

    let mut sum: u64 = 0;
    for (index, line) in lines.iter().enumerate() {
        sum = add_line(sum, line).ok_or(Rejection::LineOutOfBounds { index })?;
    }
    if sum != sale.total {
        return Err(Rejection::LinesDoNotAddUp {
            expected: sale.total,
            found: sum,
        });
    }

    Ok(())
}

fn count_text_bytes(lines: &[Line]) -> usize {
    lines
        .iter()
        .map(|line| line.sku.len() + line.name.len())
        .sum()
}

fn has_at_most(text: &str, chars: usize) -> bool {
    // A character has at least one byte, so that most texts are not counted.
    text.len() <= chars || text.chars().count() <= chars
}

fn add_line(sum: u64, line: &Line) -> Option<u64> {
    let text_fits =
        has_at_most(&line.sku, LINE_SKU_CHARS_MAX) && has_at_most(&line.name, LINE_NAME_CHARS_MAX);
    if line.quantity == 0 || !text_fits {
        return None;
    }
    u64::from(line.quantity)
        .checked_mul(line.unit_price)?
        .checked_add(sum)
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
        /// Block time of the claim, milliseconds.
        at_ms: u64,
    },
    /// The pool of all holders.
    Pool,
}

impl Beneficiary {
    /// The account that the units are released to, if there is one yet.
    pub const fn account(self) -> Option<Address> {
        match self {
            Self::Account(account)
            | Self::Claimed {
                wallet: account, ..
            } => Some(account),
            Self::Receipt(_) | Self::Pool => None,
        }
    }
}

/// One share of a sale, as split when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Share {
    /// Who got it; a receipt that was not claimed in time is the pool's (`Ledger::holder`).
    pub to: Beneficiary,
    /// As split when the sale was recorded.
    pub units: u64,
    /// How much of it refunds took back.
    pub reversed: u64,
}

impl Share {
    /// What refunds left of it.
    pub const fn outstanding(&self) -> u64 {
        self.units - self.reversed
    }
}

/// Why a sale was recorded without issuing.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotIssued {
    /// The total is below the network's minimum.
    BelowMinimum,
    /// The outlet has used up its quota of issuing sales.
    OutletQuota,
    /// The terminal has used up its quota of issuing sales.
    TerminalQuota,
    /// The outlet's owner owes more units than the network allows.
    OwnerDebt,
}

/// What the ledger keeps of a sale, for ever.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct SaleEntry {
    /// Digest of the content; a second sale with this key must have the same one.
    pub tx_id: B256,
    /// The block it is in.
    pub height: u64,
    /// The sum of its lines, in the currency's smallest unit.
    pub total: u64,
    /// Units issued: 100 or 0.
    pub issued: u64,
    /// Why nothing was issued.
    pub not_issued: Option<NotIssued>,
    /// The split, as stored.
    pub shares: Vec<Share>,
    /// Block time of its block, milliseconds.
    pub recorded_at_ms: u64,
    /// Block time from which its units may be released.
    pub matures_at_ms: u64,
    /// Its refunds, in order.
    pub refunds: Vec<RefundEntry>,
}

/// What the ledger keeps of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct RefundEntry {
    /// The point of sale's own id.
    pub refund_id: RefundId,
    /// Digest of the content; a second refund with this id must have the same one.
    pub tx_id: B256,
    /// The block it is in.
    pub height: u64,
    /// Money given back, in the currency's smallest unit.
    pub amount: u64,
}

impl SaleEntry {
    /// Money given back so far, in the currency's smallest unit.
    pub fn refunded(&self) -> u64 {
        self.refunds.iter().map(|refund| refund.amount).sum()
    }

    /// Block time from which a share may be released to its account, milliseconds; none while it has no account.
    /// Whether it was, follows from this and the epochs' ends: a release writes no sale.
    pub fn releasable_at_ms(&self, share: &Share) -> Option<u64> {
        match share.to {
            Beneficiary::Account(_) => Some(self.matures_at_ms),
            Beneficiary::Claimed { at_ms, .. } => Some(self.matures_at_ms.max(at_ms)),
            Beneficiary::Receipt(_) | Beneficiary::Pool => None,
        }
    }

    /// Units taken back so far.
    pub fn reversed(&self) -> u64 {
        self.shares.iter().map(|share| share.reversed).sum()
    }

    /// Units that a refund of `amount` takes back from each share: floor(issued × Σ refunds ÷ total) less what was
    /// taken before, split in proportion to what is left of the shares, the largest remainders first, the earlier
    /// share first among equal ones. `amount` must be at most what was not refunded yet.
    pub fn reversal_of(&self, amount: u64) -> Vec<u64> {
        let refunded = u128::from(self.refunded() + amount);
        let due = u128::from(self.issued) * refunded / u128::from(self.total.max(1));
        let left: Vec<u64> = self.shares.iter().map(Share::outstanding).collect();
        // `due` is at most `issued`, because the refunds are at most the total.
        apportion_units(
            u64::try_from(due)
                .unwrap_or(self.issued)
                .saturating_sub(self.reversed()),
            &left,
        )
    }
}

/// Splits `units` in proportion to `weights`: whole parts first, then one each to the largest remainders, the earlier
/// place first among equal ones. Where the weights add up to `units` or more, no part exceeds its weight.
pub(crate) fn apportion_units(units: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights
        .iter()
        .map(|weight| u128::from(*weight))
        .sum::<u128>()
        .max(1);
    let exact = |weight: &u64| u128::from(units) * u128::from(*weight);

    let mut parts: Vec<u64> = weights
        .iter()
        .map(|w| u64::try_from(exact(w) / sum).unwrap_or(*w))
        .collect();

    let mut places: Vec<usize> = (0..weights.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(exact(&weights[*place]) % sum));
    let rest = units.saturating_sub(parts.iter().sum());
    for place in places
        .into_iter()
        .cycle()
        .take(usize::try_from(rest).unwrap_or_default())
    {
        parts[place] += 1;
    }

    parts
}
