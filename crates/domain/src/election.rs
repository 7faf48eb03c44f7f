//! Who validates: scores, who is electable, and the next set. Pure integers: the same input gives the same set on every
//! machine. The formula with a worked example stands in `docs/PROTOCOL.md`, Election.

use crate::limits::{
    CHALLENGE_PERCENT, POWER_MAX, POWER_SPREAD_PERCENT, PPM, REGULARITY_DAYS, SCORE_MIN, SEATS,
    TENURE_DAYS,
};
use crate::outlet::OutletId;
use crate::parameters::ElectionRules;
use crate::validators::{Validator, ValidatorSet};
use alloy_primitives::{Address, FixedBytes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A registered validator that may be elected now: its outlet is active, it sent a heartbeat, it is not jailed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidacy {
    /// The validator's, which breaks ties.
    pub address: Address,
    /// Its compressed secp256k1 key.
    pub public_key: FixedBytes<33>,
    /// The outlet that it was registered for.
    pub outlet: OutletId,
    /// That outlet's owner, whose bonded units back it.
    pub owner: Address,
    /// That outlet's city.
    pub city: String,
    /// Certificates with its signature and certificates of blocks at which it had a seat, among the last 1,000.
    pub signed: (u64, u64),
    /// Days of the last 30 with an unrefunded issuing sale at the outlet.
    pub sale_days: u64,
    /// Days since it was registered.
    pub tenure_days: u64,
    /// Units that back it.
    pub stake: u64,
}

/// A score and what it is made of, all in parts per million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Score {
    /// Share of the certificates with its signature.
    pub participation: u64,
    /// Share of the days with sales.
    pub regularity: u64,
    /// Share of a year since its registration.
    pub tenure: u64,
    /// 0.5 participation + 0.3 regularity + 0.2 tenure.
    pub reputation: u64,
    /// Share of all candidates' stake.
    pub stake: u64,
    /// Weight of its city, divided by the candidates there.
    pub geography: u64,
    /// 0.4 reputation + 0.3 stake + 0.3 geography.
    pub total: u64,
}

/// One candidate's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scored {
    /// What was scored.
    pub candidacy: Candidacy,
    /// How it was scored.
    pub score: Score,
    /// Whether minimum and caps let it have a seat.
    pub electable: bool,
}

/// `part` of `whole` in parts per million, rounded down; nothing of nothing is nothing.
pub fn parts_per_million(part: u64, whole: u64) -> u64 {
    let share = u128::from(part) * u128::from(PPM) / u128::from(whole.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// `share` ppm of `amount`, rounded down.
pub fn share_of(amount: u64, share: u64) -> u64 {
    let part = u128::from(amount) * u128::from(share) / u128::from(PPM);
    u64::try_from(part).unwrap_or(u64::MAX)
}

fn weighted_mean<const N: usize>(parts: [(u64, u64); N]) -> u64 {
    parts
        .iter()
        .map(|(weight, value)| weight * value)
        .sum::<u64>()
        / PPM
}

/// The median participation of those candidates that had a seat, of two in the middle the lower one, in parts per
/// million; the whole while nobody had a seat.
fn median_participation(candidates: &[Candidacy]) -> u64 {
    let mut known: Vec<u64> = candidates
        .iter()
        .filter(|c| c.signed.1 > 0)
        .map(|c| parts_per_million(c.signed.0, c.signed.1))
        .collect();
    known.sort_unstable();
    known
        .get(known.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(PPM)
}

/// Scores all candidates and says who is electable: by score down and address up, while minimum and caps hold.
pub fn score_candidates(mut candidates: Vec<Candidacy>, rules: &ElectionRules) -> Vec<Scored> {
    candidates.sort_by_key(|candidate| candidate.address);
    let median = median_participation(&candidates);
    let stake_total = candidates.iter().map(|candidate| candidate.stake).sum();

    let mut in_city: BTreeMap<String, u64> = BTreeMap::new();
    for candidate in &candidates {
        *in_city.entry(candidate.city.clone()).or_default() += 1;
    }

    let one = |candidacy: Candidacy| {
        let city_weight = u64::from(
            rules
                .city_weights
                .get(&candidacy.city)
                .copied()
                .unwrap_or(0),
        );
        let geography = city_weight / in_city.get(&candidacy.city).copied().unwrap_or(1);
        let score = score_of(
            &candidacy,
            median,
            parts_per_million(candidacy.stake, stake_total),
            geography,
        );

        Scored {
            candidacy,
            score,
            electable: false,
        }
    };

    let mut scored: Vec<Scored> = candidates.into_iter().map(one).collect();
    scored.sort_by_key(|scored| {
        (
            std::cmp::Reverse(scored.score.total),
            scored.candidacy.address,
        )
    });
    mark_electable(&mut scored, rules);

    scored
}

fn score_of(candidacy: &Candidacy, median: u64, stake: u64, geography: u64) -> Score {
    let (signed, certificates) = candidacy.signed;
    let participation = if certificates > 0 {
        parts_per_million(signed, certificates)
    } else {
        median
    };
    let regularity = parts_per_million(candidacy.sale_days.min(REGULARITY_DAYS), REGULARITY_DAYS);
    let tenure = parts_per_million(candidacy.tenure_days.min(TENURE_DAYS), TENURE_DAYS);

    let reputation = weighted_mean([
        (500_000, participation),
        (300_000, regularity),
        (200_000, tenure),
    ]);
    let total = weighted_mean([
        (400_000, reputation),
        (300_000, stake),
        (300_000, geography),
    ]);

    Score {
        participation,
        regularity,
        tenure,
        reputation,
        stake,
        geography,
        total,
    }
}

fn mark_electable(scored: &mut [Scored], rules: &ElectionRules) {
    let mut cities: BTreeMap<String, u32> = BTreeMap::new();
    let mut owners: BTreeMap<Address, u32> = BTreeMap::new();
    for candidate in scored {
        let city = cities.entry(candidate.candidacy.city.clone()).or_default();
        let owner = owners.entry(candidate.candidacy.owner).or_default();
        let has_room = *city < rules.per_city_max && *owner < rules.per_owner_max;
        if candidate.score.total >= SCORE_MIN && has_room {
            candidate.electable = true;
            *city += 1;
            *owner += 1;
        }
    }
}

/// The next set: at most one seat changes. The present set stays as it is when fewer than four are electable or when
/// the result would not be safe; that outranks jailing and silence.
pub fn elect_validators(present: &ValidatorSet, scored: &[Scored]) -> ValidatorSet {
    let electable: Vec<&Scored> = scored
        .iter()
        .filter(|candidate| candidate.electable)
        .collect();
    if electable.len() < SEATS[0] {
        return present.clone();
    }
    let members = next_members(present, &electable);
    with_power(&members, &electable)
        .filter(is_safe)
        .unwrap_or_else(|| present.clone())
}

type Member = (Address, FixedBytes<33>);

/// `electable` is in order of score, so its first who has no seat is the challenger.
fn next_members(present: &ValidatorSet, electable: &[&Scored]) -> Vec<Member> {
    let seats = SEATS
        .into_iter()
        .rev()
        .find(|seats| electable.len() >= *seats)
        .unwrap_or(SEATS[0]);
    let score = |address: Address| {
        place_of(electable, address).map_or(0, |place| electable[place].score.total)
    };
    let mut members: Vec<Member> = present
        .as_slice()
        .iter()
        .map(|v| (v.address, v.public_key))
        .collect();
    // The last of these is the first to go: without a right to its seat, then by score, then by address.
    members.sort_by_key(|(address, _)| (std::cmp::Reverse(score(*address)), *address));
    let challenger = electable
        .iter()
        .find(|candidate| present.get(candidate.candidacy.address).is_none());
    let Some((lowest, _)) = members.last().copied() else {
        return members;
    };
    let has_right = place_of(electable, lowest).is_some();
    let incoming =
        |candidate: &&Scored| (candidate.candidacy.address, candidate.candidacy.public_key);
    match challenger {
        _ if members.len() > seats => drop(members.pop()),
        Some(candidate) if members.len() < seats && has_right => members.push(incoming(candidate)),
        Some(candidate) if !has_right || is_better(candidate.score.total, score(lowest)) => {
            members.pop();
            members.push(incoming(candidate));
        }
        None if !has_right && members.len() > SEATS[0] => drop(members.pop()),
        _ => {}
    }
    members
}

fn place_of(electable: &[&Scored], address: Address) -> Option<usize> {
    electable
        .iter()
        .position(|candidate| candidate.candidacy.address == address)
}

fn is_better(challenger: u64, seated: u64) -> bool {
    challenger * 100 >= seated * CHALLENGE_PERCENT
}

/// Power follows the score, at most 1.45 times the lowest one's, scaled to the greatest power there is. Who keeps a
/// seat without being electable counts as the lowest.
fn with_power(members: &[Member], electable: &[&Scored]) -> Option<ValidatorSet> {
    let score =
        |address: Address| place_of(electable, address).map(|place| electable[place].score.total);
    let lowest = members
        .iter()
        .filter_map(|(address, _)| score(*address))
        .min()?;
    let cap = lowest * POWER_SPREAD_PERCENT / 100;

    let raw: Vec<u64> = members
        .iter()
        .map(|(address, _)| score(*address).unwrap_or(lowest).min(cap))
        .collect();
    let greatest = raw.iter().copied().max()?;

    let scaled = |raw: u64| (raw * POWER_MAX / greatest).max(1);
    let validator = |(&(address, public_key), raw): (&Member, u64)| Validator {
        address,
        power: scaled(raw),
        public_key,
    };

    let mut validators: Vec<Validator> = members.iter().zip(raw).map(validator).collect();
    validators.sort_by_key(|validator| validator.address);
    ValidatorSet::try_from(validators).ok()
}

/// At least four, and nobody has a third of the power.
fn is_safe(set: &ValidatorSet) -> bool {
    let total = set.total_power();
    set.as_slice().len() >= SEATS[0]
        && set
            .as_slice()
            .iter()
            .all(|validator| validator.power * 3 < total)
}
