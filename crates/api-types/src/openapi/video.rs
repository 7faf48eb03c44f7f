//! Consents, recordings and cameras.

#![allow(dead_code, reason = "operations are described, not called")]

use crate::{
    CameraAnswer, ConsentAnswer, ConsentRow, ErasedAnswer, PageAsOf, PushSwitch, RecordingAnswer,
    RecordingProofs, RecordingRow,
};
use domain::Cid;
use domain::schema::HashText;

/// Lists consents and legal bases, newest first.
#[utoipa::path(
    get, path = "/api/v1/consents", tag = "video",
    params(
        ("limit" = Option<u32>, Query, description = "Rows of a page; 20 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "What `next_cursor` of the page before said"),
        ("outlet" = Option<u64>, Query, description = "Of this outlet only"),
        ("camera" = Option<u64>, Query, description = "Of this camera only"),
        ("in_force" = Option<bool>, Query, description = "Those in force only, or only the others"),
    ),
    responses((status = 200, description = "A page", body = PageAsOf<ConsentRow>))
)]
pub fn list_consents() {}

/// Shows a guest's consent or an owner's legal basis, as a node says now.
#[utoipa::path(
    get, path = "/api/v1/consents/{id}", tag = "video",
    params(("id" = HashText, Path, description = "The id of the transaction that made it")),
    responses((status = 200, description = "The consent", body = ConsentAnswer))
)]
pub fn show_consent() {}

/// Lists the consents in force of a camera, as a node says now.
#[utoipa::path(
    get, path = "/api/v1/outlets/{outlet}/consents", tag = "video",
    params(
        ("outlet" = u64, Path, description = "Where"),
        ("camera" = u64, Query, description = "The outlet's number of the camera"),
    ),
    responses((status = 200, description = "Those in force", body = Vec<ConsentAnswer>))
)]
pub fn list_consents_in_force() {}

/// Lists consents that were revoked after a block's time, oldest first.
#[utoipa::path(
    get, path = "/api/v1/outlets/{outlet}/revocations", tag = "video",
    params(
        ("outlet" = u64, Path, description = "Where"),
        ("after" = Option<u64>, Query, description = "Revoked after this block time, milliseconds"),
    ),
    responses((status = 200, description = "The first ones; none when there are no more", body = Vec<ConsentAnswer>))
)]
pub fn list_revocations() {}

/// Lists recordings, newest first.
#[utoipa::path(
    get, path = "/api/v1/recordings", tag = "video",
    params(
        ("limit" = Option<u32>, Query, description = "Rows of a page; 20 without it", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "What `next_cursor` of the page before said"),
        ("outlet" = Option<u64>, Query, description = "Of this outlet only"),
        ("camera" = Option<u64>, Query, description = "Of this camera only"),
    ),
    responses((status = 200, description = "A page", body = PageAsOf<RecordingRow>))
)]
pub fn list_recordings() {}

/// Shows a recording, as a node says now.
#[utoipa::path(
    get, path = "/api/v1/recordings/{cid}", tag = "video",
    params(("cid" = Cid, Path, description = "Its content")),
    responses((status = 200, description = "The recording", body = RecordingAnswer))
)]
pub fn show_recording() {}

/// Proves a recording and its erasure: everything that leads from them to the EVM.
#[utoipa::path(
    get, path = "/api/v1/recordings/{cid}/proof", tag = "video",
    params(("cid" = Cid, Path, description = "Its content")),
    responses((status = 200, description = "The proofs", body = RecordingProofs))
)]
pub fn prove_recording() {}

/// Lists recordings of an outlet that were erased above a height, oldest first.
#[utoipa::path(
    get, path = "/api/v1/outlets/{outlet}/erasures", tag = "video",
    params(
        ("outlet" = u64, Path, description = "Where"),
        ("after" = Option<u64>, Query, description = "Erased above this height"),
    ),
    responses((status = 200, description = "The first ones; none when there are no more", body = Vec<ErasedAnswer>))
)]
pub fn list_erasures() {}

/// Lists an outlet's cameras, for its owner and its video agents.
///
/// They bring the cookie `hotpot_watch=UNTIL.0xSIGNATURE`, a signature over `WatchCameras`.
#[utoipa::path(
    get, path = "/api/v1/outlets/{outlet}/cameras", tag = "video",
    params(("outlet" = u64, Path, description = "Where")),
    security(("watch" = [])),
    responses((status = 200, description = "The cameras, as the video agent says", body = Vec<CameraAnswer>))
)]
pub fn list_cameras() {}

/// Ends the public stream of a camera, or lets it go on where consent allows it.
#[utoipa::path(
    put, path = "/api/v1/outlets/{outlet}/cameras/{camera}/push", tag = "video",
    params(
        ("outlet" = u64, Path, description = "Where"),
        ("camera" = u64, Path, description = "The outlet's number of the camera"),
    ),
    request_body = PushSwitch,
    security(("watch" = [])),
    responses((status = 200, description = "The camera after it", body = CameraAnswer))
)]
pub fn switch_push() {}
