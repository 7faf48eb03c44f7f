"""One function for each transaction: what must hold, then what it changes."""

from collections.abc import Callable
from typing import Any, TypeVar

from .chain import validators_hash
from .crypto import ZERO_ADDRESS, BadSignature
from .state import (
    SHARES,
    UNITS_PER_SALE,
    Account,
    Binding,
    Holder,
    Ledger,
    Outlet,
    RefundEntry,
    SaleEntry,
    Share,
    Terminal,
    ToAccount,
    ToClaimed,
    ToPool,
    ToReceipt,
    new_quota,
)
from .transactions import (
    BuyerKind,
    ClaimReceipt,
    FullSettlement,
    Refund,
    RegisterOutlet,
    RegisterTerminal,
    RequestPayout,
    RevokeTerminal,
    Sale,
    SetAnchor,
    approval_signer,
)

SALE_TOTAL_MAX, CITY_BYTES_MAX, REFUNDS_PER_SALE_MAX = 1_000_000_000_000, 64, 16
SALE_LATE_MS_MAX, SALE_AHEAD_MS_MAX, ANCHOR_AHEAD_EPOCHS_MAX = 72 * 3_600_000, 10_000, 1_000
BELOW_MINIMUM, OUTLET_QUOTA, TERMINAL_QUOTA, OWNER_DEBT = range(4)

Rule = Callable[[Ledger, Any, bytes, bytes], None]
RULES: dict[type, Rule] = {}
R = TypeVar("R", bound=Rule)
T = TypeVar("T")


class Refused(ValueError):
    """A transaction that no block may hold; the message begins with the code of the rejection."""


def rule(payload: type) -> Callable[[R], R]:
    """Registers the function of a transaction. It gets the ledger, the payload, its signer and its id."""

    def register(function: R) -> R:
        RULES[payload] = function
        return function

    return register


def require(holds: bool, code: str) -> None:
    """Refuses what does not hold."""
    if not holds:
        raise Refused(code)


def known(found: T | None, code: str) -> T:
    """What the ledger has, or a rejection."""
    if found is None:
        raise Refused(code)
    return found


def use_nonce(ledger: Ledger, signer: bytes, nonce: int) -> None:
    """Nonces of an account strictly increase."""
    before = ledger.accounts.get(signer) or Account()
    require(nonce > before.nonce, "stale_nonce")
    ledger.account(signer).nonce = nonce


def terminal_of_outlet(ledger: Ledger, address: bytes, outlet: int) -> None:
    """An address is an active terminal of an outlet."""
    terminal = known(ledger.terminals.get(address), "unknown_terminal")
    require(terminal.active, "revoked_terminal")
    require(terminal.outlet == outlet, "wrong_outlet")


def contracts(ledger: Ledger) -> set[bytes]:
    """The addresses that hold no units: the zero address, the token and the anchor."""
    bindings = [binding for binding in (ledger.core.anchor, ledger.core.proposed_anchor) if binding]
    return {ZERO_ADDRESS, *(binding.token for binding in bindings), *(binding.anchor for binding in bindings)}


# ---- sales ----------------------------------------------------------------------------------------------------------


@rule(Sale)
def sale(ledger: Ledger, sale: Sale, signer: bytes, tx_id: bytes) -> None:
    """A sale is recorded; unless a quota or the owner's debt forbids it, 100 units are issued."""
    key = (sale.outlet, sale.sale_id)
    require(signer == sale.terminal, "wrong_terminal_signature")
    check_not_recorded(ledger.sales.get(key), tx_id, "sale_conflict")
    check_sale(ledger, sale)
    entry = SaleEntry(
        tx_id,
        ledger.core.height,
        sale.total,
        0,
        why_not_issued(ledger, sale),
        [],
        ledger.core.time_ms + ledger.genesis.maturity_ms,
    )
    ledger.sales.write(key, entry)
    ledger.core.supply.sales += 1
    if entry.not_issued is None:
        issue(ledger, sale, entry)


def check_not_recorded(before: SaleEntry | RefundEntry | None, tx_id: bytes, conflict: str) -> None:
    """The same content is no second one; other content under the same key is a conflict."""
    require(before is None or before.tx_id != tx_id, "already_included")
    require(before is None, conflict)


def check_sale(ledger: Ledger, sale: Sale) -> None:
    """Rights, then content."""
    terminal_of_outlet(ledger, sale.terminal, sale.outlet)
    outlet, now = ledger.outlets[sale.outlet], ledger.core.time_ms
    require(sale.currency == outlet.currency, "wrong_currency")
    require(sale.total <= SALE_TOTAL_MAX, "total_out_of_bounds")
    require(sale.occurred_at_ms + SALE_LATE_MS_MAX >= now, "too_late")
    require(sale.occurred_at_ms <= now + SALE_AHEAD_MS_MAX, "too_far_ahead")
    nobody = sale.buyer_kind == BuyerKind.NONE
    require(sale.buyer == ZERO_ADDRESS if nobody else sale.buyer not in contracts(ledger), "bad_buyer")


def why_not_issued(ledger: Ledger, sale: Sale) -> int | None:
    """The first reason that applies."""
    outlet, terminal, now = ledger.outlets[sale.outlet], ledger.terminals[sale.terminal], ledger.core.time_ms
    owner = ledger.accounts.get(outlet.owner) or Account()
    reasons = {
        BELOW_MINIMUM: sale.total < ledger.genesis.sale_total_min,
        OUTLET_QUOTA: not outlet.quota.at(now).allows(),
        TERMINAL_QUOTA: not terminal.quota.at(now).allows(),
        OWNER_DEBT: owner.debt > ledger.genesis.owner_debt_max,
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def issue(ledger: Ledger, sale: Sale, entry: SaleEntry) -> None:
    """100 units, split by the outlet's table; one of each quota."""
    outlet, terminal = ledger.outlets.write(sale.outlet), ledger.terminals.write(sale.terminal)
    for holder in (outlet, terminal):
        holder.quota = holder.quota.at(ledger.core.time_ms).take()
    buyer: dict[BuyerKind, Holder] = {
        BuyerKind.NONE: ToPool(),
        BuyerKind.WALLET: ToAccount(sale.buyer),
        BuyerKind.RECEIPT: ToReceipt(sale.buyer),
    }
    split: list[tuple[Holder, int]] = [
        (ToAccount(outlet.owner), outlet.shares.owner),
        (ToAccount(ledger.genesis.founder), outlet.shares.royalty),
        (buyer[sale.buyer_kind], outlet.shares.buyer),
    ]
    entry.issued, entry.shares = UNITS_PER_SALE, [Share(to, units) for to, units in split if units]
    ledger.core.supply.issued += UNITS_PER_SALE
    for share in entry.shares:
        accrue(ledger, share)
    ledger.accruals.mark((entry.matures_at_ms, (sale.outlet, sale.sale_id)), True)


def accrue(ledger: Ledger, share: Share) -> None:
    """Units come to where a share says."""
    if isinstance(share.to, ToPool):
        ledger.core.supply.pool += share.units
    elif isinstance(share.to, ToReceipt):
        ledger.core.supply.receipts += share.units
    else:
        ledger.account(share.to.account).pending += share.units
        ledger.core.supply.pending += share.units


@rule(ClaimReceipt)
def claim_receipt(ledger: Ledger, claim: ClaimReceipt, signer: bytes, tx_id: bytes) -> None:
    """A receipt's units go to a wallet and wait there like all others."""
    key = (claim.outlet, claim.sale_id)
    entry = known(ledger.sales.get(key), "unknown_sale")
    receipts = (share for share in entry.shares if isinstance(share.to, ToReceipt | ToClaimed))
    share = known(next(receipts, None), "no_receipt")
    if isinstance(share.to, ToClaimed):
        raise Refused("already_claimed" if share.to.account == claim.wallet else "claim_conflict")
    assert isinstance(share.to, ToReceipt)
    require(share.left() > 0, "no_receipt")
    require(signer == share.to.receipt, "wrong_signer")
    require(claim.wallet not in contracts(ledger), "bad_wallet")
    ledger.sales.write(key)
    share.to = ToClaimed(share.to.receipt, claim.wallet)
    ledger.core.supply.receipts -= share.left()
    ledger.core.supply.pending += share.left()
    ledger.account(claim.wallet).pending += share.left()
    ledger.accruals.mark((max(entry.matures_at_ms, ledger.core.time_ms), key), True)


# ---- refunds --------------------------------------------------------------------------------------------------------


@rule(Refund)
def refund(ledger: Ledger, refund: Refund, signer: bytes, tx_id: bytes) -> None:
    """Units are taken back in proportion; what was released already is owed by the outlet's owner."""
    key = (refund.outlet, refund.sale_id)
    entry = known(ledger.sales.get(key), "unknown_sale")
    before = next((each for each in entry.refunds if each.refund_id == refund.refund_id), None)
    check_not_recorded(before, tx_id, "refund_conflict")
    check_refund(ledger, refund, entry, signer)
    ledger.sales.write(key)
    owner = ledger.account(ledger.outlets[refund.outlet].owner)
    parts = reversal_of(entry, refund.amount)
    for share, units in zip(entry.shares, parts, strict=True):
        take_back(ledger, share, units, owner)
    entry.refunds.append(RefundEntry(refund.refund_id, tx_id, ledger.core.height, refund.amount))
    ledger.core.supply.reversed += sum(parts)


def check_refund(ledger: Ledger, refund: Refund, entry: SaleEntry, signer: bytes) -> None:
    """An active terminal of the outlet or its owner; never more than the total."""
    if signer != ledger.outlets[refund.outlet].owner:
        terminal_of_outlet(ledger, signer, refund.outlet)
    require(1 <= refund.amount <= entry.total - entry.refunded(), "refund_out_of_bounds")
    require(len(entry.refunds) < REFUNDS_PER_SALE_MAX, "too_many_refunds")


def reversal_of(entry: SaleEntry, amount: int) -> list[int]:
    """floor(issued × Σ refunds ÷ total), less what was taken before, split over what is left of the shares."""
    due = entry.issued * (entry.refunded() + amount) // entry.total
    return largest_remainder(due - entry.reversed(), [share.left() for share in entry.shares])


def largest_remainder(units: int, weights: list[int]) -> list[int]:
    """Whole parts first, then one each to the largest remainders, the earlier one first among equal ones."""
    total = max(1, sum(weights))
    parts = [units * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(units * weights[place] % total))
    for place in by_remainder[: units - sum(parts)]:
        parts[place] += 1
    return parts


def take_back(ledger: Ledger, share: Share, units: int, owner: Account) -> None:
    """From where the share is now."""
    supply = ledger.core.supply
    share.reversed += units
    if isinstance(share.to, ToPool):
        supply.pool -= units
    elif isinstance(share.to, ToReceipt):
        supply.receipts -= units
    elif share.released_in is not None:
        supply.debt += units
        owner.debt += units
    else:
        supply.pending -= units
        ledger.account(share.to.account).pending -= units


# ---- outlets and terminals ------------------------------------------------------------------------------------------


@rule(RegisterOutlet)
def register_outlet(ledger: Ledger, register: RegisterOutlet, signer: bytes, tx_id: bytes) -> None:
    """The founder opens an outlet with the registrar's approval, which is used once."""
    require(signer == ledger.genesis.founder, "wrong_signer")
    require(ledger.outlets.get(register.outlet) is None, "outlet_exists")
    require(1 <= len(register.city.encode()) <= CITY_BYTES_MAX, "bad_city")
    require(register.currency.isupper(), "bad_currency")
    require(register.owner not in contracts(ledger), "bad_owner")
    check_approval(ledger, register)
    use_nonce(ledger, signer, register.nonce)
    ledger.approvals.mark(register.approval_ref, True)
    quota = new_quota(register.quota_per_day, ledger.core.time_ms)
    ledger.outlets.write(
        register.outlet,
        Outlet(
            register.owner,
            register.kind,
            register.city,
            register.currency,
            SHARES[register.kind],
            quota,
            register.terminal_quota_per_day,
        ),
    )


def check_approval(ledger: Ledger, register: RegisterOutlet) -> None:
    """The registrar's signature over this very outlet, in time and for the first time."""
    try:
        require(approval_signer(register, ledger.domain) == ledger.genesis.registrar, "wrong_registrar")
    except BadSignature:
        raise Refused("bad_approval_signature") from None
    require(ledger.core.time_ms <= register.approval_expires_at_ms, "approval_expired")
    require(register.approval_ref not in ledger.approvals, "approval_used")


def outlet_of_owner(ledger: Ledger, outlet: int, signer: bytes) -> Outlet:
    """Only its owner enrols and revokes terminals."""
    found = known(ledger.outlets.get(outlet), "unknown_outlet")
    require(signer == found.owner, "wrong_signer")
    return found


@rule(RegisterTerminal)
def register_terminal(ledger: Ledger, register: RegisterTerminal, signer: bytes, tx_id: bytes) -> None:
    """An address is enrolled once, for one outlet."""
    outlet = outlet_of_owner(ledger, register.outlet, signer)
    require(ledger.terminals.get(register.terminal) is None, "terminal_exists")
    use_nonce(ledger, signer, register.nonce)
    quota = new_quota(outlet.terminal_quota_per_day, ledger.core.time_ms)
    ledger.terminals.write(register.terminal, Terminal(register.outlet, register.kind, True, quota))


@rule(RevokeTerminal)
def revoke_terminal(ledger: Ledger, revoke: RevokeTerminal, signer: bytes, tx_id: bytes) -> None:
    """A revoked address stays in the ledger, so that it is never enrolled again."""
    outlet_of_owner(ledger, revoke.outlet, signer)
    terminal_of_outlet(ledger, revoke.terminal, revoke.outlet)
    use_nonce(ledger, signer, revoke.nonce)
    ledger.terminals.write(revoke.terminal).active = False


# ---- payouts and contracts ------------------------------------------------------------------------------------------


@rule(RequestPayout)
def request_payout(ledger: Ledger, request: RequestPayout, signer: bytes, tx_id: bytes) -> None:
    """The next settlement pays this account."""
    require(signer == request.account, "wrong_signer")
    require((ledger.accounts.get(signer) or Account()).released > 0, "nothing_released")
    require(request.account not in ledger.to_settle, "payout_already_due")
    use_nonce(ledger, signer, request.nonce)
    ledger.to_settle.mark(request.account, True)


@rule(FullSettlement)
def full_settlement(ledger: Ledger, full: FullSettlement, signer: bytes, tx_id: bytes) -> None:
    """The next settlement pays everybody."""
    require(signer == ledger.genesis.founder, "wrong_signer")
    use_nonce(ledger, signer, full.nonce)
    ledger.core.settle_all = True


@rule(SetAnchor)
def set_anchor(ledger: Ledger, bound: SetAnchor, signer: bytes, tx_id: bytes) -> None:
    """Contracts are proposed; they come into force at the end of `from_epoch`."""
    core = ledger.core
    require(signer == ledger.genesis.founder, "wrong_signer")
    require(ZERO_ADDRESS not in (bound.token, bound.anchor) and bound.token != bound.anchor, "bad_contract")
    require(not any(ledger.accounts.get(address) for address in (bound.token, bound.anchor)), "bad_contract")
    require(core.anchor is None or core.anchor.token == bound.token, "token_fixed")
    require(bound.from_epoch >= core.epoch, "epoch_passed")
    require(bound.from_epoch <= core.epoch + ANCHOR_AHEAD_EPOCHS_MAX, "epoch_too_far")
    require(bound.validators_hash == validators_hash(core.validators), "wrong_validators")
    use_nonce(ledger, signer, bound.nonce)
    core.proposed_anchor = Binding(bound.token, bound.anchor, bound.from_epoch, bound.validators_hash)
