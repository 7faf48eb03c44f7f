//! The node's HTTP API as types and a typed client: what relayer, indexer, tools and tests speak.
//! The node answers with these same types, so the two cannot drift apart.

mod api;
mod node;

pub use api::{
    AccountAnswer, BlockAnswer, BlockSummary, CheckpointAnswer, OutletAnswer, Page, PayoutAnswer, SaleAnswer,
    SaleRequest, SaleState, ShareAnswer, SignedAnswer, SnapshotOffer, StatusAnswer, SupplyAnswer, TerminalAnswer,
    TransactionAnswer, format_time, parse_time,
};
pub use node::{ClientError, NodeClient};
pub use problem::{FieldError, Problem};
