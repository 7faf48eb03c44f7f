//! What one block changes, collected above a state that stays as it is.

use super::shared::Shared;
use super::state::{Account, Core, Ledger};
use super::tables::{TableChanges, Tables, Written, current_entry};
use crate::consent::{Consent, VideoDay};
use crate::outlet::{Outlet, OutletId, Terminal};
use crate::recording::{Cid, Recording};
use crate::sale::{SaleEntry, SaleKey};
use crate::staking::{Candidate, Stake};
use alloy_primitives::{Address, B256};
use borsh::BorshSerialize;
use std::collections::{BTreeMap, BTreeSet};

/// The changes of one block: every entry written, with its new value; sets with present or removed.
#[derive(Clone, Debug, BorshSerialize)]
pub struct Changes {
    /// Digest of the state before.
    pub parent_digest: B256,
    pub(super) block_hash: B256,
    pub(super) core: Core,
    pub(super) accounts: BTreeMap<Address, Account>,
    pub(super) outlets: BTreeMap<OutletId, Outlet>,
    pub(super) terminals: BTreeMap<Address, Terminal>,
    pub(super) sales: BTreeMap<SaleKey, SaleEntry>,
    pub(super) approvals: BTreeSet<B256>,
    pub(super) accruals: Written<(u64, Address), u64>,
    pub(super) receipts: Written<u64, u64>,
    pub(super) to_settle: BTreeMap<Address, bool>,
    pub(super) tables: TableChanges,
}

/// A state with one block's changes on top.
pub(super) struct Overlay<'a> {
    base: &'a Ledger,
    changes: Changes,
}

impl<'a> Overlay<'a> {
    pub fn new(base: &'a Ledger, time_ms: u64) -> Self {
        let mut core = base.core.clone();
        core.height += 1;
        core.time_ms = time_ms;
        core.previous_validators.clone_from(&base.core.validators);

        let changes = Changes {
            parent_digest: base.state_digest(),
            block_hash: B256::ZERO,
            core,
            accounts: BTreeMap::new(),
            outlets: BTreeMap::new(),
            terminals: BTreeMap::new(),
            sales: BTreeMap::new(),
            approvals: BTreeSet::new(),
            accruals: BTreeMap::new(),
            receipts: BTreeMap::new(),
            to_settle: BTreeMap::new(),
            tables: TableChanges::default(),
        };

        Self { base, changes }
    }

    pub fn ledger(&self) -> &'a Ledger {
        self.base
    }

    pub fn time_ms(&self) -> u64 {
        self.changes.core.time_ms
    }

    pub fn core(&self) -> &Core {
        &self.changes.core
    }

    pub fn core_mut(&mut self) -> &mut Core {
        &mut self.changes.core
    }

    pub fn account(&self, address: Address) -> Account {
        let changed = self.changes.accounts.get(&address);
        changed
            .or_else(|| self.base.accounts.get(&address))
            .copied()
            .unwrap_or_default()
    }

    /// Whether the ledger has an entry for an address, this block's included.
    pub fn is_account(&self, address: Address) -> bool {
        self.changes.accounts.contains_key(&address) || self.base.accounts.contains_key(&address)
    }

    pub fn account_mut(&mut self, address: Address) -> &mut Account {
        let base = self
            .base
            .accounts
            .get(&address)
            .copied()
            .unwrap_or_default();
        self.changes.accounts.entry(address).or_insert(base)
    }

    pub fn outlet(&self, id: OutletId) -> Option<&Outlet> {
        self.changes
            .outlets
            .get(&id)
            .or_else(|| self.base.outlets.get(&id))
    }

    pub fn put_outlet(&mut self, id: OutletId, outlet: Outlet) {
        self.changes.outlets.insert(id, outlet);
    }

    pub fn terminal(&self, address: Address) -> Option<&Terminal> {
        self.changes
            .terminals
            .get(&address)
            .or_else(|| self.base.terminals.get(&address))
    }

    pub fn put_terminal(&mut self, address: Address, terminal: Terminal) {
        self.changes.terminals.insert(address, terminal);
    }

    pub fn sale(&self, key: SaleKey) -> Option<SaleEntry> {
        self.changes
            .sales
            .get(&key)
            .cloned()
            .or_else(|| self.base.sales.get(key))
    }

    pub fn put_sale(&mut self, key: SaleKey, entry: SaleEntry) {
        self.changes.sales.insert(key, entry);
    }

    pub fn stake(&self, account: Address) -> Stake {
        current_entry(
            &self.base.tables.stakes,
            &self.changes.tables.stakes,
            &account,
        )
        .cloned()
        .unwrap_or_default()
    }

    pub fn put_stake(&mut self, account: Address, stake: Stake) {
        self.changes.tables.stakes.insert(account, Some(stake));
    }

    pub fn candidate(&self, address: Address) -> Option<&Candidate> {
        current_entry(
            &self.base.tables.candidates,
            &self.changes.tables.candidates,
            &address,
        )
    }

    pub fn put_candidate(&mut self, address: Address, candidate: Candidate) {
        self.changes
            .tables
            .candidates
            .insert(address, Some(candidate));
    }

    /// A consent or legal basis.
    pub fn consent(&self, id: B256) -> Option<&Consent> {
        current_entry(
            &self.base.tables.consents,
            &self.changes.tables.consents,
            &id,
        )
    }

    pub fn put_consent(&mut self, id: B256, consent: Consent) {
        self.changes.tables.consents.insert(id, Some(consent));
    }

    /// Those of an outlet's camera that were in force when one was added last.
    pub fn consents_of(&self, camera: (OutletId, u64)) -> &[B256] {
        let open = current_entry(
            &self.base.tables.cameras,
            &self.changes.tables.cameras,
            &camera,
        );
        open.map(Vec::as_slice).unwrap_or_default()
    }

    pub fn put_consents_of(&mut self, camera: (OutletId, u64), open: Vec<B256>) {
        self.changes.tables.cameras.insert(camera, Some(open));
    }

    pub fn recording(&self, cid: Cid) -> Option<&Recording> {
        current_entry(
            &self.base.tables.recordings,
            &self.changes.tables.recordings,
            &cid,
        )
    }

    pub fn put_recording(&mut self, cid: Cid, recording: Recording) {
        self.changes.tables.recordings.insert(cid, Some(recording));
    }

    /// What an outlet added today.
    pub fn video_day(&self, outlet: OutletId) -> VideoDay {
        let day = current_entry(
            &self.base.tables.video_days,
            &self.changes.tables.video_days,
            &outlet,
        );
        day.copied().unwrap_or_default().at(self.time_ms())
    }

    pub fn put_video_day(&mut self, outlet: OutletId, day: VideoDay) {
        self.changes.tables.video_days.insert(outlet, Some(day));
    }

    /// The tables under this block's changes, and the changes.
    pub fn tables(&self) -> (&'a Tables, &TableChanges) {
        (&self.base.tables, &self.changes.tables)
    }

    pub fn tables_mut(&mut self) -> &mut TableChanges {
        &mut self.changes.tables
    }

    pub fn approval_used(&self, reference: B256) -> bool {
        self.changes.approvals.contains(&reference) || self.base.approvals.contains(&reference)
    }

    pub fn use_approval(&mut self, reference: B256) {
        self.changes.approvals.insert(reference);
    }

    /// Units become an account's, to be released at the first end of an epoch from a time on.
    pub fn accrue(&mut self, from_ms: u64, account: Address, units: u64) {
        let before = units_waiting(
            &self.base.accruals,
            &self.changes.accruals,
            &(from_ms, account),
        );
        self.changes
            .accruals
            .insert((from_ms, account), unless_none(before + units));
    }

    /// A refund takes back what was accrued.
    pub fn take_accrued(&mut self, from_ms: u64, account: Address, units: u64) {
        let before = units_waiting(
            &self.base.accruals,
            &self.changes.accruals,
            &(from_ms, account),
        );
        self.changes
            .accruals
            .insert((from_ms, account), unless_none(before - units));
    }

    /// Takes out what may be released by now.
    pub fn take_mature(&mut self) -> Vec<((u64, Address), u64)> {
        let now = self.time_ms();
        take_all(
            &self.base.accruals,
            &mut self.changes.accruals,
            |(from_ms, _)| *from_ms <= now,
        )
    }

    /// Adds units that wait on receipts, under the block time of their sale.
    pub fn add_receipt(&mut self, recorded_at_ms: u64, units: u64) {
        let before = units_waiting(&self.base.receipts, &self.changes.receipts, &recorded_at_ms);
        self.changes
            .receipts
            .insert(recorded_at_ms, unless_none(before + units));
    }

    /// Takes units that a claim or a refund took from a receipt off those that wait.
    pub fn take_receipt(&mut self, recorded_at_ms: u64, units: u64) {
        let before = units_waiting(&self.base.receipts, &self.changes.receipts, &recorded_at_ms);
        self.changes
            .receipts
            .insert(recorded_at_ms, unless_none(before - units));
    }

    /// Takes out all that waits on receipts of sales up to a block time; gives their sum.
    pub fn take_receipts(&mut self, to_ms: u64) -> u64 {
        let taken = take_all(
            &self.base.receipts,
            &mut self.changes.receipts,
            |recorded_at_ms| *recorded_at_ms <= to_ms,
        );
        taken.into_iter().map(|(_, units)| units).sum()
    }

    pub fn set_to_settle(&mut self, account: Address, present: bool) {
        self.changes.to_settle.insert(account, present);
    }

    /// Whether the next settlement pays an account.
    pub fn is_to_settle(&self, account: Address) -> bool {
        let changed = self.changes.to_settle.get(&account);
        changed
            .copied()
            .unwrap_or_else(|| self.base.to_settle.contains(&account))
    }

    /// Accounts that the next settlement pays, ascending.
    pub fn to_settle(&self) -> Vec<Address> {
        let added = self
            .changes
            .to_settle
            .iter()
            .filter(|(_, present)| **present)
            .map(|(account, _)| account);
        let all: BTreeSet<Address> = self.base.to_settle.iter().chain(added).copied().collect();
        all.into_iter()
            .filter(|account| self.changes.to_settle.get(account) != Some(&false))
            .collect()
    }

    /// All accounts with this block's changes, ascending.
    pub fn accounts(&self) -> BTreeMap<Address, Account> {
        merge_changed(&self.base.accounts, &self.changes.accounts)
    }

    pub fn outlets(&self) -> BTreeMap<OutletId, Outlet> {
        merge_changed(&self.base.outlets, &self.changes.outlets)
    }

    pub fn terminals(&self) -> BTreeMap<Address, Terminal> {
        merge_changed(&self.base.terminals, &self.changes.terminals)
    }

    pub fn into_changes(mut self, block_hash: B256) -> Changes {
        self.changes.block_hash = block_hash;
        self.changes
    }
}

/// Units that wait under a key, as of now.
fn units_waiting<K: Ord + Clone>(base: &Shared<K, u64>, written: &Written<K, u64>, key: &K) -> u64 {
    written
        .get(key)
        .copied()
        .unwrap_or_else(|| base.get(key).copied())
        .unwrap_or_default()
}

/// Takes out what waits under the first keys, those that are due.
fn take_all<K: Ord + Clone>(
    base: &Shared<K, u64>,
    written: &mut Written<K, u64>,
    is_due: impl Fn(&K) -> bool,
) -> Vec<(K, u64)> {
    let all = base
        .iter()
        .map(|(key, _)| key)
        .take_while(|key| is_due(key));
    let due: BTreeSet<K> = all
        .chain(written.keys().take_while(|key| is_due(key)))
        .cloned()
        .collect();

    let units: Vec<(K, u64)> = due
        .into_iter()
        .map(|key| (key.clone(), units_waiting(base, written, &key)))
        .collect();

    written.extend(units.iter().map(|(key, _)| (key.clone(), None)));
    units
}

/// An entry that has come to nothing is removed.
fn unless_none(units: u64) -> Option<u64> {
    Some(units).filter(|units| *units > 0)
}

fn merge_changed<K: Ord + Clone, V: Clone>(
    base: &BTreeMap<K, V>,
    changed: &BTreeMap<K, V>,
) -> BTreeMap<K, V> {
    let mut all = base.clone();
    all.extend(
        changed
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    all
}
