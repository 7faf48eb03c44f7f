//! The state itself and what may be read of it.

use super::changes::Changes;
use super::index::VideoIndex;
use super::sales::Sales;
use super::shared::Shared;
use super::tables::{EpochStart, Tables};
use super::{EpochCheckpoint, Event, Executed, video};
use crate::canonical::canonical_bytes;
use crate::checkpoint::AnchorHead;
use crate::consent::Consent;
use crate::eip712::DomainSeparator;
use crate::genesis::{EpochLength, Genesis, GenesisError};
use crate::limits::GENESIS_UNITS;
use crate::merkle;
use crate::outlet::{Outlet, OutletId, Terminal};
use crate::parameters::Parameters;
use crate::recording::{Cid, Recording};
use crate::sale::{Beneficiary, SaleEntry, SaleKey, Share};
use crate::staking::{Candidate, Punished, Stake, WaitingChange};
use crate::validators::ValidatorSet;
use alloy_primitives::{Address, B256, keccak256};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an address holds on the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// The last nonce used.
    pub nonce: u64,
    /// Units accrued and not yet released.
    pub pending: u64,
    /// Units released, ever; what the EVM may mint.
    pub released: u64,
    /// Units owed from refunds of sales whose units were released already; paid from what matures next.
    pub debt: u64,
}

/// The contracts that checkpoints go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AnchorBinding {
    /// The ERC-20 token, whose issuer is the anchor.
    pub token: Address,
    /// The contract that takes checkpoints.
    pub anchor: Address,
    /// The first epoch whose checkpoint goes there.
    pub from_epoch: u64,
    /// The set that the anchor was deployed with.
    pub validators_hash: B256,
}

/// Where all units are, at every block:
/// `released + pending + receipts + pool + bonded + slashed − debt = issued − reversed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Supply {
    /// Units ever issued, genesis' included.
    pub issued: u64,
    /// Units that refunds took back.
    pub reversed: u64,
    /// Units released to accounts.
    pub released: u64,
    /// Units of accounts that wait for maturity and an epoch's end.
    pub pending: u64,
    /// Units of receipts that nobody has claimed.
    pub receipts: u64,
    /// Units of the pool of all holders.
    pub pool: u64,
    /// Units that outlets' owners owe.
    pub debt: u64,
    /// Units that accounts bonded, those on their way out included.
    pub bonded: u64,
    /// Units that offences of validators cost; nobody's, for ever.
    pub slashed: u64,
    /// How many sales were ever recorded.
    pub sales: u64,
}

/// The small part of the state that nearly every block changes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Core {
    pub height: u64,
    pub time_ms: u64,
    pub epoch: u64,
    pub epoch_first_height: u64,
    pub epoch_start_ms: u64,
    pub supply: Supply,
    pub validators: ValidatorSet,
    /// The set of the block before: whose certificate the next block carries.
    pub previous_validators: ValidatorSet,
    pub anchor: Option<AnchorBinding>,
    pub proposed_anchor: Option<AnchorBinding>,
    pub settle_all: bool,
    /// The first height that no checkpoint covers yet.
    pub uncovered_from: u64,
    /// The parameters in force.
    pub parameters: Parameters,
    /// Block time from which the pool is shared out again.
    pub pool_due_ms: u64,
    /// The block at whose end the pool was last shared out: with what sales without a buyer brought up to it.
    pub pool_shared_to: u64,
    /// Receipts of sales of blocks up to this time went to the pool, unless they were claimed.
    pub receipts_expired_to_ms: u64,
    /// Up to which time they had when the pool was last shared out.
    pub receipts_shared_to_ms: u64,
}

/// The state after some block.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub(super) genesis: Genesis,
    pub(super) sidechain_id: B256,
    pub(super) domain: DomainSeparator,
    pub(super) head_hash: B256,
    pub(super) state_digest: B256,
    pub(super) core: Core,
    pub(super) accounts: BTreeMap<Address, Account>,
    pub(super) outlets: BTreeMap<OutletId, Outlet>,
    pub(super) terminals: BTreeMap<Address, Terminal>,
    pub(super) sales: Sales,
    /// Pending units, by the block time from which they may be released, and the account.
    pub(super) accruals: Shared<(u64, Address), u64>,
    /// Units of receipts that nobody has claimed, by the block time of their sales.
    pub(super) receipts: Shared<u64, u64>,
    /// Registrar's approvals that were used.
    pub(super) approvals: BTreeSet<B256>,
    /// Accounts that the next settlement pays.
    pub(super) to_settle: BTreeSet<Address>,
    pub(super) tables: Tables,
    /// Hashes of the blocks from `uncovered_from` to the head.
    pub(super) uncovered_blocks: Vec<B256>,
    /// Leaves of the recordings and erasures in these blocks.
    pub(super) uncovered_recordings: Vec<B256>,
    /// For readers; follows from the tables.
    pub(super) index: VideoIndex,
}

impl Ledger {
    /// The state before the first block: 100 units released to the founder.
    pub fn new(genesis: Genesis) -> Result<Self, GenesisError> {
        genesis.check()?;

        let founder = Account {
            released: GENESIS_UNITS,
            ..Account::default()
        };

        let core = Core {
            height: genesis.first_height - 1,
            time_ms: genesis.time_ms,
            epoch: 1,
            epoch_first_height: genesis.first_height,
            epoch_start_ms: genesis.time_ms,
            supply: Supply {
                issued: GENESIS_UNITS,
                released: GENESIS_UNITS,
                ..Supply::default()
            },
            validators: genesis.validators.clone(),
            previous_validators: genesis.validators.clone(),
            anchor: None,
            proposed_anchor: None,
            settle_all: false,
            uncovered_from: genesis.first_height,
            parameters: genesis.parameters,
            pool_due_ms: genesis.time_ms.saturating_add(genesis.parameters.pool_ms),
            pool_shared_to: 0,
            receipts_expired_to_ms: 0,
            receipts_shared_to_ms: 0,
        };

        let tables = Tables {
            sets: BTreeMap::from([(genesis.first_height, genesis.validators.clone())]),
            epoch_starts: BTreeMap::from([(
                genesis.time_ms,
                EpochStart {
                    epoch: 1,
                    first_height: genesis.first_height,
                },
            )]),
            ..Tables::default()
        };
        let sidechain_id = genesis.sidechain_id();

        Ok(Self {
            sidechain_id,
            domain: genesis.domain(),
            head_hash: genesis.parent_hash,
            state_digest: sidechain_id,
            core,
            accounts: BTreeMap::from([(genesis.founder, founder)]),
            outlets: BTreeMap::new(),
            terminals: BTreeMap::new(),
            sales: Sales::default(),
            accruals: Shared::default(),
            receipts: Shared::default(),
            approvals: BTreeSet::new(),
            to_settle: BTreeSet::from([genesis.founder]),
            tables,
            uncovered_blocks: Vec::new(),
            uncovered_recordings: Vec::new(),
            index: VideoIndex::default(),
            genesis,
        })
    }

    /// Takes over what a block changed. The block must have been executed on this very state.
    pub fn commit(&mut self, executed: Executed) -> Vec<Event> {
        debug_assert_eq!(executed.changes.parent_digest, self.state_digest);

        self.state_digest = executed.changes.digest();
        self.head_hash = executed.block_hash;
        let covered = executed.events.iter().any(closes_checkpoint);
        self.apply_changes(executed.changes);

        if covered {
            self.uncovered_blocks.clear();
            self.uncovered_recordings.clear();
        } else {
            self.uncovered_blocks.push(executed.block_hash);
            self.uncovered_recordings
                .extend(video::leaves(&executed.events));
        }

        executed.events
    }

    fn apply_changes(&mut self, changes: Changes) {
        self.core = changes.core;
        self.accounts.extend(changes.accounts);
        self.outlets.extend(changes.outlets);
        self.terminals.extend(changes.terminals);
        changes
            .sales
            .iter()
            .for_each(|(key, entry)| self.sales.insert(*key, entry));
        self.approvals.extend(changes.approvals);
        self.accruals.apply(changes.accruals);
        self.receipts.apply(changes.receipts);
        apply_set(&mut self.to_settle, changes.to_settle);

        self.index.add(&changes.tables);
        self.tables.apply(changes.tables);
    }

    /// The chain's parameters.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The chain's name for machines.
    pub fn sidechain_id(&self) -> B256 {
        self.sidechain_id
    }

    /// The typed-data domain of transactions.
    pub fn domain(&self) -> &DomainSeparator {
        &self.domain
    }

    /// True before the first block.
    pub fn is_fresh(&self) -> bool {
        self.core.height + 1 == self.genesis.first_height
    }

    /// Height of the last block; one less than the first height before it.
    pub fn height(&self) -> u64 {
        self.core.height
    }

    /// Height of the block to come.
    pub fn next_height(&self) -> u64 {
        self.core.height + 1
    }

    /// Hash of the last block.
    pub fn head_hash(&self) -> B256 {
        self.head_hash
    }

    /// Time of the last block.
    pub fn head_time_ms(&self) -> u64 {
        self.core.time_ms
    }

    /// Digest of this state.
    pub fn state_digest(&self) -> B256 {
        self.state_digest
    }

    /// The epoch that the next block belongs to.
    pub fn epoch(&self) -> u64 {
        self.core.epoch
    }

    /// The validators of the next block.
    pub fn validators(&self) -> &ValidatorSet {
        &self.core.validators
    }

    /// The validators of the last block, who signed its certificate.
    pub fn previous_validators(&self) -> &ValidatorSet {
        &self.core.previous_validators
    }

    /// The contracts in force.
    pub fn anchor(&self) -> Option<AnchorBinding> {
        self.core.anchor
    }

    /// The contracts proposed for a later epoch.
    pub fn proposed_anchor(&self) -> Option<AnchorBinding> {
        self.core.proposed_anchor
    }

    /// The parameters in force.
    pub fn parameters(&self) -> &Parameters {
        &self.core.parameters
    }

    /// What an account bonds, if it ever did.
    pub fn stake(&self, account: Address) -> Option<&Stake> {
        self.tables.stakes.get(&account)
    }

    /// All registered validators, addresses ascending.
    pub fn candidates(&self) -> impl Iterator<Item = (Address, &Candidate)> {
        self.tables
            .candidates
            .iter()
            .map(|(address, candidate)| (*address, candidate))
    }

    /// One registered validator.
    pub fn candidate(&self, address: Address) -> Option<&Candidate> {
        self.tables.candidates.get(&address)
    }

    /// Offences that were punished, by validator and the height that they are about.
    pub fn punished(&self) -> impl Iterator<Item = ((Address, u64), &Punished)> {
        self.tables
            .punished
            .iter()
            .map(|(key, punished)| (*key, punished))
    }

    /// Changes of parameters that wait, by number.
    pub fn waiting_changes(&self) -> impl Iterator<Item = (u64, &WaitingChange)> {
        self.tables
            .waiting
            .iter()
            .map(|(number, change)| (*number, change))
    }

    /// Where all units are.
    pub fn supply(&self) -> Supply {
        self.core.supply
    }

    /// What an address holds; nothing if it is unknown.
    pub fn account(&self, address: Address) -> Option<Account> {
        self.accounts.get(&address).copied()
    }

    /// All accounts, addresses ascending.
    pub fn accounts(&self) -> impl Iterator<Item = (Address, Account)> + '_ {
        self.accounts
            .iter()
            .map(|(address, account)| (*address, *account))
    }

    /// All outlets, ids ascending.
    pub fn outlets(&self) -> impl Iterator<Item = (OutletId, &Outlet)> {
        self.outlets.iter().map(|(id, outlet)| (*id, outlet))
    }

    /// An enrolled terminal, revoked ones included.
    pub fn terminal(&self, address: Address) -> Option<&Terminal> {
        self.terminals.get(&address)
    }

    /// All terminals, addresses ascending.
    pub fn terminals(&self) -> impl Iterator<Item = (Address, &Terminal)> {
        self.terminals
            .iter()
            .map(|(address, terminal)| (*address, terminal))
    }

    /// A recorded sale with its split and refunds.
    pub fn sale(&self, key: SaleKey) -> Option<SaleEntry> {
        self.sales.get(key)
    }

    /// The epoch at whose end what was left of a share went from pending to released; none if it did not yet.
    pub fn released_in(&self, entry: &SaleEntry, share: &Share) -> Option<u64> {
        let from_ms = entry.releasable_at_ms(share)?;
        // An epoch ends with the block that gives the next one its start.
        self.tables
            .epoch_starts
            .range(from_ms..)
            .next()
            .map(|(_, start)| start.epoch.saturating_sub(1))
    }

    /// Who holds a share as of now: a receipt that was not claimed in time is the pool's.
    pub fn holder(&self, entry: &SaleEntry, share: &Share) -> Beneficiary {
        self.core.holder(entry, share)
    }

    /// A guest's consent or an owner's legal basis.
    pub fn consent(&self, id: B256) -> Option<&Consent> {
        self.tables.consents.get(&id)
    }

    /// Those of an outlet's camera that are in force at the last block's time, in the order in which they came. A
    /// guest's does not count any more once another guest who shared the picture took his own back: whoever stays
    /// consents anew, and is recorded without him.
    pub fn consents_in_force(
        &self,
        outlet: OutletId,
        camera: u64,
    ) -> impl Iterator<Item = (B256, &Consent)> {
        let open = self
            .tables
            .cameras
            .get(&(outlet, camera))
            .map(Vec::as_slice)
            .unwrap_or_default();
        let found = open.iter().filter_map(|id| Some((*id, self.consent(*id)?)));

        found.filter(|(_, consent)| {
            consent.is_in_force(self.core.time_ms) && !self.index.was_left(consent)
        })
    }

    /// A recording that was ever pinned, with its tombstone if it is erased.
    pub fn recording(&self, cid: Cid) -> Option<&Recording> {
        self.tables.recordings.get(&cid)
    }

    /// An outlet's recordings that were erased above a height, in the order in which they were.
    pub fn erasures_after(
        &self,
        outlet: OutletId,
        height: u64,
    ) -> impl Iterator<Item = &Recording> {
        self.index
            .erasures_after(outlet, height)
            .filter_map(|cid| self.recording(cid))
    }

    /// Consents of an outlet's guests that were revoked after a block's time, in the order in which they were.
    pub fn revocations_after(
        &self,
        outlet: OutletId,
        ms: u64,
    ) -> impl Iterator<Item = (B256, &Consent)> {
        self.index
            .revocations_after(outlet, ms)
            .filter_map(|id| Some((id, self.consent(id)?)))
    }

    /// Whether units wait for nothing but the end of an epoch that is counted in blocks, or a settlement or recordings
    /// for the checkpoint that such an end would make: then blocks should follow each other at once. The pool does not
    /// count: it may wait for the slow blocks of a quiet chain.
    pub fn wants_blocks(&self) -> bool {
        let counted = matches!(self.genesis.epoch_length, EpochLength::Blocks(_));
        let expired_to = self
            .core
            .time_ms
            .saturating_sub(self.core.parameters.receipt_ms);
        let expired = self
            .receipts
            .iter()
            .next()
            .is_some_and(|(at, _)| *at <= expired_to);

        let mature = self
            .accruals
            .iter()
            .next()
            .is_some_and(|((at, _), _)| *at <= self.core.time_ms);

        let unsettled =
            self.core.anchor.or(self.core.proposed_anchor).is_some() && !self.to_settle.is_empty();
        let unanchored = self.core.anchor.is_some() && !self.uncovered_recordings.is_empty();

        counted && (mature || expired || unsettled || unanchored)
    }

    /// What the next checkpoint continues, as the contract sees it.
    pub fn anchor_head(&self, released_before: u128) -> AnchorHead {
        AnchorHead {
            epoch: self.core.epoch - 1,
            last_height: self.core.uncovered_from - 1,
            total_released: released_before,
        }
    }

    /// Checks the law of conservation by adding everything up anew, from the sales too.
    pub fn conserves(&self) -> bool {
        self.units_are_somewhere() && self.shares_are_where_they_wait()
    }

    /// Every sale's shares, as far as they wait for anything, are all that waits.
    fn shares_are_where_they_wait(&self) -> bool {
        let (mut accruals, mut receipts) = (BTreeMap::new(), BTreeMap::new());
        for (_, entry) in self.sales.iter() {
            for share in entry.shares.iter().filter(|share| share.outstanding() > 0) {
                let (units, from_ms) = (
                    share.outstanding(),
                    entry.releasable_at_ms(share).unwrap_or_default(),
                );

                match self.holder(&entry, share) {
                    Beneficiary::Account(account)
                    | Beneficiary::Claimed {
                        wallet: account, ..
                    } => {
                        if !self.core.is_released(&entry, share) {
                            *accruals.entry((from_ms, account)).or_insert(0) += units;
                        }
                    }
                    Beneficiary::Receipt(_) => {
                        *receipts.entry(entry.recorded_at_ms).or_insert(0) += units
                    }
                    Beneficiary::Pool => {}
                }
            }
        }

        accruals.iter().eq(self.accruals.iter())
            && receipts.iter().eq(self.receipts.iter())
            && accruals.values().sum::<u64>() == self.core.supply.pending
            && receipts.values().sum::<u64>() == self.core.supply.receipts
    }

    fn units_are_somewhere(&self) -> bool {
        let sum = |of: fn(&Account) -> u64| self.accounts.values().map(of).sum::<u64>();
        let (pending, released, debt) = (sum(|a| a.pending), sum(|a| a.released), sum(|a| a.debt));
        let bonded: u64 = self.tables.stakes.values().map(Stake::total).sum();
        let supply = self.core.supply;
        let held = released + pending + bonded + supply.receipts + supply.pool + supply.slashed;
        (pending, released, debt, bonded)
            == (supply.pending, supply.released, supply.debt, supply.bonded)
            && held + supply.reversed == supply.issued + debt
    }
}

impl Core {
    /// Who holds a share as of now: a receipt that was not claimed in time is the pool's.
    pub fn holder(&self, entry: &SaleEntry, share: &Share) -> Beneficiary {
        match share.to {
            Beneficiary::Receipt(_) if entry.recorded_at_ms <= self.receipts_expired_to_ms => {
                Beneficiary::Pool
            }
            other => other,
        }
    }

    /// Whether a share of the pool was shared out, so that the pool does not have it any more.
    pub fn was_shared_out(&self, entry: &SaleEntry, share: &Share) -> bool {
        match share.to {
            Beneficiary::Receipt(_) => entry.recorded_at_ms <= self.receipts_shared_to_ms,
            _ => entry.height <= self.pool_shared_to,
        }
    }

    /// Whether what was left of a share went from pending to released: the last epoch ended when it could, or later.
    pub fn is_released(&self, entry: &SaleEntry, share: &Share) -> bool {
        entry
            .releasable_at_ms(share)
            .is_some_and(|from_ms| from_ms <= self.epoch_start_ms)
    }
}

/// What the state root commits to.
pub(super) struct Committed<'a> {
    pub genesis: &'a Genesis,
    pub validators: &'a ValidatorSet,
    pub accounts: BTreeMap<Address, Account>,
    pub outlets: BTreeMap<OutletId, Outlet>,
    pub terminals: BTreeMap<Address, Terminal>,
    pub stakes: BTreeMap<Address, Stake>,
    pub candidates: BTreeMap<Address, Candidate>,
    pub parameters: Parameters,
}

impl Committed<'_> {
    /// Leaves are `borsh(section, key, value)`, sections and keys ascending.
    pub fn root(&self) -> B256 {
        let mut leaves = vec![merkle::leaf(&canonical_bytes(&(0u8, self.genesis)))];
        leaves.extend(
            self.validators
                .as_slice()
                .iter()
                .map(|validator| merkle::leaf(&canonical_bytes(&(1u8, validator)))),
        );

        leaves.extend(section_leaves(2, &self.accounts));
        leaves.extend(section_leaves(3, &self.outlets));
        leaves.extend(section_leaves(4, &self.terminals));
        leaves.extend(section_leaves(5, &self.stakes));
        leaves.extend(section_leaves(6, &self.candidates));
        leaves.push(merkle::leaf(&canonical_bytes(&(7u8, self.parameters))));

        merkle::root(&leaves)
    }
}

fn section_leaves<K: BorshSerialize, V: BorshSerialize>(
    number: u8,
    entries: &BTreeMap<K, V>,
) -> impl Iterator<Item = B256> {
    entries
        .iter()
        .map(move |entry| merkle::leaf(&canonical_bytes(&(number, entry))))
}

fn closes_checkpoint(event: &Event) -> bool {
    matches!(
        event,
        Event::EpochClosed {
            checkpoint: Some(_),
            ..
        }
    )
}

fn apply_set<T: Ord>(set: &mut BTreeSet<T>, changes: BTreeMap<T, bool>) {
    for (key, present) in changes {
        if present {
            set.insert(key);
        } else {
            set.remove(&key);
        }
    }
}

impl Changes {
    /// The digest of the state that these changes lead to.
    pub fn digest(&self) -> B256 {
        let changed = keccak256(canonical_bytes(self));
        keccak256([self.parent_digest.as_slice(), changed.as_slice()].concat())
    }
}

impl EpochCheckpoint {
    /// The digest that the epoch's validators sign.
    pub fn digest(&self, evm_chain_id: u64) -> B256 {
        DomainSeparator::checkpoints(evm_chain_id, self.anchor).checkpoint_digest(&self.checkpoint)
    }
}
