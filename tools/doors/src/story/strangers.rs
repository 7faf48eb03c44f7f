//! Strangers read everything, and can do nothing.

use super::terminals::Sold;
use crate::actor::Actor::{Owner, Stranger};
use crate::draft::Document;
use crate::walk::{SALES, TRANSACTIONS, Walk, id_of};
use anyhow::Result;

/// What can be read without knowing anything.
const OPEN: [&str; 9] = [
    "genesis",
    "outlets",
    "validators",
    "validators?height=1",
    "supply",
    "blocks",
    "blocks?limit=1&cursor=2",
    "blocks/latest",
    "checkpoints/latest",
];
/// More than any request may have.
const TOO_MANY_BYTES: usize = 600_000;

/// Everybody reads.
pub fn read(walk: &mut Walk, sold: &Sold, claim: &Document) -> Result<()> {
    walk.group("Everybody reads");
    for name in OPEN {
        let (what, path) = (format!("reads {name}"), format!("/api/v1/{name}"));
        walk.look(Stranger, &what, &path).expect(200)?;
    }
    what_is_not_there(walk)?;
    what_happened(walk, sold, claim)?;
    accounts(walk)?;
    sales_that_are_not_there(walk, sold)
}

fn what_is_not_there(walk: &mut Walk) -> Result<()> {
    let to_come = "/api/v1/validators?height=999999999";
    walk.look(Stranger, "reads the validators of a block to come", to_come)
        .refuse(404, "not_found")?;
    let none = "/api/v1/blocks?limit=0";
    walk.look(Stranger, "reads no blocks at all", none)
        .refuse(422, "bad_field")?;
    let cursor = "/api/v1/blocks?cursor=latest";
    walk.look(Stranger, "reads blocks from a cursor that is none", cursor)
        .refuse(422, "bad_field")
}

fn what_happened(walk: &mut Walk, sold: &Sold, claim: &Document) -> Result<()> {
    let id = walk.network().id_of_transaction(claim.text())?;
    let transaction = format!("{TRANSACTIONS}/{id}");
    let sale = format!("{SALES}/{}/{}", walk.a, id_of(sold.wallet.name()));
    let proof = format!("{sale}/proof");
    let once = "reads the proof of a sale, once it is in a signed checkpoint";

    walk.look(Stranger, "reads a transaction", &transaction)
        .expect(200)?;
    walk.look(Stranger, "reads a sale", &sale).expect(200)?;
    walk.look(Stranger, once, &proof).expect(200)
}

fn accounts(walk: &mut Walk) -> Result<()> {
    let owner = format!("/api/v1/accounts/{}", walk.address(Owner)?);
    let stranger = format!("/api/v1/accounts/{}", walk.address(Stranger)?);
    walk.look(Stranger, "reads an account", &owner)
        .expect(200)?;
    walk.look(Stranger, "reads an account that has nothing", &stranger)
        .refuse(404, "not_found")
}

fn sales_that_are_not_there(walk: &mut Walk, sold: &Sold) -> Result<()> {
    let refused = format!("{SALES}/{}/{}", walk.a, id_of(sold.late.name()));
    let short = format!("{SALES}/{}/abc", walk.a);
    walk.look(Stranger, "reads a sale that is not there", &refused)
        .refuse(404, "not_found")?;
    walk.look(Stranger, "reads a sale with a short id", &short)
        .refuse(422, "bad_field")?;
    walk.look(Stranger, "reads an unknown path", "/api/v1/menu")
        .refuse(404, "not_found")
}

/// What is no transaction is refused by name.
pub fn knock(walk: &mut Walk, sold: &Sold, claim: &Document) -> Result<()> {
    walk.group("What is no transaction is refused by name");
    sales_of_another_form(walk, &sold.pool)?;
    sales_that_were_changed(walk, &sold.pool)?;
    what_is_no_transaction(walk, claim)?;

    walk.knock(Stranger, "posts where nothing is", "/api/v1/menu", claim)
        .refuse(404, "not_found")?;
    let read_only = "/api/v1/validators";
    walk.knock(Stranger, "posts where one can only read", read_only, claim)
        .refuse(405, "method_not_allowed")
}

fn sales_of_another_form(walk: &mut Walk, sale: &Document) -> Result<()> {
    let half = walk.keep("cut-off", sale.text().chars().take(100).collect())?;
    walk.knock(Stranger, "sends half a sale", SALES, &half)
        .refuse(400, "malformed_json")?;
    let tip = sale.forged().with("tip", 100).to_text();
    let tip = walk.keep("unknown-field", tip)?;
    walk.knock(Stranger, "sends a sale with an unknown field", SALES, &tip)
        .refuse(422, "bad_field")?;
    let free = sale.forged().without("total").to_text();
    let free = walk.keep("missing-field", free)?;
    walk.knock(Stranger, "sends a sale without its total", SALES, &free)
        .refuse(422, "bad_field")
}

fn sales_that_were_changed(walk: &mut Walk, sale: &Document) -> Result<()> {
    let sum = sale.forged().plus("total", 1).to_text();
    let sum = walk.keep("wrong-sum", sum)?;
    walk.knock(Stranger, "sends a sale that does not add up", SALES, &sum)
        .refuse(422, "lines_do_not_add_up")?;
    let line = sale.forged().with_in_line("name", "changed").to_text();
    let line = walk.keep("changed-line", line)?;
    let other = "sends a sale with another line than was signed";
    walk.knock(Stranger, other, SALES, &line)
        .refuse(422, "wrong_terminal_signature")?;

    let ones = format!("0x{}", "11".repeat(65));
    let none = sale.forged().with("signature", ones).to_text();
    let none = walk.keep("no-signature", none)?;
    let what = "sends a sale with a signature that is none";
    walk.knock(Stranger, what, SALES, &none)
        .refuse(422, "bad_signature")
}

fn what_is_no_transaction(walk: &mut Walk, claim: &Document) -> Result<()> {
    let mint = claim.forged().with("type", "mint").to_text();
    let mint = walk.keep("unknown-type", mint)?;
    let what = "sends a transaction of an unknown type";
    walk.knock(Stranger, what, TRANSACTIONS, &mint)
        .refuse(422, "bad_field")?;

    let large = walk.keep("too-large", format!("\"{}\"", "a".repeat(TOO_MANY_BYTES)))?;
    walk.knock(Stranger, "sends 600 kB", SALES, &large)
        .refuse(413, "body_too_large")
}
