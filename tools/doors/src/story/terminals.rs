//! Terminals sell: 100 units for each sale.

use crate::actor::Actor::{Stranger, Till1, Till2, Till3, Till4};
use crate::draft::Document;
use crate::supply::Place::{Held, Issued, Pool, Sales, Unclaimed};
use crate::walk::{Order, Walk, seconds};
use anyhow::Result;
use service_kit::clock::now_ms;

const HOUR_S: u64 = 3600;

/// Sales of outlet A that others come back to.
#[derive(Debug)]
pub struct Sold {
    /// To nobody in particular.
    pub pool: Document,
    /// To a member's wallet.
    pub wallet: Document,
    /// With a receipt.
    pub receipt: Document,
    /// Refused.
    pub late: Document,
}

/// What till 1 may sell, and what it may not.
pub fn sell(walk: &mut Walk) -> Result<Sold> {
    walk.group("Terminals sell: 100 units for each sale");
    let pool = to_nobody(walk)?;
    ids_are_used_once(walk, &pool)?;
    let (wallet, receipt) = to_somebody(walk)?;
    let late = at_other_times(walk)?;
    at_other_places(walk)?;
    in_another_currency(walk, &late)?;

    Ok(Sold {
        pool,
        wallet,
        receipt,
        late,
    })
}

fn to_nobody(walk: &mut Walk) -> Result<Document> {
    let sale = walk.sale(Till1, "sale-pool", Order::at(walk.a, 1200))?;
    walk.door(Till1, "sells to nobody in particular", &sale)
        .moves([Issued + 100, Held + 51, Pool + 49, Sales + 1])
        .expect(201)?;
    walk.door(Till1, "the same again", &sale).expect(200)?;
    Ok(sale)
}

fn ids_are_used_once(walk: &mut Walk, sale: &Document) -> Result<()> {
    let other = sale.unsigned().with("total", 1300);
    let other = other.with_in_line("unit_price", 1300);
    let conflict = walk.sign(Till1, "sale-conflict", other)?;
    walk.door(Till1, "other content under the same id", &conflict)
        .refuse(409, "sale_conflict")?;

    let same = sale.unsigned().without("terminal").without("lines_salt");
    let same = walk.sign(Till2, "sale-other-till", same)?;
    walk.door(Till2, "the same id at another till of the outlet", &same)
        .refuse(409, "sale_conflict")
}

fn to_somebody(walk: &mut Walk) -> Result<(Document, Document)> {
    let order = Order::at(walk.a, 1000).to_a_wallet();
    let wallet = walk.sale(Till1, "sale-wallet", order)?;
    walk.door(Till1, "sells to a member's wallet", &wallet)
        .moves([Issued + 100, Held + 100, Sales + 1])
        .expect(201)?;

    let order = Order::at(walk.a, 1698).for_a_receipt();
    let receipt = walk.sale(Till1, "sale-receipt", order)?;
    walk.door(Till1, "sells for a receipt", &receipt)
        .moves([Issued + 100, Held + 51, Unclaimed + 49, Sales + 1])
        .expect(201)?;
    Ok((wallet, receipt))
}

/// 72 hours back and ten seconds ahead are allowed; a minute is more by enough, for signing takes a moment.
fn at_other_times(walk: &mut Walk) -> Result<Document> {
    let order = Order::at(walk.a, 500);
    let offline = walk.sale(Till1, "sale-offline", order.seconds_ago(71 * HOUR_S))?;
    walk.door(Till1, "sends a sale of 71 hours ago", &offline)
        .moves([Issued + 100, Held + 51, Pool + 49, Sales + 1])
        .expect(201)?;

    let late = walk.sale(Till1, "sale-late", order.seconds_ago(73 * HOUR_S))?;
    walk.door(Till1, "sends a sale of 73 hours ago", &late)
        .refuse(422, "too_late")?;
    let order = Order::at(walk.a, 500).seconds_ahead(60);
    let ahead = walk.sale(Till1, "sale-ahead", order)?;
    walk.door(Till1, "sends a sale a minute ahead", &ahead)
        .refuse(422, "too_far_ahead")?;
    Ok(late)
}

fn at_other_places(walk: &mut Walk) -> Result<()> {
    let unknown = walk.sale(Till4, "sale-unknown", Order::at(walk.a, 500))?;
    walk.door(Stranger, "sells at a till that nobody enrolled", &unknown)
        .refuse(403, "unknown_terminal")?;
    let elsewhere = walk.sale(Till1, "sale-elsewhere", Order::at(walk.b, 500))?;
    walk.door(Till1, "sells at B", &elsewhere)
        .refuse(403, "wrong_outlet")?;

    let forged = unknown.forged().with("terminal", walk.address(Till1)?);
    let forged = walk.keep("sale-forged", forged.to_text())?;
    walk.door(Stranger, "sells in till 1's name", &forged)
        .refuse(422, "wrong_terminal_signature")
}

fn in_another_currency(walk: &mut Walk, sale: &Document) -> Result<()> {
    let euros = sale.unsigned().with("currency", "EUR");
    let euros = euros.with("occurred_at", seconds(now_ms()));
    let sale = walk.sign(Till1, "sale-currency", euros)?;
    walk.door(Till1, "sells in another currency", &sale)
        .refuse(422, "wrong_currency")
}

/// Outlet B may sell twice a day.
pub fn of_a_franchisee_sell(walk: &mut Walk) -> Result<()> {
    walk.group(
        "A franchisee's sale: 48 owner, 3 founder, 49 buyer; beyond the quota nothing is issued",
    );
    let b = walk.b;

    for name in ["royalty-1", "royalty-2"] {
        let sale = walk.sale(Till3, name, Order::at(b, 700))?;
        walk.door(Till3, "sells", &sale)
            .moves([Issued + 100, Held + 51, Pool + 49, Sales + 1])
            .expect(201)?;
    }

    let third = walk.sale(Till3, "royalty-3", Order::at(b, 700))?;
    walk.door(Till3, "sells a third time today", &third)
        .moves([Sales + 1])
        .expect(201)
}
