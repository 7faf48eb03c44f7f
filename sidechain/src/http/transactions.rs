//! All other transactions.

use super::Api;
use super::answer::{JsonBody, Path, Query, Refusal, refusal_of};
use super::status::why_late;
use crate::core::mempool::Source;
use crate::io::peers::Relayed;
use crate::node::{AdmissionError, Outcome, Waiter};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use client::{Problem, SaleState, TransactionAnswer, WaitFor};
use domain::rejection::RejectionKind;
use domain::transaction::VerifiedTransaction;
use domain::{B256, Payload, Rejection, SignedTransaction};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::Instant;

/// How long a request waits for finality before it says that the outcome is open.
const FINALITY_TIMEOUT: Duration = Duration::from_secs(25);

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/transactions", post(submit_transaction))
        .route("/api/v1/transactions/{id}", get(show_transaction))
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Wait {
    /// Without it the answer waits until the transaction is final.
    pub wait: WaitFor,
}

/// A transaction that this node took.
pub enum Taken {
    /// It stood already.
    Final {
        /// In which block.
        height: u64,
    },
    /// It waits for a block.
    Waiting {
        /// For what becomes of it.
        waiter: Waiter,
        /// Whether it came here for the first time.
        is_new: bool,
    },
}

impl Taken {
    /// The block that it stands in.
    pub fn height(&self) -> Option<u64> {
        match self {
            Self::Final { height } => Some(*height),
            Self::Waiting { .. } => None,
        }
    }
}

/// Admits a transaction and passes it on.
pub fn admit_and_relay(
    api: &Api,
    transaction: VerifiedTransaction,
    relayed: Relayed,
) -> Result<Taken, Refusal> {
    let id = transaction.id;
    let waiter = api.node.wait_for(id);
    let is_new = match api
        .node
        .admit(transaction, relayed.lines.clone(), Source::Client)
    {
        Ok(is_new) => is_new,
        Err(AdmissionError::Rejected(rejection)) => {
            return resolve_duplicate(api, id, rejection).map(|height| Taken::Final { height });
        }
        Err(error) => return Err(error.into()),
    };
    // A node that only follows proposes nothing: when somebody asks again, the peers may not have it yet.
    if is_new || api.node.validator.is_none() {
        api.peers.announce(&relayed);
    }
    Ok(Taken::Waiting { waiter, is_new })
}

/// When whoever asks now is told that the outcome is open.
pub fn answer_deadline() -> Instant {
    Instant::now() + FINALITY_TIMEOUT
}

/// Waits until a transaction is final; gives the block and whether it is new.
pub async fn wait_until_final(
    api: &Api,
    id: B256,
    taken: Taken,
    deadline: Instant,
) -> Result<(u64, bool), Refusal> {
    let (mut waiter, is_new) = match taken {
        Taken::Final { height } => return Ok((height, false)),
        Taken::Waiting { waiter, is_new } => (waiter, is_new),
    };

    match tokio::time::timeout_at(deadline, waiter.outcome()).await {
        Ok(Some(Outcome::Final { height })) => Ok((height, is_new)),
        Ok(Some(Outcome::Rejected(rejection))) => {
            resolve_duplicate(api, id, rejection).map(|height| (height, false))
        }
        Ok(None) | Err(_) => Err(Refusal::from(Problem::new(
            503,
            "not_final_yet",
            "the transaction waits and may still become final; send the same request again to learn",
        ))),
    }
}

/// The same transaction may have become final between two looks.
fn resolve_duplicate(api: &Api, id: B256, rejection: Rejection) -> Result<u64, Refusal> {
    if let Some(height) = api.node.store.transaction_height(id)? {
        return Ok(height);
    }
    match rejection {
        Rejection::AlreadyIncluded { height } => Ok(height),
        rejection if rejection.kind() == RejectionKind::Duplicate => Ok(api.node.ledger().height()),
        rejection => Err(refusal_or_late(why_late(&api.node), &rejection)),
    }
}

/// The refusal of a rejected transaction. While the node is late it is 503: blocks that it lacks may make the
/// transaction good.
fn refusal_or_late(late: Option<String>, rejection: &Rejection) -> Refusal {
    let Some(reason) = late else {
        return refusal_of(rejection);
    };
    let detail = format!(
        "{reason}; as of then the transaction is refused ({rejection}): try again, or another node"
    );
    Problem::new(503, "node_is_late", detail).into()
}

/// 201 when it is final, 200 when it stood already, 202 with `?wait=accepted`.
async fn submit_transaction(
    State(api): State<Api>,
    Query(Wait { wait }): Query<Wait>,
    JsonBody(transaction): JsonBody<SignedTransaction>,
) -> Result<Response, Refusal> {
    if matches!(transaction.payload, Payload::Sale(_)) {
        return Err(Refusal::bad_field(
            "type",
            "a sale goes to POST /api/v1/sales, with its lines",
        ));
    }
    let domain = *api.node.ledger().domain();
    let verified = VerifiedTransaction::verify(transaction.clone(), &domain)
        .map_err(AdmissionError::Signature)?;
    let id = verified.id;
    let settled = admit_and_wait(
        &api,
        verified,
        Relayed {
            transaction: transaction.clone(),
            lines: None,
        },
        wait,
    )
    .await?;
    let (code, status) = match settled {
        None => (StatusCode::ACCEPTED, SaleState::Accepted),
        Some((_, true)) => (StatusCode::CREATED, SaleState::Final),
        Some((_, false)) => (StatusCode::OK, SaleState::Final),
    };
    let height = settled.map(|(height, _)| height);
    // The signature is no part of the id: what stood already may carry another one than this request.
    let transaction = (code == StatusCode::CREATED).then_some(transaction);
    let answer = TransactionAnswer {
        id,
        status,
        height,
        transaction,
    };
    Ok((code, Json(answer)).into_response())
}

/// `None` = accepted only; else the block and whether it is new.
async fn admit_and_wait(
    api: &Api,
    transaction: VerifiedTransaction,
    relayed: Relayed,
    wait: WaitFor,
) -> Result<Option<(u64, bool)>, Refusal> {
    let id = transaction.id;
    if let Some(height) = api.node.store.transaction_height(id)? {
        return Ok(Some((height, false)));
    }

    let taken = admit_and_relay(api, transaction, relayed)?;
    match wait {
        WaitFor::Accepted => Ok(taken.height().map(|height| (height, false))),
        WaitFor::Final => wait_until_final(api, id, taken, answer_deadline())
            .await
            .map(Some),
    }
}

async fn show_transaction(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<TransactionAnswer>, Refusal> {
    let id: B256 = id
        .parse()
        .map_err(|_| Refusal::bad_field("id", "a transaction id has 32 bytes, 0x and 64 digits"))?;

    if let Some(height) = api.node.store.transaction_height(id)? {
        let domain = *api.node.ledger().domain();
        let block = api.node.store.block(height)?;
        let transaction =
            block.and_then(|block| block.transactions.into_iter().find(|t| t.id(&domain) == id));

        return Ok(Json(TransactionAnswer {
            id,
            status: SaleState::Final,
            height: Some(height),
            transaction,
        }));
    }

    if api.node.is_pending(id) {
        return Ok(Json(TransactionAnswer {
            id,
            status: SaleState::Accepted,
            height: None,
            transaction: None,
        }));
    }

    Err(Refusal::not_found(format!(
        "transaction {id} is neither final nor waiting here"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Address;

    #[test]
    fn the_no_of_a_node_that_is_late_is_none() {
        let rejection = Rejection::UnknownTerminal {
            found: Address::ZERO,
        };
        let Refusal(problem) = refusal_or_late(None, &rejection);
        assert_eq!(
            (problem.status, problem.title.as_str()),
            (403, "unknown terminal")
        );
        let Refusal(problem) = refusal_or_late(
            Some("the last block here, 7, is 60 s old".into()),
            &rejection,
        );
        assert_eq!(
            (problem.status, problem.title.as_str()),
            (503, "node is late")
        );
        assert!(
            problem
                .detail
                .starts_with("the last block here, 7, is 60 s old; as of then"),
            "{}",
            problem.detail
        );
    }
}
