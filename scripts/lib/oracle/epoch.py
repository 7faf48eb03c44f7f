"""The end of an epoch, step by step."""

from collections import Counter
from dataclasses import dataclass

from .chain import Blocks, Checkpoint, validators_hash
from .crypto import EMPTY_ROOT, leaf, merkle_root
from .payouts import Chunk, chunks, payout_root
from .state import Ledger, state_root


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
    closed = make_checkpoint(ledger)
    begin_next(ledger)
    return closed


def release_mature(ledger: Ledger) -> None:
    """Sales whose maturity has come release their units."""
    mature: Counter[bytes] = Counter()
    for accrual in sorted(each for each in ledger.accruals.members if each[0] <= ledger.core.time_ms):
        ledger.accruals.mark(accrual, False)
        for share in ledger.sales.write(accrual[1]).shares:
            account = share.account()
            if account is not None and share.released_in is None:
                share.released_in = ledger.core.epoch
                mature[account] += share.left()
    for address in sorted(+mature):
        release(ledger, address, mature[address])


def release(ledger: Ledger, address: bytes, units: int) -> None:
    """From pending to released, after the account's debt is paid."""
    account, supply = ledger.account(address), ledger.core.supply
    paid = min(account.debt, units)
    account.pending -= units
    account.debt -= paid
    account.released += units - paid
    supply.pending -= units
    supply.debt -= paid
    supply.released += units - paid
    if units > paid:
        ledger.to_settle.mark(address, True)


def bind_proposed(ledger: Ledger) -> None:
    """Proposed contracts come into force, or are void if another set is in force than they name."""
    core = ledger.core
    if core.proposed_anchor and core.proposed_anchor.from_epoch == core.epoch:
        if core.proposed_anchor.validators_hash == validators_hash(core.validators):
            core.anchor = core.proposed_anchor
        core.proposed_anchor = None


def make_checkpoint(ledger: Ledger) -> Closed | None:
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
        state_root(ledger),
        payout_root(found),
        EMPTY_ROOT,
        core.supply.released,
        validators_hash(core.validators),
    )
    core.uncovered_from, ledger.uncovered_hashes = core.height + 1, []
    return Closed(checkpoint, core.anchor.anchor, found)


def settle(ledger: Ledger) -> list[tuple[bytes, int]]:
    """What an epoch pays; most epochs may pay nothing."""
    core = ledger.core
    if core.epoch % ledger.genesis.settlement_epochs:
        return []
    due = [address for address, account in ledger.accounts.rows() if account.released] if core.settle_all else []
    accounts = {*due, *ledger.to_settle.members}
    for account in sorted(ledger.to_settle.members):
        ledger.to_settle.mark(account, False)
    core.settle_all = False
    return [(account, ledger.accounts[account].released) for account in sorted(accounts)]


def begin_next(ledger: Ledger) -> None:
    """The next epoch."""
    core = ledger.core
    core.epoch += 1
    core.epoch_first_height, core.epoch_start_ms = core.height + 1, core.time_ms
