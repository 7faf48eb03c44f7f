//! A typed client of the node's HTTP API: what relayer, indexer, tools and tests speak. The node answers with the same
//! types (`api-types`), so the two cannot drift apart.

mod node;
mod submit;

pub use api_types::{
    AccountAnswer, BatchedSale, BlockAnswer, BlockSummary, CandidateAnswer, CheckpointAnswer,
    ConsentAnswer, ErasedAnswer, ErasureAnswer, EvidenceAnswer, OutletAnswer, Page,
    ParametersAnswer, PayoutAnswer, RecordingAnswer, RecordingProofs, SALES_PER_BATCH_MAX,
    SaleAnswer, SaleBatch, SaleRequest, SaleState, ShareAnswer, SignedAnswer, SnapshotOffer,
    StatusAnswer, SupplyAnswer, TerminalAnswer, TransactionAnswer, WaitFor, WaitingChangeAnswer,
    format_time, parse_time,
};
pub use node::{ClientError, NodeClient};
pub use problem::{FieldError, Problem};
pub use submit::{furthest_node, next_nonce, submit_and_wait};
