//! What a till prints for the guest: all that is needed to claim the units of one sale (docs/PROTOCOL.md, Receipts).

use crate::{NoKey, parse_key};
use domain::{B256, OutletId, SaleId};
use secp256k1::SecretKey;
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Scheme and version.
const PREFIX: &str = "HOTPOT:1/";

/// The data of a receipt. Whoever holds it may claim the sale's units, once.
#[derive(Clone, PartialEq, Eq)]
pub struct ReceiptCode {
    /// The sidechain's name.
    pub sidechain_id: B256,
    /// The outlet that sold.
    pub outlet: OutletId,
    /// The outlet's own id of the sale.
    pub sale_id: SaleId,
    /// The key of the receipt.
    pub key: SecretKey,
}

/// Why a text is no receipt code. Never holds a part of the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptCodeError {
    /// Another QR code.
    #[error("a receipt's code begins with HOTPOT:1/, this one does not")]
    Prefix,
    /// Cut off, or too long.
    #[error(
        "a receipt's code has four parts after HOTPOT:1/ (chain, outlet, sale, key), found {found}"
    )]
    Parts {
        /// How many there are.
        found: usize,
    },
    /// The first part.
    #[error("the chain of a receipt's code has 64 hex digits, found {found:?}")]
    Chain {
        /// What was found.
        found: String,
    },
    /// The second part.
    #[error("the outlet of a receipt's code is a number, found {found:?}")]
    Outlet {
        /// What was found.
        found: String,
    },
    /// The third part.
    #[error("the sale of a receipt's code: {0}")]
    Sale(String),
    /// The last part.
    #[error("the key of a receipt's code: {0}")]
    Key(#[from] NoKey),
}

impl ReceiptCode {
    /// The text of the QR code. Capitals, digits, `:` and `/` only: QR's alphanumeric mode makes it a third smaller.
    pub fn to_text(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(self.key.secret_bytes());
        let key = Zeroizing::new(hex::encode_upper(key.as_slice()));
        let (chain, sale) = (
            hex::encode_upper(self.sidechain_id),
            hex::encode_upper(self.sale_id.0),
        );
        Zeroizing::new(format!("{PREFIX}{chain}/{}/{sale}/{}", self.outlet, *key))
    }
}

impl fmt::Debug for ReceiptCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ReceiptCode(outlet {}, sale {}, secret)",
            self.outlet, self.sale_id
        )
    }
}

impl FromStr for ReceiptCode {
    type Err = ReceiptCodeError;
    fn from_str(text: &str) -> Result<Self, ReceiptCodeError> {
        let text = text.trim();
        let prefix = text
            .get(..PREFIX.len())
            .filter(|prefix| prefix.eq_ignore_ascii_case(PREFIX));
        let rest = prefix
            .and_then(|prefix| text.get(prefix.len()..))
            .ok_or(ReceiptCodeError::Prefix)?;

        let parts: Vec<&str> = rest.split('/').collect();
        let [chain, outlet, sale, key] = parts[..] else {
            return Err(ReceiptCodeError::Parts { found: parts.len() });
        };

        let mut sidechain_id = B256::ZERO;
        hex::decode_to_slice(chain, sidechain_id.as_mut_slice()).map_err(|_| {
            ReceiptCodeError::Chain {
                found: chain.to_owned(),
            }
        })?;

        let digits = !outlet.is_empty() && outlet.bytes().all(|byte| byte.is_ascii_digit());
        let outlet = outlet.parse().ok().filter(|_| digits);

        Ok(Self {
            sidechain_id,
            outlet: outlet.ok_or_else(|| ReceiptCodeError::Outlet {
                found: parts[1].to_owned(),
            })?,
            sale_id: sale.parse().map_err(ReceiptCodeError::Sale)?,
            key: parse_key(key)?,
        })
    }
}
