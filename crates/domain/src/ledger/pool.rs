//! The pool: receipts that nobody claimed go there, and every year it is shared out among the holders.

use super::changes::Overlay;
use super::staking::to_pending;
use crate::sale::{Beneficiary, SaleEntry, apportion};
use alloy_primitives::Address;

/// Where a sale stands with its receipt.
pub(super) enum Receipt {
    /// There is none, or it was claimed.
    Settled,
    /// It may be claimed until then.
    OpenUntil(u64),
    /// Its units went to the pool.
    Expired(u64),
}

/// Moves the units of an unclaimed receipt to the pool once its time is over.
pub(super) fn expire_receipt(state: &mut Overlay<'_>, entry: &mut SaleEntry) -> Receipt {
    let until_ms = entry.recorded_at_ms.saturating_add(state.core().parameters.receipt_ms);
    let is_open = state.time_ms() < until_ms;
    let unclaimed = entry.shares.iter_mut().find(|share| matches!(share.to, Beneficiary::Receipt(_)));
    match unclaimed {
        None => Receipt::Settled,
        Some(share) if share.outstanding() == 0 => Receipt::Settled,
        Some(_) if is_open => Receipt::OpenUntil(until_ms),
        Some(share) => {
            share.to = Beneficiary::Pool;
            let units = share.outstanding();
            let supply = &mut state.core_mut().supply;
            supply.receipts -= units;
            supply.pool += units;
            Receipt::Expired(units)
        }
    }
}

/// Shares the pool out when its time has come: in proportion to released and bonded units, largest remainder first,
/// the lower address first among equal ones. What each holder gets goes to pending.
pub(super) fn share_out(state: &mut Overlay<'_>) -> Vec<(Address, u64)> {
    if state.time_ms() < state.core().pool_due_ms {
        return Vec::new();
    }
    let holders: Vec<(Address, u64)> =
        state.accounts().into_iter().map(|(address, account)| (address, account.released)).collect();
    let weights: Vec<u64> =
        holders.iter().map(|(address, released)| released + state.stake(*address).total()).collect();
    let (time_ms, height) = (state.time_ms(), state.core().height);
    let core = state.core_mut();
    core.pool_due_ms = time_ms.saturating_add(core.parameters.pool_ms);
    if weights.iter().all(|weight| *weight == 0) {
        return Vec::new();
    }
    core.pool_shared_to = height;
    let parts = apportion(std::mem::take(&mut core.supply.pool), &weights);
    let gets = holders.into_iter().zip(parts).map(|((address, _), units)| (address, units));
    let gets: Vec<(Address, u64)> = gets.filter(|(_, units)| *units > 0).collect();
    for (address, units) in &gets {
        to_pending(state, *address, *units);
    }
    gets
}
