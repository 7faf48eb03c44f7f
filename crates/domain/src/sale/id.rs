//! What makes a sale, and a refund of it, unique.

use crate::outlet::OutletId;
use alloy_primitives::hex;
use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

macro_rules! point_of_sale_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
        #[cfg_attr(
            feature = "schema",
            derive(utoipa::ToSchema),
            schema(value_type = String, pattern = "^[0-9a-fA-F]{32}$", examples("00112233445566778899aabbccddeeff"))
        )]
        pub struct $name(pub [u8; 16]);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let mut id = [0u8; 16];
                if text.len() != 32 || hex::decode_to_slice(text, &mut id).is_err() {
                    return Err(format!(concat!("a ", $what, " id has 32 hex digits, found {:?}"), text));
                }
                Ok(Self(id))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as Deserialize>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

point_of_sale_id! {
    /// The point of sale's own id of a sale: 16 bytes, 32 hex digits in JSON.
    SaleId, "sale"
}

point_of_sale_id! {
    /// The point of sale's own id of a refund, unique among those of one sale: 16 bytes, 32 hex digits in JSON.
    RefundId, "refund"
}

/// What makes a sale unique for ever, across terminals, nodes and restarts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize,
)]
pub struct SaleKey {
    /// The outlet that sold.
    pub outlet: OutletId,
    /// The outlet's own id of the sale.
    pub sale_id: SaleId,
}
