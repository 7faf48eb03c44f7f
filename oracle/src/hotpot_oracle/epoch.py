"""The end of an epoch, step by step."""

from collections import Counter
from dataclasses import dataclass

from .chain import Blocks, Validator, validators_hash
from .checkpoint import Checkpoint
from .codec import encode
from .crypto import leaf, merkle_root
from .election import next_validators, seat
from .parameters import share_of
from .payouts import Chunk, chunks, payout_root
from .rules import largest_remainder
from .state import EpochStart, Erased, Ledger, Pinned, Stake, state_root


@dataclass(slots=True)
class Closed:
    """A checkpoint that the ledger made, for an anchor."""

    checkpoint: Checkpoint
    anchor: bytes
    chunks: list[Chunk]


def ends_epoch(ledger: Ledger) -> bool:
    """Whether the block that is being executed is the last of its epoch."""
    core, length = ledger.core, ledger.genesis.epoch_length
    if isinstance(length, Blocks):
        return core.height + 1 - core.epoch_first_height >= length.count
    return core.time_ms >= core.epoch_start_ms + length.count


def end_epoch(ledger: Ledger) -> Closed | None:
    """All steps in their order; what the epoch's validators sign."""
    release_mature(ledger)
    bind_proposed(ledger)
    elected = next_validators(ledger)
    closed = make_checkpoint(ledger, elected)
    seat(ledger, elected)
    apply_changes(ledger)
    begin_next(ledger)
    return closed


def release_mature(ledger: Ledger) -> None:
    """Unbondings, accruals and the pool release their units. `earned` comes from sales, and may be bonded."""
    earned: Counter[bytes] = Counter()
    free: Counter[bytes] = Counter()
    end_unbondings(ledger, free)
    for key, units in ledger.accruals.rows():
        if key[0] <= ledger.core.time_ms:
            ledger.accruals.remove(key)
            earned[key[1]] += units
    expire_receipts(ledger)
    share_pool_out(ledger, free)
    for address in sorted(+(earned + free)):
        release(ledger, address, earned[address], free[address])


def end_unbondings(ledger: Ledger, free: Counter[bytes]) -> None:
    """Unbondings whose time has come go to pending."""
    now = ledger.core.time_ms
    for address, stake in ledger.stakes.rows():
        due = [each for each in stake.unbonding if each.at_ms <= now]
        if due:
            ledger.stakes.write(address).unbonding = [
                each for each in stake.unbonding if each.at_ms > now
            ]
            units = sum(each.units for each in due)
            ledger.core.supply.bonded -= units
            to_pending(ledger, address, units)
            free[address] += units


def to_pending(ledger: Ledger, address: bytes, units: int) -> None:
    """Units from elsewhere become pending at an account."""
    ledger.account(address).pending += units
    ledger.core.supply.pending += units


def expire_receipts(ledger: Ledger) -> None:
    """Units of receipts that nobody claimed in time go to the pool."""
    core = ledger.core
    if core.time_ms < core.parameters.receipt_ms:
        return
    core.receipts_expired_to_ms = max(
        core.receipts_expired_to_ms, core.time_ms - core.parameters.receipt_ms
    )
    for recorded_at_ms, units in ledger.receipts.rows():
        if recorded_at_ms <= core.receipts_expired_to_ms:
            ledger.receipts.remove(recorded_at_ms)
            core.supply.receipts -= units
            core.supply.pool += units


def share_pool_out(ledger: Ledger, free: Counter[bytes]) -> None:
    """The pool goes to all holders in proportion to what they hold, when its time has come."""
    core = ledger.core
    if core.time_ms < core.pool_due_ms:
        return
    core.pool_due_ms = core.time_ms + core.parameters.pool_ms
    holders = list(ledger.accounts.rows())
    weights = [
        account.released + (ledger.stakes.get(address) or Stake()).total()
        for address, account in holders
    ]
    if not any(weights):
        return
    core.pool_shared_to, core.receipts_shared_to_ms = core.height, core.receipts_expired_to_ms
    parts, core.supply.pool = largest_remainder(core.supply.pool, weights), 0
    for (address, _), units in zip(holders, parts, strict=True):
        if units:
            to_pending(ledger, address, units)
            free[address] += units


def release(ledger: Ledger, address: bytes, earned: int, free: int) -> None:
    """From pending to released, after the account's debt is paid and a share of what was earned is bonded."""
    account, supply, units = ledger.account(address), ledger.core.supply, earned + free
    paid = min(account.debt, units)
    stake = ledger.stakes.get(address) or Stake()
    bonded = share_of(max(0, earned - paid), stake.bonding_ppm)
    account.pending -= units
    account.debt -= paid
    account.released += units - paid - bonded
    supply.pending -= units
    supply.debt -= paid
    supply.bonded += bonded
    supply.released += units - paid - bonded
    if bonded:
        ledger.stake(address).bonded += bonded
    if units > paid + bonded:
        ledger.to_settle.mark(address, True)


def bind_proposed(ledger: Ledger) -> None:
    """Proposed contracts come into force, or are void if another set is in force than they name."""
    core = ledger.core
    if core.proposed_anchor and core.proposed_anchor.from_epoch == core.epoch:
        if core.proposed_anchor.validators_hash == validators_hash(core.validators):
            core.anchor = core.proposed_anchor
        core.proposed_anchor = None


def make_checkpoint(ledger: Ledger, elected: list[Validator]) -> Closed | None:
    """The blocks since the last checkpoint, the state and the payouts; none without an anchor."""
    core = ledger.core
    if core.anchor is None:
        return None
    found = chunks(settle(ledger))
    checkpoint = Checkpoint(
        ledger.sidechain_id,
        core.epoch,
        core.uncovered_from,
        core.height,
        merkle_root([leaf(each) for each in ledger.uncovered_hashes]),
        state_root(ledger, elected),
        payout_root(found),
        merkle_root([leaf(encode(each, Pinned | Erased)) for each in ledger.uncovered_recordings]),
        core.supply.released,
        validators_hash(elected),
    )
    core.uncovered_from, ledger.uncovered_hashes, ledger.uncovered_recordings = (
        core.height + 1,
        [],
        [],
    )
    return Closed(checkpoint, core.anchor.anchor, found)


def settle(ledger: Ledger) -> list[tuple[bytes, int]]:
    """What an epoch pays; most epochs may pay nothing."""
    core = ledger.core
    if core.epoch % ledger.genesis.settlement_epochs:
        return []
    due = (
        [address for address, account in ledger.accounts.rows() if account.released]
        if core.settle_all
        else []
    )
    accounts = {*due, *ledger.to_settle.members}
    for account in sorted(ledger.to_settle.members):
        ledger.to_settle.mark(account, False)
    core.settle_all = False
    return [(account, ledger.accounts[account].released) for account in sorted(accounts)]


def apply_changes(ledger: Ledger) -> None:
    """Changes of parameters whose time has come, in the order in which they were proposed."""
    for number, change in ledger.waiting.rows():
        if change.at_ms <= ledger.core.time_ms:
            ledger.core.parameters = change.parameters
            ledger.waiting.remove(number)


def begin_next(ledger: Ledger) -> None:
    """The next epoch begins."""
    core = ledger.core
    core.epoch += 1
    core.epoch_first_height, core.epoch_start_ms = core.height + 1, core.time_ms
    ledger.epoch_starts.write(core.time_ms, EpochStart(core.epoch, core.epoch_first_height))
