"""Hashes, signatures, Merkle trees and EIP-712."""

from typing import Any

from coincurve import PublicKey
from Crypto.Hash import keccak

ZERO_ADDRESS, ZERO_HASH = bytes(20), bytes(32)
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class BadSignature(ValueError):
    """65 bytes that no key signed."""


def keccak256(data: bytes) -> bytes:
    """Ethereum's hash."""
    digest: bytes = keccak.new(digest_bits=256, data=data).digest()
    return digest


EMPTY_ROOT = keccak256(b"")


def recover(digest: bytes, signature: bytes) -> bytes:
    """The address whose key signed a digest with r‖s‖v; v is 27 or 28, a high s is refused."""
    if signature[64] not in (27, 28):
        raise BadSignature(f"v is 27 or 28, found {signature[64]}")
    if int.from_bytes(signature[32:64]) > CURVE_ORDER // 2:
        raise BadSignature("s is high")
    try:
        key = PublicKey.from_signature_and_message(
            signature[:64] + bytes([signature[64] - 27]), digest, hasher=None
        )
    except Exception as error:  # the library raises bare exceptions
        raise BadSignature("no key matches") from error
    return address_of(key)


def address_of(key: PublicKey) -> bytes:
    """The last 20 bytes of the hash of the uncompressed key."""
    return keccak256(key.format(compressed=False)[1:])[12:]


def address_of_compressed(key: bytes) -> bytes:
    """The address of a compressed key of 33 bytes."""
    return address_of(PublicKey(key))


def leaf(data: bytes) -> bytes:
    """A leaf is hashed twice."""
    return keccak256(keccak256(data))


def merkle_root(leaves: list[bytes]) -> bytes:
    """Pairs are sorted before hashing; an odd node at the end of a level moves up."""
    if not leaves:
        return EMPTY_ROOT
    level = leaves
    while len(level) > 1:
        level = [pair(level[i : i + 2]) for i in range(0, len(level), 2)]
    return level[0]


def pair(nodes: list[bytes]) -> bytes:
    """The node above one or two."""
    return keccak256(b"".join(sorted(nodes))) if len(nodes) == 2 else nodes[0]


def merkle_proof(leaves: list[bytes], index: int) -> list[bytes]:
    """The siblings from a leaf to the root."""
    proof, level = [], leaves
    while len(level) > 1:
        if index ^ 1 < len(level):
            proof.append(level[index ^ 1])
        level = [pair(level[i : i + 2]) for i in range(0, len(level), 2)]
        index //= 2
    return proof


def abi_word(kind: str, value: Any) -> bytes:
    """A value as EIP-712 and the ABI encode it in 32 bytes; text and bytes of any length by their hash."""
    if kind in ("string", "bytes"):
        return keccak256(value.encode() if isinstance(value, str) else value)
    if kind.startswith("uint"):
        return int(value).to_bytes(32, "big")
    word: bytes = value.rjust(32, b"\0") if kind == "address" else value.ljust(32, b"\0")
    return word


def struct_hash(typed: str, values: list[Any]) -> bytes:
    """EIP-712 `hashStruct` of `Name(kind field,kind field)` with the values in this order."""
    listed = typed[typed.index("(") + 1 : typed.index(")")]
    kinds = [field.split()[0] for field in listed.split(",")]
    words = (abi_word(kind, value) for kind, value in zip(kinds, values, strict=True))
    return keccak256(keccak256(typed.encode()) + b"".join(words))


def typed_digest(separator: bytes, hashed: bytes) -> bytes:
    """What is signed."""
    return keccak256(b"\x19\x01" + separator + hashed)


def transaction_domain(chain_id: int, sidechain_id: bytes) -> bytes:
    """The domain of transactions: it has the sidechain id as salt."""
    typed = "EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)"
    return struct_hash(typed, ["HotPot", "1", chain_id, sidechain_id])


def checkpoint_domain(chain_id: int, anchor: bytes) -> bytes:
    """The domain of checkpoints: it names the anchor."""
    typed = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    return struct_hash(typed, ["HotPot", "1", chain_id, anchor])
