//! Outlets, their terminals, and how a sale's units are shared.

use crate::limits::{DAY_MS, QUOTA_DAYS_MAX, QUOTA_UNLIMITED, UNITS_PER_SALE};
use alloy_primitives::Address;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

/// The founder's number for an outlet.
pub type OutletId = u64;

/// Who runs an outlet; decides the share table.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum OutletKind {
    /// Run by its owner: 51 owner, 49 buyer.
    OwnerOperated = 0,
    /// Run by a franchisee: 48 franchisee, 3 royalty to the founder, 49 buyer.
    Franchised = 1,
}

/// How the units of one sale are shared. The parts add up to [`UNITS_PER_SALE`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
pub struct ShareTable {
    /// Units for the outlet's owner or franchisee.
    pub owner: u64,
    /// Units for the founder.
    pub royalty: u64,
    /// Units for the buyer.
    pub buyer: u64,
}

impl OutletKind {
    /// The preset share table of this kind.
    pub const fn shares(self) -> ShareTable {
        match self {
            Self::OwnerOperated => ShareTable {
                owner: 51,
                royalty: 0,
                buyer: 49,
            },
            Self::Franchised => ShareTable {
                owner: 48,
                royalty: 3,
                buyer: 49,
            },
        }
    }
}

const fn total_units(table: ShareTable) -> u64 {
    table.owner + table.royalty + table.buyer
}
const _: () = assert!(total_units(OutletKind::OwnerOperated.shares()) == UNITS_PER_SALE);
const _: () = assert!(total_units(OutletKind::Franchised.shares()) == UNITS_PER_SALE);

/// What a terminal is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[borsh(use_discriminant = true)]
#[repr(u8)]
pub enum TerminalKind {
    /// A till or a hand-held device.
    Physical = 0,
    /// A server that sells on behalf of an outlet.
    Gateway = 1,
    /// A machine behind the outlet's cameras: it pins and erases recordings, and sells nothing.
    VideoAgent = 2,
}

impl TerminalKind {
    /// Whether it sells, refunds and witnesses consents.
    pub const fn sells(self) -> bool {
        !matches!(self, Self::VideoAgent)
    }
}

impl std::fmt::Display for TerminalKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Physical => "physical",
            Self::Gateway => "gateway",
            Self::VideoAgent => "video_agent",
        })
    }
}

/// An ISO 4217 code: three upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
#[cfg_attr(
    feature = "schema",
    derive(utoipa::ToSchema),
    schema(value_type = String, pattern = "^[A-Z]{3}$", examples("GEL"))
)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Three upper-case ASCII letters; the bytes may come from a block, so decoding checks them again.
    pub fn is_well_formed(&self) -> bool {
        self.0.iter().all(u8::is_ascii_uppercase)
    }
}

impl std::str::FromStr for Currency {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        <[u8; 3]>::try_from(text.as_bytes())
            .ok()
            .map(Self)
            .filter(Self::is_well_formed)
            .ok_or_else(|| {
                format!("a currency has three upper-case letters (ISO 4217), found {text:?}")
            })
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <String as Deserialize>::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// How many issuing sales are left. A day of block time adds `per_day`, unused ones add up to four days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Quota {
    /// Issuing sales a day; [`QUOTA_UNLIMITED`] never runs out.
    pub per_day: u32,
    /// The day of block time at which `left` was right.
    pub day: u64,
    /// Issuing sales left.
    pub left: u64,
}

impl Quota {
    /// A fresh quota at a block time: one day's worth.
    pub fn new(per_day: u32, now_ms: u64) -> Self {
        Self {
            per_day,
            day: now_ms / DAY_MS,
            left: u64::from(per_day),
        }
    }

    /// The quota as it stands at a later block time.
    pub fn at(mut self, now_ms: u64) -> Self {
        let day = now_ms / DAY_MS;
        let gained = day
            .saturating_sub(self.day)
            .saturating_mul(u64::from(self.per_day));
        self.left = self
            .left
            .saturating_add(gained)
            .min(QUOTA_DAYS_MAX * u64::from(self.per_day));
        self.day = day.max(self.day);
        self
    }

    /// Whether one more sale may issue.
    pub fn allows(&self) -> bool {
        self.per_day == QUOTA_UNLIMITED || self.left > 0
    }

    /// The quota after one more issuing sale.
    pub fn take(mut self) -> Self {
        if self.per_day != QUOTA_UNLIMITED {
            self.left = self.left.saturating_sub(1);
        }
        self
    }
}

/// A point of sale with an owner, a city and one currency.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Outlet {
    /// Receives the owner's share and enrols terminals.
    pub owner: Address,
    /// Who runs it.
    pub kind: OutletKind,
    /// Where it stands; set by the founder.
    pub city: String,
    /// The one currency of its prices.
    pub currency: Currency,
    /// How a sale's units are shared.
    pub shares: ShareTable,
    /// Issuing sales left for the outlet as a whole.
    pub quota: Quota,
    /// Issuing sales a day for each of its terminals.
    pub terminal_quota_per_day: u32,
}

/// A key that may sign for one outlet: sales, or recordings.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Terminal {
    /// The outlet it sells for, for ever.
    pub outlet: OutletId,
    /// What it is.
    pub kind: TerminalKind,
    /// False once revoked; a revoked address is never enrolled again.
    pub active: bool,
    /// Issuing sales left for this terminal.
    pub quota: Quota,
}
