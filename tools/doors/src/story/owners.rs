//! Owners enrol terminals and revoke them.

use crate::actor::Actor::{self, Franchisee, Owner, Stranger, Till1, Till2, Till3, Till4};
use crate::draft::{Document, Draft};
use crate::walk::{Order, Walk};
use anyhow::Result;
use serde_json::json;

/// Tills 1 and 2 at A, till 3 at B.
pub fn enrol_terminals(walk: &mut Walk) -> Result<()> {
    walk.group("Owners enrol terminals; nonces only grow");
    let (a, b) = (walk.a, walk.b);

    let enrol_1 = enrol(walk, Owner, "enrol-1", (a, Till1))?;
    walk.door(Owner, "enrols till 1", &enrol_1).expect(201)?;
    walk.door(Owner, "the same again", &enrol_1).expect(200)?;
    nonces_only_grow(walk, &enrol_1)?;

    let enrol_3 = enrol(walk, Franchisee, "enrol-3", (b, Till3))?;
    walk.door(Franchisee, "enrols till 3 at B", &enrol_3)
        .expect(201)?;
    let elsewhere = enrol(walk, Franchisee, "enrol-elsewhere", (b, Till1))?;
    walk.door(Franchisee, "enrols A's till 1 at B", &elsewhere)
        .refuse(409, "terminal_exists")?;
    let foreign = enrol(walk, Franchisee, "enrol-foreign", (a, Till4))?;
    walk.door(Franchisee, "enrols a till at A", &foreign)
        .refuse(403, "wrong_signer")
}

fn nonces_only_grow(walk: &mut Walk, enrol_1: &Document) -> Result<()> {
    let till_2 = enrol_1.unsigned().with("terminal", walk.address(Till2)?);
    let used = walk.sign(Owner, "nonce-used", till_2)?;
    walk.door(Owner, "enrols till 2 with the nonce that was used", &used)
        .refuse(422, "stale_nonce")?;

    let gap = walk.sign(Owner, "nonce-gap", used.unsigned().plus("nonce", 10))?;
    walk.door(Owner, "enrols till 2 with a nonce ten greater", &gap)
        .expect(201)?;

    let till_4 = enrol_1.unsigned().with("terminal", walk.address(Till4)?);
    let within = walk.sign(Owner, "nonce-in-gap", till_4.plus("nonce", 5))?;
    walk.door(Owner, "enrols till 4 with a nonce of the gap", &within)
        .refuse(422, "stale_nonce")
}

/// A revoked terminal can only repeat what it had said before.
pub fn revoke_terminals(walk: &mut Walk, sale_of_till_2: &Document) -> Result<()> {
    walk.group("A revoked terminal never sells again");
    let a = walk.a;

    let strange = revoke(walk, Stranger, "revoke-strange", Till2)?;
    walk.door(Stranger, "revokes till 2", &strange)
        .refuse(403, "wrong_signer")?;
    let revoke = revoke(walk, Owner, "revoke-2", Till2)?;
    walk.door(Owner, "revokes till 2", &revoke).expect(201)?;
    walk.door(Owner, "the same again", &revoke).expect(200)?;
    what_a_revoked_terminal_sends(walk, sale_of_till_2)?;

    let again = enrol(walk, Owner, "enrol-again", (a, Till2))?;
    walk.door(Owner, "enrols till 2 again", &again)
        .refuse(409, "terminal_exists")
}

fn what_a_revoked_terminal_sends(walk: &mut Walk, before: &Document) -> Result<()> {
    let a = walk.a;
    let sale = walk.sale(Till2, "sale-revoked", Order::at(a, 500))?;
    walk.door(Till2, "sells", &sale)
        .refuse(403, "revoked_terminal")?;
    walk.door(Till2, "sends a sale of before again", before)
        .expect(200)?;
    let refund = walk.refund(Till2, "refund-revoked", before, a, 1)?;
    walk.door(Till2, "refunds", &refund)
        .refuse(403, "revoked_terminal")
}

fn enrol(
    walk: &Walk,
    who: Actor,
    name: &'static str,
    (outlet, till): (u64, Actor),
) -> Result<Document> {
    let terminal = walk.address(till)?;
    let draft = json!({
        "type": "register_terminal", "outlet": outlet, "terminal": terminal, "kind": "physical",
    });
    walk.sign(who, name, Draft::of(draft))
}

fn revoke(walk: &Walk, who: Actor, name: &'static str, till: Actor) -> Result<Document> {
    let terminal = walk.address(till)?;
    let draft = json!({"type": "revoke_terminal", "outlet": walk.a, "terminal": terminal});
    walk.sign(who, name, Draft::of(draft))
}
