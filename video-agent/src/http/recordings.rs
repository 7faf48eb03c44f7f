//! `/api/v1/recordings`: what the vault holds of a camera, and how far it is. Nothing of it opens anything.

use super::Api;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use problem::{Problem, Query, Refusal};
use recording_vault::{Record, Stage, VaultError};
use serde::{Deserialize, Serialize};

const LIMIT: usize = 50;
const LIMIT_MAX: usize = 500;

pub(super) fn router() -> Router<Api> {
    Router::new().route("/api/v1/recordings", get(list_recordings))
}

#[derive(Deserialize)]
struct Wanted {
    camera: u64,
    /// Recordings before this number; the newest ones without it.
    before: Option<u64>,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Shown {
    cid: String,
    camera: u64,
    sequence: u64,
    consent: String,
    started_at_ms: u64,
    ended_at_ms: u64,
    keep_until_ms: u64,
    bytes: u32,
    mask_policy: String,
    manifest_hash: String,
    /// `encrypted`, `added`, `pinned`, `reported`, `done` or `erasing`.
    stage: &'static str,
}

impl Shown {
    fn of(record: &Record, is_erased: bool) -> Self {
        let (manifest, capture) = (&record.signed.manifest, &record.signed.manifest.capture);

        Self {
            cid: manifest.cid.to_string(),
            camera: capture.camera,
            sequence: capture.sequence,
            consent: capture.consent.to_string(),
            started_at_ms: capture.started_at_ms,
            ended_at_ms: capture.ended_at_ms,
            keep_until_ms: capture.keep_until_ms,
            bytes: manifest.ciphertext_bytes,
            mask_policy: capture.mask_policy.clone(),
            manifest_hash: manifest.hash().to_string(),
            stage: if is_erased {
                "erasing"
            } else {
                stage_name(record.stage)
            },
        }
    }
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Encrypted => "encrypted",
        Stage::Added => "added",
        Stage::Pinned => "pinned",
        Stage::Reported => "reported",
        Stage::Done => "done",
    }
}

#[derive(Serialize)]
struct Page {
    data: Vec<Shown>,
    /// For `before`, when there may be more.
    next_before: Option<u64>,
}

/// A page of the vault's recordings, newest first.
async fn list_recordings(
    State(api): State<Api>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page>, Refusal> {
    let vault = api
        .vault
        .clone()
        .ok_or_else(|| Refusal::not_found("this agent keeps no recordings: it has no vault"))?;
    let (limit, before) = (
        wanted.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX),
        wanted.before.unwrap_or(u64::MAX),
    );

    let found =
        tokio::task::spawn_blocking(move || vault.newest(wanted.camera, before, limit)).await;
    let found = found
        .map_err(|error| vault_failure(&error))?
        .map_err(|error: VaultError| vault_failure(&error))?;

    let data: Vec<Shown> = found
        .iter()
        .map(|(record, is_erased)| Shown::of(record, *is_erased))
        .collect();
    let next_before = data
        .last()
        .filter(|_| data.len() == limit)
        .map(|last| last.sequence);

    Ok(Json(Page { data, next_before }))
}

fn vault_failure(error: &(dyn std::error::Error + 'static)) -> Refusal {
    tracing::error!(
        error = service_kit::error::in_full(error),
        "the vault cannot be read"
    );
    Problem::new(
        500,
        "internal",
        "the vault cannot be read; the log says why",
    )
    .into()
}
