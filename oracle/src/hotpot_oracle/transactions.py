"""What actors sign. The fields of a class stand in the order of its typed data."""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, ClassVar

from .codec import (
    U32,
    U64,
    Address,
    Bytes16,
    Cid,
    Codec,
    Currency,
    Hash,
    Malformed,
    PublicKey,
    Purposes,
    Reader,
    Signature,
    codec_of,
    encode,
    name_of,
)
from .crypto import keccak256, recover, struct_hash, typed_digest
from .evidence import DoubleCheckpoint, DoubleProposal, DoubleVote, Offence
from .parameters import Parameters


class OutletKind(IntEnum):
    """Who runs an outlet."""

    OWNER_OPERATED = 0
    FRANCHISED = 1


class TerminalKind(IntEnum):
    """What a terminal is."""

    PHYSICAL = 0
    GATEWAY = 1
    VIDEO_AGENT = 2


class BasisKind(IntEnum):
    """What a legal basis is for."""

    SECURITY = 0
    CHEF = 1


class EraseReason(IntEnum):
    """Why a recording's key was destroyed."""

    REVOKED = 0
    RETENTION = 1
    REQUEST = 2
    OTHER = 3


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


@dataclass(slots=True)
class SetBonding:
    """A holder bonds a share of what matures from now on."""

    TYPED: ClassVar = "SetBonding(address account,uint32 bondingPpm,uint64 nonce)"
    account: Address
    bonding_ppm: U32
    nonce: U64


@dataclass(slots=True)
class Unbond:
    """A holder takes units out of the bond."""

    TYPED: ClassVar = "Unbond(address account,uint64 units,uint64 nonce)"
    account: Address
    units: U64
    nonce: U64


@dataclass(slots=True)
class RegisterValidator:
    """An owner registers a validator for an outlet."""

    TYPED: ClassVar = "RegisterValidator(uint64 outlet,bytes publicKey,bytes consent,uint64 nonce)"
    outlet: U64
    public_key: PublicKey
    consent: Signature
    nonce: U64


@dataclass(slots=True)
class Heartbeat:
    """A registered validator is there, once an epoch."""

    TYPED: ClassVar = "Heartbeat(address validator,uint64 epoch)"
    validator: Address
    epoch: U64


@dataclass(slots=True)
class Unjail:
    """An owner lets its validator stand for election again."""

    TYPED: ClassVar = "Unjail(address validator,uint64 nonce)"
    validator: Address
    nonce: U64


@dataclass(slots=True)
class Evidence:
    """A validator shows that another one signed two different things."""

    TYPED: ClassVar = "Evidence(address offender,bytes offence)"
    offender: Address
    offence: Offence


@dataclass(slots=True)
class SetParameters:
    """The founder changes parameters, after the delay."""

    TYPED: ClassVar = f"SetParameters(Parameters parameters,uint64 nonce){Parameters.TYPED}"
    parameters: Parameters
    nonce: U64


@dataclass(slots=True)
class CancelChange:
    """The guardian cancels a change that waits."""

    TYPED: ClassVar = "CancelChange(uint64 change,uint64 nonce)"
    change: U64
    nonce: U64


@dataclass(slots=True)
class RecordConsent:
    """A guest allows a camera, and a terminal saw it."""

    TYPED: ClassVar = (
        "RecordConsent(uint64 outlet,uint64 camera,uint8 purposes,bytes32 commitment,address guest,uint64 until,"
        "address witness,bytes witnessSignature)"
    )
    outlet: U64
    camera: U64
    purposes: Purposes
    commitment: Hash
    guest: Address
    until_ms: U64
    witness: Address
    witness_signature: Signature


@dataclass(slots=True)
class RecordLegalBasis:
    """An owner has a legal basis for a camera."""

    TYPED: ClassVar = (
        "RecordLegalBasis(uint64 outlet,uint64 camera,uint8 kind,bytes32 noticeHash,uint32 retentionDays,uint64 until,"
        "uint64 nonce)"
    )
    outlet: U64
    camera: U64
    kind: BasisKind
    notice_hash: Hash
    retention_days: U32
    until_ms: U64
    nonce: U64


@dataclass(slots=True)
class RevokeConsent:
    """A consent ends, for ever."""

    TYPED: ClassVar = "RevokeConsent(bytes32 consent)"
    consent: Hash


@dataclass(slots=True)
class PinRecording:
    """A video agent brings a recording to the ledger."""

    TYPED: ClassVar = (
        "PinRecording(uint64 outlet,uint64 camera,bytes32 consent,bytes cid,bytes32 manifestHash,uint64 sequence,"
        "uint64 startedAt,uint64 endedAt)"
    )
    outlet: U64
    camera: U64
    consent: Hash
    cid: Cid
    manifest_hash: Hash
    sequence: U64
    started_at_ms: U64
    ended_at_ms: U64


@dataclass(slots=True)
class EraseRecording:
    """The key of a recording is destroyed."""

    TYPED: ClassVar = "EraseRecording(uint64 outlet,bytes cid,uint8 reason)"
    outlet: U64
    cid: Cid
    reason: EraseReason


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
    SetBonding,
    Unbond,
    RegisterValidator,
    Heartbeat,
    Unjail,
    Evidence,
    SetParameters,
    CancelChange,
    RecordConsent,
    RecordLegalBasis,
    RevokeConsent,
    PinRecording,
    EraseRecording,
]
APPROVAL = "OutletApproval(uint64 outlet,address owner,bytes32 approvalRef,uint64 expiresAt)"
CONSENT = "ValidatorConsent(uint64 outlet,address owner)"
WITNESS = "ConsentWitness(uint64 outlet,uint64 camera,uint8 purposes,bytes32 commitment,address guest,uint64 until)"
LINE = "Line(string sku,string name,uint32 quantity,uint64 unitPrice)"


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
        kind = KINDS.get(value.get("type", "")) if isinstance(value, dict) else None
        if kind is None:
            raise Malformed(f"a transaction of type {sorted(KINDS)} expected, found {value!r}")
        payload = {key: each for key, each in value.items() if key not in ("type", "signature")}
        return SignedTransaction(
            codec_of(kind).from_json(payload), SIGNATURE.from_json(value.get("signature"))
        )


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
        values = [typed_value(getattr(self.payload, field.name)) for field in fields(self.payload)]
        return typed_digest(domain, struct_hash(self.payload.TYPED, values))

    def signer(self, domain: bytes) -> bytes:
        """The address whose key signed it."""
        return recover(self.id(domain), self.signature)


def typed_value(value: Any) -> Any:
    """Parameters are a struct of their own; an offence is signed as its canonical bytes."""
    if isinstance(value, Parameters):
        return value.hash()
    return (
        encode(value, Offence)
        if isinstance(value, DoubleVote | DoubleProposal | DoubleCheckpoint)
        else value
    )


def consent_signer(register: RegisterValidator, owner: bytes, domain: bytes) -> bytes:
    """Who agreed to be registered by an owner for an outlet."""
    return recover(
        typed_digest(domain, struct_hash(CONSENT, [register.outlet, owner])), register.consent
    )


def approval_signer(register: RegisterOutlet, domain: bytes) -> bytes:
    """Who approved an outlet."""
    values = [
        register.outlet,
        register.owner,
        register.approval_ref,
        register.approval_expires_at_ms,
    ]
    return recover(typed_digest(domain, struct_hash(APPROVAL, values)), register.approval_signature)


def witness_signer(consent: RecordConsent, domain: bytes) -> bytes:
    """Which terminal saw a guest agree to exactly this."""
    values = [
        consent.outlet,
        consent.camera,
        consent.purposes,
        consent.commitment,
        consent.guest,
        consent.until_ms,
    ]
    return recover(typed_digest(domain, struct_hash(WITNESS, values)), consent.witness_signature)


def lines_hash(salt: bytes, lines: list[dict[str, Any]]) -> bytes:
    """`hashStruct` of a sale's lines."""
    hashes = [
        struct_hash(LINE, [line[key] for key in ("sku", "name", "quantity", "unit_price")])
        for line in lines
    ]
    return keccak256(
        keccak256(f"SaleLines(bytes32 salt,Line[] lines){LINE}".encode())
        + salt
        + keccak256(b"".join(hashes))
    )
