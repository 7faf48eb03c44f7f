//! Final blocks: one by its height, and pages of them, newest first.

use super::Api;
use super::answer::{Path, Query, Refusal};
use crate::io::store::{Store, StoreError};
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use client::{BlockAnswer, BlockSummary, Page, Problem, format_time};
use domain::{Block, CommitCertificate};
use serde::Deserialize;
use std::str::FromStr;

/// Blocks of one page.
const LIMIT: usize = 20;
/// The most of them: each is read and hashed as a whole.
const LIMIT_MAX: usize = 100;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/blocks", get(list_blocks))
        .route("/api/v1/blocks/{height}", get(show_block))
}

async fn show_block(
    State(api): State<Api>,
    Path(height): Path<String>,
) -> Result<Json<BlockAnswer>, Refusal> {
    let height = match height.as_str() {
        "latest" => api.node.ledger().height(),
        text => text.parse().map_err(|_| {
            Refusal::bad_field(
                "height",
                format!("a height is a number or latest, found {text:?}"),
            )
        })?,
    };

    let Some((block, certificate)) = find_block(&api.node.store, height)? else {
        return Err(refuse_missing_block(&api.node.store, height)?);
    };

    let raw = format!("0x{}", hex::encode(block.encode()));
    let hash = block.header.hash();

    Ok(Json(BlockAnswer {
        hash,
        header: block.header,
        certificate,
        transactions: block.transactions,
        raw,
    }))
}

/// The refusal for a block that is not here: not yet, or not any more.
pub fn refuse_missing_block(store: &Store, height: u64) -> Result<Refusal, StoreError> {
    Ok(
        match store.first_height()?.filter(|first| height < *first) {
            Some(first) => {
                let detail = format!(
                    "this node's first block is {first}, and block {height} is not here; ask another node"
                );
                Problem::new(410, "block_not_kept", detail).into()
            }
            None => Refusal::not_found(format!("no final block at height {height}")),
        },
    )
}

fn find_block(
    store: &Store,
    height: u64,
) -> Result<Option<(Block, CommitCertificate)>, StoreError> {
    Ok(store.block(height)?.zip(store.certificate(height)?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageQuery {
    limit: Option<String>,
    cursor: Option<String>,
}

impl PageQuery {
    fn limit(&self) -> Result<usize, Refusal> {
        let Some(text) = &self.limit else {
            return Ok(LIMIT);
        };
        let limit = text
            .parse()
            .ok()
            .filter(|limit| (1..=LIMIT_MAX).contains(limit));
        let refused = || format!("limit is a number from 1 to {LIMIT_MAX}, found {text:?}");
        limit.ok_or_else(|| Refusal::bad_field("limit", refused()))
    }

    /// The height above the page.
    fn before(&self) -> Result<Option<u64>, Refusal> {
        let refused = |found: &String| {
            format!("a cursor is what next_cursor said, such as 12; found {found:?}")
        };
        let read = |text: &String| {
            u64::from_str(text).map_err(|_| Refusal::bad_field("cursor", refused(text)))
        };
        self.cursor.as_ref().map(read).transpose()
    }
}

/// Newest first. A cursor is the height of the last block shown.
async fn list_blocks(
    State(api): State<Api>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<BlockSummary>>, Refusal> {
    let (limit, before) = (query.limit()?, query.before()?);
    // Reading many blocks takes a while: not on the threads that answer everybody.
    let read = tokio::task::spawn_blocking(move || read_page(&api, limit, before)).await;
    let lost = |_| {
        Problem::new(
            500,
            "internal",
            "this node could not list its blocks; ask another one",
        )
    };
    Ok(Json(read.map_err(lost)??))
}

fn read_page(
    api: &Api,
    limit: usize,
    before: Option<u64>,
) -> Result<Page<BlockSummary>, StoreError> {
    let above = api.node.ledger().next_height();
    let mut height = before.unwrap_or(above).min(above);
    let mut data = Vec::new();

    while data.len() < limit
        && let Some(lower) = height.checked_sub(1)
        && let Some((block, certificate)) = find_block(&api.node.store, lower)?
    {
        data.push(summarise_block(&block, &certificate));
        height = lower;
    }

    let has_more = height > 0 && api.node.store.has_block(height - 1)?;
    Ok(Page {
        data,
        next_cursor: has_more.then(|| height.to_string()),
        has_more,
    })
}

fn summarise_block(block: &Block, certificate: &CommitCertificate) -> BlockSummary {
    BlockSummary {
        height: block.header.height,
        hash: block.header.hash(),
        time: format_time(block.header.time_ms),
        proposer: block.header.proposer,
        transactions: block.transactions.len(),
        round: certificate.round,
        signers: certificate
            .signatures
            .iter()
            .map(|signed| signed.validator)
            .collect(),
    }
}
