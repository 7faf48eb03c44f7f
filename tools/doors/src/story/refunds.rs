//! Money is given back, and units with it.

use super::terminals::Sold;
use crate::actor::Actor::{Owner, Stranger, Till1, Till2, Till3};
use crate::draft::Document;
use crate::supply::Place::{Debt, Held, Issued, Pool, Released, Sales, Unclaimed};
use crate::walk::{Order, Walk};
use anyhow::Result;

/// Units that are not released yet are taken back where they are.
pub fn before_the_release(walk: &mut Walk, sold: &Sold) -> Result<()> {
    walk.group("Refunds before the units are released: they are taken back where they are");
    let a = walk.a;
    let order = Order::at(a, 1000).for_a_receipt();
    let sale = walk.sale(Till1, "sale-returned", order)?;
    let half = walk.refund(Till1, "refund-half", &sale, a, 500)?;
    let third = walk.refund(Till1, "refund-third", &sale, a, 333)?;

    walk.network().come_to_rest()?;
    walk.door(Till1, "sells for a receipt", &sale)
        .moves([Issued + 100, Held + 51, Unclaimed + 49, Sales + 1])
        .expect(201)?;
    walk.gives_back(Till1, "gives half of the money back", &half, &sale)?;
    walk.gives_back(Till1, "gives another third back", &third, &sale)?;
    walk.door(Till1, "the same again", &half).expect(200)?;
    amounts_that_cannot_be(walk, &sale, &half)?;
    refunds_by_others(walk, &sale, sold)
}

fn amounts_that_cannot_be(walk: &mut Walk, sale: &Document, half: &Document) -> Result<()> {
    let a = walk.a;
    let other = half.unsigned().with("amount", 501);
    let conflict = walk.sign(Till1, "refund-conflict", other)?;
    walk.door(Till1, "other content under the same id", &conflict)
        .refuse(409, "refund_conflict")?;

    let much = walk.refund(Till1, "refund-much", sale, a, 168)?;
    walk.door(Till1, "gives more back than is left", &much)
        .refuse(422, "refund_out_of_bounds")?;
    let nothing = walk.refund(Till1, "refund-nothing", sale, a, 0)?;
    walk.door(Till1, "gives nothing back", &nothing)
        .refuse(422, "refund_out_of_bounds")
}

fn refunds_by_others(walk: &mut Walk, sale: &Document, sold: &Sold) -> Result<()> {
    let a = walk.a;
    let strange = walk.refund(Stranger, "refund-strange", sale, a, 1)?;
    walk.door(Stranger, "refunds", &strange)
        .refuse(403, "unknown_terminal")?;
    let elsewhere = walk.refund(Till3, "refund-elsewhere", sale, a, 1)?;
    walk.door(Till3, "refunds a sale of A", &elsewhere)
        .refuse(403, "wrong_outlet")?;
    let unknown = walk.refund(Till2, "refund-unknown", &sold.late, a, 1)?;
    walk.door(Till2, "refunds a sale that was refused", &unknown)
        .refuse(422, "unknown_sale")
}

/// Units that are released are the owner's debt, which the next ones pay: two sales of A. Gives the second.
pub fn after_the_release(walk: &mut Walk, sold: &Sold) -> Result<Document> {
    walk.group(
        "Refunds after the release: the owner owes the units, and pays with those that mature next",
    );
    walk.network().come_to_rest()?;
    let all = walk.refund(Owner, "refund-all", &sold.wallet, walk.a, 1000)?;
    walk.gives_back(Owner, "gives all the money back", &all, &sold.wallet)?;
    walk.door(Owner, "the same again", &all).expect(200)?;

    a_sale_pays_for_the_debt(walk)?;
    a_sale_pays_for_the_rest(walk)
}

fn a_sale_pays_for_the_debt(walk: &mut Walk) -> Result<()> {
    let before = walk.network().supply()?;
    let sale = walk.sale(Till1, "sale-pays-debt", Order::at(walk.a, 900))?;
    walk.door(Till1, "sells", &sale)
        .moves([Issued + 100, Held + 51, Pool + 49, Sales + 1])
        .expect(201)?;
    walk.epoch_ends(
        "the owner's 51 units pay for the debt",
        &before,
        [Issued + 100, Pool + 49, Sales + 1, Debt - 51],
    )
}

fn a_sale_pays_for_the_rest(walk: &mut Walk) -> Result<Document> {
    let before = walk.network().supply()?;
    let sale = walk.sale(Till2, "sale-frees", Order::at(walk.a, 900))?;
    walk.door(Till2, "sells", &sale)
        .moves([Issued + 100, Held + 51, Pool + 49, Sales + 1])
        .expect(201)?;
    walk.epoch_ends(
        "49 units pay for the rest, 2 are released",
        &before,
        [Issued + 100, Pool + 49, Sales + 1, Debt - 49, Released + 2],
    )?;
    Ok(sale)
}
