//! The map: a TOML file that says what the columns of an order file mean and what to do about what it lacks.

use anyhow::{Context, Result, bail};
use domain::{Currency, OutletId, OutletKind};
use local_network::Opening;
use serde::Deserialize;
use std::path::Path;

/// How an order file becomes sales.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// Name of the source; part of every sale's id, so it must never change for the same orders.
    pub source: String,
    /// The column whose value joins lines to an order.
    pub group_by: String,
    /// The currency of all prices.
    pub currency: Currency,
    /// Digits behind the decimal point of the currency's smallest unit. Default 2.
    #[serde(default = "default_exponent")]
    pub exponent: u32,
    /// Values that mean "nothing". Default: the empty one and `NULL`.
    #[serde(default = "default_nulls")]
    pub null_values: Vec<String>,
    /// The columns of the order file, by what they mean.
    pub columns: Columns,
    /// When a sale occurred.
    #[serde(default)]
    pub time: TimeRule,
    /// Which outlet sold.
    #[serde(default)]
    pub outlet: OutletRule,
    /// How often a wallet buys rather than a receipt.
    #[serde(default)]
    pub buyer: BuyerRule,
    /// The outlets that the orders are spread over or name.
    pub outlets: Vec<OutletSpec>,
}

/// The columns of the order file, by what they mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Joined by ", " to the line's name; the first is required in each line.
    pub name: Vec<String>,
    /// How many. Without it: 1.
    pub quantity: Option<String>,
    /// Price of one. Either this or `line_total`.
    pub unit_price: Option<String>,
    /// Price of the whole line.
    pub line_total: Option<String>,
    /// Stock-keeping unit. Without it: made from the first name.
    pub sku: Option<String>,
}

/// When a sale occurred.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeRule {
    /// RFC 3339 column. Without it times are made, up to the moment of an order's first import, and kept.
    pub column: Option<String>,
    /// Milliseconds between two made times. Default 1000.
    pub step_ms: u64,
}

impl Default for TimeRule {
    fn default() -> Self {
        Self {
            column: None,
            step_ms: 1_000,
        }
    }
}

/// Which outlet sold: by a column that holds its id, else by a hash of the order id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutletRule {
    /// Holds the outlet's id.
    pub column: Option<String>,
}

/// Who bought: by a hash of the order id, one order in `wallet_one_in` goes to one of `wallets` wallets, the others to
/// receipts. 0 = all to receipts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BuyerRule {
    /// One order in so many goes to a wallet.
    pub wallet_one_in: u64,
    /// How many wallets share them.
    pub wallets: u64,
}

/// An outlet that the import may register.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutletSpec {
    /// The founder's number for it.
    pub id: OutletId,
    /// The city that it stands in.
    pub city: String,
    /// Who runs it.
    pub kind: OutletKind,
}

const fn default_exponent() -> u32 {
    2
}

fn default_nulls() -> Vec<String> {
    vec![String::new(), "NULL".into()]
}

impl Map {
    /// How one of its outlets is registered.
    pub fn opening(&self, spec: &OutletSpec) -> Opening {
        Opening {
            outlet: spec.id,
            kind: spec.kind,
            city: spec.city.clone(),
            currency: self.currency,
        }
    }

    /// Reads and checks a map.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("read the map {}", path.display()))?;
        let map: Self = toml::from_str(&text)
            .with_context(|| format!("the map {} is not valid", path.display()))?;
        map.check()
            .with_context(|| format!("the map {} is not valid", path.display()))?;
        Ok(map)
    }

    fn check(&self) -> Result<()> {
        if self.outlets.is_empty() {
            bail!("outlets: at least one [[outlets]] is needed");
        }

        if self.columns.name.is_empty() {
            bail!("columns.name: at least one column is needed");
        }
        if self.columns.unit_price.is_some() == self.columns.line_total.is_some() {
            bail!("columns: exactly one of unit_price and line_total is needed");
        }

        if self.buyer.wallet_one_in > 0 && self.buyer.wallets == 0 {
            bail!("buyer.wallets: must be at least 1 when wallet_one_in is set");
        }

        if self.exponent > 4 {
            bail!("exponent: 0 to 4, found {}", self.exponent);
        }

        Ok(())
    }

    /// Whether a value means "nothing".
    pub fn is_null(&self, value: &str) -> bool {
        self.null_values.iter().any(|null| null == value.trim())
    }
}
