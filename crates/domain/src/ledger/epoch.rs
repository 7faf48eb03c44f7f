//! The end of an epoch: release what is mature, bind or drop a proposed anchor, sum up a checkpoint.

use super::changes::Overlay;
use super::pool;
use super::state::Committed;
use super::tables::{EpochStart, whole_table};
use super::{EpochCheckpoint, Event, election, staking, video};
use crate::checkpoint::{Checkpoint, block_leaf};
use crate::election::share_of;
use crate::genesis::EpochLength;
use crate::merkle;
use crate::payout::{Payout, Settlement};
use crate::validators::ValidatorSet;
use alloy_primitives::{Address, B256};
use std::collections::BTreeMap;

/// Closes the epoch if this block is its last one. `happened`: what its transactions did.
pub(super) fn close_if_due(
    state: &mut Overlay<'_>,
    block_hash: B256,
    happened: &[Event],
) -> Vec<Event> {
    if !is_due(state) {
        return Vec::new();
    }

    let mut events = release_mature(state);
    events.extend(bind_anchor(state));
    let next = election::next_validators(state);
    let checkpoint = build_checkpoint(state, block_hash, happened, &next).map(Box::new);
    events.push(Event::EpochClosed {
        epoch: state.core().epoch,
        checkpoint,
    });

    events.extend(election::seat(state, next));
    events.extend(staking::apply_changes(state));
    start_epoch(state);

    events
}

fn start_epoch(state: &mut Overlay<'_>) {
    let core = state.core_mut();
    core.epoch += 1;
    core.epoch_first_height = core.height + 1;
    core.epoch_start_ms = core.time_ms;

    let (start_ms, start) = (
        core.time_ms,
        EpochStart {
            epoch: core.epoch,
            first_height: core.epoch_first_height,
        },
    );
    state
        .tables_mut()
        .epoch_starts
        .insert(start_ms, Some(start));
}

fn is_due(state: &Overlay<'_>) -> bool {
    let core = state.core();
    match state.ledger().genesis().epoch_length {
        EpochLength::Blocks(n) => core.height + 1 - core.epoch_first_height >= n,
        EpochLength::Milliseconds(n) => core.time_ms >= core.epoch_start_ms.saturating_add(n),
    }
}

/// Pending units of an account whose time has come.
#[derive(Clone, Copy, Default)]
struct Mature {
    /// From sales: a share of these is bonded.
    earned: u64,
    /// From unbonding and the pool: all of these are free.
    free: u64,
}

fn release_mature(state: &mut Overlay<'_>) -> Vec<Event> {
    let mut mature: BTreeMap<Address, Mature> = BTreeMap::new();
    let mut events = Vec::new();

    for (account, units) in staking::end_unbondings(state) {
        mature.entry(account).or_default().free += units;
        events.push(Event::Unbonded { account, units });
    }
    for ((_, account), units) in state.take_mature() {
        mature.entry(account).or_default().earned += units;
    }

    events.extend(pool::expire_receipts(state));
    for (account, units) in pool::share_out(state) {
        mature.entry(account).or_default().free += units;
        events.push(Event::PoolShared { account, units });
    }

    let some = mature
        .into_iter()
        .filter(|(_, mature)| mature.earned + mature.free > 0);
    events.extend(some.map(|(account, mature)| release_account(state, account, mature)));
    events
}

/// Mature units pay the account's debt first, then a share of what was earned is bonded; what is left is released.
fn release_account(state: &mut Overlay<'_>, address: Address, mature: Mature) -> Event {
    let Mature { earned, free } = mature;
    let mut stake = state.stake(address);
    let account = state.account_mut(address);
    let debt_paid = account.debt.min(earned + free);
    let bonded = share_of(earned.saturating_sub(debt_paid), stake.bonding_ppm.into());
    let units = earned + free - debt_paid - bonded;

    account.pending -= earned + free;
    account.debt -= debt_paid;
    account.released += units;
    let supply = &mut state.core_mut().supply;
    supply.pending -= earned + free;
    supply.debt -= debt_paid;
    supply.bonded += bonded;
    supply.released += units;

    if bonded > 0 {
        stake.bonded += bonded;
        state.put_stake(address, stake);
    }
    if units > 0 {
        state.set_to_settle(address, true);
    }

    Event::Released {
        account: address,
        units,
        debt_paid,
        bonded,
    }
}

fn bind_anchor(state: &mut Overlay<'_>) -> Option<Event> {
    let core = state.core_mut();
    let binding = core
        .proposed_anchor
        .filter(|binding| binding.from_epoch <= core.epoch)?;
    core.proposed_anchor = None;
    if binding.from_epoch != core.epoch || binding.validators_hash != core.validators.hash() {
        return Some(Event::AnchorVoid { binding });
    }
    core.anchor = Some(binding);
    Some(Event::AnchorBound { binding })
}

fn build_checkpoint(
    state: &mut Overlay<'_>,
    block_hash: B256,
    happened: &[Event],
    next: &ValidatorSet,
) -> Option<EpochCheckpoint> {
    let binding = state.core().anchor?;
    let settlement = settle_epoch(state);

    let mut block_hashes = state.ledger().uncovered_blocks.clone();
    block_hashes.push(block_hash);
    let mut recording_leaves = state.ledger().uncovered_recordings.clone();
    recording_leaves.extend(video::leaves(happened));
    let leaves: Vec<B256> = block_hashes.iter().map(|hash| block_leaf(*hash)).collect();

    let (table, written) = state.tables();
    let core = state.core();
    let committed = Committed {
        genesis: state.ledger().genesis(),
        validators: next,
        accounts: state.accounts(),
        outlets: state.outlets(),
        terminals: state.terminals(),
        stakes: whole_table(&table.stakes, &written.stakes),
        candidates: whole_table(&table.candidates, &written.candidates),
        parameters: core.parameters,
    };

    let checkpoint = Checkpoint {
        sidechain_id: state.ledger().sidechain_id(),
        epoch: core.epoch,
        first_height: core.uncovered_from,
        last_height: core.height,
        blocks_root: merkle::root(&leaves),
        state_root: committed.root(),
        payout_root: settlement.root(),
        recordings_root: merkle::root(&recording_leaves),
        total_released: u128::from(core.supply.released),
        next_validators_hash: next.hash(),
    };

    let validators = core.validators.clone();
    state.core_mut().uncovered_from = checkpoint.last_height + 1;

    Some(EpochCheckpoint {
        checkpoint,
        anchor: binding.anchor,
        next_validators: next.clone(),
        validators,
        settlement,
        block_hashes,
        recording_leaves,
    })
}

fn settle_epoch(state: &mut Overlay<'_>) -> Settlement {
    if !state
        .core()
        .epoch
        .is_multiple_of(state.ledger().genesis().settlement_epochs)
    {
        return Settlement::default();
    }

    let changed = state.to_settle();
    let accounts: Vec<Address> = if state.core().settle_all {
        state
            .accounts()
            .into_iter()
            .filter(|(_, account)| account.released > 0)
            .map(|(address, _)| address)
            .collect()
    } else {
        changed.clone()
    };

    for account in changed {
        state.set_to_settle(account, false);
    }
    state.core_mut().settle_all = false;

    let payout = |account: Address| Payout {
        account,
        released: state.account(account).released,
    };
    Settlement::new(accounts.into_iter().map(payout).collect())
}
