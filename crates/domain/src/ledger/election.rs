//! What the state says about validators: who signed, where sales were, who stands for election, who comes next.

use super::Event;
use super::changes::Overlay;
use super::state::Ledger;
use super::tables::{Signers, Tables, current_entry, whole_table};
use crate::certificate::CommitCertificate;
use crate::election::{Candidacy, Scored, elect_validators, score_candidates};
use crate::limits::{ABSENT_BLOCKS, DAY_MS, PARTICIPATION_BLOCKS, REGULARITY_DAYS};
use crate::outlet::{Outlet, OutletId};
use crate::staking::{Candidate, Stake};
use crate::validators::ValidatorSet;
use alloy_primitives::Address;
use std::collections::BTreeMap;

/// Remembers who signed the certificate of the block before; the record of 1,000 blocks ago goes.
pub(super) fn record_signers(state: &mut Overlay<'_>, certificate: &CommitCertificate) {
    let set = state.ledger().previous_validators();
    let signed = |address: Address| {
        certificate
            .signatures
            .iter()
            .any(|signature| signature.validator == address)
    };

    let bits = set
        .as_slice()
        .iter()
        .enumerate()
        .filter(|(_, validator)| signed(validator.address));
    let signers = Signers(bits.fold(0, |bits, (index, _)| bits | 1 << index));

    let height = certificate.height;
    state.tables_mut().commits.insert(height, Some(signers));

    let (table, _) = state.tables();
    if let Some(old) = height
        .checked_sub(PARTICIPATION_BLOCKS)
        .filter(|old| table.commits.contains_key(old))
    {
        state.tables_mut().commits.insert(old, None);
    }
}

/// One more issuing sale of an outlet today.
pub(super) fn count_sale(state: &mut Overlay<'_>, outlet: OutletId, recorded_at_ms: u64) {
    let count = sales_on(state, outlet, recorded_at_ms);
    state
        .tables_mut()
        .sale_days
        .insert((recorded_at_ms / DAY_MS, outlet), Some(count + 1));
}

/// A sale of an outlet got its first refund: its day has one less.
pub(super) fn discount_sale(state: &mut Overlay<'_>, outlet: OutletId, recorded_at_ms: u64) {
    let count = sales_on(state, outlet, recorded_at_ms);
    if count > 0 {
        let left = Some(count - 1).filter(|count| *count > 0);
        state
            .tables_mut()
            .sale_days
            .insert((recorded_at_ms / DAY_MS, outlet), left);
    }
}

fn sales_on(state: &Overlay<'_>, outlet: OutletId, at_ms: u64) -> u64 {
    let (table, written) = state.tables();
    current_entry(
        &table.sale_days,
        &written.sale_days,
        &(at_ms / DAY_MS, outlet),
    )
    .copied()
    .unwrap_or(0)
}

/// The tables at the end of an epoch: what scores are computed from.
struct View {
    time_ms: u64,
    epoch: u64,
    outlets: BTreeMap<OutletId, Outlet>,
    stakes: BTreeMap<Address, Stake>,
    candidates: BTreeMap<Address, Candidate>,
    sale_days: BTreeMap<(u64, OutletId), u64>,
    commits: BTreeMap<u64, Signers>,
    sets: BTreeMap<u64, ValidatorSet>,
}

impl View {
    fn of_block(state: &Overlay<'_>) -> Self {
        let (table, written) = state.tables();
        Self {
            time_ms: state.time_ms(),
            epoch: state.core().epoch,
            outlets: state.outlets(),
            stakes: whole_table(&table.stakes, &written.stakes),
            candidates: whole_table(&table.candidates, &written.candidates),
            sale_days: whole_table(&table.sale_days, &written.sale_days),
            commits: whole_table(&table.commits, &written.commits),
            sets: table.sets.clone(),
        }
    }

    fn of_ledger(ledger: &Ledger) -> Self {
        let Tables {
            stakes,
            candidates,
            sale_days,
            commits,
            sets,
            ..
        } = ledger.tables.clone();

        let (time_ms, epoch, outlets) = (
            ledger.core.time_ms,
            ledger.core.epoch,
            ledger.outlets.clone(),
        );

        Self {
            time_ms,
            epoch,
            outlets,
            stakes,
            candidates,
            sale_days,
            commits,
            sets,
        }
    }

    /// Candidates with a heartbeat in one of these epochs and out of jail.
    fn candidacies(&self, since_epoch: u64) -> Vec<Candidacy> {
        let stands = |candidate: &Candidate| {
            candidate.jailed_until_ms.is_none() && candidate.heartbeat_epoch >= since_epoch
        };
        self.candidates
            .iter()
            .filter(|(_, c)| stands(c))
            .filter_map(|(a, c)| self.candidacy(*a, c))
            .collect()
    }

    fn candidacy(&self, address: Address, candidate: &Candidate) -> Option<Candidacy> {
        let outlet = self.outlets.get(&candidate.outlet)?;
        Some(Candidacy {
            address,
            public_key: candidate.public_key,
            outlet: candidate.outlet,
            owner: outlet.owner,
            city: outlet.city.clone(),
            signed: self.signed(address),
            sale_days: self.sale_days_of(candidate),
            tenure_days: self.time_ms.saturating_sub(candidate.since_ms) / DAY_MS,
            stake: self.stake_of(outlet.owner),
        })
    }

    /// Certificates with the validator's signature, and certificates of blocks at which it had a seat.
    fn signed(&self, address: Address) -> (u64, u64) {
        let mut counts = (0, 0);
        for (height, signers) in &self.commits {
            let set = self.sets.range(..=height).next_back().map(|(_, set)| set);
            let place =
                set.and_then(|set| set.as_slice().iter().position(|v| v.address == address));
            if let Some(place) = place {
                counts.0 += signers.0 >> place & 1;
                counts.1 += 1;
            }
        }
        counts
    }

    fn sale_days_of(&self, candidate: &Candidate) -> u64 {
        let today = self.time_ms / DAY_MS;
        let first = (today + 1)
            .saturating_sub(REGULARITY_DAYS)
            .max(candidate.since_ms / DAY_MS);
        let days =
            (first..=today).filter(|day| self.sale_days.contains_key(&(*day, candidate.outlet)));
        u64::try_from(days.count()).unwrap_or(0)
    }

    /// What an owner bonded, in equal parts for each of its validators.
    fn stake_of(&self, owner: Address) -> u64 {
        let is_of_owner = |candidate: &&Candidate| {
            self.outlets
                .get(&candidate.outlet)
                .is_some_and(|outlet| outlet.owner == owner)
        };
        let validators = u64::try_from(self.candidates.values().filter(is_of_owner).count())
            .unwrap_or(1)
            .max(1);
        self.stakes.get(&owner).map_or(0, |stake| stake.bonded) / validators
    }
}

/// The validators from the next block on.
pub(super) fn next_validators(state: &Overlay<'_>) -> ValidatorSet {
    let core = state.core();
    let every = core.parameters.election_epochs;
    if every == 0 || !core.epoch.is_multiple_of(every) {
        return core.validators.clone();
    }
    let view = View::of_block(state);
    let scored = score_candidates(
        view.candidacies(core.epoch),
        &state.ledger().genesis().election,
    );
    elect_validators(&core.validators, &scored)
}

/// Puts the next validators in force and forgets what no score reads any more.
pub(super) fn seat(state: &mut Overlay<'_>, next: ValidatorSet) -> Option<Event> {
    forget_old_days(state);
    if next == state.core().validators {
        return None;
    }

    let (epoch, first_height) = (state.core().epoch, state.core().height + 1);
    forget_old_sets(state);
    state
        .tables_mut()
        .sets
        .insert(first_height, Some(next.clone()));
    state.core_mut().validators = next.clone();

    Some(Event::ValidatorsElected {
        epoch,
        validators: next,
    })
}

fn forget_old_days(state: &mut Overlay<'_>) {
    let oldest = (state.time_ms() / DAY_MS + 1).saturating_sub(REGULARITY_DAYS);
    let (table, _) = state.tables();
    for key in table.sale_days.range(..(oldest, 0)).map(|(key, _)| *key) {
        state.tables_mut().sale_days.insert(key, None);
    }
}

/// Keeps the set of the oldest recorded block and all after it.
fn forget_old_sets(state: &mut Overlay<'_>) {
    let (table, _) = state.tables();
    let oldest = table.commits.keys().next().copied().unwrap_or(0);
    let needed = table
        .sets
        .range(..=oldest)
        .next_back()
        .map_or(0, |(first, _)| *first);
    for first in table.sets.range(..needed).map(|(first, _)| *first) {
        state.tables_mut().sets.insert(first, None);
    }
}

/// How a registered validator stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its score and whether it is electable, as if it sent its heartbeat; `None` while it is jailed.
    pub scored: Option<Scored>,
    /// The registration, with jail and last heartbeat.
    pub candidate: Candidate,
    /// Whether it has a seat.
    pub seated: bool,
}

impl Ledger {
    /// How the registered validators stand now: those with a heartbeat in this epoch or the last one count.
    pub fn standings(&self) -> BTreeMap<Address, Standing> {
        let view = View::of_ledger(self);
        let candidacies = view.candidacies(view.epoch.saturating_sub(1));
        let scored = score_candidates(candidacies, &self.genesis().election);

        let of = |address: Address| {
            scored
                .iter()
                .find(|scored| scored.candidacy.address == address)
                .cloned()
        };
        let standing = |(address, candidate): (Address, &Candidate)| {
            let seated = self.validators().get(address).is_some();
            (
                address,
                Standing {
                    scored: of(address),
                    candidate: candidate.clone(),
                    seated,
                },
            )
        };

        self.candidates().map(standing).collect()
    }

    /// Certificates with each seated validator's signature, and how many were recorded while it had a seat, among
    /// those of the last 1,000 blocks.
    pub fn participation(&self) -> BTreeMap<Address, (u64, u64)> {
        let view = View::of_ledger(self);
        self.validators()
            .as_slice()
            .iter()
            .map(|v| (v.address, view.signed(v.address)))
            .collect()
    }

    /// Seated validators that signed none of the last certificates: passed over as proposers, unless that would
    /// leave less than a quorum to propose.
    pub fn absent(&self) -> Vec<Address> {
        let set = self.validators();
        let Some((since, _)) = self.tables.sets.last_key_value() else {
            return Vec::new();
        };

        let recent = self.tables.commits.range(since..).rev().take(ABSENT_BLOCKS);
        let recent: Vec<u64> = recent.map(|(_, signers)| signers.0).collect();
        if recent.len() < ABSENT_BLOCKS {
            return Vec::new();
        }

        let signed = recent.into_iter().fold(0, |all, bits| all | bits);
        let absent = set
            .as_slice()
            .iter()
            .enumerate()
            .filter(|(place, _)| signed >> place & 1 == 0);
        let absent: Vec<&crate::validators::Validator> =
            absent.map(|(_, validator)| validator).collect();
        let power: u64 = absent.iter().map(|validator| validator.power).sum();

        if set.is_quorum(set.total_power() - power) {
            absent.iter().map(|v| v.address).collect()
        } else {
            Vec::new()
        }
    }
}
