"""What the founder may change while the chain lives, and what genesis fixes of the election."""

from dataclasses import astuple, dataclass
from typing import ClassVar

from .codec import U32, U64
from .crypto import struct_hash

YEAR_MS = 365 * 86_400_000
PPM = 1_000_000


@dataclass(slots=True, frozen=True)
class Parameters:
    """All of them are changed together."""

    TYPED: ClassVar[str] = (
        "Parameters(uint64 saleTotalMin,uint64 ownerDebtMax,uint64 electionEpochs,uint64 unbondingTime,"
        "uint64 jailTime,uint32 slashPpm,uint64 receiptTime,uint64 poolTime)"
    )
    sale_total_min: U64
    owner_debt_max: U64
    election_epochs: U64
    unbonding_ms: U64
    jail_ms: U64
    slash_ppm: U32
    receipt_ms: U64
    pool_ms: U64

    def hash(self) -> bytes:
        """EIP-712 `hashStruct`."""
        return struct_hash(self.TYPED, list(astuple(self)))

    def in_bounds(self) -> bool:
        """Whether each stands within what the protocol allows."""
        return all(
            low <= found <= high for found, (low, high) in zip(astuple(self), BOUNDS, strict=True)
        )


BOUNDS = [
    (0, 1_000_000_000_000),
    (0, 1_000_000_000),
    (0, 10_000),
    (1, YEAR_MS),
    (1, YEAR_MS),
    (0, PPM // 2),
    (1, 10 * YEAR_MS),
    (1, 10 * YEAR_MS),
]


@dataclass(slots=True)
class ElectionRules:
    """City weights in parts per million, and how many validators a city and an owner may have."""

    city_weights: dict[str, U32]
    per_city_max: U32
    per_owner_max: U32


def share_of(amount: int, share_ppm: int) -> int:
    """A share, rounded down."""
    return amount * share_ppm // PPM
