//! Sales: taken from terminals one by one or in batches, looked up by anybody.

use super::Api;
use super::answer::{JsonBody, Path, Query, Refusal, refusal_of};
use super::transactions::{Taken, Wait, admit_and_relay, answer_deadline, wait_until_final};
use crate::io::peers::Relayed;
use crate::node::AdmissionError;
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use client::{
    BatchedSale, Problem, SALES_PER_BATCH_MAX, SaleAnswer, SaleBatch, SaleRequest, SaleState,
    WaitFor,
};
use domain::sale::{Sale, check_sum};
use domain::transaction::VerifiedTransaction;
use domain::{B256, OutletId, Payload, Rejection, SaleId, SaleKey, SignedTransaction};
use std::sync::Arc;
use tokio::time::Instant;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/sales", post(record_sale))
        .route("/api/v1/sales/batch", post(record_sales))
        .route("/api/v1/sales/{outlet}/{sale_id}", get(show_sale))
}

/// 201 when it is final, 200 when it stood already, 202 with `?wait=accepted`.
async fn record_sale(
    State(api): State<Api>,
    Query(Wait { wait }): Query<Wait>,
    JsonBody(request): JsonBody<SaleRequest>,
) -> Result<Response, Refusal> {
    let step = admit_sale(&api, request)?;
    let (status, answer) = match (wait, step) {
        (WaitFor::Accepted, Step::Waiting(sale)) => (StatusCode::ACCEPTED, sale.accepted()),
        (_, step) => finish_sale(&api, step, answer_deadline()).await?,
    };
    Ok((status, Json(answer)).into_response())
}

/// Takes every sale for itself: each has the status and the body that it would have had alone, in the same order.
async fn record_sales(
    State(api): State<Api>,
    JsonBody(SaleBatch(requests)): JsonBody<SaleBatch>,
) -> Result<Json<Vec<BatchedSale>>, Refusal> {
    if requests.is_empty() || requests.len() > SALES_PER_BATCH_MAX {
        let detail = format!(
            "a batch holds 1 to {SALES_PER_BATCH_MAX} sales, found {}",
            requests.len()
        );
        return Err(Refusal::bad_field("", detail));
    }

    let taker = api.clone();
    let begin_all = move || {
        requests
            .into_iter()
            .map(|request| admit_sale(&taker, request))
            .collect::<Vec<_>>()
    };
    let steps = api.check(begin_all).await?;

    let deadline = answer_deadline();
    let mut answers = Vec::with_capacity(steps.len());
    for step in steps {
        let outcome = match step {
            Ok(step) => finish_sale(&api, step, deadline).await,
            Err(refusal) => Err(refusal),
        };

        answers.push(match outcome {
            Ok((status, sale)) => BatchedSale {
                status: status.as_u16(),
                sale: Some(sale),
                problem: None,
            },
            Err(Refusal(problem)) => BatchedSale {
                status: problem.status,
                sale: None,
                problem: Some(*problem),
            },
        });
    }

    Ok(Json(answers))
}

/// A sale that was taken.
struct TakenSale {
    key: SaleKey,
    id: B256,
    taken: Taken,
}

impl TakenSale {
    fn accepted(&self) -> SaleAnswer {
        SaleAnswer {
            status: SaleState::Accepted,
            outlet: self.key.outlet,
            sale_id: self.key.sale_id,
            transaction_id: self.id,
            height: None,
            issued: None,
            not_issued: None,
            refunded: 0,
            shares: Vec::new(),
        }
    }
}

/// How far a sale comes without waiting.
enum Step {
    /// It stood already.
    Stood(SaleAnswer),
    /// It waits for a block.
    Waiting(TakenSale),
}

/// Checks a sale, lets it wait and passes it on.
fn admit_sale(api: &Api, request: SaleRequest) -> Result<Step, Refusal> {
    if api.node.is_full() {
        return Err(AdmissionError::Full.into());
    }
    let sale = request
        .sale()
        .map_err(|detail| Refusal::bad_field("occurred_at", detail))?;
    // Before the signature: a sum that is wrong says more than a signature that therefore is.
    check_sum(&sale, &request.lines).map_err(AdmissionError::Rejected)?;
    let key = sale.key();
    let verified = verify_sale(api, sale, &request)?;
    if let Some(answer) = find_recorded(api, key, verified.id)? {
        return Ok(Step::Stood(answer));
    }
    let relayed = Relayed {
        transaction: verified.transaction.clone(),
        lines: Some(Arc::new((request.lines_salt, request.lines))),
    };
    let id = verified.id;
    Ok(Step::Waiting(TakenSale {
        key,
        id,
        taken: admit_and_relay(api, verified, relayed)?,
    }))
}

fn verify_sale(
    api: &Api,
    sale: Sale,
    request: &SaleRequest,
) -> Result<VerifiedTransaction, Refusal> {
    let expected = sale.terminal;
    let transaction = SignedTransaction {
        payload: Payload::Sale(sale),
        signature: request.signature,
    };

    let domain = *api.node.ledger().domain();
    let verified =
        VerifiedTransaction::verify(transaction, &domain).map_err(AdmissionError::Signature)?;
    if verified.signer != expected {
        return Err(refusal_of(&Rejection::WrongTerminalSignature {
            expected,
            found: verified.signer,
        }));
    }

    Ok(verified)
}

/// Waits until a sale is final.
async fn finish_sale(
    api: &Api,
    step: Step,
    deadline: Instant,
) -> Result<(StatusCode, SaleAnswer), Refusal> {
    let TakenSale { key, id, taken } = match step {
        Step::Stood(answer) => return Ok((StatusCode::OK, answer)),
        Step::Waiting(sale) => sale,
    };

    let (_, is_new) = wait_until_final(api, id, taken, deadline).await?;
    let answer = find_recorded(api, key, id)?.ok_or_else(|| {
        Refusal::from(Problem::new(
            503,
            "not_final_yet",
            "the sale is about to be final; ask again",
        ))
    })?;

    Ok((
        if is_new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        },
        answer,
    ))
}

/// The sale as it stands in the ledger; a conflict when it stands with other content.
fn find_recorded(api: &Api, key: SaleKey, found: B256) -> Result<Option<SaleAnswer>, Refusal> {
    let ledger = api.node.ledger();
    let Some(entry) = ledger.sale(key) else {
        return Ok(None);
    };
    if entry.tx_id != found {
        return Err(refusal_of(&Rejection::SaleConflict {
            key,
            expected: entry.tx_id,
            found,
        }));
    }
    Ok(Some(SaleAnswer::is_final(&ledger, key, &entry)))
}

async fn show_sale(
    State(api): State<Api>,
    Path((outlet, sale_id)): Path<(String, String)>,
) -> Result<Json<SaleAnswer>, Refusal> {
    let key = parse_sale_key(&outlet, &sale_id)?;
    let ledger = api.node.ledger();
    let missing = || {
        Refusal::not_found(format!(
            "sale {} of outlet {} is not in the ledger",
            key.sale_id, key.outlet
        ))
    };

    ledger
        .sale(key)
        .map(|entry| Json(SaleAnswer::is_final(&ledger, key, &entry)))
        .ok_or_else(missing)
}

/// The key that a path names.
pub fn parse_sale_key(outlet: &str, sale_id: &str) -> Result<SaleKey, Refusal> {
    let outlet: OutletId = outlet.parse().map_err(|_| {
        Refusal::bad_field("outlet", format!("an outlet is a number, found {outlet:?}"))
    })?;
    let sale_id: SaleId = sale_id
        .parse()
        .map_err(|detail| Refusal::bad_field("sale_id", detail))?;
    Ok(SaleKey { outlet, sale_id })
}
