"""Who validates: what is remembered of signatures and sales, scores, and the next set."""

from collections import Counter
from dataclasses import dataclass

from .chain import Certificate, Validator
from .parameters import PPM, ElectionRules
from .state import DAY_MS, Candidate, Ledger

PARTICIPATION_BLOCKS, REGULARITY_DAYS, TENURE_DAYS = 1_000, 30, 365
SEATS, SCORE_MIN, CHALLENGE_PERCENT, POWER_SPREAD_PERCENT, POWER_MAX = (
    (4, 7),
    200_000,
    105,
    145,
    1_000_000,
)


@dataclass(slots=True)
class Scored:
    """A candidate with its score."""

    address: bytes
    public_key: bytes
    city: str
    owner: bytes
    score: int


# ---- what is remembered ---------------------------------------------------------------------------------------------


def record_signers(ledger: Ledger, certificate: Certificate, validators: list[Validator]) -> None:
    """Bit i says whether the i-th validator signed; the record of 1,000 blocks ago goes."""
    signers = {signed.validator for signed in certificate.signatures}
    bits = sum(
        1 << place for place, validator in enumerate(validators) if validator.address in signers
    )
    ledger.commits.write(certificate.height, bits)
    if ledger.commits.get(certificate.height - PARTICIPATION_BLOCKS) is not None:
        ledger.commits.remove(certificate.height - PARTICIPATION_BLOCKS)


def count_sale(ledger: Ledger, outlet: int, recorded_at_ms: int) -> None:
    """One more issuing sale of an outlet on a day."""
    day = (recorded_at_ms // DAY_MS, outlet)
    ledger.sale_days.write(day, (ledger.sale_days.get(day) or 0) + 1)


def discount_sale(ledger: Ledger, outlet: int, recorded_at_ms: int) -> None:
    """The first refund of a sale takes it from its day."""
    day = (recorded_at_ms // DAY_MS, outlet)
    count = ledger.sale_days.get(day) or 0
    if count > 1:
        ledger.sale_days.write(day, count - 1)
    elif count == 1:
        ledger.sale_days.remove(day)


# ---- scores ---------------------------------------------------------------------------------------------------------


def ppm(part: int, whole: int) -> int:
    """Parts per million, rounded down; nothing of nothing is nothing."""
    return part * PPM // max(1, whole)


def signed(ledger: Ledger, address: bytes) -> tuple[int, int]:
    """Certificates with a validator's signature, and those of blocks at which it had a seat."""
    count, seated = 0, 0
    firsts = sorted(ledger.sets.entries)
    for height, bits in ledger.commits.rows():
        first = max((each for each in firsts if each <= height), default=None)
        members = (
            [validator.address for validator in ledger.sets[first]] if first is not None else []
        )
        if address in members:
            count, seated = count + (bits >> members.index(address) & 1), seated + 1
    return count, seated


def sale_days(ledger: Ledger, candidate: Candidate) -> int:
    """Days of the last 30, since the registration, with an unrefunded issuing sale."""
    today = ledger.core.time_ms // DAY_MS
    first = max(today + 1 - REGULARITY_DAYS, candidate.since_ms // DAY_MS)
    return sum(
        (day, candidate.outlet) in ledger.sale_days.entries for day in range(first, today + 1)
    )


def stake_behind(ledger: Ledger, owner: bytes) -> int:
    """What an owner bonded, in equal parts for each of its validators."""
    mine = [
        each
        for each in ledger.candidates.entries.values()
        if ledger.outlets[each.outlet].owner == owner
    ]
    stake = ledger.stakes.get(owner)
    return stake.bonded // max(1, len(mine)) if stake else 0


def scores(ledger: Ledger) -> list[Scored]:
    """All who stand for election, the best first."""
    standing = {
        address: candidate
        for address, candidate in ledger.candidates.rows()
        if candidate.jailed_until_ms is None and candidate.heartbeat_epoch >= ledger.core.epoch
    }
    outlets = {address: ledger.outlets[candidate.outlet] for address, candidate in standing.items()}
    records = {address: signed(ledger, address) for address in standing}
    known = sorted(ppm(count, seated) for count, seated in records.values() if seated)
    median = known[(len(known) - 1) // 2] if known else PPM
    stakes = {address: stake_behind(ledger, outlet.owner) for address, outlet in outlets.items()}
    in_city = Counter(outlet.city for outlet in outlets.values())
    found = []
    for address, candidate in standing.items():
        count, seated = records[address]
        participation = ppm(count, seated) if seated else median
        regularity = ppm(min(sale_days(ledger, candidate), REGULARITY_DAYS), REGULARITY_DAYS)
        tenure = ppm(
            min((ledger.core.time_ms - candidate.since_ms) // DAY_MS, TENURE_DAYS), TENURE_DAYS
        )
        reputation = (500_000 * participation + 300_000 * regularity + 200_000 * tenure) // PPM
        outlet = outlets[address]
        geography = ledger.genesis.election.city_weights.get(outlet.city, 0) // in_city[outlet.city]
        stake = ppm(stakes[address], sum(stakes.values()))
        total = (400_000 * reputation + 300_000 * stake + 300_000 * geography) // PPM
        found.append(Scored(address, candidate.public_key, outlet.city, outlet.owner, total))
    return sorted(found, key=lambda each: (-each.score, each.address))


def electable(scored: list[Scored], rules: ElectionRules) -> list[Scored]:
    """The best first, while minimum and caps hold."""
    cities: Counter[str] = Counter()
    owners: Counter[bytes] = Counter()
    found = []
    for each in scored:
        has_room = (
            cities[each.city] < rules.per_city_max and owners[each.owner] < rules.per_owner_max
        )
        if each.score >= SCORE_MIN and has_room:
            found.append(each)
            cities[each.city] += 1
            owners[each.owner] += 1
    return found


# ---- the next set ---------------------------------------------------------------------------------------------------


def next_validators(ledger: Ledger) -> list[Validator]:
    """The validators from the next block on; the present ones when there is no election, or no safe result."""
    core, every = ledger.core, ledger.core.parameters.election_epochs
    if every == 0 or core.epoch % every:
        return core.validators
    able = electable(scores(ledger), ledger.genesis.election)
    if len(able) < SEATS[0]:
        return core.validators
    elected = with_power(next_members(core.validators, able), able)
    total = sum(validator.power for validator in elected)
    is_safe = len(elected) >= SEATS[0] and all(validator.power * 3 < total for validator in elected)
    return elected if is_safe else core.validators


def next_members(present: list[Validator], able: list[Scored]) -> list[tuple[bytes, bytes]]:
    """At most one seat changes. The last in order of right, score and address is the first to go."""
    seats = SEATS[1] if len(able) >= SEATS[1] else SEATS[0]
    score = {each.address: each.score for each in able}
    members = sorted(
        ((v.address, v.public_key) for v in present), key=lambda m: (-score.get(m[0], 0), m[0])
    )
    seated = {address for address, _ in members}
    challenger = next((each for each in able if each.address not in seated), None)
    lowest = members[-1][0]
    has_right = lowest in score
    if len(members) > seats:
        return members[:-1]
    if challenger is not None:
        incoming = (challenger.address, challenger.public_key)
        if len(members) < seats and has_right:
            return [*members, incoming]
        if not has_right or challenger.score * 100 >= score[lowest] * CHALLENGE_PERCENT:
            return [*members[:-1], incoming]
    elif not has_right and len(members) > SEATS[0]:
        return members[:-1]
    return members


def with_power(members: list[tuple[bytes, bytes]], able: list[Scored]) -> list[Validator]:
    """Power follows the score, at most 1.45 times the lowest one's, scaled to the greatest power there is."""
    score = {each.address: each.score for each in able}
    known = [score[address] for address, _ in members if address in score]
    if not known:
        return []
    lowest = min(known)
    raw = [
        min(score.get(address, lowest), lowest * POWER_SPREAD_PERCENT // 100)
        for address, _ in members
    ]
    power = [max(1, each * POWER_MAX // max(raw)) for each in raw]
    elected = [
        Validator(address, each, key) for (address, key), each in zip(members, power, strict=True)
    ]
    return sorted(elected, key=lambda validator: validator.address)


def seat(ledger: Ledger, elected: list[Validator]) -> None:
    """Puts the next validators in force and forgets what no score reads any more."""
    oldest_day = ledger.core.time_ms // DAY_MS + 1 - REGULARITY_DAYS
    for day, outlet in sorted(ledger.sale_days.entries):
        if day < oldest_day:
            ledger.sale_days.remove((day, outlet))
    if elected == ledger.core.validators:
        return
    firsts = sorted(ledger.sets.entries)
    needed = max((first for first in firsts if first <= ledger.oldest_commit), default=0)
    for first in firsts:
        if first < needed:
            ledger.sets.remove(first)
    ledger.sets.write(ledger.core.height + 1, elected)
    ledger.core.validators = elected
