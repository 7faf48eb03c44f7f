//! What is told of a walk: a module for each group of people, a function for each thing that they do.

mod accounts;
mod cameras;
mod founder;
mod guests;
mod owners;
mod refunds;
mod strangers;
mod terminals;

use crate::supply::Place::{Issued, Pool, Released, Sales};
use crate::walk::Walk;
use anyhow::Result;

/// The whole walk, in the order in which each thing leads to the next.
pub fn tell(walk: &mut Walk) -> Result<()> {
    walk.network().come_to_rest()?;
    founder::opens_outlets(walk)?;
    owners::enrol_terminals(walk)?;

    let before = walk.network().supply()?;
    let sold = terminals::sell(walk)?;
    let claim = guests::claim(walk, &sold)?;
    terminals::of_a_franchisee_sell(walk)?;
    let moves = [Issued + 600, Released + 404, Pool + 196, Sales + 7];
    walk.epoch_ends("what is pending is released", &before, moves)?;

    refunds::before_the_release(walk, &sold)?;
    let last_sale = refunds::after_the_release(walk, &sold)?;
    let allowed = cameras::are_allowed(walk)?;
    cameras::pin_and_erase(walk, &allowed)?;
    owners::revoke_terminals(walk, &last_sale)?;
    accounts::ask_for_payouts(walk)?;
    founder::binds_contracts(walk)?;
    strangers::read(walk, &sold, &claim)?;
    strangers::knock(walk, &sold, &claim)
}
