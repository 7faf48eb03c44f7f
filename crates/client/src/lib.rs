//! A typed client of the node's HTTP API: what relayer, indexer, tools and tests speak. The node answers with the same
//! types (`api-types`), so the two cannot drift apart.
//!
//! ```
//! use client::{NodeClient, SaleRequest};
//! use domain::crypto::address_of_secret;
//! use domain::eip712::DomainSeparator;
//! use domain::sale::lines_hash;
//! use domain::{Address, B256, BuyerKind, Line, Payload, Sale, Signature};
//! use secp256k1::SecretKey;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let till = SecretKey::from_byte_array([7; 32])?;
//! let salt = B256::repeat_byte(9);
//! let lines = vec![Line { sku: "K-1".into(), name: "Khinkali".into(), quantity: 5, unit_price: 150 }];
//! let sale = Sale {
//!     outlet: 1,
//!     terminal: address_of_secret(&till),
//!     sale_id: "00112233445566778899aabbccddeeff".parse()?,
//!     occurred_at_ms: 1_700_000_000_000,
//!     currency: "GEL".parse()?,
//!     total: 750,
//!     lines_hash: lines_hash(salt, &lines),
//!     buyer_kind: BuyerKind::None,
//!     buyer: Address::ZERO,
//! };
//!
//! // The sidechain's id is the hash of its genesis: `GET /readyz` says it, compare it with a second source.
//! let domain = DomainSeparator::transactions(31_337, B256::repeat_byte(1));
//! let signature = Signature::sign(domain.transaction_digest(&Payload::Sale(sale.clone())), &till);
//! let request = SaleRequest::new(&sale, lines, salt, signature);
//!
//! // Nobody listens there. What got no answer may be sent again as it is: a sale is recorded once.
//! let error = NodeClient::new("http://127.0.0.1:1").post_sale(&request).await.err();
//! assert!(error.is_some_and(|error| error.is_retryable()));
//! # Ok(())
//! # }
//! ```

mod bounded;
mod heights;
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
pub use bounded::{ANSWER_BYTES_MAX, ReadError, read_bounded};
pub use heights::{AHEAD_BLOCKS_MAX, agreed_height, believable_height};
pub use node::{ClientError, NodeClient, POOL_IDLE_TIMEOUT};
pub use problem::{FieldError, Problem};
pub use submit::{furthest_node, next_nonce, submit_and_wait};
