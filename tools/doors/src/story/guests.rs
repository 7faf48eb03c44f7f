//! Guests claim what is on their receipts.

use super::terminals::Sold;
use crate::actor::Actor::{Guest, Thief};
use crate::draft::Document;
use crate::supply::Place::{Held, Unclaimed};
use crate::walk::Walk;
use anyhow::Result;

/// The claim that was taken.
pub fn claim(walk: &mut Walk, sold: &Sold) -> Result<Document> {
    walk.group("Guests claim with the code on the receipt");
    let claim = walk.claim("claim", &sold.receipt, Guest)?;
    let stolen = claim.unsigned().with("wallet", walk.address(Thief)?);
    let stolen = walk.sign(Thief, "claim-stolen", stolen)?;
    walk.door(Thief, "claims without the receipt's key", &stolen)
        .refuse(403, "wrong_signer")?;

    walk.door(Guest, "claims", &claim)
        .moves([Unclaimed - 49, Held + 49])
        .expect(201)?;
    walk.door(Guest, "the same again", &claim).expect(200)?;
    what_is_no_longer_or_never_there(walk, sold)?;
    Ok(claim)
}

fn what_is_no_longer_or_never_there(walk: &mut Walk, sold: &Sold) -> Result<()> {
    let late = walk.claim("claim-thief", &sold.receipt, Thief)?;
    walk.door(Thief, "claims with the code, too late", &late)
        .refuse(409, "claim_conflict")?;
    let nothing = walk.claim("claim-nothing", &sold.pool, Guest)?;
    walk.door(Guest, "claims a sale without a receipt", &nothing)
        .refuse(422, "no_receipt")?;
    let unknown = walk.claim("claim-unknown", &sold.late, Guest)?;
    walk.door(Guest, "claims a sale that was refused", &unknown)
        .refuse(422, "unknown_sale")
}
