//! The founder opens outlets and binds contracts.

use crate::actor::Actor::{self, Founder, Franchisee, Owner, Registrar, Stranger};
use crate::draft::{Document, Draft};
use crate::walk::Walk;
use anyhow::{Context, Result};
use serde_json::json;

/// So many sales a day that nobody reaches it.
const NO_QUOTA: u32 = u32::MAX;

/// Outlets that the registrar approved.
pub fn opens_outlets(walk: &mut Walk) -> Result<()> {
    walk.group(
        "The founder opens outlets that the registrar approved: A run by its owner, B by a franchisee, two sales a day",
    );
    opens_a(walk)?;
    let open_b = opens_b(walk)?;
    approvals_are_used_once(walk, &open_b)?;
    nobody_else_opens_outlets(walk)
}

fn opens_a(walk: &mut Walk) -> Result<()> {
    let draft = approved(walk, walk.a, Owner, ("owner_operated", NO_QUOTA))?;
    let open = walk.sign(Founder, "open-a", draft)?;
    walk.door(Founder, "opens outlet A", &open).expect(201)?;
    walk.door(Founder, "the same again", &open).expect(200)?;

    let twice = open.unsigned().without("nonce");
    let twice = walk.sign(Founder, "open-a-twice", twice)?;
    walk.door(Founder, "opens A with the next nonce", &twice)
        .refuse(409, "outlet_exists")
}

fn opens_b(walk: &mut Walk) -> Result<Document> {
    let draft = approved(walk, walk.b, Franchisee, ("franchised", 2))?;
    let open = walk.sign(Founder, "open-b", draft)?;
    walk.door(Founder, "opens outlet B", &open).expect(201)?;
    Ok(open)
}

fn approvals_are_used_once(walk: &mut Walk, open_b: &Document) -> Result<()> {
    let twice = open_b.unsigned().plus("outlet", 1).without("nonce");
    let twice = walk.sign(Founder, "approval-twice", twice)?;
    walk.door(Founder, "opens another outlet with B's approval", &twice)
        .refuse(403, "wrong_registrar")
}

fn nobody_else_opens_outlets(walk: &mut Walk) -> Result<()> {
    let draft = approved(walk, walk.b + 1, Stranger, ("owner_operated", 1))?;
    let open = walk.sign(Stranger, "open-strange", draft)?;
    walk.door(Stranger, "opens an outlet that was approved", &open)
        .refuse(403, "wrong_signer")?;

    let draft = open.unsigned().without("nonce");
    let open = walk.sign(Registrar, "open-registrar", draft)?;
    walk.door(Registrar, "opens it", &open)
        .refuse(403, "wrong_signer")
}

/// A draft of the founder's with the registrar's approval, for an outlet of some kind with so many sales a day.
fn approved(walk: &Walk, outlet: u64, owner: Actor, (kind, quota): (&str, u32)) -> Result<Draft> {
    let approval = walk.approval(outlet, owner)?;
    Ok(approval
        .with("type", "register_outlet")
        .with("outlet", outlet)
        .with("owner", walk.address(owner)?)
        .with("kind", kind)
        .with("city", "Tbilisi")
        .with("currency", "GEL")
        .with("quota_per_day", quota)
        .with("terminal_quota_per_day", NO_QUOTA))
}

/// The contracts in force bound again, wrongly in one thing each.
pub fn binds_contracts(walk: &mut Walk) -> Result<()> {
    walk.group("Only the founder binds contracts, and the token stays");
    let status = walk.network().status()?;
    let (token, anchor) = status.token.zip(status.anchor).context("no contracts")?;
    let next = status.epoch + 1;
    let bound = Draft::of(json!({
        "type": "set_anchor", "token": token, "anchor": anchor, "from_epoch": next,
        "validators_hash": format!("0x{}", "0".repeat(64)),
    }));

    let bind = walk.sign(Owner, "bind-owner", bound.clone())?;
    walk.door(Owner, "binds contracts", &bind)
        .refuse(403, "wrong_signer")?;
    other_contracts(walk, &bound)?;
    other_epochs_and_validators(walk, &bound, next)
}

fn other_contracts(walk: &mut Walk, bound: &Draft) -> Result<()> {
    let token = bound
        .clone()
        .with("token", format!("0x{}", "ab".repeat(20)));
    let bind = walk.sign(Founder, "bind-token", token)?;
    walk.door(Founder, "binds another token", &bind)
        .refuse(409, "token_fixed")?;

    let account = bound.clone().with("anchor", walk.address(Owner)?);
    let bind = walk.sign(Founder, "bind-account", account)?;
    walk.door(Founder, "binds an account", &bind)
        .refuse(422, "bad_contract")
}

fn other_epochs_and_validators(walk: &mut Walk, bound: &Draft, next: u64) -> Result<()> {
    let past = bound.clone().with("from_epoch", 0);
    let past = walk.sign(Founder, "bind-past", past)?;
    walk.door(Founder, "binds for an epoch that is over", &past)
        .refuse(422, "epoch_passed")?;

    let others = past.unsigned().with("from_epoch", next).without("nonce");
    let others = walk.sign(Founder, "bind-validators", others)?;
    walk.door(Founder, "binds for other validators", &others)
        .refuse(422, "wrong_validators")
}
