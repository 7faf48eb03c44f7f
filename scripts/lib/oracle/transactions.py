"""What actors sign. The fields of a class stand in the order of its typed data."""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, ClassVar

from .codec import (
    U32,
    U64,
    Address,
    Bytes16,
    Codec,
    Currency,
    Hash,
    Malformed,
    Reader,
    Signature,
    codec_of,
    encode,
)
from .crypto import keccak256, recover, struct_hash, typed_digest


class OutletKind(IntEnum):
    """Who runs an outlet."""

    OWNER_OPERATED = 0
    FRANCHISED = 1


class TerminalKind(IntEnum):
    """What a terminal is."""

    PHYSICAL = 0
    GATEWAY = 1


class BuyerKind(IntEnum):
    """Who gets the buyer's share."""

    NONE = 0
    WALLET = 1
    RECEIPT = 2


@dataclass(slots=True)
class Sale:
    """A terminal sold something."""

    TYPED: ClassVar = (
        "Sale(uint64 outlet,address terminal,bytes16 saleId,uint64 occurredAt,string currency,uint64 total,"
        "bytes32 linesHash,uint8 buyerKind,address buyer)"
    )
    outlet: U64
    terminal: Address
    sale_id: Bytes16
    occurred_at_ms: U64
    currency: Currency
    total: U64
    lines_hash: Hash
    buyer_kind: BuyerKind
    buyer: Address


@dataclass(slots=True)
class RegisterOutlet:
    """The founder opens an outlet that the registrar approved."""

    TYPED: ClassVar = (
        "RegisterOutlet(uint64 outlet,address owner,uint8 kind,string city,string currency,uint32 quotaPerDay,"
        "uint32 terminalQuotaPerDay,bytes32 approvalRef,uint64 approvalExpiresAt,bytes approvalSignature,uint64 nonce)"
    )
    outlet: U64
    owner: Address
    kind: OutletKind
    city: str
    currency: Currency
    quota_per_day: U32
    terminal_quota_per_day: U32
    approval_ref: Hash
    approval_expires_at_ms: U64
    approval_signature: Signature
    nonce: U64


@dataclass(slots=True)
class RegisterTerminal:
    """An owner enrols a terminal."""

    TYPED: ClassVar = "RegisterTerminal(uint64 outlet,address terminal,uint8 kind,uint64 nonce)"
    outlet: U64
    terminal: Address
    kind: TerminalKind
    nonce: U64


@dataclass(slots=True)
class RevokeTerminal:
    """An owner ends a terminal, for ever."""

    TYPED: ClassVar = "RevokeTerminal(uint64 outlet,address terminal,uint64 nonce)"
    outlet: U64
    terminal: Address
    nonce: U64


@dataclass(slots=True)
class ClaimReceipt:
    """A guest moves a receipt's units to a wallet."""

    TYPED: ClassVar = "ClaimReceipt(uint64 outlet,bytes16 saleId,address wallet)"
    outlet: U64
    sale_id: Bytes16
    wallet: Address


@dataclass(slots=True)
class RequestPayout:
    """An account asks to be in the next settlement."""

    TYPED: ClassVar = "RequestPayout(address account,uint64 nonce)"
    account: Address
    nonce: U64


@dataclass(slots=True)
class FullSettlement:
    """The founder asks that everybody is in the next settlement."""

    TYPED: ClassVar = "FullSettlement(uint64 nonce)"
    nonce: U64


@dataclass(slots=True)
class SetAnchor:
    """The founder binds contracts."""

    TYPED: ClassVar = "SetAnchor(address token,address anchor,uint64 fromEpoch,bytes32 validatorsHash,uint64 nonce)"
    token: Address
    anchor: Address
    from_epoch: U64
    validators_hash: Hash
    nonce: U64


@dataclass(slots=True)
class Refund:
    """Money of a sale was given back."""

    TYPED: ClassVar = "Refund(uint64 outlet,bytes16 saleId,bytes16 refundId,uint64 amount)"
    outlet: U64
    sale_id: Bytes16
    refund_id: Bytes16
    amount: U64


# The place is the tag.
PAYLOADS: list[type] = [
    Sale,
    RegisterOutlet,
    RegisterTerminal,
    RevokeTerminal,
    ClaimReceipt,
    RequestPayout,
    FullSettlement,
    SetAnchor,
    Refund,
]
APPROVAL = "OutletApproval(uint64 outlet,address owner,bytes32 approvalRef,uint64 expiresAt)"
LINE = "Line(string sku,string name,uint32 quantity,uint64 unitPrice)"


def name_of(kind: type) -> str:
    """`type` in JSON: the class's name in snake_case."""
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in kind.__name__).lstrip("_")


class SignedCodec:
    """The tag, the payload, the signature; in JSON one object with `type`."""

    def encode(self, value: "SignedTransaction") -> bytes:
        tag = PAYLOADS.index(type(value.payload))
        return bytes([tag]) + encode(value.payload) + value.signature

    def decode(self, reader: Reader) -> "SignedTransaction":
        tag = reader.number(1)
        if tag >= len(PAYLOADS):
            raise Malformed(f"no transaction has the tag {tag}")
        return SignedTransaction(codec_of(PAYLOADS[tag]).decode(reader), reader.take(65))

    def from_json(self, value: Any) -> "SignedTransaction":
        kind = KINDS.get(value.get("type")) if isinstance(value, dict) else None
        if kind is None:
            raise Malformed(f"a transaction of type {sorted(KINDS)} expected, found {value!r}")
        payload = {key: each for key, each in value.items() if key not in ("type", "signature")}
        return SignedTransaction(codec_of(kind).from_json(payload), SIGNATURE.from_json(value.get("signature")))


SIGNATURE: Codec = codec_of(Signature)
KINDS = {name_of(kind): kind for kind in PAYLOADS}


@dataclass(slots=True)
class SignedTransaction:
    """A payload and who signed it."""

    CODEC: ClassVar[Codec] = SignedCodec()
    payload: Any
    signature: Signature

    def id(self, domain: bytes) -> bytes:
        """The digest that was signed."""
        values = [getattr(self.payload, field.name) for field in fields(self.payload)]
        return typed_digest(domain, struct_hash(self.payload.TYPED, values))

    def signer(self, domain: bytes) -> bytes:
        """The address whose key signed it."""
        return recover(self.id(domain), self.signature)


def approval_signer(register: RegisterOutlet, domain: bytes) -> bytes:
    """Who approved an outlet."""
    values = [register.outlet, register.owner, register.approval_ref, register.approval_expires_at_ms]
    return recover(typed_digest(domain, struct_hash(APPROVAL, values)), register.approval_signature)


def lines_hash(salt: bytes, lines: list[dict[str, Any]]) -> bytes:
    """`hashStruct` of a sale's lines."""
    hashes = [struct_hash(LINE, [line[key] for key in ("sku", "name", "quantity", "unit_price")]) for line in lines]
    return keccak256(
        keccak256(f"SaleLines(bytes32 salt,Line[] lines){LINE}".encode()) + salt + keccak256(b"".join(hashes))
    )
