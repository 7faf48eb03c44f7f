//! Sales: posted through to a node, listed, and one with how far it has come.

use super::Api;
use super::page::{Wanted, parse};
use crate::core::stages::{Seen, Stage, furthest, stages, waiting_stages};
use crate::io::journal::Entry;
use crate::io::mirror::MirrorError;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use client::SaleRequest;
use domain::{B256, OutletId, SaleId, SaleKey};
use indexer::query::network::{AsOf, as_of};
use indexer::query::sales::{Filter, SaleFacts, find, list};
use problem::{Problem, Refusal, read_body};
use serde::Deserialize;
use serde_json::{Value, json};

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/sales", get(page).post(record))
        .route("/api/v1/sales/{outlet}/{sale_id}", get(show))
}

/// Hands a sale to a node and remembers when it came and went.
async fn record(State(api): State<Api>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = Bytes::from(read_body(body).await?);
    let noted = note(&api, &body).await;
    // A task of its own: a client that goes away does not leave a sale half noted.
    let sent = tokio::spawn(async move {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let answer = api
            .nodes
            .send(&parts.method, path, &parts.headers, body)
            .await;
        let status = answer.as_ref().map(|answer| answer.status).ok();
        match (noted, status) {
            (Some((key, id)), Some(StatusCode::CREATED | StatusCode::OK)) => {
                api.journal.finalized(key, id)
            }
            // Accepted, or not final yet: still on its way.
            (_, Some(StatusCode::ACCEPTED | StatusCode::SERVICE_UNAVAILABLE)) | (None, _) => {}
            (Some((key, id)), _) => api.journal.refused(key, id),
        }
        answer.map(IntoResponse::into_response)
    });
    let lost = |_| {
        Refusal::from(Problem::new(
            500,
            "internal",
            "the answer was lost; send the same request again",
        ))
    };
    sent.await.map_err(lost)?
}

/// Notes a sale that is well formed and signed. Everything else is the node's to refuse: it names the field.
async fn note(api: &Api, body: &[u8]) -> Option<(SaleKey, B256)> {
    let request: SaleRequest = serde_json::from_slice(body).ok()?;
    let sale = request.sale().ok()?;
    let transaction = request.transaction().ok()?;
    let domain = api.mirror.genesis().await.ok()?.domain();
    let is_signed = transaction
        .signer(&domain)
        .is_ok_and(|signer| signer == sale.terminal);
    let (key, id) = (sale.key(), transaction.id(&domain));
    is_signed.then(|| api.journal.received(id, request))?;
    Some((key, id))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    limit: Option<String>,
    cursor: Option<String>,
    outlet: Option<String>,
}

async fn page(
    State(api): State<Api>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Value>, Refusal> {
    let wanted = Wanted::parse(query.limit.as_deref(), query.cursor.as_deref())?;
    let outlet = parse("outlet", query.outlet.as_deref(), "the number of an outlet")?;
    let filter = Filter {
        outlet,
        before: wanted.before,
        from_height: None,
    };
    Ok(Json(read_page(&api, filter, wanted).await?))
}

async fn read_page(api: &Api, filter: Filter, wanted: Wanted) -> Result<Value, MirrorError> {
    let mut moment = api.mirror.snapshot().await?;
    let as_of = as_of(&mut moment).await?;
    let sales = list(&mut moment, filter, wanted.rows()).await?;
    Ok(wanted.answer(sales, as_of, |sale| (sale.height, sale.place)))
}

async fn show(
    State(api): State<Api>,
    Path((outlet, sale_id)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let key = SaleKey {
        outlet: outlet_id(&outlet)?,
        sale_id: id(&sale_id)?,
    };
    let entry = api.journal.find(key);
    let (as_of, facts) = read_one(&api, key).await?;
    let answer = match (facts, entry) {
        (Some(facts), entry) => {
            mirrored(
                &api,
                &facts,
                entry.map(|entry| entry.seen).unwrap_or_default(),
            )
            .await?
        }
        (None, Some(entry)) => on_its_way(&entry),
        (None, None) => {
            let detail = format!(
                "sale {sale_id} of outlet {outlet} is not known here; it may become known later"
            );
            return Err(Refusal::not_found(detail));
        }
    };
    Ok(Json(with(answer, "as_of", json!(as_of))))
}

fn outlet_id(text: &str) -> Result<OutletId, Refusal> {
    text.parse()
        .map_err(|_| Refusal::bad_field("outlet", format!("an outlet is a number, found {text:?}")))
}

fn id(text: &str) -> Result<SaleId, Refusal> {
    text.parse()
        .map_err(|detail: String| Refusal::bad_field("sale_id", detail))
}

async fn read_one(api: &Api, key: SaleKey) -> Result<(AsOf, Option<SaleFacts>), MirrorError> {
    let maturity_ms = api.mirror.genesis().await?.maturity_ms;
    let mut moment = api.mirror.snapshot().await?;
    Ok((
        as_of(&mut moment).await?,
        find(&mut moment, key, maturity_ms).await?,
    ))
}

async fn mirrored(api: &Api, facts: &SaleFacts, seen: Seen) -> Result<Value, MirrorError> {
    let genesis = api.mirror.genesis().await?;
    let reversed: u64 = facts.shares.iter().map(|share| share.reversed).sum();
    let answer = with(json!(facts.sale), "terminal", json!(facts.terminal));
    let answer = with(answer, "buyer", json!(facts.buyer));
    let answer = with(answer, "reversed", json!(reversed));
    Ok(with_stages(
        answer,
        &stages(facts, genesis.validators.as_slice(), seen),
    ))
}

/// A sale that only this gateway knows: as it was sent, with nothing that a block would say.
fn on_its_way(entry: &Entry) -> Value {
    let sale = &entry.request;
    let answer = json!({
        "outlet": sale.outlet,
        "sale_id": sale.sale_id,
        "transaction_id": entry.id,
        "terminal": sale.terminal,
        "occurred_at": sale.occurred_at,
        "currency": sale.currency,
        "total": sale.total,
        "buyer_kind": sale.buyer_kind,
        "buyer": sale.buyer,
        "height": null,
        "issued": null,
        "not_issued": null,
        "refunded": 0,
        "reversed": 0,
    });
    with_stages(answer, &waiting_stages(sale.terminal, entry.seen))
}

fn with_stages(answer: Value, stages: &[Stage]) -> Value {
    with(
        with(answer, "stage", json!(furthest(stages))),
        "stages",
        json!(stages),
    )
}

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object[field] = value;
    object
}
