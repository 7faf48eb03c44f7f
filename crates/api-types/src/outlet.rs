//! Outlets and their terminals.

use domain::schema::AddressText;
use domain::{Address, Currency, OutletId, OutletKind, TerminalKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A terminal of an outlet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalAnswer {
    /// Its key's address.
    pub address: Address,
    /// What it is.
    pub kind: TerminalKind,
    /// False once revoked.
    pub active: bool,
}

/// An outlet with its terminals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OutletAnswer {
    /// The founder's number for it.
    pub outlet: OutletId,
    /// Who gets the owner's share.
    pub owner: Address,
    /// Who runs it.
    pub kind: OutletKind,
    /// Where it stands.
    pub city: String,
    /// The one currency of its prices.
    pub currency: Currency,
    /// Its terminals, addresses ascending.
    pub terminals: Vec<TerminalAnswer>,
}
