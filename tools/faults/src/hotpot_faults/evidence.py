"""Double signatures, seen from outside: what validators report of each other, and what each guard file says."""

import re
import struct
import threading
from collections.abc import Iterable

from .logs import EQUIVOCATION, entry_of

SLOT_BYTES = 8 * 1024
# keccak256 and length before each record.
HEAD_BYTES = 32 + 8
# height, round, step, digest
SIGNED = struct.Struct("<QqB32s")
SAT_OUT = (1 << 63) - 1
LOOK_EVERY_S = 0.05
# Height and address.
Offence = tuple[int, str]
# Who signed twice if a report does not say it.
UNKNOWN = "unknown"

MASK = (1 << 64) - 1
RATE_BYTES = 136


def rotate(value: int, count: int) -> int:
    return ((value << count) | (value >> (64 - count))) & MASK


def keccak_f(lanes: list[list[int]]) -> list[list[int]]:
    """The permutation of FIPS 202 over lanes[x][y]."""
    register = 1
    for _ in range(24):
        sums = [
            lanes[x][0] ^ lanes[x][1] ^ lanes[x][2] ^ lanes[x][3] ^ lanes[x][4] for x in range(5)
        ]
        mix = [sums[(x + 4) % 5] ^ rotate(sums[(x + 1) % 5], 1) for x in range(5)]
        lanes = [[lanes[x][y] ^ mix[x] for y in range(5)] for x in range(5)]
        x, y, current = 1, 0, lanes[1][0]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, lanes[x][y] = lanes[x][y], rotate(current, (step + 1) * (step + 2) // 2 % 64)
        for y in range(5):
            row = [lanes[x][y] for x in range(5)]
            for x in range(5):
                lanes[x][y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5])
        for bit in range(7):
            register = ((register << 1) ^ ((register >> 7) * 0x71)) % 256
            if register & 2:
                lanes[0][0] ^= 1 << ((1 << bit) - 1)
    return lanes


def keccak256(message: bytes) -> bytes:
    """As Ethereum pads it, which hashlib does not have."""
    padded = bytearray(message + b"\x01" + bytes(-(len(message) + 1) % RATE_BYTES))
    padded[-1] |= 0x80
    lanes = [[0] * 5 for _ in range(5)]
    for start in range(0, len(padded), RATE_BYTES):
        for place, (word,) in enumerate(
            struct.iter_unpack("<Q", padded[start : start + RATE_BYTES])
        ):
            lanes[place % 5][place // 5] ^= word
        lanes = keccak_f(lanes)
    return struct.pack("<4Q", *(lanes[x][0] for x in range(4)))


def is_whole(slot: bytes) -> bool:
    """Whether the checksum of a record is right."""
    length = struct.unpack_from("<Q", slot, 32)[0]
    record = slot[HEAD_BYTES : HEAD_BYTES + length]
    return len(record) == length and keccak256(record) == slot[:32]


def parse_slot(slot: bytes) -> dict[tuple[int, int, int], bytes]:
    """What a validator signed, by place in consensus; empty if this is no record."""
    length = struct.unpack_from("<Q", slot, 32)[0]
    record = slot[HEAD_BYTES : HEAD_BYTES + length]
    if len(record) != length or length < 12:
        return {}
    count = struct.unpack_from("<I", record, 8)[0]
    if length != 12 + count * SIGNED.size:
        return {}
    entries = (SIGNED.unpack_from(record, 12 + place * SIGNED.size) for place in range(count))
    return {
        (height, round_, step): digest
        for height, round_, step, digest in entries
        if round_ != SAT_OUT
    }


class Guards:
    """Reads all guard files again and again: two digests for one place in consensus are a double signature."""

    def __init__(self, validators):
        self.validators = validators
        self.signed = {}
        self.doubled = []
        # Names of those whose file was damaged on purpose: their records count only with a right checksum.
        self.damaged = set()
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while not self.over.wait(LOOK_EVERY_S):
            self.look()

    def stop(self):
        self.over.set()
        if self.thread.is_alive():
            self.thread.join()
        self.look()

    def look(self):
        for validator in self.validators:
            self.look_at(validator.name, validator.guard)

    def look_at(self, name, path):
        try:
            text = path.read_bytes()
            # A file that is being written may be read torn.
            if text != path.read_bytes():
                return
        except OSError:
            return
        for at in (0, SLOT_BYTES):
            slot = text[at : at + SLOT_BYTES]
            if len(slot) == SLOT_BYTES and (name not in self.damaged or is_whole(slot)):
                self.add(name, parse_slot(slot))

    def add(self, name, signed):
        with self.lock:
            for place, digest in signed.items():
                known = self.signed.setdefault((name, *place), digest)
                if known != digest and (name, *place) not in self.doubled:
                    self.doubled.append((name, *place))


def reported(logs: Iterable[str]) -> set[Offence]:
    """Every double signature that an engine reported."""
    lines = (line for log in logs for line in log.splitlines() if EQUIVOCATION in line)
    return {offence for line in lines for offence in parse_report(line)}


def parse_report(line: str) -> set[Offence]:
    """Of height 0, and of nobody known, if it says too little: it must not pass for no report."""
    entry = entry_of(line)
    if entry is None:
        return {(0, UNKNOWN)}
    if entry["message"] != EQUIVOCATION:
        return set()
    said = entry["metadata"]
    addresses = re.findall(r"0x[0-9a-f]{40}\b", str(said.get("evidence", "")).lower())
    return {(int(said.get("height", 0)), address) for address in addresses or [UNKNOWN]}
