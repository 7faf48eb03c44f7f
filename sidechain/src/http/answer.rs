//! What the node refuses, as problem details.

use crate::io::store::StoreError;
use crate::node::AdmissionError;
use client::Problem;
use domain::rejection::{Rejection, RejectionKind};
pub use problem::{JsonBody, Path, Query, Refusal};

/// The refusal of a rejection by the ledger.
pub fn refusal_of(rejection: &Rejection) -> Refusal {
    let status = match rejection.kind() {
        RejectionKind::BadField => 422,
        RejectionKind::Forbidden => 403,
        RejectionKind::Conflict | RejectionKind::Duplicate => 409,
    };
    Problem::new(status, rejection.code(), rejection.to_string())
        .at(rejection.field())
        .into()
}

impl From<AdmissionError> for Refusal {
    fn from(error: AdmissionError) -> Self {
        match error {
            AdmissionError::Signature(error) => {
                Self::from(Problem::new(422, "bad_signature", error.to_string()).at("signature"))
            }
            AdmissionError::Rejected(rejection) => refusal_of(&rejection),
            AdmissionError::Full => Self::from(Problem::new(
                503,
                "mempool_full",
                "too many transactions wait; try again",
            )),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store cannot answer");
        Self::from(Problem::new(
            500,
            "internal",
            "this node cannot read its store; ask another one",
        ))
    }
}

/// The refusal of a task that died.
pub fn internal_error(error: &tokio::task::JoinError) -> Refusal {
    tracing::error!(%error, "a task died");
    Refusal::from(Problem::new(
        500,
        "internal",
        "this node failed; ask another one",
    ))
}

/// Answers to unknown paths.
pub async fn no_such_route() -> Refusal {
    Refusal::not_found("no such route; the API is described in docs/PROTOCOL.md")
}

/// Answers to methods that a path does not take.
pub async fn no_such_method() -> Refusal {
    Refusal::from(Problem::new(
        405,
        "method_not_allowed",
        "this path does not take this method",
    ))
}
