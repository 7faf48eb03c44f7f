"""Canonical bytes (borsh) and JSON of a type, both from its annotations.

A record is a dataclass; its fields are encoded in their order. `list`, `dict`, `set`, `tuple`, `bool`, `str`,
`X | None`, `IntEnum` and unions of records mean what docs/PROTOCOL.md says under "Encoding and hashing".
"""

import types
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import cache
from typing import Annotated, Any, Protocol, Union, get_args, get_origin, get_type_hints


class Malformed(ValueError):
    """Bytes or JSON that are no value of the type."""


class Reader:
    """Bytes that are read from the front."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        """The next bytes; never fewer than asked for."""
        if self.at + size > len(self.data):
            raise Malformed(
                f"{size} bytes expected at {self.at}, {len(self.data) - self.at} are left"
            )
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """The next integer, little-endian."""
        return int.from_bytes(self.take(size), "little")


class Codec(Protocol):
    """How a type is written and read."""

    def encode(self, value: Any) -> bytes:
        """Canonical bytes."""

    def decode(self, reader: Reader) -> Any:
        """The value whose canonical bytes come next."""

    def from_json(self, value: Any) -> Any:
        """The value that JSON names."""


class Int:
    """An integer of fixed width, little-endian."""

    def __init__(self, size: int, signed: bool = False) -> None:
        self.size, self.signed = size, signed

    def encode(self, value: int) -> bytes:
        return value.to_bytes(self.size, "little", signed=self.signed)

    def decode(self, reader: Reader) -> int:
        return int.from_bytes(reader.take(self.size), "little", signed=self.signed)

    def from_json(self, value: Any) -> int:
        least = -(1 << 8 * self.size - 1) if self.signed else 0
        if type(value) is not int or not least <= value < least + (1 << 8 * self.size):
            raise Malformed(f"an integer of {self.size} bytes expected, found {value!r}")
        return value


class Fixed:
    """Bare bytes of fixed length; in JSON hex digits, with or without `0x`."""

    def __init__(self, size: int) -> None:
        self.size = size

    def encode(self, value: bytes) -> bytes:
        if len(value) != self.size:
            raise Malformed(f"{self.size} bytes expected, found {len(value)}")
        return value

    def decode(self, reader: Reader) -> bytes:
        return reader.take(self.size)

    def from_json(self, value: Any) -> bytes:
        return self.encode(from_hex(value))


class ContentId(Fixed):
    """A content id of IPFS: 36 bare bytes; in JSON the text in base32."""

    DIGITS = "abcdefghijklmnopqrstuvwxyz234567"

    def __init__(self) -> None:
        super().__init__(36)

    def decode(self, reader: Reader) -> bytes:
        return self.checked(super().decode(reader))

    def checked(self, value: bytes) -> bytes:
        if value[:4] not in (b"\x01\x55\x12\x20", b"\x01\x70\x12\x20"):
            raise Malformed(f"a content id of version 1 by SHA-256 expected, found 0x{value.hex()}")
        return value

    def from_json(self, value: Any) -> bytes:
        if not (
            isinstance(value, str)
            and len(value) == 59
            and value[0] == "b"
            and set(value) <= set(self.DIGITS)
        ):
            raise Malformed(f"a content id expected, found {value!r}")
        bits = "".join(f"{self.DIGITS.index(digit):05b}" for digit in value[1:])
        if bits[288:].strip("0"):
            raise Malformed(f"a content id without spare bits expected, found {value!r}")
        return self.checked(int(bits[:288], 2).to_bytes(36, "big"))


class Words:
    """A set of bits as one byte, never empty; in JSON a list of words."""

    def __init__(self, *words: str) -> None:
        self.bits = {word: 1 << place for place, word in enumerate(words)}

    def encode(self, value: int) -> bytes:
        return bytes([value])

    def decode(self, reader: Reader) -> int:
        value = reader.number(1)
        if not 0 < value <= sum(self.bits.values()):
            raise Malformed(f"{value} is no set of {sorted(self.bits)}")
        return value

    def from_json(self, value: Any) -> int:
        if not (isinstance(value, list) and value and all(word in self.bits for word in value)):
            raise Malformed(f"a list of {sorted(self.bits)} expected, found {value!r}")
        if len(set(value)) != len(value):
            raise Malformed(f"each word once expected, found {value!r}")
        return sum(self.bits[word] for word in value)


class Letters:
    """Text of a fixed number of ASCII letters, without a length."""

    def __init__(self, size: int) -> None:
        self.size = size

    def encode(self, value: str) -> bytes:
        return Fixed(self.size).encode(value.encode("ascii"))

    def decode(self, reader: Reader) -> str:
        return self.from_json(reader.take(self.size).decode("ascii", "replace"))

    def from_json(self, value: Any) -> str:
        if not (
            isinstance(value, str)
            and len(value) == self.size
            and value.isascii()
            and value.isalpha()
        ):
            raise Malformed(f"{self.size} letters expected, found {value!r}")
        return value


class Text:
    """UTF-8 after its length."""

    def encode(self, value: str) -> bytes:
        data = value.encode()
        return len(data).to_bytes(4, "little") + data

    def decode(self, reader: Reader) -> str:
        return reader.take(reader.number(4)).decode()

    def from_json(self, value: Any) -> str:
        if not isinstance(value, str):
            raise Malformed(f"text expected, found {value!r}")
        return value


class Choice:
    """One byte out of a few: booleans and enums without fields. In JSON a word."""

    def __init__(self, kind: type[IntEnum] | type[bool]) -> None:
        self.kind = kind

    def encode(self, value: int) -> bytes:
        return bytes([value])

    def decode(self, reader: Reader) -> Any:
        number = reader.number(1)
        if number not in list(self.kind if self.kind is not bool else (0, 1)):
            raise Malformed(f"{number} is no {self.kind.__name__}")
        return self.kind(number)

    def from_json(self, value: Any) -> Any:
        if self.kind is bool:
            return bool(value)
        try:
            return self.kind[str(value).upper()]
        except KeyError:
            raise Malformed(f"{value!r} is no {self.kind.__name__}") from None


class Option:
    """A byte, 0 or 1, and the value after 1."""

    def __init__(self, inner: Codec) -> None:
        self.inner = inner

    def encode(self, value: Any) -> bytes:
        return b"\0" if value is None else b"\1" + self.inner.encode(value)

    def decode(self, reader: Reader) -> Any:
        return self.inner.decode(reader) if Choice(bool).decode(reader) else None

    def from_json(self, value: Any) -> Any:
        return None if value is None else self.inner.from_json(value)


class Sequence:
    """Values after their number."""

    def __init__(self, inner: Codec) -> None:
        self.inner = inner

    def encode(self, value: list[Any]) -> bytes:
        return len(value).to_bytes(4, "little") + b"".join(map(self.inner.encode, value))

    def decode(self, reader: Reader) -> list[Any]:
        return [self.inner.decode(reader) for _ in range(reader.number(4))]

    def from_json(self, value: Any) -> list[Any]:
        return [self.inner.from_json(each) for each in value]


class Sorted:
    """A set or a map: its entries ascending, after their number. Only ever written."""

    def __init__(self, *parts: Codec) -> None:
        self.entries = Sequence(Pack(*parts))

    def encode(self, value: dict[Any, Any] | set[Any]) -> bytes:
        rows = value.items() if isinstance(value, dict) else ((key,) for key in value)
        return self.entries.encode(sorted(rows, key=lambda row: row[0]))

    def decode(self, reader: Reader) -> Any:
        raise NotImplementedError("maps are written only")

    def from_json(self, value: Any) -> Any:
        return dict(self.entries.from_json(list(value.items())))


class Pack:
    """Values of different types, one after the other."""

    def __init__(self, *parts: Codec) -> None:
        self.parts = parts

    def encode(self, value: tuple[Any, ...]) -> bytes:
        return b"".join(part.encode(each) for part, each in zip(self.parts, value, strict=True))

    def decode(self, reader: Reader) -> tuple[Any, ...]:
        return tuple(part.decode(reader) for part in self.parts)

    def from_json(self, value: Any) -> tuple[Any, ...]:
        return tuple(part.from_json(each) for part, each in zip(self.parts, value, strict=True))


class Record:
    """The fields of a dataclass in their order; in JSON an object with just these."""

    def __init__(self, kind: type) -> None:
        hints = get_type_hints(kind, include_extras=True)
        self.kind, self.parts = (
            kind,
            {field.name: codec_of(hints[field.name]) for field in fields(kind)},
        )

    def encode(self, value: Any) -> bytes:
        return b"".join(part.encode(getattr(value, name)) for name, part in self.parts.items())

    def decode(self, reader: Reader) -> Any:
        return self.kind(*(part.decode(reader) for part in self.parts.values()))

    def from_json(self, value: Any) -> Any:
        if not isinstance(value, dict) or value.keys() != self.parts.keys():
            found = sorted(value) if isinstance(value, dict) else value
            raise Malformed(
                f"{self.kind.__name__} has the fields {sorted(self.parts)}, found {found!r}"
            )
        return self.kind(*(part.from_json(value[name]) for name, part in self.parts.items()))


class Variant:
    """One of several records: its place in the list as a byte, then its fields. In JSON `{"name": field}`."""

    def __init__(self, *kinds: type) -> None:
        self.kinds = kinds

    def encode(self, value: Any) -> bytes:
        return bytes([self.kinds.index(type(value))]) + encode(value)

    def decode(self, reader: Reader) -> Any:
        place = reader.number(1)
        if place >= len(self.kinds):
            raise Malformed(f"{place} is none of {[kind.__name__ for kind in self.kinds]}")
        return codec_of(self.kinds[place]).decode(reader)

    def from_json(self, value: Any) -> Any:
        names = {kind.__name__.lower(): kind for kind in self.kinds}
        if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= names.keys():
            raise Malformed(f"one of {sorted(names)} expected, found {value!r}")
        [(name, only)] = value.items()
        kind = names[name]
        return codec_of(kind).from_json({fields(kind)[0].name: only})


class Tagged(Variant):
    """The same; in JSON one object with the name of the record in `kind`."""

    def from_json(self, value: Any) -> Any:
        kinds = {name_of(kind): kind for kind in self.kinds}
        if not isinstance(value, dict) or value.get("kind") not in kinds:
            raise Malformed(f"an object with a kind of {sorted(kinds)} expected, found {value!r}")
        rest = {key: each for key, each in value.items() if key != "kind"}
        return codec_of(kinds[value["kind"]]).from_json(rest)


def name_of(kind: type) -> str:
    """A class's name in JSON: snake_case."""
    return "".join(
        "_" + letter.lower() if letter.isupper() else letter for letter in kind.__name__
    ).lstrip("_")


@cache
def codec_of(hint: Any) -> Codec:
    """The codec of an annotation."""
    parts = get_args(hint)
    if get_origin(hint) is Annotated:
        named: Codec = parts[1]
        return named
    if get_origin(hint) in (Union, types.UnionType):
        return codec_of_union(parts)
    if get_origin(hint) is list:
        return Sequence(codec_of(parts[0]))
    if get_origin(hint) in (dict, set):
        return Sorted(*map(codec_of, parts))
    if get_origin(hint) is tuple:
        return Pack(*map(codec_of, parts))
    return codec_of_class(hint)


def codec_of_union(parts: tuple[Any, ...]) -> Codec:
    """`X | None` is an option; a union of records is a variant."""
    if type(None) in parts:
        [inner] = (part for part in parts if part is not type(None))
        return Option(codec_of(inner))
    return Variant(*parts)


def codec_of_class(kind: type) -> Codec:
    """The codec of a class."""
    if is_dataclass(kind):
        own: Codec | None = getattr(kind, "CODEC", None)
        return own or Record(kind)
    if kind is str:
        return Text()
    if kind is bool or issubclass(kind, IntEnum):
        return Choice(kind)
    raise TypeError(f"{kind} has no canonical form")


U8 = Annotated[int, Int(1)]
U16 = Annotated[int, Int(2)]
U32 = Annotated[int, Int(4)]
U64 = Annotated[int, Int(8)]
I64 = Annotated[int, Int(8, signed=True)]
U128 = Annotated[int, Int(16)]
Address = Annotated[bytes, Fixed(20)]
Bytes16 = Annotated[bytes, Fixed(16)]
Hash = Annotated[bytes, Fixed(32)]
PublicKey = Annotated[bytes, Fixed(33)]
Signature = Annotated[bytes, Fixed(65)]
Currency = Annotated[str, Letters(3)]
Cid = Annotated[bytes, ContentId()]
Purposes = Annotated[int, Words("recording", "stream")]


def encode(value: Any, hint: Any = None) -> bytes:
    """Canonical bytes of a record, or of a value of the type that `hint` names."""
    named: Any = hint or type(value)
    return codec_of(named).encode(value)


def decode(hint: Any, data: bytes) -> Any:
    """The value whose canonical bytes these are, all of them."""
    reader = Reader(data)
    try:
        value = codec_of(hint).decode(reader)
    except UnicodeDecodeError as error:
        raise Malformed(str(error)) from None
    if reader.at != len(data):
        raise Malformed(f"{len(data) - reader.at} bytes too many")
    return value


def from_json(hint: Any, value: Any) -> Any:
    """The value that JSON names."""
    return codec_of(hint).from_json(value)


def from_hex(value: Any) -> bytes:
    """Bytes of hex digits."""
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except (AttributeError, ValueError):
        raise Malformed(f"hex digits expected, found {value!r}") from None
