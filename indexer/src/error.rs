//! What can go wrong, and whether waiting can help.

use crate::core::receipts::NotProven;
use crate::core::replica::Refusal;
use alloy::primitives::B256;
use alloy::transports::TransportError;
use domain::genesis::GenesisError;

/// Why a step failed. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Postgres did not do what it was asked for.
    #[error("Postgres: {action}")]
    Store {
        /// What it was asked for.
        action: &'static str,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// The cursor is not where this process left it.
    #[error("the cursor of {stream} is not at {expected}: another process has written")]
    CursorMoved {
        /// The stream's name: `evm` or `sidechain`.
        stream: &'static str,
        /// The position at which this process left it.
        expected: u64,
    },
    /// What Postgres gave back is not what was written there.
    #[error("the database's {what} is damaged")]
    Damaged {
        /// The column or record.
        what: &'static str,
    },
    /// A number of a block does not fit in a column.
    #[error("{field} does not fit in 63 bits")]
    TooLarge {
        /// The field of the block or its transaction.
        field: &'static str,
    },
    /// The EVM node did not answer, or said no.
    #[error("EVM node: {call}")]
    Rpc {
        /// The JSON-RPC method.
        call: &'static str,
        /// The transport's error.
        #[source]
        source: TransportError,
    },
    /// The EVM node took too long.
    #[error("EVM node: {call} took longer than {seconds} s")]
    RpcTimeout {
        /// The JSON-RPC method.
        call: &'static str,
        /// How long it may take.
        seconds: u64,
    },
    /// The EVM node does not have what it must have.
    #[error("EVM node: block {number} is missing")]
    MissingBlock {
        /// The block's number.
        number: u64,
    },
    /// The EVM node shows a block, but not what happened in it.
    #[error("EVM node: it gives no receipts of block {number}")]
    MissingReceipts {
        /// The block's number.
        number: u64,
    },
    /// The EVM node's answers belong to different branches: it moved on in between.
    #[error("EVM node: its chain changed while block {number} was read")]
    ChainMoved {
        /// The block at which it was noticed.
        number: u64,
    },
    /// What the EVM node gives as a block's logs is not what the block's header commits to.
    #[error("EVM node: the logs of block {number} are not proved")]
    Unproven {
        /// The block's number.
        number: u64,
        /// What does not fit.
        #[source]
        source: NotProven,
    },
    /// The EVM node had the `finalized` tag and says now that there is none.
    #[error("EVM node: it gives no `finalized` block any more; none is taken to be final by depth")]
    TagGone,
    /// Another chain id behind the URL.
    #[error("EVM node: chain id {found}, expected {expected}")]
    ChainId {
        /// The configured chain id.
        expected: u64,
        /// What `eth_chainId` answered.
        found: u64,
    },
    /// Another first block than when the database was begun.
    #[error(
        "EVM node: block 0 is {found}, but this database was filled from a chain whose block 0 is {expected}: \
         the chain was started anew; use a new database or the old chain's state"
    )]
    OtherChain {
        /// In the database.
        expected: B256,
        /// What the node answers now.
        found: B256,
    },
    /// The contracts or the first block were changed in the configuration.
    #[error("this database mirrors {expected}, the configuration says {found}: use a new database")]
    OtherScope {
        /// In the database.
        expected: String,
        /// In the configuration now.
        found: String,
    },
    /// A block that was final is another one now.
    #[error(
        "EVM node: block {number} was final as {expected} and is {found} now; nothing is rewritten"
    )]
    BelowFinality {
        /// The block's number.
        number: u64,
        /// In the database.
        expected: B256,
        /// What the node answers now.
        found: B256,
    },
    /// The sidechain's node did not answer, or said no.
    #[error("sidechain node {url}")]
    Node {
        /// The node's base URL.
        url: String,
        /// The client's error: no answer, or a problem.
        #[source]
        source: client::ClientError,
    },
    /// None of the sidechain's nodes answers.
    #[error("no sidechain node answers, {url} neither")]
    NoNode {
        /// One of them.
        url: String,
    },
    /// A node answered with another block than asked for, or with none although it says that it has it.
    #[error("sidechain node {url}: no block {height}")]
    NoBlock {
        /// The node's base URL.
        url: String,
        /// The height asked for.
        height: u64,
    },
    /// A genesis that no chain can have.
    #[error("the sidechain's genesis is refused")]
    Genesis(#[source] GenesisError),
    /// The node, or the database, is of another sidechain than expected.
    #[error("{origin}: sidechain {found}, expected {expected}")]
    OtherSidechain {
        /// The node or the database that says so.
        origin: String,
        /// In the database or the configuration.
        expected: B256,
        /// The id that the origin gave.
        found: B256,
    },
    /// The sidechain belongs to another EVM chain.
    #[error("the sidechain is bound to EVM chain {found}, expected {expected}")]
    OtherEvmChain {
        /// The configured chain id.
        expected: u64,
        /// In the genesis.
        found: u64,
    },
    /// A block that is not valid after the one before.
    #[error("{origin}: block {height} is refused")]
    Refused {
        /// The node or the database that gave it.
        origin: String,
        /// The height asked for.
        height: u64,
        /// The check that it failed.
        #[source]
        source: Box<Refusal>,
    },
}

impl Error {
    /// Wraps a failure of Postgres.
    pub fn store(action: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Store { action, source }
    }

    /// Whether the connection to Postgres, and with it the right to write, has to be taken anew.
    pub const fn ends_session(&self) -> bool {
        matches!(
            self,
            Self::Store { .. } | Self::CursorMoved { .. } | Self::TooLarge { .. }
        )
    }

    /// Whether two sources contradict each other: somebody has to look; waiting alone rarely helps.
    pub const fn is_disagreement(&self) -> bool {
        matches!(
            self,
            Self::BelowFinality { .. }
                | Self::OtherChain { .. }
                | Self::OtherScope { .. }
                | Self::ChainId { .. }
                | Self::OtherSidechain { .. }
                | Self::OtherEvmChain { .. }
                | Self::Refused { .. }
                | Self::Unproven { .. }
                | Self::Damaged { .. }
        )
    }

    /// Whether a smaller request may fare better: the node has a limit, or one block among many is in the way.
    pub const fn asks_for_less(&self) -> bool {
        matches!(
            self,
            Self::Rpc { .. }
                | Self::RpcTimeout { .. }
                | Self::MissingReceipts { .. }
                | Self::Unproven { .. }
        )
    }
}

/// An error with its causes in one line, for log and `/readyz`: an endpoint's URL, which may hold a key, is cut short.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    service_kit::scrub_error(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::transports::TransportErrorKind;

    #[test]
    fn no_key_of_an_endpoint_is_told() {
        let said = "error sending request for url (https://rpc.example/v2/s3cret)";
        let error = Error::Rpc {
            call: "eth_chainId",
            source: TransportErrorKind::custom_str(said),
        };

        let told = with_causes(&error);
        assert!(
            told.contains("eth_chainId") && told.contains("rpc.example"),
            "{told}"
        );
        assert!(!told.contains("s3cret"), "{told}");
    }
}
