//! Sales: taken from terminals, looked up by anybody.

use super::Api;
use super::answer::{JsonBody, Refusal, rejected};
use super::transactions::{Wait, settle};
use crate::io::peers::Relayed;
use crate::node::AdmissionError;
use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use client::{Problem, SaleAnswer, SaleRequest, SaleState};
use domain::sale::{Sale, check_lines};
use domain::transaction::VerifiedTransaction;
use domain::{B256, OutletId, Rejection, SaleId, SaleKey};

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new().route("/api/v1/sales", post(record)).route("/api/v1/sales/{outlet}/{sale_id}", get(show))
}

/// 201 when it is final, 200 when it stood already, 202 with `?wait=accepted`.
async fn record(
    State(api): State<Api>,
    Query(wait): Query<Wait>,
    JsonBody(request): JsonBody<SaleRequest>,
) -> Result<Response, Refusal> {
    let sale = request.sale().map_err(|detail| Refusal::bad_field("occurred_at", detail))?;
    let transaction = request.transaction().map_err(|detail| Refusal::bad_field("occurred_at", detail))?;
    // Before the signature: a sum that is wrong says more than a signature that therefore is.
    check_lines(&sale, request.lines_salt, &request.lines).map_err(AdmissionError::Rejected)?;
    let domain = *api.node.ledger().domain();
    let verified = VerifiedTransaction::verify(transaction.clone(), &domain).map_err(AdmissionError::Signature)?;
    if verified.signer != sale.terminal {
        let rejection = Rejection::WrongTerminalSignature { expected: sale.terminal, found: verified.signer };
        return Err(rejected(&rejection));
    }
    if let Some(answer) = recorded(&api, sale.key(), verified.id)? {
        return Ok((StatusCode::OK, Json(answer)).into_response());
    }
    let relayed = Relayed { transaction, lines: Some((request.lines_salt, request.lines)) };
    let id = verified.id;
    let final_height = settle(&api, verified, relayed, wait).await?;
    answer(&api, &sale, id, final_height)
}

/// The sale as it stands in the ledger; a conflict when it stands with other content.
fn recorded(api: &Api, key: SaleKey, found: B256) -> Result<Option<SaleAnswer>, Refusal> {
    let ledger = api.node.ledger();
    let Some(entry) = ledger.sale(key) else { return Ok(None) };
    if entry.tx_id != found {
        return Err(rejected(&Rejection::SaleConflict { key, expected: entry.tx_id, found }));
    }
    Ok(Some(SaleAnswer::is_final(key.outlet, key.sale_id, entry)))
}

fn answer(api: &Api, sale: &Sale, id: B256, final_height: Option<(u64, bool)>) -> Result<Response, Refusal> {
    let Some((_, is_new)) = final_height else {
        let accepted = SaleAnswer {
            status: SaleState::Accepted,
            outlet: sale.outlet,
            sale_id: sale.sale_id,
            transaction_id: id,
            height: None,
            issued: None,
            not_issued: None,
            refunded: 0,
            shares: Vec::new(),
        };
        return Ok((StatusCode::ACCEPTED, Json(accepted)).into_response());
    };
    let answer = recorded(api, sale.key(), id)?
        .ok_or_else(|| Refusal::from(Problem::new(503, "not_final_yet", "the sale is about to be final; ask again")))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(answer)).into_response())
}

async fn show(
    State(api): State<Api>,
    Path((outlet, sale_id)): Path<(String, String)>,
) -> Result<Json<SaleAnswer>, Refusal> {
    let SaleKey { outlet, sale_id } = key(&outlet, &sale_id)?;
    let ledger = api.node.ledger();
    let entry = ledger.sale(SaleKey { outlet, sale_id });
    let missing = || Refusal::not_found(format!("sale {sale_id} of outlet {outlet} is not in the ledger"));
    entry.map(|entry| Json(SaleAnswer::is_final(outlet, sale_id, entry))).ok_or_else(missing)
}

/// The key that a path names.
pub fn key(outlet: &str, sale_id: &str) -> Result<SaleKey, Refusal> {
    let outlet: OutletId =
        outlet.parse().map_err(|_| Refusal::bad_field("outlet", format!("an outlet is a number, found {outlet:?}")))?;
    let sale_id: SaleId = sale_id.parse().map_err(|detail| Refusal::bad_field("sale_id", detail))?;
    Ok(SaleKey { outlet, sale_id })
}
