//! The end of an epoch: release what is mature, bind or drop a proposed anchor, sum up a checkpoint.

use super::changes::Overlay;
use super::state::state_root;
use super::{EpochCheckpoint, Event};
use crate::checkpoint::{Checkpoint, block_leaf};
use crate::genesis::EpochLength;
use crate::merkle;
use crate::payout::{Payout, Settlement};
use crate::sale::SaleKey;
use alloy_primitives::{Address, B256};
use std::collections::BTreeMap;

/// Closes the epoch if this block is its last one.
pub(super) fn close_if_due(state: &mut Overlay<'_>, block_hash: B256) -> Vec<Event> {
    if !is_due(state) {
        return Vec::new();
    }
    let mut events = release_mature(state);
    events.extend(bind_anchor(state));
    let checkpoint = checkpoint(state, block_hash).map(Box::new);
    events.push(Event::EpochClosed { epoch: state.core().epoch, checkpoint });
    let core = state.core_mut();
    core.epoch += 1;
    core.epoch_first_height = core.height + 1;
    core.epoch_start_ms = core.time_ms;
    events
}

fn is_due(state: &Overlay<'_>) -> bool {
    let core = state.core();
    match state.ledger().genesis().epoch_length {
        EpochLength::Blocks(n) => core.height + 1 - core.epoch_first_height >= n,
        EpochLength::Milliseconds(n) => core.time_ms >= core.epoch_start_ms.saturating_add(n),
    }
}

fn release_mature(state: &mut Overlay<'_>) -> Vec<Event> {
    let mut mature: BTreeMap<Address, u64> = BTreeMap::new();
    for (at_ms, key) in state.mature() {
        state.set_accrual(at_ms, key, false);
        release_sale(state, key, &mut mature);
    }
    mature.into_iter().filter(|(_, units)| *units > 0).map(|(account, units)| release(state, account, units)).collect()
}

/// Mature units pay the account's debt first; what is left is released.
fn release(state: &mut Overlay<'_>, address: Address, mature: u64) -> Event {
    let account = state.account_mut(address);
    let debt_paid = account.debt.min(mature);
    let units = mature - debt_paid;
    account.pending -= mature;
    account.debt -= debt_paid;
    account.released += units;
    let supply = &mut state.core_mut().supply;
    supply.pending -= mature;
    supply.debt -= debt_paid;
    supply.released += units;
    if units > 0 {
        state.set_to_settle(address, true);
    }
    Event::Released { account: address, units, debt_paid }
}

fn release_sale(state: &mut Overlay<'_>, key: SaleKey, mature: &mut BTreeMap<Address, u64>) {
    let Some(mut entry) = state.sale(key).cloned() else { return };
    let epoch = state.core().epoch;
    for share in &mut entry.shares {
        if let Some(address) = share.to.account()
            && share.released_in.is_none()
        {
            share.released_in = Some(epoch);
            *mature.entry(address).or_default() += share.outstanding();
        }
    }
    state.put_sale(key, entry);
}

fn bind_anchor(state: &mut Overlay<'_>) -> Option<Event> {
    let core = state.core_mut();
    let binding = core.proposed_anchor.filter(|binding| binding.from_epoch <= core.epoch)?;
    core.proposed_anchor = None;
    if binding.from_epoch != core.epoch || binding.validators_hash != core.validators.hash() {
        return Some(Event::AnchorVoid { binding });
    }
    core.anchor = Some(binding);
    Some(Event::AnchorBound { binding })
}

fn checkpoint(state: &mut Overlay<'_>, block_hash: B256) -> Option<EpochCheckpoint> {
    let binding = state.core().anchor?;
    let settlement = settle(state);
    let mut block_hashes = state.ledger().uncovered_blocks.clone();
    block_hashes.push(block_hash);
    let leaves: Vec<B256> = block_hashes.iter().map(|hash| block_leaf(*hash)).collect();
    let (accounts, outlets, terminals) = (state.accounts(), state.outlets(), state.terminals());
    let genesis = state.ledger().genesis();
    let core = state.core();
    let checkpoint = Checkpoint {
        sidechain_id: state.ledger().sidechain_id(),
        epoch: core.epoch,
        first_height: core.uncovered_from,
        last_height: core.height,
        blocks_root: merkle::root(&leaves),
        state_root: state_root(
            genesis,
            &core.validators,
            accounts.into_iter(),
            outlets.iter().map(|(id, outlet)| (*id, outlet)),
            terminals.iter().map(|(address, terminal)| (*address, terminal)),
        ),
        payout_root: settlement.root(),
        recordings_root: merkle::EMPTY_ROOT,
        total_released: u128::from(core.supply.released),
        next_validators_hash: core.validators.hash(),
    };
    let validators = core.validators.clone();
    state.core_mut().uncovered_from = checkpoint.last_height + 1;
    Some(EpochCheckpoint {
        checkpoint,
        anchor: binding.anchor,
        next_validators: validators.clone(),
        validators,
        settlement,
        block_hashes,
    })
}

fn settle(state: &mut Overlay<'_>) -> Settlement {
    if !state.core().epoch.is_multiple_of(state.ledger().genesis().settlement_epochs) {
        return Settlement::default();
    }
    let changed = state.to_settle();
    let accounts: Vec<Address> = if state.core().settle_all {
        state.accounts().into_iter().filter(|(_, account)| account.released > 0).map(|(address, _)| address).collect()
    } else {
        changed.clone()
    };
    for account in changed {
        state.set_to_settle(account, false);
    }
    state.core_mut().settle_all = false;
    let payout = |account: Address| Payout { account, released: state.account(account).released };
    Settlement::new(accounts.into_iter().map(payout).collect())
}
