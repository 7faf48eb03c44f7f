//! Sales: posted through to a node, listed, and one with how far it has come.

use super::Api;
use super::page::{Wanted, parse_field};
use crate::core::stages::{Seen, mirrored_sale, waiting_sale};
use crate::io::mirror::MirrorError;
use api_types::{AsOf, PageAsOf, SaleDetail, SaleRequest, SaleRow};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use domain::{B256, OutletId, SaleId, SaleKey};
use problem::{Path, Problem, Query, Refusal, read_body};
use read_model::network::as_of;
use read_model::sales::{Filter, SaleFacts, find_sale, find_sales};
use serde::Deserialize;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/sales", get(list_sales).post(record_sale))
        .route("/api/v1/sales/{outlet}/{sale_id}", get(show_sale))
}

/// Hands a sale to a node and remembers when it came and went.
async fn record_sale(State(api): State<Api>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let body = Bytes::from(read_body(body).await?);
    let noted = journal_received(&api, &body).await;
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
                api.journal.note_finalized(key, id)
            }
            // Accepted, or not final yet: still on its way.
            (_, Some(StatusCode::ACCEPTED | StatusCode::SERVICE_UNAVAILABLE)) | (None, _) => {}
            (Some((key, id)), _) => api.journal.forget_refused(key, id),
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
async fn journal_received(api: &Api, body: &[u8]) -> Option<(SaleKey, B256)> {
    let request: SaleRequest = serde_json::from_slice(body).ok()?;
    let sale = request.sale().ok()?;
    let transaction = request.transaction().ok()?;
    let domain = api.mirror.genesis().await.ok()?.domain();
    let is_signed = transaction
        .signer(&domain)
        .is_ok_and(|signer| signer == sale.terminal);
    let (key, id) = (sale.key(), transaction.id(&domain));
    is_signed.then(|| api.journal.note_received(id, request))?;
    Some((key, id))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    limit: Option<String>,
    cursor: Option<String>,
    outlet: Option<String>,
}

async fn list_sales(
    State(api): State<Api>,
    Query(query): Query<PageQuery>,
) -> Result<Json<PageAsOf<SaleRow>>, Refusal> {
    let wanted = Wanted::parse(query.limit.as_deref(), query.cursor.as_deref())?;
    let outlet = parse_field("outlet", query.outlet.as_deref(), "the number of an outlet")?;
    let filter = Filter {
        outlet,
        before: wanted.before,
        from_height: None,
    };
    Ok(Json(read_page(&api, filter, wanted).await?))
}

async fn read_page(
    api: &Api,
    filter: Filter,
    wanted: Wanted,
) -> Result<PageAsOf<SaleRow>, MirrorError> {
    let mut moment = api.mirror.snapshot().await?;
    let as_of = as_of(&mut moment).await?;
    let sales = find_sales(&mut moment, filter, wanted.rows()).await?;
    Ok(wanted.answer(sales, as_of, |sale| (sale.height, sale.place)))
}

async fn show_sale(
    State(api): State<Api>,
    Path((outlet, sale_id)): Path<(String, String)>,
) -> Result<Json<SaleDetail>, Refusal> {
    let key = SaleKey {
        outlet: outlet_id(&outlet)?,
        sale_id: parse_sale_id(&sale_id)?,
    };

    let entry = api.journal.find(key);
    let (as_of, facts) = read_one(&api, key).await?;
    let genesis = api.mirror.genesis().await?;

    let unknown = || {
        let detail = format!(
            "sale {sale_id} of outlet {outlet} is not known here; it may become known later"
        );
        Refusal::not_found(detail)
    };
    let seen = entry.as_ref().map_or(Seen::default(), |entry| entry.seen);
    let validators = match &facts {
        Some(facts) => {
            let (hash, height) = (facts.validators_hash, facts.sale.height);
            api.sets.find(&api.nodes, genesis, hash, height).await
        }
        None => None,
    };
    let mirrored = facts.map(|facts| mirrored_sale(&facts, validators.as_deref(), seen, as_of));
    let waiting = || entry.map(|entry| waiting_sale(&entry.request, entry.id, seen, as_of));
    mirrored.or_else(waiting).map(Json).ok_or_else(unknown)
}

fn outlet_id(text: &str) -> Result<OutletId, Refusal> {
    text.parse()
        .map_err(|_| Refusal::bad_field("outlet", format!("an outlet is a number, found {text:?}")))
}

fn parse_sale_id(text: &str) -> Result<SaleId, Refusal> {
    text.parse()
        .map_err(|detail: String| Refusal::bad_field("sale_id", detail))
}

async fn read_one(api: &Api, key: SaleKey) -> Result<(AsOf, Option<SaleFacts>), MirrorError> {
    let maturity_ms = api.mirror.genesis().await?.maturity_ms;
    let mut moment = api.mirror.snapshot().await?;
    Ok((
        as_of(&mut moment).await?,
        find_sale(&mut moment, key, maturity_ms).await?,
    ))
}
