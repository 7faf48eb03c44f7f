//! Copies of the state for nodes that begin with nothing. Between nodes only.

use super::Api;
use super::answer::{Path, Query, Refusal};
use crate::core::vouching::Copied;
use crate::io::snapshots::SnapshotFileError;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use client::{Problem, SnapshotOffer};
use domain::Signature;
use serde::Deserialize;

/// The most bytes of one answer.
const PART_BYTES: u64 = 4 * 1024 * 1024;

/// Routes of this resource.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/internal/v1/snapshots", get(list_snapshots))
        .route("/internal/v1/snapshots/{height}", get(show_part))
}

/// What this validator has and signs for; nothing at a node that only follows.
async fn list_snapshots(State(api): State<Api>) -> Result<Json<Vec<SnapshotOffer>>, Refusal> {
    let Some((validator, key)) = api.node.validator.zip(api.key) else {
        return Ok(Json(Vec::new()));
    };

    let sidechain_id = api.node.ledger().sidechain_id();
    let snapshots = api.node.snapshots.files();
    let mut offers = Vec::new();
    for height in snapshots.heights()? {
        let (hash, bytes) = snapshots.describe(height)?;
        let signature = Signature::sign(
            Copied {
                height,
                hash,
                bytes,
            }
            .digest(sidechain_id),
            &key,
        );

        offers.push(SnapshotOffer {
            height,
            hash,
            bytes,
            validator,
            signature,
        });
    }

    Ok(Json(offers))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct From {
    from: u64,
}

/// The next bytes of a state; none at its end.
async fn show_part(
    State(api): State<Api>,
    Path(height): Path<u64>,
    Query(From { from }): Query<From>,
) -> Result<Vec<u8>, Refusal> {
    let snapshots = api.node.snapshots.files().clone();
    let read = tokio::task::spawn_blocking(move || snapshots.part(height, from, PART_BYTES)).await;
    let lost = |_| {
        Problem::new(
            500,
            "internal",
            "this node could not read its snapshot; ask another one",
        )
    };

    Ok(read.map_err(lost)??)
}

impl std::convert::From<SnapshotFileError> for Refusal {
    fn from(error: SnapshotFileError) -> Self {
        match error {
            SnapshotFileError::File { source, .. }
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Self::not_found("no such snapshot; GET /internal/v1/snapshots lists them")
            }
            error => {
                tracing::error!(
                    error = format!("{:#}", anyhow::Error::new(error)),
                    "a snapshot cannot be read"
                );
                Self::from(Problem::new(
                    500,
                    "internal",
                    "this node cannot read its snapshot; ask another one",
                ))
            }
        }
    }
}
