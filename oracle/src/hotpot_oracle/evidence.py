"""Evidence that a validator signed two different things where it may sign one."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from .checkpoint import Checkpoint
from .codec import I64, U64, Address, Hash, Signature, Tagged
from .crypto import BadSignature, keccak256, recover


class VoteStep(IntEnum):
    """Of a round."""

    PREVOTE = 1
    PRECOMMIT = 2


@dataclass(slots=True)
class SignedVote:
    """One of two votes; without a hash it is nil."""

    block_hash: Hash | None
    signature: Signature


@dataclass(slots=True)
class SignedProposal:
    """One of two proposals."""

    pol_round: I64
    block_hash: Hash
    signature: Signature


@dataclass(slots=True)
class SignedSummary:
    """One of two checkpoints."""

    checkpoint: Checkpoint
    signature: Signature


@dataclass(slots=True)
class DoubleVote:
    """Two votes of one step."""

    step: VoteStep
    height: U64
    round: I64
    first: SignedVote
    second: SignedVote

    def at(self) -> int:
        """The height that it is about."""
        return self.height

    def differs(self, _: bytes) -> bool:
        """Whether the two say different things about the same."""
        return self.first.block_hash != self.second.block_hash

    def digest(self, vote: SignedVote, sidechain_id: bytes, _: int) -> bytes:
        """What was signed."""
        return vote_digest(sidechain_id, self.step, self.height, self.round, vote.block_hash)


@dataclass(slots=True)
class DoubleProposal:
    """Two proposals of one round."""

    height: U64
    round: I64
    first: SignedProposal
    second: SignedProposal

    def at(self) -> int:
        """The height that it is about."""
        return self.height

    def differs(self, _: bytes) -> bool:
        """Whether the two say different things about the same."""
        return self.first.block_hash != self.second.block_hash

    def digest(self, proposal: SignedProposal, sidechain_id: bytes, _: int) -> bytes:
        """What was signed."""
        rounds = self.round.to_bytes(8, "big", signed=True) + proposal.pol_round.to_bytes(
            8, "big", signed=True
        )
        place = self.height.to_bytes(8, "big") + rounds
        return keccak256(b"HotPot proposal 1" + sidechain_id + place + proposal.block_hash)


@dataclass(slots=True)
class DoubleCheckpoint:
    """Two checkpoints of one epoch, for one anchor."""

    anchor: Address
    first: SignedSummary
    second: SignedSummary

    def at(self) -> int:
        """The height that it is about."""
        return self.first.checkpoint.last_height

    def differs(self, sidechain_id: bytes) -> bool:
        """Whether the two say different things about the same."""
        one, other = self.first.checkpoint, self.second.checkpoint
        of_here = one.sidechain_id == other.sidechain_id == sidechain_id
        return one != other and one.epoch == other.epoch and of_here

    def digest(self, signed: SignedSummary, _: bytes, chain_id: int) -> bytes:
        """What was signed."""
        return signed.checkpoint.digest(chain_id, self.anchor)


Offence = Annotated[
    DoubleVote | DoubleProposal | DoubleCheckpoint,
    Tagged(DoubleVote, DoubleProposal, DoubleCheckpoint),
]


def vote_digest(
    sidechain_id: bytes, step: int, height: int, round: int, block_hash: bytes | None
) -> bytes:
    """What a validator signs to vote."""
    place = bytes([step]) + height.to_bytes(8, "big") + round.to_bytes(8, "big", signed=True)
    return keccak256(
        b"HotPot vote 1"
        + sidechain_id
        + place
        + (bytes(33) if block_hash is None else b"\1" + block_hash)
    )


def proves(
    offence: DoubleVote | DoubleProposal | DoubleCheckpoint,
    offender: bytes,
    sidechain_id: bytes,
    chain_id: int,
) -> bool:
    """Whether the offender signed both, and they differ where they must not."""
    if not offence.differs(sidechain_id):
        return False
    try:
        return all(
            recover(offence.digest(signed, sidechain_id, chain_id), signed.signature) == offender  # type: ignore[arg-type]
            for signed in (offence.first, offence.second)
        )
    except BadSignature:
        return False
