//! The network, accounts and outlets.

#![allow(dead_code, reason = "operations are described, not called")]

use crate::{AccountOverview, NetworkOverview, OutletAnswer, SupplyOverview};
use domain::schema::AddressText;

/// Shows the network as a whole.
#[utoipa::path(
    get, path = "/api/v1/network", tag = "people",
    responses((status = 200, description = "The network", body = NetworkOverview))
)]
pub fn show_network() {}

/// Shows where all units are, on both chains.
#[utoipa::path(
    get, path = "/api/v1/supply", tag = "people",
    responses((status = 200, description = "The supply", body = SupplyOverview))
)]
pub fn show_supply() {}

/// Shows what an address holds on both chains.
#[utoipa::path(
    get, path = "/api/v1/accounts/{address}", tag = "people",
    params(("address" = AddressText, Path, description = "Who")),
    responses((status = 200, description = "The account", body = AccountOverview))
)]
pub fn show_account() {}

/// Lists the outlets with their terminals.
#[utoipa::path(
    get, path = "/api/v1/outlets", tag = "people",
    responses((status = 200, description = "All of them, numbers ascending", body = Vec<OutletAnswer>))
)]
pub fn list_outlets() {}

/// Streams what comes to the read model.
///
/// Server-sent events `blocks` (BlocksEvent), `evm` (EvmEvent), `reverted` (RevertedEvent) and `reset` (ResetEvent).
#[utoipa::path(
    get, path = "/api/v1/events", tag = "people",
    params(
        ("last-event-id" = Option<u64>, Header, description = "Everything after this message; browsers send it by themselves"),
        ("last_event_id" = Option<u64>, Query, description = "The same for who cannot set headers"),
    ),
    responses((status = 200, description = "Messages, until somebody hangs up", body = String, content_type = "text/event-stream"))
)]
pub fn stream_events() {}
