"""What the ledger keeps, and what a block wrote of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Generic, TypeVar

from .chain import Genesis, Validator
from .codec import U8, U32, U64, Address, Bytes16, Cid, Currency, Hash, PublicKey, Purposes, encode
from .crypto import ZERO_HASH, keccak256, leaf, merkle_root, transaction_domain
from .evidence import Offence
from .parameters import Parameters
from .transactions import BasisKind, EraseReason, OutletKind, TerminalKind

UNITS_PER_SALE = GENESIS_UNITS = 100
DAY_MS, QUOTA_DAYS_MAX, QUOTA_UNLIMITED = 86_400_000, 4, 4_294_967_295

SaleKey = tuple[U64, Bytes16]
K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Account:
    """What an address holds, in units."""

    nonce: U64 = 0
    pending: U64 = 0
    released: U64 = 0
    debt: U64 = 0


@dataclass(slots=True)
class Quota:
    """How many issuing sales are left; right at `day`."""

    per_day: U32
    day: U64
    left: U64

    def at(self, now_ms: int) -> "Quota":
        """Each new day adds a day's worth; unused ones add up to four days."""
        day = max(self.day, now_ms // DAY_MS)
        left = min(self.left + (day - self.day) * self.per_day, QUOTA_DAYS_MAX * self.per_day)
        return Quota(self.per_day, day, left)

    def allows(self) -> bool:
        """Whether a sale may issue."""
        return self.per_day == QUOTA_UNLIMITED or self.left > 0

    def take(self) -> "Quota":
        """After an issuing sale."""
        return (
            self
            if self.per_day == QUOTA_UNLIMITED
            else Quota(self.per_day, self.day, self.left - 1)
        )


def new_quota(per_day: int, now_ms: int) -> Quota:
    """One day's worth."""
    return Quota(per_day, now_ms // DAY_MS, per_day)


@dataclass(slots=True)
class Shares:
    """How the units of a sale are split."""

    owner: U64
    royalty: U64
    buyer: U64


SHARES = {OutletKind.OWNER_OPERATED: Shares(51, 0, 49), OutletKind.FRANCHISED: Shares(48, 3, 49)}


@dataclass(slots=True)
class Outlet:
    """A point of sale."""

    owner: Address
    kind: OutletKind
    city: str
    currency: Currency
    shares: Shares
    quota: Quota
    terminal_quota_per_day: U32


@dataclass(slots=True)
class Terminal:
    """A key that signs sales."""

    outlet: U64
    kind: TerminalKind
    active: bool
    quota: Quota


@dataclass(slots=True)
class ToAccount:
    """A share of an account."""

    account: Address


@dataclass(slots=True)
class ToReceipt:
    """A share on a receipt that nobody has claimed."""

    receipt: Address


@dataclass(slots=True)
class ToClaimed:
    """A share on a receipt that went to a wallet, and when."""

    receipt: Address
    account: Address
    at_ms: U64


@dataclass(slots=True)
class ToPool:
    """A share of all holders."""


Holder = ToAccount | ToReceipt | ToClaimed | ToPool


@dataclass(slots=True)
class Share:
    """One share of a sale."""

    to: Holder
    units: U64
    reversed: U64 = 0

    def left(self) -> int:
        """What refunds left of it."""
        return self.units - self.reversed

    def account(self) -> bytes | None:
        """Whom its units are released to."""
        return self.to.account if isinstance(self.to, ToAccount | ToClaimed) else None


@dataclass(slots=True)
class RefundEntry:
    """A refund of a sale."""

    refund_id: Bytes16
    tx_id: Hash
    height: U64
    amount: U64


@dataclass(slots=True)
class SaleEntry:
    """What is kept of a sale, for ever. `not_issued`: 0 minimum, 1 and 2 quota of outlet and terminal, 3 debt."""

    tx_id: Hash
    height: U64
    total: U64
    issued: U64
    not_issued: U8 | None
    shares: list[Share]
    recorded_at_ms: U64
    matures_at_ms: U64
    refunds: list[RefundEntry] = field(default_factory=list)

    def refunded(self) -> int:
        """Money given back so far."""
        return sum(refund.amount for refund in self.refunds)

    def releasable_at_ms(self, share: Share) -> int:
        """When a share of an account may be released: the sale is mature, and the receipt was claimed."""
        return (
            max(self.matures_at_ms, share.to.at_ms)
            if isinstance(share.to, ToClaimed)
            else self.matures_at_ms
        )

    def reversed(self) -> int:
        """Units taken back so far."""
        return sum(share.reversed for share in self.shares)


@dataclass(slots=True)
class Binding:
    """The contracts that checkpoints go to."""

    token: Address
    anchor: Address
    from_epoch: U64
    validators_hash: Hash


@dataclass(slots=True)
class Supply:
    """Where all units are."""

    issued: U64 = 0
    reversed: U64 = 0
    released: U64 = 0
    pending: U64 = 0
    receipts: U64 = 0
    pool: U64 = 0
    debt: U64 = 0
    bonded: U64 = 0
    slashed: U64 = 0
    sales: U64 = 0


@dataclass(slots=True)
class Core:
    """The small part of the state, written by every block."""

    height: U64
    time_ms: U64
    epoch: U64
    epoch_first_height: U64
    epoch_start_ms: U64
    supply: Supply
    validators: list[Validator]
    previous_validators: list[Validator]
    anchor: Binding | None
    proposed_anchor: Binding | None
    settle_all: bool
    uncovered_from: U64
    parameters: Parameters
    pool_due_ms: U64
    pool_shared_to: U64
    receipts_expired_to_ms: U64
    receipts_shared_to_ms: U64


@dataclass(slots=True)
class Unbonding:
    """Bonded units on their way out."""

    at_ms: U64
    units: U64


@dataclass(slots=True)
class Stake:
    """What an account bonds."""

    bonding_ppm: U32 = 0
    bonded: U64 = 0
    unbonding: list[Unbonding] = field(default_factory=list)

    def total(self) -> int:
        """Everything that is not free yet."""
        return self.bonded + sum(each.units for each in self.unbonding)


@dataclass(slots=True)
class Candidate:
    """A validator that an outlet's owner registered."""

    outlet: U64
    public_key: PublicKey
    since_ms: U64
    heartbeat_epoch: U64 = 0
    jailed_until_ms: U64 | None = None
    punished_to: U64 = 0


@dataclass(slots=True)
class Punished:
    """An offence that was punished."""

    height: U64
    offence: Offence
    slashed: U64


@dataclass(slots=True)
class WaitingChange:
    """A change of parameters that waits for its time."""

    at_ms: U64
    parameters: Parameters


@dataclass(slots=True)
class OfGuest:
    """A guest's grounds."""

    purposes: Purposes
    commitment: Hash
    guest: Address
    witness: Address


@dataclass(slots=True)
class OfOwner:
    """A legal basis."""

    kind: BasisKind
    notice_hash: Hash
    retention_days: U32
    owner: Address


@dataclass(slots=True)
class Consent:
    """Who allowed a camera to be recorded."""

    outlet: U64
    camera: U64
    grounds: OfGuest | OfOwner
    height: U64
    recorded_at_ms: U64
    until_ms: U64
    revoked_at_ms: U64 | None = None

    def in_force(self, now_ms: int) -> bool:
        """Neither revoked nor over."""
        return self.revoked_at_ms is None and now_ms < self.until_ms


@dataclass(slots=True)
class Pinned:
    """An entry of a recordings root: a recording came."""

    cid: Cid
    outlet: U64
    camera: U64
    consent: Hash
    manifest_hash: Hash
    sequence: U64
    started_at_ms: U64
    ended_at_ms: U64
    agent: Address
    height: U64
    time_ms: U64


@dataclass(slots=True)
class Erased:
    """An entry of a recordings root: a recording's key is destroyed."""

    cid: Cid
    outlet: U64
    reason: EraseReason
    by: Address
    height: U64
    time_ms: U64


@dataclass(slots=True)
class Recording:
    """What is kept of a recording, for ever."""

    tx_id: Hash
    pinned: Pinned
    erased: Erased | None = None


@dataclass(slots=True)
class VideoDay:
    """How much an outlet added on a day."""

    day: U64
    consents: U32 = 0
    recordings: U32 = 0


@dataclass(slots=True)
class EpochStart:
    """Where an epoch began."""

    epoch: U64
    first_height: U64


@dataclass(slots=True)
class TableChanges:
    """What a block wrote of staking, election and video: none where an entry was removed."""

    stakes: dict[Address, Stake | None]
    candidates: dict[Address, Candidate | None]
    sale_days: dict[tuple[U64, U64], U64 | None]
    commits: dict[U64, U64 | None]
    sets: dict[U64, list[Validator] | None]
    epoch_starts: dict[U64, EpochStart | None]
    waiting: dict[U64, WaitingChange | None]
    punished: dict[tuple[Address, U64], Punished | None]
    consents: dict[Hash, Consent | None]
    cameras: dict[tuple[U64, U64], list[Hash] | None]
    recordings: dict[Cid, Recording | None]
    video_days: dict[U64, VideoDay | None]


@dataclass(slots=True)
class Changes:
    """What a block wrote: every entry with its new value, keys ascending."""

    parent_digest: Hash
    block_hash: Hash
    core: Core
    accounts: dict[Address, Account]
    outlets: dict[U64, Outlet]
    terminals: dict[Address, Terminal]
    sales: dict[SaleKey, SaleEntry]
    approvals: set[Hash]
    accruals: dict[tuple[U64, Address], U64 | None]
    receipts: dict[U64, U64 | None]
    to_settle: dict[Address, bool]
    tables: TableChanges


class Table(Generic[K, V]):
    """Entries by key, and which of them the block wrote."""

    def __init__(self) -> None:
        self.entries: dict[K, V] = {}
        self.written: set[K] = set()

    def get(self, key: K) -> V | None:
        """An entry, only to be read."""
        return self.entries.get(key)

    def __getitem__(self, key: K) -> V:
        """The same of one that is there."""
        return self.entries[key]

    def write(self, key: K, new: V | None = None) -> V:
        """An entry to be changed, or a new one."""
        self.written.add(key)
        if new is not None:
            self.entries[key] = new
        return self.entries[key]

    def take_written(self) -> dict[K, V]:
        """What was written since the last call."""
        written = {key: self.entries[key] for key in self.written}
        self.written = set()
        return written

    def rows(self) -> Iterator[tuple[K, V]]:
        """All entries, keys ascending."""
        return iter(sorted(self.entries.items(), key=itemgetter(0)))


class Erasable(Table[K, V]):
    """Entries that may be removed again."""

    def remove(self, key: K) -> None:
        """Forgets an entry."""
        self.written.add(key)
        self.entries.pop(key, None)

    def add(self: "Erasable[K, int]", key: K, units: int) -> None:
        """To a number; one that comes to nothing is forgotten."""
        total = (self.get(key) or 0) + units
        self.write(key, total) if total else self.remove(key)

    def take_removed_or_written(self) -> dict[K, V | None]:
        """What was written since the last call; none where it was removed."""
        written = {key: self.entries.get(key) for key in self.written}
        self.written = set()
        return written


class Marks(Generic[K]):
    """A set, and which of its members the block added or removed."""

    def __init__(self) -> None:
        self.members: set[K] = set()
        self.written: dict[K, bool] = {}

    def __contains__(self, key: K) -> bool:
        return key in self.members

    def mark(self, key: K, present: bool) -> None:
        """Adds or removes."""
        self.written[key] = present
        (self.members.add if present else self.members.discard)(key)

    def take_written(self) -> dict[K, bool]:
        """What was written since the last call."""
        written, self.written = self.written, {}
        return written


class Ledger:
    """The state after some block, and during the next one."""

    def __init__(self, genesis: Genesis) -> None:
        self.genesis, self.sidechain_id = genesis, genesis.sidechain_id()
        self.domain = transaction_domain(genesis.evm_chain_id, self.sidechain_id)
        self.core = Core(
            genesis.first_height - 1,
            genesis.time_ms,
            1,
            genesis.first_height,
            genesis.time_ms,
            Supply(issued=GENESIS_UNITS, released=GENESIS_UNITS),
            genesis.validators,
            genesis.validators,
            None,
            None,
            False,
            genesis.first_height,
            genesis.parameters,
            genesis.time_ms + genesis.parameters.pool_ms,
            0,
            0,
            0,
        )
        self.accounts: Table[bytes, Account] = Table()
        self.outlets: Table[int, Outlet] = Table()
        self.terminals: Table[bytes, Terminal] = Table()
        self.sales: Table[tuple[int, bytes], SaleEntry] = Table()
        self.approvals: Marks[bytes] = Marks()
        self.accruals: Erasable[tuple[int, bytes], int] = Erasable()
        self.receipts: Erasable[int, int] = Erasable()
        self.to_settle: Marks[bytes] = Marks()
        self.stakes: Erasable[bytes, Stake] = Erasable()
        self.candidates: Erasable[bytes, Candidate] = Erasable()
        self.sale_days: Erasable[tuple[int, int], int] = Erasable()
        self.commits: Erasable[int, int] = Erasable()
        self.sets: Erasable[int, list[Validator]] = Erasable()
        self.epoch_starts: Erasable[int, EpochStart] = Erasable()
        self.waiting: Erasable[int, WaitingChange] = Erasable()
        self.punished: Erasable[tuple[bytes, int], Punished] = Erasable()
        self.consents: Erasable[bytes, Consent] = Erasable()
        self.cameras: Erasable[tuple[int, int], list[bytes]] = Erasable()
        self.recordings: Erasable[bytes, Recording] = Erasable()
        self.video_days: Erasable[int, VideoDay] = Erasable()
        self.sets.write(genesis.first_height, genesis.validators)
        self.epoch_starts.write(genesis.time_ms, EpochStart(1, genesis.first_height))
        self.digest, self.head_hash = self.sidechain_id, genesis.parent_hash
        self.uncovered_hashes: list[bytes] = []
        self.uncovered_recordings: list[Pinned | Erased] = []
        self.oldest_commit = 0
        self.account(genesis.founder).released = GENESIS_UNITS
        self.to_settle.mark(genesis.founder, True)
        self.take_changes(ZERO_HASH)

    def account(self, address: bytes) -> Account:
        """An account to be changed; an unknown one holds nothing."""
        return self.accounts.write(address, self.accounts.get(address) or Account())

    def stake(self, address: bytes) -> Stake:
        """A stake to be changed; an unknown one is empty."""
        return self.stakes.write(address, self.stakes.get(address) or Stake())

    def holder(self, entry: SaleEntry, share: Share) -> Holder:
        """Who holds a share now: the receipts of some time ago are the pool's, unless they were claimed."""
        expired = (
            isinstance(share.to, ToReceipt)
            and entry.recorded_at_ms <= self.core.receipts_expired_to_ms
        )
        return ToPool() if expired else share.to

    def was_shared_out(self, entry: SaleEntry, share: Share) -> bool:
        """Whether the pool had a share of its own when it was last shared out."""
        if isinstance(share.to, ToReceipt):
            return entry.recorded_at_ms <= self.core.receipts_shared_to_ms
        return entry.height <= self.core.pool_shared_to

    def is_released(self, entry: SaleEntry, share: Share) -> bool:
        """Whether an epoch has ended since a share of an account could be released."""
        return (
            share.account() is not None
            and entry.releasable_at_ms(share) <= self.core.epoch_start_ms
        )

    def video_day(self, outlet: int) -> VideoDay:
        """What an outlet added today, to be changed."""
        day, known = self.core.time_ms // DAY_MS, self.video_days.get(outlet)
        return self.video_days.write(outlet, known if known and known.day == day else VideoDay(day))

    def begin(self, time_ms: int, block_hash: bytes) -> None:
        """What every block writes."""
        self.uncovered_hashes.append(block_hash)
        self.oldest_commit = min(self.commits.entries, default=0)
        self.core.height += 1
        self.core.time_ms = time_ms
        self.core.previous_validators = self.core.validators

    def take_changes(self, block_hash: bytes) -> Changes:
        """What was written since the last call."""
        return Changes(
            self.digest,
            block_hash,
            self.core,
            self.accounts.take_written(),
            self.outlets.take_written(),
            self.terminals.take_written(),
            self.sales.take_written(),
            set(self.approvals.take_written()),
            self.accruals.take_removed_or_written(),
            self.receipts.take_removed_or_written(),
            self.to_settle.take_written(),
            TableChanges(*(table.take_removed_or_written() for table in self.erasable_tables())),
        )

    def erasable_tables(self) -> tuple[Erasable[Any, Any], ...]:
        """In the order of `TableChanges`."""
        return (
            self.stakes,
            self.candidates,
            self.sale_days,
            self.commits,
            self.sets,
            self.epoch_starts,
            self.waiting,
            self.punished,
            self.consents,
            self.cameras,
            self.recordings,
            self.video_days,
        )

    def commit(self, block_hash: bytes) -> Changes:
        """Ends a block: the digest of the state after it. Returns what was written."""
        changes = self.take_changes(block_hash)
        self.digest = keccak256(self.digest + keccak256(encode(changes)))
        self.head_hash = block_hash
        return changes


def state_root(ledger: Ledger, next_validators: list[Validator]) -> bytes:
    """The Merkle root over all sections."""
    rows_of = sections(ledger, next_validators)
    leaves = [leaf(bytes([section]) + row) for section, rows in enumerate(rows_of) for row in rows]
    return merkle_root(leaves)


def sections(ledger: Ledger, next_validators: list[Validator]) -> list[list[bytes]]:
    """Canonical bytes of key and value, keys ascending."""

    def rows(table: Table[Any, Any], key: Any) -> list[bytes]:
        return [encode(each, key) + encode(value) for each, value in table.rows()]

    validators = [encode(validator) for validator in next_validators]
    tables = [
        rows(ledger.accounts, Address),
        rows(ledger.outlets, U64),
        rows(ledger.terminals, Address),
    ]
    tables += [rows(ledger.stakes, Address), rows(ledger.candidates, Address)]
    return [[encode(ledger.genesis)], validators, *tables, [encode(ledger.core.parameters)]]
