"""What a settlement pays: words, chunks and the payout root."""

from dataclasses import dataclass

from .crypto import ZERO_HASH, abi_word, leaf, merkle_proof, merkle_root

CHUNK_WORDS_MAX = 128


@dataclass(slots=True)
class Chunk:
    """Up to 128 words that the contract takes at once, filled with zero words to a power of two."""

    words: list[int]
    root: bytes
    proof: list[bytes]


def word(account: bytes, released: int) -> int:
    """An account and its cumulative amount, packed."""
    return int.from_bytes(account) << 96 | released


def account_of(packed: int) -> bytes:
    """The account of a word."""
    return (packed >> 96).to_bytes(20)


def released_of(packed: int) -> int:
    """The cumulative amount of a word."""
    return packed & (1 << 96) - 1


def word_leaf(packed: int) -> bytes:
    """A zero word's leaf is zero."""
    if packed == 0:
        return ZERO_HASH
    return leaf(abi_word("address", account_of(packed)) + abi_word("uint256", released_of(packed)))


def chunks(payouts: list[tuple[bytes, int]]) -> list[Chunk]:
    """Accounts ascending, in aligned chunks."""
    words = [word(account, released) for account, released in sorted(payouts)]
    filled = [
        fill(words[at : at + CHUNK_WORDS_MAX]) for at in range(0, len(words), CHUNK_WORDS_MAX)
    ]
    roots = [merkle_root([word_leaf(each) for each in chunk]) for chunk in filled]
    return [
        Chunk(chunk, roots[place], merkle_proof(roots, place)) for place, chunk in enumerate(filled)
    ]


def fill(words: list[int]) -> list[int]:
    """Zero words up to a power of two."""
    size = 1 << (len(words) - 1).bit_length()
    return words + [0] * (size - len(words))


def payout_root(found: list[Chunk]) -> bytes:
    """Over the chunks' roots."""
    return merkle_root([chunk.root for chunk in found])
