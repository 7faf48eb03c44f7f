//! Bonds, registered validators, evidence against them, and changes of parameters.

use super::Event;
use super::apply::{Outcome, check_nonce, outlet_of_owner, require_signer};
use super::changes::Overlay;
use super::tables::{current_entry, whole_table};
use crate::crypto::address_of;
use crate::limits::{CHANGES_WAITING_MAX, PPM, UNBONDINGS_MAX};
use crate::outlet::OutletId;
use crate::rejection::Rejection;
use crate::staking::{Candidate, Punished, Unbonding, WaitingChange};
use crate::transaction::{
    CancelChange, Evidence, Heartbeat, RegisterValidator, SetBonding, SetParameters, Unbond, Unjail,
};
use alloy_primitives::{Address, FixedBytes};

/// What an account may do before it holds anything is nothing: free keys cannot fill the ledger.
fn require_holder(state: &Overlay<'_>, account: Address, signer: Address) -> Result<(), Rejection> {
    require_signer("the account itself", account, signer)?;
    let held = state.account(account);
    if held.pending == 0 && held.released == 0 {
        Err(Rejection::NothingHeld { found: account })
    } else {
        Ok(())
    }
}

pub(super) fn set_bonding(state: &mut Overlay<'_>, t: &SetBonding, signer: Address) -> Outcome {
    require_holder(state, t.account, signer)?;
    if u64::from(t.bonding_ppm) > PPM {
        return Err(Rejection::BondingOutOfBounds {
            found: t.bonding_ppm,
        });
    }
    check_nonce(state, signer, t.nonce)?;

    let mut stake = state.stake(t.account);
    stake.bonding_ppm = t.bonding_ppm;
    state.put_stake(t.account, stake);
    state.account_mut(signer).nonce = t.nonce;

    Ok(vec![Event::BondingSet {
        account: t.account,
        bonding_ppm: t.bonding_ppm,
    }])
}

pub(super) fn unbond(state: &mut Overlay<'_>, t: &Unbond, signer: Address) -> Outcome {
    require_signer("the account itself", t.account, signer)?;
    let mut stake = state.stake(t.account);
    if t.units == 0 || t.units > stake.bonded {
        return Err(Rejection::UnbondOutOfBounds {
            max: stake.bonded,
            found: t.units,
        });
    }
    if stake.unbonding.len() >= UNBONDINGS_MAX {
        return Err(Rejection::TooManyUnbondings {
            max: UNBONDINGS_MAX,
        });
    }
    check_nonce(state, signer, t.nonce)?;

    let at_ms = state
        .time_ms()
        .saturating_add(state.core().parameters.unbonding_ms);
    stake.bonded -= t.units;
    stake.unbonding.push(Unbonding {
        at_ms,
        units: t.units,
    });
    state.put_stake(t.account, stake);
    state.account_mut(signer).nonce = t.nonce;

    Ok(vec![Event::UnbondingStarted {
        account: t.account,
        units: t.units,
        at_ms,
    }])
}

pub(super) fn register_validator(
    state: &mut Overlay<'_>,
    t: &RegisterValidator,
    signer: Address,
) -> Outcome {
    outlet_of_owner(state, t.outlet, signer)?;
    let validator = address_of_key(&t.public_key)?;
    check_is_new(state, t.outlet, validator)?;

    let digest = state
        .ledger()
        .domain()
        .validator_consent_digest(t.outlet, signer);
    if t.consent.recover(digest) != Ok(validator) {
        return Err(Rejection::BadConsent {
            expected: validator,
        });
    }
    check_nonce(state, signer, t.nonce)?;

    let candidate = Candidate {
        outlet: t.outlet,
        public_key: t.public_key,
        since_ms: state.time_ms(),
        heartbeat_epoch: 0,
        jailed_until_ms: None,
        punished_to: 0,
    };
    state.put_candidate(validator, candidate);
    state.account_mut(signer).nonce = t.nonce;

    Ok(vec![Event::ValidatorRegistered {
        validator,
        outlet: t.outlet,
    }])
}

fn address_of_key(public_key: &FixedBytes<33>) -> Result<Address, Rejection> {
    let key = secp256k1::PublicKey::from_slice(public_key.as_slice());
    key.map(|key| address_of(&key))
        .map_err(|_| Rejection::BadPublicKey)
}

fn check_is_new(
    state: &Overlay<'_>,
    outlet: OutletId,
    validator: Address,
) -> Result<(), Rejection> {
    if state.candidate(validator).is_some() {
        return Err(Rejection::ValidatorExists { found: validator });
    }

    let (table, written) = state.tables();
    let all = whole_table(&table.candidates, &written.candidates);
    match all.iter().find(|(_, candidate)| candidate.outlet == outlet) {
        Some((found, _)) => Err(Rejection::OutletHasValidator {
            outlet,
            found: *found,
        }),
        None => Ok(()),
    }
}

fn registered_candidate(state: &Overlay<'_>, validator: Address) -> Result<Candidate, Rejection> {
    state
        .candidate(validator)
        .cloned()
        .ok_or(Rejection::UnknownValidator { found: validator })
}

/// Its own key makes it unique, so it needs no nonce.
pub(super) fn heartbeat(state: &mut Overlay<'_>, t: &Heartbeat, signer: Address) -> Outcome {
    let candidate = registered_candidate(state, t.validator)?;
    require_signer("the validator", t.validator, signer)?;

    let expected = state.core().epoch;
    if t.epoch != expected {
        return Err(Rejection::WrongEpoch {
            expected,
            found: t.epoch,
        });
    }
    if candidate.heartbeat_epoch == expected {
        return Err(Rejection::AlreadyIncluded {
            height: state.core().height,
        });
    }

    state.put_candidate(
        t.validator,
        Candidate {
            heartbeat_epoch: expected,
            ..candidate
        },
    );

    Ok(vec![Event::HeartbeatSeen {
        validator: t.validator,
        epoch: expected,
    }])
}

pub(super) fn unjail(state: &mut Overlay<'_>, t: &Unjail, signer: Address) -> Outcome {
    let candidate = registered_candidate(state, t.validator)?;
    outlet_of_owner(state, candidate.outlet, signer)?;

    let until_ms = candidate
        .jailed_until_ms
        .ok_or(Rejection::NotJailed { found: t.validator })?;
    let now_ms = state.time_ms();
    if now_ms < until_ms {
        return Err(Rejection::StillJailed { until_ms, now_ms });
    }
    check_nonce(state, signer, t.nonce)?;

    let punished_to = state.core().height;
    state.put_candidate(
        t.validator,
        Candidate {
            jailed_until_ms: None,
            since_ms: now_ms,
            punished_to,
            ..candidate
        },
    );
    state.account_mut(signer).nonce = t.nonce;

    Ok(vec![Event::Unjailed {
        validator: t.validator,
    }])
}

/// Whoever validates or may be elected reports; no nonce, for an offence is punished once.
pub(super) fn evidence(state: &mut Overlay<'_>, t: &Evidence, signer: Address) -> Outcome {
    if state.candidate(signer).is_none() && state.core().validators.get(signer).is_none() {
        return Err(Rejection::UnknownValidator { found: signer });
    }

    let candidate = registered_candidate(state, t.offender)?;
    let height = t.offence.height();
    check_punishable(state, &candidate, height)?;

    let ledger = state.ledger();
    t.offence
        .verify(
            ledger.sidechain_id(),
            ledger.genesis().evm_chain_id,
            t.offender,
        )
        .map_err(|found| Rejection::BadEvidence { found })?;

    Ok(vec![punish_offender(state, t, candidate)])
}

/// Whether evidence about the height `found` may still cost its validator something. It may not be too old, and one
/// punishment pays for everything that was signed until the validator is out of jail again.
fn check_punishable(
    state: &Overlay<'_>,
    candidate: &Candidate,
    found: u64,
) -> Result<(), Rejection> {
    let max = state.core().height;
    let min = oldest_punishable(state);

    if found < min || found > max {
        return Err(Rejection::EvidenceOutOfTime { min, max, found });
    }
    if candidate.jailed_until_ms.is_some() || found <= candidate.punished_to {
        return Err(Rejection::AlreadyPunished);
    }

    Ok(())
}

/// The first height of the epochs that began within the unbonding time.
fn oldest_punishable(state: &Overlay<'_>) -> u64 {
    let from_ms = state
        .time_ms()
        .saturating_sub(state.core().parameters.unbonding_ms);
    let (table, _) = state.tables();
    let oldest = table
        .epoch_starts
        .range(from_ms..)
        .next()
        .map(|(_, start)| start.first_height);
    oldest.unwrap_or(state.core().epoch_first_height)
}

fn punish_offender(state: &mut Overlay<'_>, t: &Evidence, candidate: Candidate) -> Event {
    let parameters = state.core().parameters;
    let jailed_until_ms = Some(state.time_ms().saturating_add(parameters.jail_ms));
    let owner = state
        .outlet(candidate.outlet)
        .map_or(Address::ZERO, |outlet| outlet.owner);

    state.put_candidate(
        t.offender,
        Candidate {
            jailed_until_ms,
            ..candidate
        },
    );

    let mut stake = state.stake(owner);
    let slashed = stake.slash(parameters.slash_ppm);
    state.put_stake(owner, stake);
    let supply = &mut state.core_mut().supply;
    supply.bonded -= slashed;
    supply.slashed += slashed;

    let (at, height) = (state.core().height, t.offence.height());
    let punished = Punished {
        height: at,
        offence: t.offence,
        slashed,
    };
    state
        .tables_mut()
        .punished
        .insert((t.offender, height), Some(punished));

    Event::ValidatorPunished {
        validator: t.offender,
        owner,
        offence: t.offence.name(),
        height,
        slashed,
    }
}

pub(super) fn set_parameters(
    state: &mut Overlay<'_>,
    t: &SetParameters,
    signer: Address,
) -> Outcome {
    require_signer("the founder", state.ledger().genesis().founder, signer)?;
    if let Some((field, min, max, found)) = t.parameters.out_of_bounds() {
        return Err(Rejection::ParameterOutOfBounds {
            field,
            min,
            max,
            found,
        });
    }

    let (table, written) = state.tables();
    if whole_table(&table.waiting, &written.waiting).len() >= CHANGES_WAITING_MAX {
        return Err(Rejection::TooManyChanges {
            max: CHANGES_WAITING_MAX,
        });
    }
    check_nonce(state, signer, t.nonce)?;

    let at_ms = state
        .time_ms()
        .saturating_add(state.ledger().genesis().change_delay_ms);
    state.account_mut(signer).nonce = t.nonce;
    state.tables_mut().waiting.insert(
        t.nonce,
        Some(WaitingChange {
            at_ms,
            parameters: t.parameters,
        }),
    );

    Ok(vec![Event::ChangeProposed {
        change: t.nonce,
        at_ms,
    }])
}

pub(super) fn cancel_change(state: &mut Overlay<'_>, t: &CancelChange, signer: Address) -> Outcome {
    require_signer("the guardian", state.ledger().genesis().guardian, signer)?;
    let (table, written) = state.tables();
    if current_entry(&table.waiting, &written.waiting, &t.change).is_none() {
        return Err(Rejection::UnknownChange { found: t.change });
    }
    check_nonce(state, signer, t.nonce)?;
    state.account_mut(signer).nonce = t.nonce;
    state.tables_mut().waiting.insert(t.change, None);
    Ok(vec![Event::ChangeCancelled { change: t.change }])
}

/// Changes whose time has come are in force from the next block on, in the order in which they were proposed.
pub(super) fn apply_changes(state: &mut Overlay<'_>) -> Vec<Event> {
    let now_ms = state.time_ms();
    let (table, written) = state.tables();
    let waiting = whole_table(&table.waiting, &written.waiting);
    let due = waiting
        .into_iter()
        .filter(|(_, change)| change.at_ms <= now_ms);
    due.map(|(number, change)| {
        state.core_mut().parameters = change.parameters;
        state.tables_mut().waiting.insert(number, None);
        Event::ParametersChanged { change: number }
    })
    .collect()
}

/// Unbondings whose time has come go to pending; what each account gets.
pub(super) fn end_unbondings(state: &mut Overlay<'_>) -> Vec<(Address, u64)> {
    let now_ms = state.time_ms();
    let (table, written) = state.tables();
    let is_due = |unbonding: &Unbonding| unbonding.at_ms <= now_ms;
    let stakes = whole_table(&table.stakes, &written.stakes);
    let due: Vec<_> = stakes
        .into_iter()
        .filter(|(_, stake)| stake.unbonding.iter().any(is_due))
        .collect();

    due.into_iter()
        .map(|(account, mut stake)| {
            let units = stake
                .unbonding
                .iter()
                .filter(|u| is_due(u))
                .map(|u| u.units)
                .sum();

            stake.unbonding.retain(|unbonding| !is_due(unbonding));
            state.put_stake(account, stake);
            state.core_mut().supply.bonded -= units;
            to_pending(state, account, units);

            (account, units)
        })
        .collect()
}

/// Units from elsewhere become pending at an account.
pub(super) fn to_pending(state: &mut Overlay<'_>, account: Address, units: u64) {
    state.account_mut(account).pending += units;
    state.core_mut().supply.pending += units;
}
