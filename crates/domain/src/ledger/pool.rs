//! The pool: receipts that nobody claimed go there, and every year it is shared out among the holders.

use super::Event;
use super::changes::Overlay;
use super::staking::to_pending;
use crate::sale::apportion_units;
use alloy_primitives::Address;

/// Moves the units of receipts to the pool whose time is over. The sales are not written: whose receipt is over,
/// follows from when they were recorded.
pub(super) fn expire_receipts(state: &mut Overlay<'_>) -> Option<Event> {
    let core = state.core_mut();
    let to_ms = core
        .time_ms
        .checked_sub(core.parameters.receipt_ms)?
        .max(core.receipts_expired_to_ms);
    core.receipts_expired_to_ms = to_ms;
    let units = state.take_receipts(to_ms);
    let supply = &mut state.core_mut().supply;
    supply.receipts -= units;
    supply.pool += units;
    (units > 0).then_some(Event::ReceiptsExpired { to_ms, units })
}

/// Shares the pool out when its time has come: in proportion to released and bonded units, largest remainder first,
/// the lower address first among equal ones. What each holder gets goes to pending.
pub(super) fn share_out(state: &mut Overlay<'_>) -> Vec<(Address, u64)> {
    if state.time_ms() < state.core().pool_due_ms {
        return Vec::new();
    }

    let holders: Vec<(Address, u64)> = state
        .accounts()
        .into_iter()
        .map(|(address, account)| (address, account.released))
        .collect();
    let weights: Vec<u64> = holders
        .iter()
        .map(|(address, released)| released + state.stake(*address).total())
        .collect();

    let (time_ms, height) = (state.time_ms(), state.core().height);
    let core = state.core_mut();
    core.pool_due_ms = time_ms.saturating_add(core.parameters.pool_ms);
    if weights.iter().all(|weight| *weight == 0) {
        return Vec::new();
    }

    core.pool_shared_to = height;
    core.receipts_shared_to_ms = core.receipts_expired_to_ms;
    let parts = apportion_units(std::mem::take(&mut core.supply.pool), &weights);

    let gets = holders
        .into_iter()
        .zip(parts)
        .map(|((address, _), units)| (address, units));
    let gets: Vec<(Address, u64)> = gets.filter(|(_, units)| *units > 0).collect();
    for (address, units) in &gets {
        to_pending(state, *address, *units);
    }

    gets
}
