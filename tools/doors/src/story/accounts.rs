//! Accounts ask for what is theirs.

use crate::actor::Actor::{self, Founder, Owner, Stranger};
use crate::draft::{Document, Draft};
use crate::walk::Walk;
use anyhow::Result;
use serde_json::json;

/// An account for itself, the founder for everybody. All is signed before: it has to come before an epoch's end.
pub fn ask_for_payouts(walk: &mut Walk) -> Result<()> {
    walk.group("Accounts ask for a payout, the founder for everybody's");
    let own = payout(walk, Owner, "payout", Owner)?;
    let foreign = payout(walk, Stranger, "payout-foreign", Owner)?;
    let nothing = payout(walk, Stranger, "payout-nothing", Stranger)?;
    let twice = walk.sign(Owner, "payout-twice", own.unsigned().plus("nonce", 1))?;
    let everybodys = Draft::of(json!({"type": "full_settlement"}));
    let settle_owner = walk.sign(Owner, "settle-owner", everybodys.clone())?;
    let settle = walk.sign(Founder, "settle", everybodys)?;
    walk.network().come_to_rest()?;

    walk.door(Owner, "asks", &own).expect(201)?;
    walk.door(Owner, "the same again", &own).expect(200)?;
    walk.door(Owner, "asks before it is paid", &twice)
        .refuse(409, "payout_already_due")?;
    walk.door(Stranger, "asks for the owner", &foreign)
        .refuse(403, "wrong_signer")?;
    walk.door(Stranger, "asks, but has nothing", &nothing)
        .refuse(403, "nothing_released")?;
    walk.door(Owner, "asks for a full settlement", &settle_owner)
        .refuse(403, "wrong_signer")?;
    walk.door(Founder, "asks for a full settlement", &settle)
        .expect(201)?;
    walk.door(Founder, "the same again", &settle).expect(200)
}

fn payout(walk: &Walk, who: Actor, name: &'static str, account: Actor) -> Result<Document> {
    let account = walk.address(account)?;
    let draft = json!({"type": "request_payout", "account": account});
    walk.sign(who, name, Draft::of(draft))
}
