"""Double signatures out of guard files and logs."""

import json
import struct
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

from hotpot_faults.evidence import (
    SIGNED,
    SLOT_BYTES,
    UNKNOWN,
    Guards,
    is_whole,
    keccak256,
    parse_report,
    parse_slot,
    reported,
)
from hotpot_faults.logs import EQUIVOCATION

# Both slots, without the zeros behind, of a guard that `hotpot node` wrote.
WRITTEN = (Path(__file__).parent / "guard_of_a_validator.hex").read_text().split()
SLOTS = [bytes.fromhex(slot).ljust(SLOT_BYTES, b"\0") for slot in WRITTEN]
ONE = "0xb8b5f0f4b89210c909c9d00d0aac449f9c7868d4"
OTHER = "0x8971d4e591da49439acd3016d932fb14d1d2bda9"


def slot_of(*signed: tuple[int, int, int, int]) -> bytes:
    """A record with height, round, step and digest of each signature."""
    record = struct.pack("<QI", 1, len(signed))
    for height, round_, step, digest in signed:
        record += SIGNED.pack(height, round_, step, bytes([digest]) * 32)
    whole = keccak256(record) + struct.pack("<Q", len(record)) + record
    return whole.ljust(SLOT_BYTES, b"\0")


def report(evidence: str, message: str = EQUIVOCATION) -> str:
    """A line of a log."""
    return json.dumps(
        {
            "timestamp": "2026-11-30T12:29:56.003151Z",
            "level": "ERROR",
            "message": message,
            "module": "sidechain::consensus::handler",
            "function": None,
            "request_id": None,
            "user_id": None,
            "metadata": {"height": "42", "evidence": evidence},
        }
    )


class Slots(unittest.TestCase):
    def test_keccak_is_that_of_ethereum(self) -> None:
        for message, digest in (
            (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
            (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        ):
            self.assertEqual(keccak256(message).hex(), digest)

    def test_a_guard_is_read_as_a_node_writes_it(self) -> None:
        newer, older = SLOTS
        self.assertEqual(list(parse_slot(newer)), [(75, 0, 0), (75, 0, 1), (75, 0, 2)])
        self.assertEqual(list(parse_slot(older)), [(75, 0, 0), (75, 0, 1)])
        self.assertTrue(is_whole(newer) and is_whole(older))

    def test_a_flipped_bit_anywhere_in_a_record_is_seen(self) -> None:
        for place in (0, 31, 39, 40, len(WRITTEN[0]) // 2 - 1):
            damaged = bytearray(SLOTS[0])
            damaged[place] ^= 1
            self.assertFalse(is_whole(bytes(damaged)), place)

    def test_what_is_no_record_says_nothing(self) -> None:
        for slot in (bytes(SLOT_BYTES), b"\xff" * SLOT_BYTES):
            self.assertEqual(parse_slot(slot), {})
            self.assertFalse(is_whole(b"\xff" * SLOT_BYTES))

    def test_a_height_that_was_sat_out_is_no_signature(self) -> None:
        self.assertEqual(parse_slot(slot_of((5, (1 << 63) - 1, 2, 0))), {})


class TwoDigests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.guard = Path(folder.name) / "guard"
        validator = SimpleNamespace(name="validator-0", guard=self.guard)
        self.guards = Guards([validator])

    def look_at(self, *slots: bytes) -> None:
        self.guard.write_bytes(b"".join(slots))
        self.guards.look()

    def test_the_same_again_is_none(self) -> None:
        for _ in range(2):
            self.look_at(slot_of((5, 0, 1, 7)), slot_of((5, 0, 1, 7), (5, 0, 2, 7)))
        self.assertEqual((self.guards.doubled, len(self.guards.signed)), ([], 2))

    def test_two_digests_for_one_place_are_one_double_signature(self) -> None:
        self.look_at(slot_of((5, 0, 1, 7)))
        for _ in range(2):
            self.look_at(slot_of((5, 0, 1, 8)))
        self.assertEqual(self.guards.doubled, [("validator-0", 5, 0, 1)])

    def test_a_record_damaged_on_purpose_accuses_nobody(self) -> None:
        self.look_at(slot_of((5, 0, 1, 7)))
        damaged = bytearray(slot_of((5, 0, 1, 7)))
        damaged[70] ^= 1
        self.guards.damaged.add("validator-0")
        self.look_at(bytes(damaged))
        self.assertEqual(self.guards.doubled, [])

    def test_a_file_that_is_missing_or_short_is_passed_over(self) -> None:
        self.guards.look()
        self.look_at(b"short")
        self.assertEqual(self.guards.signed, {})


class Reports(unittest.TestCase):
    def test_who_signed_twice_and_when(self) -> None:
        evidence = (
            f"MisbehaviorEvidence {{ votes: {{{ONE.upper().replace('0X', '0x')}: [{ONE}]}} }}"
        )
        self.assertEqual(parse_report(report(evidence)), {(42, ONE)})

    def test_a_hash_is_no_address(self) -> None:
        evidence = f"{{{OTHER}: [0x{'ab' * 32}, 0x{'cd' * 65}]}}"
        self.assertEqual(parse_report(report(evidence)), {(42, OTHER)})

    def test_a_report_that_says_too_little_is_still_one(self) -> None:
        self.assertEqual(parse_report(report("")), {(42, UNKNOWN)})
        self.assertEqual(parse_report(report(ONE)[:150]), {(0, UNKNOWN)})

    def test_only_reports_count(self) -> None:
        line = report(f"{EQUIVOCATION} {ONE}", message="the ledger has it")
        self.assertEqual(reported([f"{line}\nplain words\n"]), set())

    def test_what_several_report_is_one_offence(self) -> None:
        logs = [f"{report(ONE)}\n", f"\n{report(ONE)}\n{report(OTHER)}\n"]
        self.assertEqual(reported(logs), {(42, ONE), (42, OTHER)})
