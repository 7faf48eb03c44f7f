//! What can go wrong in a step, and whether trying again can help.

use alloy::primitives::Address;
use std::time::Duration;

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The chain's node did not answer, or refused.
    #[error("{method} failed")]
    Rpc {
        /// The JSON-RPC method.
        method: &'static str,
        /// The transport's error, without the endpoint's URL.
        #[source]
        source: RpcFailure,
    },
    /// The chain's node took too long.
    #[error("{method} took longer than {limit:?}")]
    RpcTimeout {
        /// The JSON-RPC method.
        method: &'static str,
        /// How long it may take.
        limit: Duration,
    },
    /// The chain's node knows no such block, for example because it was reorganised away in between.
    #[error("the chain's node does not know the block {block}")]
    UnknownBlock {
        /// Number, hash or tag.
        block: String,
    },
    /// A contract's answer is not what the ABI says.
    #[error("answer of {contract} is not understood")]
    Answer {
        /// Address of the contract.
        contract: Address,
        /// The decoder's error.
        #[source]
        source: alloy::sol_types::Error,
    },
    /// The endpoint serves another chain.
    #[error("chain id is {found}, expected {expected}")]
    ChainId {
        /// The configured chain id.
        expected: u64,
        /// What `eth_chainId` answered.
        found: u64,
    },
    /// The anchor issues another token than the configured one.
    #[error("the anchor's token is {found}, expected {expected}")]
    Token {
        /// The configured token.
        expected: Address,
        /// What the anchor answered.
        found: Address,
    },
    /// A sidechain node did not answer, or refused.
    #[error("sidechain node {url}")]
    Node {
        /// The node's base URL.
        url: String,
        /// The client's error: no answer, or a problem.
        #[source]
        source: client::ClientError,
    },
    /// A sidechain node took too long.
    #[error("sidechain node {url} took longer than {limit:?}")]
    NodeTimeout {
        /// The node's base URL.
        url: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The journal could not be read or written.
    #[error("journal: {query}")]
    Journal {
        /// The query, in words.
        query: &'static str,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// The connection that holds the lock is gone: another relayer may be the writer now.
    #[error("the connection that holds the signer's lock is gone")]
    LockLost {
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// A step hangs, for example on a connection to Postgres that is half dead.
    #[error("a step took longer than {limit:?}")]
    Stalled {
        /// How long it may take.
        limit: Duration,
    },
    /// A row of the journal is not what the relayer writes.
    #[error("journal: {field} holds {found}")]
    Damaged {
        /// The column's name.
        field: &'static str,
        /// What stands in it.
        found: String,
    },
    /// A number does not fit the journal's column.
    #[error("{field} is too large: {found}")]
    TooLarge {
        /// The column's name.
        field: &'static str,
        /// The number, beyond 63 bits.
        found: u128,
    },
    /// The key could not sign.
    #[error("sign a transaction")]
    Sign(#[source] alloy::signers::Error),
}

impl Error {
    /// Whether the same step may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Rpc { .. }
            | Self::RpcTimeout { .. }
            | Self::UnknownBlock { .. }
            | Self::NodeTimeout { .. }
            | Self::Journal { .. }
            | Self::Answer { .. }
            | Self::ChainId { .. }
            | Self::Token { .. } => true,
            Self::Node { source, .. } => source.is_retryable(),
            Self::LockLost { .. }
            | Self::Stalled { .. }
            | Self::Damaged { .. }
            | Self::TooLarge { .. }
            | Self::Sign(_) => false,
        }
    }

    /// Whether the endpoint answered and would not do it, or answered what nobody asked for: as endpoints do when an
    /// array of calls is too long for them.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Rpc {
                source: RpcFailure::Refused { .. }
                    | RpcFailure::Malformed
                    | RpcFailure::Http { status: 400 | 413 },
                ..
            }
        )
    }

    /// Whether the endpoint may have been replaced by another one since it was last checked.
    pub(crate) fn is_disconnect(&self) -> bool {
        matches!(
            self,
            Self::Rpc { .. } | Self::RpcTimeout { .. } | Self::ChainId { .. } | Self::Token { .. }
        )
    }
}

/// How a JSON-RPC request failed. Unlike the transport's own error it never shows the endpoint's URL, which may hold
/// a provider's key.
#[derive(Debug, thiserror::Error)]
pub enum RpcFailure {
    /// The node refused.
    #[error("{message} ({code})")]
    Refused {
        /// JSON-RPC's error code, such as -32000.
        code: i64,
        /// JSON-RPC's error message.
        message: String,
    },
    /// A status that is not a success.
    #[error("HTTP status {status}")]
    Http {
        /// The HTTP status code.
        status: u16,
    },
    /// No answer: the connection failed or broke.
    #[error("no connection, or it broke")]
    Connection,
    /// An answer that is no JSON-RPC.
    #[error("the answer is not understood")]
    Malformed,
}

impl From<alloy::transports::TransportError> for RpcFailure {
    fn from(error: alloy::transports::TransportError) -> Self {
        use alloy::transports::{RpcError, TransportErrorKind};
        match error {
            RpcError::ErrorResp(answer) => Self::Refused {
                code: answer.code,
                message: answer.message.into_owned(),
            },
            RpcError::Transport(
                TransportErrorKind::HttpError(http)
                | TransportErrorKind::HttpErrorWithRetryAfter { error: http, .. },
            ) => Self::Http {
                status: http.status,
            },
            // One answer for a whole array of calls, as endpoints refuse arrays that are too long.
            RpcError::Transport(
                TransportErrorKind::MissingBatchResponse(_) | TransportErrorKind::BackendGone,
            ) => Self::Malformed,
            RpcError::Transport(_) => Self::Connection,
            _ => Self::Malformed,
        }
    }
}
