"""Genesis, blocks, certificates and checkpoints: what is hashed and signed."""

from dataclasses import dataclass

from .checkpoint import Checkpoint
from .codec import U16, U32, U64, Address, Hash, PublicKey, Signature, encode
from .crypto import (
    BadSignature,
    abi_word,
    keccak256,
    leaf,
    merkle_root,
    recover,
)
from .evidence import VoteStep, vote_digest
from .parameters import ElectionRules, Parameters
from .transactions import SignedTransaction

PROTOCOL_VERSION = 1
BLOCK_BYTES_MAX, TRANSACTION_BYTES_MAX = 1_000_000, 4_096


@dataclass(slots=True)
class Blocks:
    """An epoch ends with its n-th block."""

    count: U64


@dataclass(slots=True)
class Milliseconds:
    """An epoch ends with the first block this long after its start."""

    count: U64


@dataclass(slots=True)
class Validator:
    """One validator of a set."""

    address: Address
    power: U64
    public_key: PublicKey


@dataclass(slots=True)
class Genesis:
    """The first facts. Their hash is the sidechain id."""

    name: str
    evm_chain_id: U64
    time_ms: U64
    first_height: U64
    parent_hash: Hash
    founder: Address
    guardian: Address
    registrar: Address
    epoch_length: Blocks | Milliseconds
    settlement_epochs: U64
    maturity_ms: U64
    change_delay_ms: U64
    parameters: Parameters
    election: ElectionRules
    validators: list[Validator]

    def sidechain_id(self) -> bytes:
        """The chain's name for machines."""
        return keccak256(encode(self))


@dataclass(slots=True)
class Header:
    """What a block's hash binds."""

    version: U16
    sidechain_id: Hash
    height: U64
    time_ms: U64
    parent_hash: Hash
    last_commit_hash: Hash
    transactions_root: Hash
    state_digest: Hash
    proposer: Address

    def hash(self) -> bytes:
        """The block's hash."""
        return keccak256(encode(self))


@dataclass(slots=True)
class Signed:
    """A validator's signature: of a precommit or of a checkpoint."""

    validator: Address
    signature: Signature


@dataclass(slots=True)
class Certificate:
    """Why a block is final."""

    height: U64
    round: U32
    block_hash: Hash
    signatures: list[Signed]

    def hash(self) -> bytes:
        """What the next header says of it."""
        return keccak256(encode(self))


@dataclass(slots=True)
class Block:
    """A header with what it binds."""

    header: Header
    last_commit: Certificate | None
    transactions: list[SignedTransaction]


@dataclass(slots=True)
class SignedCheckpoint:
    """A checkpoint with the sets around it and the signatures gathered so far."""

    checkpoint: Checkpoint
    anchor: Address
    validators: list[Validator]
    next_validators: list[Validator]
    signatures: list[Signed]


def transactions_root(ids: list[bytes], transactions: list[SignedTransaction]) -> bytes:
    """The leaf binds a transaction's place, for the tree sorts its pairs."""
    signed = zip(ids, transactions, strict=True)
    leaves = [
        leaf(place.to_bytes(4, "big") + tx_id + each.signature)
        for place, (tx_id, each) in enumerate(signed)
    ]
    return merkle_root(leaves)


def validators_hash(validators: list[Validator]) -> bytes:
    """keccak256 of the ABI encoding of (address, uint64)[]."""
    words = [abi_word("uint256", 32), abi_word("uint256", len(validators))]
    for validator in validators:
        words += [abi_word("address", validator.address), abi_word("uint64", validator.power)]
    return keccak256(b"".join(words))


def precommit_digest(sidechain_id: bytes, certificate: Certificate) -> bytes:
    """What a validator signs to make a block final."""
    return vote_digest(
        sidechain_id,
        VoteStep.PRECOMMIT,
        certificate.height,
        certificate.round,
        certificate.block_hash,
    )


def what_is_wrong_with(
    digest: bytes, signatures: list[Signed], validators: list[Validator], quorum: bool = True
) -> str | None:
    """Each signature is of a validator of the set, ascending; together they are more than two thirds of its power."""
    power = {validator.address: validator.power for validator in validators}
    signers = [signed.validator for signed in signatures]
    if signers != sorted(set(signers)):
        return "validators do not ascend"
    for signed in signatures:
        if signed.validator not in power:
            return f"0x{signed.validator.hex()} is no validator of the set"
        if (fault := fault_of(digest, signed)) is not None:
            return fault
    signed_power, all_power = sum(power[signer] for signer in signers), sum(power.values())
    if quorum and signed_power * 3 <= all_power * 2:
        return f"power {signed_power} of {all_power} is no quorum"
    return None


def fault_of(digest: bytes, signed: Signed) -> str | None:
    """Why a signature is not the named validator's."""
    try:
        signer = recover(digest, signed.signature)
    except BadSignature as error:
        return f"signature of 0x{signed.validator.hex()}: {error}"
    return (
        None
        if signer == signed.validator
        else f"signature of 0x{signed.validator.hex()} is 0x{signer.hex()}'s"
    )
