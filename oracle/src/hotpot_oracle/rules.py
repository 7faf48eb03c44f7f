"""One function for each transaction: what must hold, then what it changes."""

from collections.abc import Callable
from typing import Any, TypeVar

from .chain import validators_hash
from .crypto import ZERO_ADDRESS, BadSignature, address_of_compressed
from .election import count_sale, discount_sale
from .evidence import proves
from .parameters import PPM, share_of
from .state import (
    DAY_MS,
    SHARES,
    UNITS_PER_SALE,
    Account,
    Binding,
    Candidate,
    Consent,
    Erased,
    Holder,
    Ledger,
    OfGuest,
    OfOwner,
    Outlet,
    Pinned,
    Punished,
    Recording,
    RefundEntry,
    SaleEntry,
    Share,
    Stake,
    Terminal,
    ToAccount,
    ToClaimed,
    ToPool,
    ToReceipt,
    Unbonding,
    VideoDay,
    WaitingChange,
    new_quota,
)
from .transactions import (
    BuyerKind,
    CancelChange,
    ClaimReceipt,
    EraseRecording,
    Evidence,
    FullSettlement,
    Heartbeat,
    PinRecording,
    RecordConsent,
    RecordLegalBasis,
    Refund,
    RegisterOutlet,
    RegisterTerminal,
    RegisterValidator,
    RequestPayout,
    RevokeConsent,
    RevokeTerminal,
    Sale,
    SetAnchor,
    SetBonding,
    SetParameters,
    TerminalKind,
    Unbond,
    Unjail,
    approval_signer,
    consent_signer,
    witness_signer,
)

UNBONDINGS_MAX = CHANGES_WAITING_MAX = 16
SALE_TOTAL_MAX, CITY_BYTES_MAX, REFUNDS_PER_SALE_MAX = 1_000_000_000_000, 64, 16
SALE_LATE_MS_MAX, SALE_AHEAD_MS_MAX, ANCHOR_AHEAD_EPOCHS_MAX = 72 * 3_600_000, 10_000, 1_000
CAMERA_MAX, SEQUENCE_MAX = 999_999, 1_000_000_000_000
CONSENT_MS_MAX, BASIS_MS_MAX, RETENTION_DAYS_MAX = 12 * 3_600_000, 400 * DAY_MS, 30
CONSENTS_PER_CAMERA_MAX, BASES_PER_CAMERA_MAX = 64, 8
CONSENTS_PER_DAY_MAX, RECORDINGS_PER_DAY_MAX = 5_000, 100_000
RECORDING_MS_MAX, CLOCK_MS = 600_000, 10_000
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


def terminal_that_sells(ledger: Ledger, address: bytes, outlet: int) -> None:
    """An active terminal of an outlet that is no video agent."""
    terminal_of_outlet(ledger, address, outlet)
    require(ledger.terminals[address].kind != TerminalKind.VIDEO_AGENT, "wrong_terminal_kind")


def video_agent(ledger: Ledger, address: bytes, outlet: int) -> None:
    """An active video agent of an outlet."""
    terminal_of_outlet(ledger, address, outlet)
    require(ledger.terminals[address].kind == TerminalKind.VIDEO_AGENT, "wrong_terminal_kind")


def contracts(ledger: Ledger) -> set[bytes]:
    """The addresses that hold no units: the zero address, the token and the anchor."""
    bindings = [binding for binding in (ledger.core.anchor, ledger.core.proposed_anchor) if binding]
    return {
        ZERO_ADDRESS,
        *(binding.token for binding in bindings),
        *(binding.anchor for binding in bindings),
    }


# ---- sales ----------------------------------------------------------------------------------------------------------


@rule(Sale)
def sale(ledger: Ledger, sale: Sale, signer: bytes, tx_id: bytes) -> None:
    """A sale is recorded; unless a quota or the owner's debt forbids it, 100 units are issued."""
    key = (sale.outlet, sale.sale_id)
    require(signer == sale.terminal, "wrong_terminal_signature")
    check_not_recorded(ledger.sales.get(key), tx_id, "sale_conflict")
    check_sale(ledger, sale)
    now = ledger.core.time_ms
    matures_at_ms = now + ledger.genesis.maturity_ms
    why_not = why_not_issued(ledger, sale)
    entry = SaleEntry(tx_id, ledger.core.height, sale.total, 0, why_not, [], now, matures_at_ms)
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
    terminal_that_sells(ledger, sale.terminal, sale.outlet)
    outlet, now = ledger.outlets[sale.outlet], ledger.core.time_ms
    require(sale.currency == outlet.currency, "wrong_currency")
    require(sale.total <= SALE_TOTAL_MAX, "total_out_of_bounds")
    require(sale.occurred_at_ms + SALE_LATE_MS_MAX >= now, "too_late")
    require(sale.occurred_at_ms <= now + SALE_AHEAD_MS_MAX, "too_far_ahead")
    nobody = sale.buyer_kind == BuyerKind.NONE
    require(
        sale.buyer == ZERO_ADDRESS if nobody else sale.buyer not in contracts(ledger), "bad_buyer"
    )


def why_not_issued(ledger: Ledger, sale: Sale) -> int | None:
    """The first reason that applies."""
    outlet, terminal, now = (
        ledger.outlets[sale.outlet],
        ledger.terminals[sale.terminal],
        ledger.core.time_ms,
    )
    owner = ledger.accounts.get(outlet.owner) or Account()
    reasons = {
        BELOW_MINIMUM: sale.total < ledger.core.parameters.sale_total_min,
        OUTLET_QUOTA: not outlet.quota.at(now).allows(),
        TERMINAL_QUOTA: not terminal.quota.at(now).allows(),
        OWNER_DEBT: owner.debt > ledger.core.parameters.owner_debt_max,
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
        accrue(ledger, entry, share)
    count_sale(ledger, sale.outlet, entry.recorded_at_ms)


def accrue(ledger: Ledger, entry: SaleEntry, share: Share) -> None:
    """Units come to where a share says."""
    if isinstance(share.to, ToPool):
        ledger.core.supply.pool += share.left()
    elif isinstance(share.to, ToReceipt):
        add_to_receipts(ledger, entry, share.left())
    else:
        add_to_pending(ledger, entry, share, share.left())


def add_to_receipts(ledger: Ledger, entry: SaleEntry, units: int) -> None:
    """Units of unclaimed receipts are counted by the block time of their sales."""
    ledger.core.supply.receipts += units
    ledger.receipts.add(entry.recorded_at_ms, units)


def add_to_pending(ledger: Ledger, entry: SaleEntry, share: Share, units: int) -> None:
    """Pending units are counted by when they may be released, and by account."""
    account = share.account()
    assert account is not None
    ledger.account(account).pending += units
    ledger.core.supply.pending += units
    ledger.accruals.add((entry.releasable_at_ms(share), account), units)


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
    require(share.left() > 0 and isinstance(ledger.holder(entry, share), ToReceipt), "no_receipt")
    require(signer == share.to.receipt, "wrong_signer")
    require(claim.wallet not in contracts(ledger), "bad_wallet")
    ledger.sales.write(key)
    add_to_receipts(ledger, entry, -share.left())
    share.to = ToClaimed(share.to.receipt, claim.wallet, ledger.core.time_ms)
    accrue(ledger, entry, share)


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
        take_back(ledger, entry, share, units, owner)
    if entry.issued and not entry.refunds:
        discount_sale(ledger, refund.outlet, entry.recorded_at_ms)
    entry.refunds.append(RefundEntry(refund.refund_id, tx_id, ledger.core.height, refund.amount))
    ledger.core.supply.reversed += sum(parts)


def check_refund(ledger: Ledger, refund: Refund, entry: SaleEntry, signer: bytes) -> None:
    """An active terminal of the outlet or its owner; never more than the total."""
    if signer != ledger.outlets[refund.outlet].owner:
        terminal_that_sells(ledger, signer, refund.outlet)
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


def take_back(ledger: Ledger, entry: SaleEntry, share: Share, units: int, owner: Account) -> None:
    """From where the share is now."""
    supply, holder = ledger.core.supply, ledger.holder(entry, share)
    share.reversed += units
    is_pool = isinstance(holder, ToPool)
    if is_pool and not ledger.was_shared_out(entry, share):
        supply.pool -= units
    elif isinstance(holder, ToReceipt):
        add_to_receipts(ledger, entry, -units)
    elif is_pool or ledger.is_released(entry, share):
        supply.debt += units
        owner.debt += units
    else:
        add_to_pending(ledger, entry, share, -units)


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
        require(
            approval_signer(register, ledger.domain) == ledger.genesis.registrar, "wrong_registrar"
        )
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
def register_terminal(
    ledger: Ledger, register: RegisterTerminal, signer: bytes, tx_id: bytes
) -> None:
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
    require(
        ZERO_ADDRESS not in (bound.token, bound.anchor) and bound.token != bound.anchor,
        "bad_contract",
    )
    require(
        not any(ledger.accounts.get(address) for address in (bound.token, bound.anchor)),
        "bad_contract",
    )
    require(core.anchor is None or core.anchor.token == bound.token, "token_fixed")
    require(bound.from_epoch >= core.epoch, "epoch_passed")
    require(bound.from_epoch <= core.epoch + ANCHOR_AHEAD_EPOCHS_MAX, "epoch_too_far")
    require(bound.validators_hash == validators_hash(core.validators), "wrong_validators")
    use_nonce(ledger, signer, bound.nonce)
    core.proposed_anchor = Binding(
        bound.token, bound.anchor, bound.from_epoch, bound.validators_hash
    )


# ---- staking --------------------------------------------------------------------------------------------------------


@rule(SetBonding)
def set_bonding(ledger: Ledger, bonding: SetBonding, signer: bytes, tx_id: bytes) -> None:
    """A holder bonds a share of what matures from now on."""
    require(signer == bonding.account, "wrong_signer")
    account = ledger.accounts.get(signer) or Account()
    require(account.pending > 0 or account.released > 0, "nothing_held")
    require(bonding.bonding_ppm <= PPM, "bonding_out_of_bounds")
    use_nonce(ledger, signer, bonding.nonce)
    ledger.stake(signer).bonding_ppm = bonding.bonding_ppm


@rule(Unbond)
def unbond(ledger: Ledger, unbond: Unbond, signer: bytes, tx_id: bytes) -> None:
    """Units begin to leave the bond."""
    require(signer == unbond.account, "wrong_signer")
    stake = ledger.stakes.get(signer) or Stake()
    require(1 <= unbond.units <= stake.bonded, "unbond_out_of_bounds")
    require(len(stake.unbonding) < UNBONDINGS_MAX, "too_many_unbondings")
    use_nonce(ledger, signer, unbond.nonce)
    stake = ledger.stake(signer)
    stake.bonded -= unbond.units
    stake.unbonding.append(
        Unbonding(ledger.core.time_ms + ledger.core.parameters.unbonding_ms, unbond.units)
    )


# ---- validators -----------------------------------------------------------------------------------------------------


@rule(RegisterValidator)
def register_validator(
    ledger: Ledger, register: RegisterValidator, signer: bytes, tx_id: bytes
) -> None:
    """An owner registers a validator, which agreed, for an outlet."""
    outlet_of_owner(ledger, register.outlet, signer)
    try:
        validator = address_of_compressed(register.public_key)
    except ValueError:
        raise Refused("bad_public_key") from None
    require(ledger.candidates.get(validator) is None, "validator_exists")
    taken = {candidate.outlet for candidate in ledger.candidates.entries.values()}
    require(register.outlet not in taken, "outlet_has_validator")
    check_consent(ledger, register, signer, validator)
    use_nonce(ledger, signer, register.nonce)
    ledger.candidates.write(
        validator, Candidate(register.outlet, register.public_key, ledger.core.time_ms)
    )


def check_consent(
    ledger: Ledger, register: RegisterValidator, owner: bytes, validator: bytes
) -> None:
    """The validator's own signature over outlet and owner."""
    try:
        require(consent_signer(register, owner, ledger.domain) == validator, "bad_consent")
    except BadSignature:
        raise Refused("bad_consent") from None


@rule(Heartbeat)
def heartbeat(ledger: Ledger, heartbeat: Heartbeat, signer: bytes, tx_id: bytes) -> None:
    """A registered validator is there, once an epoch."""
    candidate = known(ledger.candidates.get(heartbeat.validator), "unknown_validator")
    require(signer == heartbeat.validator, "wrong_signer")
    require(heartbeat.epoch == ledger.core.epoch, "wrong_epoch")
    require(candidate.heartbeat_epoch != heartbeat.epoch, "already_included")
    ledger.candidates.write(signer).heartbeat_epoch = heartbeat.epoch


@rule(Unjail)
def unjail(ledger: Ledger, unjail: Unjail, signer: bytes, tx_id: bytes) -> None:
    """A validator may stand for election again, as if it were new."""
    candidate, now = (
        known(ledger.candidates.get(unjail.validator), "unknown_validator"),
        ledger.core.time_ms,
    )
    outlet_of_owner(ledger, candidate.outlet, signer)
    until_ms = known(candidate.jailed_until_ms, "not_jailed")
    require(now >= until_ms, "still_jailed")
    use_nonce(ledger, signer, unjail.nonce)
    candidate = ledger.candidates.write(unjail.validator)
    candidate.jailed_until_ms, candidate.since_ms, candidate.punished_to = (
        None,
        now,
        ledger.core.height,
    )


@rule(Evidence)
def evidence(ledger: Ledger, evidence: Evidence, signer: bytes, tx_id: bytes) -> None:
    """A validator that signed two different things is jailed, and its owner loses a share of its bond."""
    is_seated = signer in {validator.address for validator in ledger.core.validators}
    require(is_seated or ledger.candidates.get(signer) is not None, "unknown_validator")
    candidate = known(ledger.candidates.get(evidence.offender), "unknown_validator")
    height = evidence.offence.at()
    require(oldest_punishable(ledger) <= height <= ledger.core.height, "evidence_out_of_time")
    require(
        candidate.jailed_until_ms is None and height > candidate.punished_to, "already_punished"
    )
    chains = (ledger.sidechain_id, ledger.genesis.evm_chain_id)
    require(proves(evidence.offence, evidence.offender, *chains), "bad_evidence")
    punish(ledger, evidence)


def oldest_punishable(ledger: Ledger) -> int:
    """The first height of the epochs that began within the unbonding time."""
    from_ms = ledger.core.time_ms - ledger.core.parameters.unbonding_ms
    firsts = (
        start.first_height for start_ms, start in ledger.epoch_starts.rows() if start_ms >= from_ms
    )
    return next(firsts, ledger.core.epoch_first_height)


def punish(ledger: Ledger, evidence: Evidence) -> None:
    """Jail, and a share of the bonded units and of each unbonding, each rounded down."""
    core, candidate = ledger.core, ledger.candidates.write(evidence.offender)
    candidate.jailed_until_ms = core.time_ms + core.parameters.jail_ms
    stake = ledger.stake(ledger.outlets[candidate.outlet].owner)
    before = stake.total()
    stake.bonded -= share_of(stake.bonded, core.parameters.slash_ppm)
    for unbonding in stake.unbonding:
        unbonding.units -= share_of(unbonding.units, core.parameters.slash_ppm)
    slashed = before - stake.total()
    core.supply.bonded -= slashed
    core.supply.slashed += slashed
    key = (evidence.offender, evidence.offence.at())
    ledger.punished.write(key, Punished(core.height, evidence.offence, slashed))


# ---- parameters -----------------------------------------------------------------------------------------------------


@rule(SetParameters)
def set_parameters(ledger: Ledger, change: SetParameters, signer: bytes, tx_id: bytes) -> None:
    """A change waits for its time."""
    require(signer == ledger.genesis.founder, "wrong_signer")
    require(change.parameters.in_bounds(), "parameter_out_of_bounds")
    require(len(ledger.waiting.entries) < CHANGES_WAITING_MAX, "too_many_changes")
    use_nonce(ledger, signer, change.nonce)
    at_ms = ledger.core.time_ms + ledger.genesis.change_delay_ms
    ledger.waiting.write(change.nonce, WaitingChange(at_ms, change.parameters))


@rule(CancelChange)
def cancel_change(ledger: Ledger, cancel: CancelChange, signer: bytes, tx_id: bytes) -> None:
    """The guardian cancels a change that waits."""
    require(signer == ledger.genesis.guardian, "wrong_signer")
    require(ledger.waiting.get(cancel.change) is not None, "unknown_change")
    use_nonce(ledger, signer, cancel.nonce)
    ledger.waiting.remove(cancel.change)


# ---- consents and recordings ----------------------------------------------------------------------------------------


@rule(RecordConsent)
def record_consent(ledger: Ledger, consent: RecordConsent, signer: bytes, tx_id: bytes) -> None:
    """A guest allows a camera; a terminal of the outlet saw it."""
    require(signer == consent.guest, "wrong_signer")
    require(ledger.consents.get(tx_id) is None, "already_included")
    terminal_that_sells(ledger, consent.witness, consent.outlet)
    try:
        require(witness_signer(consent, ledger.domain) == consent.witness, "bad_witness_signature")
    except BadSignature:
        raise Refused("bad_witness_signature") from None
    require(consent.camera <= CAMERA_MAX, "camera_out_of_bounds")
    check_until(ledger, consent.until_ms, CONSENT_MS_MAX)
    check_room(ledger, consent.outlet, consent.camera, OfGuest, CONSENTS_PER_CAMERA_MAX)
    grounds = OfGuest(consent.purposes, consent.commitment, consent.guest, consent.witness)
    add_consent(ledger, consent.outlet, consent.camera, grounds, consent.until_ms, tx_id)


@rule(RecordLegalBasis)
def record_legal_basis(
    ledger: Ledger, basis: RecordLegalBasis, signer: bytes, tx_id: bytes
) -> None:
    """An owner has a legal basis for a camera that no guest is asked about."""
    outlet_of_owner(ledger, basis.outlet, signer)
    require(basis.camera <= CAMERA_MAX, "camera_out_of_bounds")
    require(1 <= basis.retention_days <= RETENTION_DAYS_MAX, "retention_out_of_bounds")
    check_until(ledger, basis.until_ms, BASIS_MS_MAX)
    check_room(ledger, basis.outlet, basis.camera, OfOwner, BASES_PER_CAMERA_MAX)
    use_nonce(ledger, signer, basis.nonce)
    grounds = OfOwner(basis.kind, basis.notice_hash, basis.retention_days, signer)
    add_consent(ledger, basis.outlet, basis.camera, grounds, basis.until_ms, tx_id)


def check_until(ledger: Ledger, until_ms: int, ahead_ms: int) -> None:
    """Later than block time, but not too far ahead."""
    require(ledger.core.time_ms < until_ms <= ledger.core.time_ms + ahead_ms, "until_out_of_bounds")


def in_force(ledger: Ledger, outlet: int, camera: int) -> list[bytes]:
    """Ids of the consents of a camera that are in force, in the ledger's order."""
    listed = ledger.cameras.get((outlet, camera)) or []
    return [each for each in listed if ledger.consents[each].in_force(ledger.core.time_ms)]


def check_room(ledger: Ledger, outlet: int, camera: int, grounds: type, most: int) -> None:
    """Few are in force for a camera, and an outlet makes not too many in a day."""
    found = [
        each
        for each in in_force(ledger, outlet, camera)
        if isinstance(ledger.consents[each].grounds, grounds)
    ]
    require(len(found) < most, "too_many_consents")
    require(added_today(ledger, outlet).consents < CONSENTS_PER_DAY_MAX, "day_full")


def added_today(ledger: Ledger, outlet: int) -> VideoDay:
    """What an outlet added on this day of block time, only to be read."""
    day, known_day = ledger.core.time_ms // DAY_MS, ledger.video_days.get(outlet)
    return known_day if known_day and known_day.day == day else VideoDay(day)


def add_consent(
    ledger: Ledger,
    outlet: int,
    camera: int,
    grounds: OfGuest | OfOwner,
    until_ms: int,
    tx_id: bytes,
) -> None:
    """A new consent, the last one in its camera's list."""
    ledger.cameras.write((outlet, camera), [*in_force(ledger, outlet, camera), tx_id])
    core = ledger.core
    ledger.consents.write(
        tx_id, Consent(outlet, camera, grounds, core.height, core.time_ms, until_ms)
    )
    ledger.video_day(outlet).consents += 1


@rule(RevokeConsent)
def revoke_consent(ledger: Ledger, revoke: RevokeConsent, signer: bytes, tx_id: bytes) -> None:
    """A consent ends, for ever, from this block on."""
    consent = known(ledger.consents.get(revoke.consent), "unknown_consent")
    require(consent.revoked_at_ms is None, "already_revoked")
    check_may_revoke(ledger, consent, signer)
    ledger.consents.write(revoke.consent).revoked_at_ms = ledger.core.time_ms


def check_may_revoke(ledger: Ledger, consent: Consent, signer: bytes) -> None:
    """The owner always; of a guest's consent the guest always, and the witness while it is active."""
    grounds, allowed = consent.grounds, [ledger.outlets[consent.outlet].owner]
    if isinstance(grounds, OfGuest):
        allowed.append(grounds.guest)
        if signer == grounds.witness and signer not in allowed:
            terminal_of_outlet(ledger, signer, consent.outlet)
            return
    require(signer in allowed, "wrong_signer")


@rule(PinRecording)
def pin_recording(ledger: Ledger, pin: PinRecording, signer: bytes, tx_id: bytes) -> None:
    """A recording comes to the ledger, once for ever."""
    before = ledger.recordings.get(pin.cid)
    require(before is None or before.tx_id != tx_id, "already_included")
    require(before is None, "recording_conflict")
    video_agent(ledger, signer, pin.outlet)
    check_allowed(ledger, pin)
    check_segment(ledger, pin)
    require(added_today(ledger, pin.outlet).recordings < RECORDINGS_PER_DAY_MAX, "day_full")
    what = (pin.cid, pin.outlet, pin.camera, pin.consent, pin.manifest_hash, pin.sequence)
    when = (pin.started_at_ms, pin.ended_at_ms)
    pinned = Pinned(*what, *when, signer, ledger.core.height, ledger.core.time_ms)
    ledger.recordings.write(pin.cid, Recording(tx_id, pinned))
    ledger.video_day(pin.outlet).recordings += 1
    ledger.uncovered_recordings.append(pinned)


def check_allowed(ledger: Ledger, pin: PinRecording) -> None:
    """It lies within a consent of its camera that allows it."""
    consent = known(ledger.consents.get(pin.consent), "unknown_consent")
    require((consent.outlet, consent.camera) == (pin.outlet, pin.camera), "wrong_consent")
    days, ends_at_ms = (
        RETENTION_DAYS_MAX,
        min(consent.until_ms, consent.revoked_at_ms or consent.until_ms),
    )
    if isinstance(consent.grounds, OfGuest):
        require(bool(consent.grounds.purposes & 1), "purpose_not_allowed")
        require(consent.revoked_at_ms is None, "consent_revoked")
    else:
        days = consent.grounds.retention_days
    require(pin.started_at_ms + CLOCK_MS >= consent.recorded_at_ms, "outside_consent")
    require(pin.ended_at_ms <= ends_at_ms + CLOCK_MS, "outside_consent")
    require(ledger.core.time_ms <= pin.ended_at_ms + days * DAY_MS, "recording_too_late")


def check_segment(ledger: Ledger, pin: PinRecording) -> None:
    """It is short, and not of the future."""
    require(pin.sequence <= SEQUENCE_MAX, "sequence_out_of_bounds")
    require(0 < pin.ended_at_ms - pin.started_at_ms <= RECORDING_MS_MAX, "recording_length")
    require(pin.ended_at_ms <= ledger.core.time_ms + CLOCK_MS, "recording_ahead")


@rule(EraseRecording)
def erase_recording(ledger: Ledger, erase: EraseRecording, signer: bytes, tx_id: bytes) -> None:
    """The key of a recording is destroyed; a tombstone stays."""
    recording = known(ledger.recordings.get(erase.cid), "unknown_recording")
    require(recording.erased is None, "already_erased")
    require(recording.pinned.outlet == erase.outlet, "wrong_recording_outlet")
    if signer != ledger.outlets[erase.outlet].owner:
        video_agent(ledger, signer, erase.outlet)
    erased = Erased(
        erase.cid, erase.outlet, erase.reason, signer, ledger.core.height, ledger.core.time_ms
    )
    ledger.recordings.write(erase.cid).erased = erased
    ledger.uncovered_recordings.append(erased)
