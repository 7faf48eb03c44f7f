//! Guests and owners allow cameras; the video agent pins what was recorded, and erases it.

use crate::actor::Actor::{self, Agent, Franchisee, Guest, Owner, Stranger, Thief};
use crate::actor::Actor::{Till1, Till3, Till4};
use crate::draft::{Document, Draft};
use crate::walk::{Order, Walk};
use anyhow::Result;
use domain::{Cid, keccak256};
use serde_json::json;
use service_kit::clock::now_ms;

/// At the guest's table.
const TABLE: u64 = 3;
/// In the kitchen, where no guest is.
const KITCHEN: u64 = 9;
const DAY_MS: u64 = 86_400_000;
const HOUR_MS: u64 = 3_600_000;
/// Of every recording here.
const LENGTH_MS: u64 = 4_000;
/// Before the digest of a content id: version 1, raw bytes, SHA-256, 32 bytes of it.
const CID_PREFIX: [u8; 4] = [0x01, 0x55, 0x12, 0x20];

/// What was allowed.
#[derive(Debug)]
pub struct Allowed {
    /// By the guest, for the camera at the table.
    consent: Document,
    /// By the owner, for the kitchen.
    basis: Document,
}

/// By a guest that a till saw, or by the owner on a legal basis.
pub fn are_allowed(walk: &mut Walk) -> Result<Allowed> {
    walk.group("A camera is recorded with a guest's consent that a till saw, or with the owner's legal basis");
    an_agent_is_enrolled(walk)?;
    let consent = by_a_guest(walk)?;
    what_no_till_saw(walk, &consent)?;
    seen_by_the_wrong_till(walk)?;
    let basis = by_the_owner(walk)?;
    Ok(Allowed { consent, basis })
}

fn an_agent_is_enrolled(walk: &mut Walk) -> Result<()> {
    let agent = json!({
        "type": "register_terminal", "outlet": walk.a, "terminal": walk.address(Agent)?,
        "kind": "video_agent",
    });
    let enrol = walk.sign(Owner, "enrol-agent", Draft::of(agent))?;
    walk.door(Owner, "enrols a video agent", &enrol)
        .expect(201)?;
    let sale = walk.sale(Agent, "sale-agent", Order::at(walk.a, 500))?;
    walk.door(Agent, "sells", &sale)
        .refuse(403, "wrong_terminal_kind")
}

fn by_a_guest(walk: &mut Walk) -> Result<Document> {
    let consent = walk.consent("consent", TABLE, Till1)?;
    walk.door(Guest, "allows camera 3, seen by till 1", &consent)
        .expect(201)?;
    walk.door(Guest, "the same again", &consent).expect(200)?;

    // The id is the content's: who signs it wrong learns that it stands.
    let stolen = walk.sign(Thief, "consent-stolen", consent.unsigned())?;
    walk.door(Thief, "allows it in the guest's name, too late", &stolen)
        .expect(200)?;
    Ok(consent)
}

fn what_no_till_saw(walk: &mut Walk, consent: &Document) -> Result<()> {
    let other = format!("0x{}", "00".repeat(32));
    let other = consent.unsigned().with("commitment", other);
    let strange = walk.sign(Guest, "consent-strange", other)?;
    walk.door(Guest, "allows what the till did not see", &strange)
        .refuse(422, "bad_witness_signature")?;

    let own = consent.unsigned().with("witness", walk.address(Guest)?);
    let alone = walk.sign(Guest, "consent-alone", own)?;
    walk.door(Guest, "allows it with no till at all", &alone)
        .refuse(403, "unknown_terminal")
}

fn seen_by_the_wrong_till(walk: &mut Walk) -> Result<()> {
    let unknown = walk.consent("consent-unknown", TABLE, Till4)?;
    walk.door(
        Guest,
        "allows it, seen by a till that nobody enrolled",
        &unknown,
    )
    .refuse(403, "unknown_terminal")?;
    let elsewhere = walk.consent("consent-elsewhere", TABLE, Till3)?;
    walk.door(Guest, "allows it, seen by a till of B", &elsewhere)
        .refuse(403, "wrong_outlet")?;
    let agent = walk.consent("consent-agent", TABLE, Agent)?;
    walk.door(Guest, "allows it, seen by the video agent", &agent)
        .refuse(403, "wrong_terminal_kind")
}

fn by_the_owner(walk: &mut Walk) -> Result<Document> {
    let basis = json!({
        "type": "record_legal_basis", "outlet": walk.a, "camera": KITCHEN, "kind": "chef",
        "notice_hash": format!("0x{}", "ee".repeat(32)), "retention_days": 3,
        "until_ms": now_ms() + DAY_MS,
    });
    let basis = walk.sign(Owner, "basis", Draft::of(basis))?;
    let foreign = basis.unsigned().without("nonce");
    let foreign = walk.sign(Franchisee, "basis-foreign", foreign)?;
    walk.door(Franchisee, "has a legal basis at A", &foreign)
        .refuse(403, "wrong_signer")?;
    walk.door(Owner, "has a legal basis for the kitchen", &basis)
        .expect(201)?;

    let long = basis.unsigned().with("retention_days", 31);
    let long = walk.sign(Owner, "basis-long", long.without("nonce"))?;
    walk.door(Owner, "keeps recordings for 31 days", &long)
        .refuse(422, "retention_out_of_bounds")?;
    Ok(basis)
}

/// What is pinned on the ledger, and who may take it off.
pub fn pin_and_erase(walk: &mut Walk, allowed: &Allowed) -> Result<()> {
    walk.group("A video agent pins what a consent allows, and erases it");
    let consent = walk.network().id_of_transaction(allowed.consent.text())?;
    let basis = walk.network().id_of_transaction(allowed.basis.text())?;

    let table = pins_the_table(walk, &consent)?;
    let kitchen = pin(walk, Agent, "pin-kitchen", &Take::of(KITCHEN, &basis))?;
    walk.door(Agent, "pins a recording of the kitchen", &kitchen)
        .expect(201)?;
    pins_by_others(walk, &consent)?;
    pins_that_nobody_allowed(walk, &consent)?;

    let late = pin(walk, Agent, "pin-late", &Take::of(TABLE, &consent))?;
    revocations(walk, &consent, &allowed.consent)?;
    walk.door(Agent, "pins what was recorded before the revocation", &late)
        .refuse(403, "consent_revoked")?;
    erasures(walk, &table, &kitchen, &late)?;
    everybody_reads(walk, &consent, &table, &late)
}

fn pins_the_table(walk: &mut Walk, consent: &str) -> Result<Document> {
    let pinned = pin(walk, Agent, "pin-1", &Take::of(TABLE, consent))?;
    walk.door(Agent, "pins a recording of the table", &pinned)
        .expect(201)?;
    walk.door(Agent, "the same again", &pinned).expect(200)?;

    let other = pinned.unsigned().with("sequence", 2);
    let conflict = walk.sign(Agent, "pin-conflict", other)?;
    walk.door(Agent, "other content under the same content id", &conflict)
        .refuse(409, "recording_conflict")?;
    Ok(pinned)
}

fn pins_by_others(walk: &mut Walk, consent: &str) -> Result<()> {
    let till = pin(walk, Till1, "pin-till", &Take::of(TABLE, consent))?;
    walk.door(Till1, "pins", &till)
        .refuse(403, "wrong_terminal_kind")?;
    let strange = pin(walk, Stranger, "pin-strange", &Take::of(TABLE, consent))?;
    walk.door(Stranger, "pins", &strange)
        .refuse(403, "unknown_terminal")
}

fn pins_that_nobody_allowed(walk: &mut Walk, consent: &str) -> Result<()> {
    let camera = pin(walk, Agent, "pin-camera", &Take::of(TABLE + 1, consent))?;
    walk.door(Agent, "pins a recording of camera 4", &camera)
        .refuse(403, "wrong_consent")?;
    let none = format!("0x{}", "11".repeat(32));
    let nobody = pin(walk, Agent, "pin-nobody", &Take::of(TABLE, &none))?;
    walk.door(Agent, "pins a recording that nobody allowed", &nobody)
        .refuse(422, "unknown_consent")?;
    let before = Take::of(TABLE, consent).an_hour_ago();
    let early = pin(walk, Agent, "pin-early", &before)?;
    walk.door(Agent, "pins a recording of before the consent", &early)
        .refuse(403, "outside_consent")
}

fn revocations(walk: &mut Walk, consent: &str, signed: &Document) -> Result<()> {
    let draft = Draft::of(json!({"type": "revoke_consent", "consent": consent}));
    let strange = walk.sign(Stranger, "revoke-consent-strange", draft.clone())?;
    walk.door(Stranger, "revokes the guest's consent", &strange)
        .refuse(403, "wrong_signer")?;

    let revoke = walk.sign(Guest, "revoke-consent", draft)?;
    walk.door(Guest, "revokes", &revoke).expect(201)?;
    walk.door(Guest, "the same again", &revoke).expect(200)?;
    walk.door(Stranger, "sends the revoked consent again", signed)
        .expect(200)
}

fn erasures(
    walk: &mut Walk,
    table: &Document,
    kitchen: &Document,
    never_pinned: &Document,
) -> Result<()> {
    let till = erase(walk, Till1, "erase-till", (table, "revoked"))?;
    walk.door(Till1, "erases the recording", &till)
        .refuse(403, "wrong_terminal_kind")?;
    let agent = erase(walk, Agent, "erase-1", (table, "revoked"))?;
    walk.door(Agent, "erases the recording", &agent)
        .expect(201)?;
    walk.door(Agent, "the same again", &agent).expect(200)?;

    let owner = erase(walk, Owner, "erase-kitchen", (kitchen, "request"))?;
    walk.door(Owner, "erases a recording of the kitchen", &owner)
        .expect(201)?;
    let nothing = erase(walk, Agent, "erase-nothing", (never_pinned, "other"))?;
    walk.door(Agent, "erases what was never pinned", &nothing)
        .refuse(422, "unknown_recording")
}

fn everybody_reads(
    walk: &mut Walk,
    consent: &str,
    pinned: &Document,
    refused: &Document,
) -> Result<()> {
    let in_force = format!("/api/v1/outlets/{}/consents", walk.a);
    let camera = format!("{in_force}?camera={KITCHEN}");
    let consent = format!("/api/v1/consents/{consent}");
    walk.look(Stranger, "reads a consent", &consent)
        .expect(200)?;
    walk.look(Stranger, "reads what is in force for the kitchen", &camera)
        .expect(200)?;
    walk.look(Stranger, "reads what is in force for no camera", &in_force)
        .refuse(422, "bad_field")?;

    recordings_are_read(walk, &recording(pinned)?, &recording(refused)?)
}

fn recordings_are_read(walk: &mut Walk, pinned: &str, refused: &str) -> Result<()> {
    let proof = format!("{pinned}/proof");
    let once = "reads the proof of a recording, once it is in a signed checkpoint";
    walk.look(Stranger, "reads a recording", pinned)
        .expect(200)?;
    walk.look(Stranger, once, &proof).expect(200)?;

    walk.look(Stranger, "reads a recording that was refused", refused)
        .refuse(404, "not_found")?;
    let none = "/api/v1/recordings/Qm12";
    walk.look(Stranger, "reads a recording by what is no content id", none)
        .refuse(422, "bad_field")
}

/// Where a recording is read.
fn recording(pin: &Document) -> Result<String> {
    Ok(format!("/api/v1/recordings/{}", pin.text_of("cid")?))
}

/// What a camera recorded.
struct Take<'c> {
    camera: u64,
    consent: &'c str,
    ended_at_ms: u64,
}

impl<'c> Take<'c> {
    /// Just now, with this permission.
    fn of(camera: u64, consent: &'c str) -> Self {
        let ended_at_ms = now_ms();
        Self {
            camera,
            consent,
            ended_at_ms,
        }
    }

    const fn an_hour_ago(mut self) -> Self {
        self.ended_at_ms -= HOUR_MS;
        self
    }
}

fn pin(walk: &Walk, who: Actor, name: &'static str, take: &Take<'_>) -> Result<Document> {
    let draft = json!({
        "type": "pin_recording", "outlet": walk.a, "camera": take.camera, "consent": take.consent,
        "cid": new_cid(walk, name)?, "manifest_hash": format!("0x{}", "cd".repeat(32)), "sequence": 1,
        "started_at_ms": take.ended_at_ms - LENGTH_MS, "ended_at_ms": take.ended_at_ms,
    });
    walk.sign(who, name, Draft::of(draft))
}

/// A content id of its own for each recording of each walk: one is pinned once for ever.
fn new_cid(walk: &Walk, name: &str) -> Result<Cid> {
    let digest = keccak256(format!("{}/{name}", walk.a));
    let mut bytes = [0; 36];
    bytes[..4].copy_from_slice(&CID_PREFIX);
    bytes[4..].copy_from_slice(digest.as_slice());
    Ok(Cid::new(bytes)?)
}

fn erase(
    walk: &Walk,
    who: Actor,
    name: &'static str,
    (pinned, reason): (&Document, &str),
) -> Result<Document> {
    let cid = pinned.text_of("cid")?;
    let draft = json!({"type": "erase_recording", "outlet": walk.a, "cid": cid, "reason": reason});
    walk.sign(who, name, Draft::of(draft))
}
