//! Consents, and the recordings that they allow.

use super::Api;
use super::answer::{Path, Query, Refusal};
use crate::node::Node;
use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use client::{ConsentAnswer, ErasedAnswer, Problem, RecordingAnswer, RecordingProofs};
use domain::checkpoint::SignedCheckpoint;
use domain::proof::RecordingProof;
use domain::recording::{Recording, RecordingEntry};
use domain::{B256, Cid, OutletId, merkle};
use serde::Deserialize;
use std::str::FromStr;

/// Entries of an answer, but for the rest of a block.
const AT_ONCE: usize = 1_000;

/// Routes of these resources.
pub fn router() -> Router<Api> {
    Router::new()
        .route("/api/v1/consents/{id}", get(show_consent))
        .route(
            "/api/v1/outlets/{outlet}/consents",
            get(list_consents_in_force),
        )
        .route("/api/v1/outlets/{outlet}/erasures", get(list_erasures))
        .route(
            "/api/v1/outlets/{outlet}/revocations",
            get(list_revocations),
        )
        .route("/api/v1/recordings/{cid}", get(show_recording))
        .route("/api/v1/recordings/{cid}/proof", get(prove_recording))
}

async fn show_consent(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<ConsentAnswer>, Refusal> {
    let id: B256 = id
        .parse()
        .map_err(|_| Refusal::bad_field("id", "an id has 32 bytes, 0x and 64 digits"))?;
    let missing = || Refusal::not_found(format!("consent {id} is not in the ledger"));
    let ledger = api.node.ledger();
    ledger
        .consent(id)
        .map(|consent| Json(ConsentAnswer::new(id, consent)))
        .ok_or_else(missing)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfCamera {
    camera: Option<String>,
}

fn parse_number(field: &str, text: &str) -> Result<u64, Refusal> {
    text.parse()
        .map_err(|_| Refusal::bad_field(field, format!("{field} is a number, found {text:?}")))
}

/// Those of a camera that permit something: neither revoked nor over when the last block came, and no guest who shared
/// the picture has left it since.
async fn list_consents_in_force(
    State(api): State<Api>,
    Path(outlet): Path<String>,
    Query(query): Query<OfCamera>,
) -> Result<Json<Vec<ConsentAnswer>>, Refusal> {
    let outlet: OutletId = parse_number("outlet", &outlet)?;
    let missing = || Refusal::bad_field("camera", "name a camera, as in ?camera=3");
    let camera = parse_number("camera", &query.camera.ok_or_else(missing)?)?;

    let ledger = api.node.ledger();
    Ok(Json(
        ledger
            .consents_in_force(outlet, camera)
            .map(|(id, consent)| ConsentAnswer::new(id, consent))
            .collect(),
    ))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct After {
    after: Option<String>,
}

/// Those of an outlet above a height, oldest first. So many, and what else was erased at the height of the last one.
async fn list_erasures(
    State(api): State<Api>,
    Path(outlet): Path<String>,
    Query(query): Query<After>,
) -> Result<Json<Vec<ErasedAnswer>>, Refusal> {
    let outlet: OutletId = parse_number("outlet", &outlet)?;
    let after = query
        .after
        .map_or(Ok(0), |after| parse_number("after", &after))?;

    let ledger = api.node.ledger();
    let mut found: Vec<ErasedAnswer> = Vec::new();
    for erased in ledger
        .erasures_after(outlet, after)
        .filter_map(|recording| recording.erased)
    {
        if found.len() >= AT_ONCE
            && found
                .last()
                .is_some_and(|last| last.erasure.height != erased.height)
        {
            break;
        }

        found.push(ErasedAnswer {
            cid: erased.cid,
            erasure: erased.into(),
        });
    }

    Ok(Json(found))
}

/// Consents of an outlet's guests that were revoked after a block's time, oldest first; so many.
async fn list_revocations(
    State(api): State<Api>,
    Path(outlet): Path<String>,
    Query(query): Query<After>,
) -> Result<Json<Vec<ConsentAnswer>>, Refusal> {
    let outlet: OutletId = parse_number("outlet", &outlet)?;
    let after = query
        .after
        .map_or(Ok(0), |after| parse_number("after", &after))?;

    let ledger = api.node.ledger();
    let mut found: Vec<ConsentAnswer> = Vec::new();
    for (id, consent) in ledger.revocations_after(outlet, after) {
        let is_next_block = found
            .last()
            .is_some_and(|last| last.revoked_at_ms != consent.revoked_at_ms);
        if found.len() >= AT_ONCE && is_next_block {
            break;
        }

        found.push(ConsentAnswer::new(id, consent));
    }

    Ok(Json(found))
}

fn parse_cid(text: &str) -> Result<Cid, Refusal> {
    Cid::from_str(text).map_err(|error| Refusal::bad_field("cid", error.to_string()))
}

fn find_recording(node: &Node, cid: Cid) -> Result<Recording, Refusal> {
    let missing = || Refusal::not_found(format!("recording {cid} is not in the ledger"));
    node.ledger().recording(cid).copied().ok_or_else(missing)
}

async fn show_recording(
    State(api): State<Api>,
    Path(text): Path<String>,
) -> Result<Json<RecordingAnswer>, Refusal> {
    let recording = find_recording(&api.node, parse_cid(&text)?)?;
    let covering = api
        .node
        .store
        .checkpoint_of_height(recording.pinned.height)?;
    Ok(Json(RecordingAnswer::new(
        &recording,
        covering.map(|signed| signed.checkpoint.epoch),
    )))
}

async fn prove_recording(
    State(api): State<Api>,
    Path(text): Path<String>,
) -> Result<Json<RecordingProofs>, Refusal> {
    let cid = parse_cid(&text)?;
    // Hashing an epoch's recordings takes a while: not on the threads that answer everybody.
    let proved = tokio::task::spawn_blocking(move || prove_both(&api.node, cid)).await;
    let lost = |_| {
        Problem::new(
            500,
            "internal",
            "this node could not prove the recording; ask another one",
        )
    };
    proved.map_err(lost)?.map(Json)
}

fn prove_both(node: &Node, cid: Cid) -> Result<RecordingProofs, Refusal> {
    let recording = find_recording(node, cid)?;
    let early = || {
        Refusal::not_found(
            "the recording is final, but no signed checkpoint covers it yet; ask again later",
        )
    };
    let pinned = prove_entry(node, RecordingEntry::Pinned(recording.pinned))?.ok_or_else(early)?;
    let erased = match recording.erased {
        Some(erased) => prove_entry(node, RecordingEntry::Erased(erased))?,
        None => None,
    };
    Ok(RecordingProofs { pinned, erased })
}

/// Nothing until the checkpoint that covers it has a quorum.
fn prove_entry(node: &Node, entry: RecordingEntry) -> Result<Option<RecordingProof>, Refusal> {
    let covering = node.store.checkpoint_of_height(entry.height())?;
    let Some(signed) = covering.filter(SignedCheckpoint::has_quorum) else {
        return Ok(None);
    };

    let epoch = signed.checkpoint.epoch;
    let gone = || {
        Refusal::not_found(format!(
            "the recordings of epoch {epoch} are not in this node's store"
        ))
    };

    let leaves = node.store.recording_leaves(epoch)?.ok_or_else(gone)?;
    let leaf = entry.leaf();
    let at = leaves
        .iter()
        .position(|found| *found == leaf)
        .ok_or_else(gone)?;

    let (evm_chain_id, sidechain_id) = {
        let ledger = node.ledger();
        (ledger.genesis().evm_chain_id, ledger.sidechain_id())
    };
    let proof = merkle::proof(&leaves, at).ok_or_else(gone)?;
    let (anchor, checkpoint) = (signed.anchor, signed.checkpoint);

    Ok(Some(RecordingProof {
        evm_chain_id,
        sidechain_id,
        anchor,
        entry,
        proof,
        checkpoint,
    }))
}
