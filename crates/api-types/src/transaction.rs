//! Transactions other than sales.

use crate::SaleState;
use domain::schema::HashText;
use domain::{B256, SignedTransaction};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an answer to a transaction waits for (`?wait=`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitFor {
    /// It is in a block that more than two thirds of the validators committed.
    #[default]
    Final,
    /// The node has checked it and offers it to the next block.
    Accepted,
}

/// What the node says of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionAnswer {
    /// The digest that was signed.
    pub id: B256,
    /// How far it has come.
    pub status: SaleState,
    /// The block it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub height: Option<u64>,
    /// What was signed, once it is in a block.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub transaction: Option<SignedTransaction>,
}
