"""A chain from its export, told again and compared at every height."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from .chain import (
    BLOCK_BYTES_MAX,
    PROTOCOL_VERSION,
    TRANSACTION_BYTES_MAX,
    Block,
    Certificate,
    Genesis,
    Header,
    SignedCheckpoint,
    Validator,
    precommit_digest,
    transactions_root,
    what_is_wrong_with,
)
from .codec import Malformed, decode, encode, from_hex, from_json, name_of
from .crypto import ZERO_HASH, BadSignature, address_of_compressed
from .election import record_signers
from .epoch import Closed, end_epoch, ends_epoch
from .payouts import Chunk, account_of, released_of
from .rules import RULES, Refused
from .state import Changes, Ledger
from .transactions import SignedTransaction


class Mismatch(Exception):
    """The first difference."""

    def __init__(self, height: int, field: str, expected: Any, found: Any) -> None:
        super().__init__(
            f"height {height}, {field}: expected {shown(expected)}, found {shown(found)}"
        )
        self.height, self.field, self.expected, self.found = (
            height,
            field,
            shown(expected),
            shown(found),
        )


class NoExport(Exception):
    """A file that `hotpot export blocks` did not write."""


def shown(value: Any) -> str:
    """A value as people read it."""
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


@dataclass(slots=True)
class Counts:
    """What was compared."""

    blocks: int = 0
    transactions: Counter[str] = field(default_factory=Counter)
    epochs: int = 0
    payouts: int = 0
    refused: int = 0


class Books:
    """Where units are, added up from the entries rather than taken from the ledger's own counters."""

    def __init__(self, ledger: Ledger) -> None:
        self.parts: dict[Any, Counter[str]] = {}
        self.totals = Counter({"issued": ledger.core.supply.issued})
        for address, account in ledger.accounts.rows():
            self.replace(address, Counter(released=account.released))

    def replace(self, key: Any, part: Counter[str]) -> None:
        """An entry's part instead of the one before."""
        self.totals.subtract(self.parts.get(key, Counter()))
        self.totals.update(part)
        self.parts[key] = part

    def add(self, changes: Changes) -> None:
        """What a block wrote."""
        for address, account in changes.accounts.items():
            self.replace(
                address,
                Counter(released=account.released, pending=account.pending, debt=account.debt),
            )
        for address, stake in changes.tables.stakes.items():
            self.replace(("stake", address), Counter(bonded=stake.total() if stake else 0))
        for key, entry in changes.sales.items():
            part = Counter(issued=entry.issued, reversed=entry.reversed(), sales=1)
            self.replace(key, part)
        for at_ms, units in changes.receipts.items():
            self.replace(("receipts", at_ms), Counter(receipts=units or 0))
        for accrual, units in changes.accruals.items():
            self.replace(("accrual", accrual), Counter(accrued=units or 0))

    def where_units_are(self, pool: int, slashed: int) -> int:
        """One side of the law of conservation; the pool and what was slashed have no entries of their own."""
        held = self.totals["released"] + self.totals["pending"] + self.totals["bonded"]
        return held + self.totals["receipts"] + pool + slashed - self.totals["debt"]

    def units_in_being(self) -> int:
        """The other side."""
        return self.totals["issued"] - self.totals["reversed"]


class Replay:
    """The ledger, what it is compared with, and what was compared so far."""

    def __init__(
        self,
        genesis: Genesis,
        checkpoints: dict[int, Any],
        refused: dict[tuple[int, int], list[Any]],
    ) -> None:
        self.ledger, self.counts = Ledger(genesis), Counts()
        self.checkpoints, self.refused = checkpoints, refused
        self.books = Books(self.ledger)
        self.last_epoch = max(checkpoints, default=0)
        self.height = genesis.first_height

    def same(self, field: str, expected: Any, found: Any) -> None:
        """Compares; of records and lists, every part."""
        if is_dataclass(expected) and type(expected) is type(found):
            for each in fields(expected):
                self.same(
                    f"{field}.{each.name}", getattr(expected, each.name), getattr(found, each.name)
                )
        elif isinstance(expected, list):
            self.same(f"{field}.length", len(expected), len(found))
            for place, (one, other) in enumerate(zip(expected, found, strict=True)):
                self.same(f"{field}[{place}]", one, other)
        elif expected != found:
            raise Mismatch(self.height, field, expected, found)

    def block(self, answer: dict[str, Any]) -> None:
        """Everything that a block says, then everything that follows from it."""
        self.height = self.ledger.core.height + 1
        try:
            self.compare(answer)
        except (Malformed, KeyError) as error:
            raise Mismatch(
                self.height, "form", "what hotpot export blocks writes", repr(error)
            ) from None

    def compare(self, answer: dict[str, Any]) -> None:
        """A block in its steps."""
        block = self.read(answer)
        self.check_header(block)
        self.check_certificate(block, answer)
        closed = self.execute(block)
        changes = self.ledger.commit(block.header.hash())
        self.books.add(changes)
        self.check_books()
        self.counts.blocks += 1
        if closed is not None:
            self.check_checkpoint(closed)

    # ---- the block --------------------------------------------------------------------------------------------------

    def read(self, answer: dict[str, Any]) -> Block:
        """Both forms of the block in the export, canonical bytes and JSON, say the same."""
        raw = from_hex(answer["raw"])
        block: Block = self.well_formed("raw", Block, raw)
        self.same("raw", raw, encode(block))
        self.same("header", from_json(Header, answer["header"]), block.header)
        self.same(
            "transactions",
            from_json(list[SignedTransaction], answer["transactions"]),
            block.transactions,
        )
        self.same("hash", block.header.hash(), from_hex(answer["hash"]))
        self.at_most("bytes of the block", BLOCK_BYTES_MAX, len(raw))
        for place, transaction in enumerate(block.transactions):
            self.at_most(
                f"bytes of transactions[{place}]", TRANSACTION_BYTES_MAX, len(encode(transaction))
            )
        return block

    def well_formed(self, field: str, hint: Any, data: bytes) -> Any:
        """Bytes of a type."""
        try:
            return decode(hint, data)
        except Malformed as error:
            raise Mismatch(
                self.height, field, f"canonical bytes of a {hint.__name__}", error
            ) from None

    def at_most(self, field: str, bound: int, found: int) -> None:
        """A bound of the protocol."""
        if found > bound:
            raise Mismatch(self.height, field, f"at most {bound}", found)

    def check_header(self, block: Block) -> None:
        """Each field follows from the chain before, or from what the header binds."""
        header, core = block.header, self.ledger.core
        expected = {
            "version": PROTOCOL_VERSION,
            "sidechain_id": self.ledger.sidechain_id,
            "height": core.height + 1,
            "parent_hash": self.ledger.head_hash,
            "state_digest": self.ledger.digest,
            "last_commit_hash": block.last_commit.hash() if block.last_commit else ZERO_HASH,
            "transactions_root": transactions_root(self.ids(block), block.transactions),
        }
        for name, value in expected.items():
            self.same(f"header.{name}", value, getattr(header, name))
        if header.time_ms <= core.time_ms:
            raise Mismatch(
                self.height, "header.time_ms", f"more than {core.time_ms}", header.time_ms
            )
        if header.proposer not in [validator.address for validator in core.validators]:
            raise Mismatch(
                self.height, "header.proposer", "a validator of the set", header.proposer
            )

    def ids(self, block: Block) -> list[bytes]:
        """Ids of a block's transactions."""
        return [transaction.id(self.ledger.domain) for transaction in block.transactions]

    def check_certificate(self, block: Block, answer: dict[str, Any]) -> None:
        """This block is final, and it holds why the block before is."""
        core, is_first = self.ledger.core, self.height == self.ledger.genesis.first_height
        certificate = from_json(Certificate, answer["certificate"])
        self.certifies(
            "certificate", certificate, self.height, block.header.hash(), core.validators
        )
        self.same("last_commit is missing", is_first, block.last_commit is None)
        if block.last_commit is not None:
            before = (self.height - 1, self.ledger.head_hash, core.previous_validators)
            self.certifies("last_commit", block.last_commit, *before)

    def certifies(
        self,
        field: str,
        found: Certificate,
        height: int,
        block_hash: bytes,
        validators: list[Validator],
    ) -> None:
        """A certificate is of this block and holds more than two thirds of the power."""
        self.same(f"{field}.height", height, found.height)
        self.same(f"{field}.block_hash", block_hash, found.block_hash)
        digest = precommit_digest(self.ledger.sidechain_id, found)
        wrong = what_is_wrong_with(digest, found.signatures, validators)
        if wrong is not None:
            raise Mismatch(self.height, f"{field}.signatures", "a quorum of precommits", wrong)

    # ---- what follows from it ---------------------------------------------------------------------------------------

    def execute(self, block: Block) -> Closed | None:
        """Every transaction by its rule; then, if it is the epoch's last block, the epoch's end."""
        signers = self.ledger.core.previous_validators
        self.ledger.begin(block.header.time_ms, block.header.hash())
        for place, transaction in enumerate(block.transactions):
            self.refuse(place)
            self.apply(f"transactions[{place}]", transaction)
        self.refuse(len(block.transactions))
        if block.last_commit is not None:
            record_signers(self.ledger, block.last_commit, signers)
        return end_epoch(self.ledger) if ends_epoch(self.ledger) else None

    def apply(self, field: str, transaction: SignedTransaction) -> None:
        """A block holds only what its rule allows."""
        try:
            self.rule(transaction)
        except (Refused, BadSignature) as error:
            raise Mismatch(
                self.height, field, f"a valid {type(transaction.payload).__name__}", error
            ) from None
        self.counts.transactions[name_of(type(transaction.payload))] += 1

    def rule(self, transaction: SignedTransaction) -> None:
        """Applies a transaction, or says why not."""
        payload, domain = transaction.payload, self.ledger.domain
        RULES[type(payload)](
            self.ledger, payload, transaction.signer(domain), transaction.id(domain)
        )

    def refuse(self, place: int) -> None:
        """What was refused at this place is refused here for the same reason."""
        for number, line in enumerate(self.refused.get((self.height, place), [])):
            field = f"refused before transactions[{place}], number {number}"
            try:
                self.rule(from_json(SignedTransaction, line["transaction"]))
            except Refused as refused:
                self.same(field, str(refused), line["code"])
            else:
                raise Mismatch(self.height, field, "no rejection", line["code"])
            self.counts.refused += 1

    def check_books(self) -> None:
        """The counters agree with the entries, and units neither appear nor vanish."""
        supply = self.ledger.core.supply
        for name in (
            "issued",
            "reversed",
            "released",
            "pending",
            "receipts",
            "debt",
            "bonded",
            "sales",
        ):
            self.same(f"supply.{name}", self.books.totals[name], getattr(supply, name))
        self.same("accruals", self.books.totals["pending"], self.books.totals["accrued"])
        where = self.books.where_units_are(supply.pool, supply.slashed)
        self.same("law of conservation", self.books.units_in_being(), where)

    # ---- checkpoints ------------------------------------------------------------------------------------------------

    def check_checkpoint(self, closed: Closed) -> None:
        """Every field that is signed, who signed it, and every payout."""
        epoch = closed.checkpoint.epoch
        field, answer = f"epoch {epoch}: checkpoint", self.checkpoints.pop(epoch, None)
        if answer is None:
            raise Mismatch(self.height, field, f"the checkpoint of epoch {epoch}", "none")
        found, core = from_json(SignedCheckpoint, answer["checkpoint"]), self.ledger.core
        self.same_payouts(
            f"epoch {epoch}: payouts",
            closed.chunks,
            [read_chunk(chunk) for chunk in answer["chunks"]],
        )
        self.same(field, closed.checkpoint, found.checkpoint)
        self.same(f"{field}.anchor", closed.anchor, found.anchor)
        self.same(f"{field}.validators", core.previous_validators, found.validators)
        self.same(f"{field}.next_validators", core.validators, found.next_validators)
        digest = closed.checkpoint.digest(self.ledger.genesis.evm_chain_id, closed.anchor)
        is_last = epoch == self.last_epoch
        wrong = what_is_wrong_with(digest, found.signatures, found.validators, quorum=not is_last)
        if wrong is not None:
            raise Mismatch(
                self.height, f"{field}.signatures", "signatures of the epoch's validators", wrong
            )
        self.counts.epochs += 1

    def same_payouts(self, field: str, expected: list[Chunk], found: list[Chunk]) -> None:
        """Account by account, then the chunks around them."""
        due, paid = amounts(expected), amounts(found)
        for account in sorted(due.keys() | paid.keys()):
            self.same(f"{field}.{shown(account)}", due.get(account), paid.get(account))
        self.same(field, expected, found)
        self.counts.payouts += len(due)

    def finish(self) -> None:
        """No checkpoint is left that the ledger did not make."""
        for epoch in sorted(self.checkpoints):
            raise Mismatch(
                self.height,
                f"epoch {epoch}: checkpoint",
                "none",
                f"the checkpoint of epoch {epoch}",
            )


def amounts(chunks: list[Chunk]) -> dict[bytes, int]:
    """What each account is paid; zero words pay nobody."""
    return {account_of(word): released_of(word) for chunk in chunks for word in chunk.words if word}


def read_chunk(value: dict[str, Any]) -> Chunk:
    """A chunk as a node answers it."""
    words, proof = (
        [int(word, 16) for word in value["words"]],
        [from_hex(each) for each in value["proof"]],
    )
    return Chunk(words, from_hex(value["root"]), proof)


class Export:
    """A file of `hotpot export blocks`: the genesis and the checkpoints; blocks are read one by one."""

    def __init__(self, path: Path) -> None:
        self.path, self.blocks, self.checkpoints, self.refused = path, 0, {}, defaultdict(list)
        genesis = None
        for kind, line in self.lines():
            if kind == "genesis":
                genesis, claimed = line["genesis"], line["sidechain_id"]
            elif kind == "checkpoint":
                self.checkpoints[line["checkpoint"]["checkpoint"]["epoch"]] = line
            elif kind == "refused":
                self.refused[line["height"], line["place"]].append(line)
            self.blocks += kind == "block"
        if genesis is None:
            raise NoExport(f"{path} names no genesis; it is the first line of an export")
        self.genesis: Genesis = from_json(Genesis, genesis)
        self.claimed_id = from_hex(claimed)

    def lines(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each line with its type."""
        with self.path.open() as file:
            for number, text in enumerate(file, 1):
                try:
                    line = json.loads(text)
                    yield line["type"], line
                except (ValueError, KeyError, TypeError) as error:
                    raise NoExport(
                        f"{self.path}, line {number}: not what hotpot export blocks writes ({error})"
                    ) from None

    def replay(self) -> Iterator[Replay]:
        """Block by block; raises the first difference."""
        replay = Replay(self.genesis, dict(self.checkpoints), self.refused)
        replay.same("genesis.sidechain_id", replay.ledger.sidechain_id, self.claimed_id)
        for validator in self.genesis.validators:
            replay.same(
                "genesis.validators.address",
                address_of_compressed(validator.public_key),
                validator.address,
            )
        for kind, line in self.lines():
            if kind == "block":
                replay.block(line["block"])
                yield replay
        replay.finish()
