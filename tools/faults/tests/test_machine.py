"""What is done to files and packets, and what is typed."""

import contextlib
import io
import os
import random
import tempfile
import unittest
from pathlib import Path

from hotpot_faults import damage
from hotpot_faults.command_line import parse
from hotpot_faults.switch import OUTSIDE, Switch


class Damage(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "file"
        self.file.write_bytes(bytes(1_000))

    def test_so_many_bits_are_flipped_in_the_range(self) -> None:
        places = damage.flip(self.file, random.Random(1), 4, 100, 180)
        changed = [place for place, byte in enumerate(self.file.read_bytes()) if byte]
        self.assertEqual((changed, len(places)), (places, 4))
        self.assertTrue(all(100 <= place < 180 for place in places))
        self.assertTrue(all(byte.bit_count() <= 1 for byte in self.file.read_bytes()))

    def test_a_file_is_cut_off(self) -> None:
        length = damage.truncate(self.file, random.Random(1))
        self.assertEqual(self.file.stat().st_size, length)
        self.assertLess(length, 1_000)

    def test_a_seed_repeats_it(self) -> None:
        done = []
        for _ in range(2):
            self.file.write_bytes(bytes(1_000))
            done.append((damage.damage(self.file, random.Random(3)), self.file.read_bytes()))
        self.assertEqual(*done)


class Noting(Switch):
    """Notes what it would write to a device."""

    def __init__(self, files: dict[int, int]) -> None:
        super().__init__(files)
        self.written: list[tuple[int, bytes]] = []

    def write(self, target: int, packet: bytes) -> None:
        self.written.append((target, packet))


def packet_to(number: int) -> bytes:
    return bytes([0x45, *bytes(15), 10, 77, 0, number + 1])


class Packets(unittest.TestCase):
    def setUp(self) -> None:
        near, self.far = os.pipe2(os.O_NONBLOCK)
        self.addCleanup(os.close, near)
        self.addCleanup(os.close, self.far)
        self.switch = Noting({0: near, 1: -1, OUTSIDE: -1})

    def sent(self, *targets: int) -> list[int]:
        """Where packets from 0 come out."""
        for target in targets:
            os.write(self.far, packet_to(target))
            self.switch.pass_on(0)
        return [target for target, _ in self.switch.written]

    def test_they_pass_unless_the_direction_is_cut(self) -> None:
        self.assertEqual(self.sent(1, OUTSIDE, 5), [1, OUTSIDE])
        self.switch.rules({"cut": [[0, 1]]})
        self.assertEqual(self.sent(1, OUTSIDE), [1, OUTSIDE, OUTSIDE])
        self.switch.rules({"cut": [[1, 0]]})
        self.assertEqual(self.sent(1), [1, OUTSIDE, OUTSIDE, 1])

    def test_lost_ones_are_lost_and_who_watches_loses_none(self) -> None:
        self.switch.rules({"loss": 1.0})
        self.assertEqual(self.sent(1, OUTSIDE, 1), [OUTSIDE])

    def test_late_ones_come_later(self) -> None:
        self.switch.rules({"delay_ms": [1, 2]})
        self.assertEqual(self.sent(1, 1), [])
        wait = self.switch.deliver_late()
        while wait is not None:
            wait = self.switch.deliver_late()
        self.assertEqual(self.sent(), [1, 1])


class Typed(unittest.TestCase):
    def test_what_stands_behind_two_dashes_is_for_hotpot_up(self) -> None:
        options, for_up = parse(["path", "--seed", "7", "--", "--rate", "3/s"])
        self.assertEqual((options.kind, options.seed, options.rate), ("path", 7, 20))
        self.assertEqual(for_up, ["--rate", "3/s"])

    def test_kinds_are_chosen(self) -> None:
        options, _ = parse(["chain", "--only", "clock", "--only", "twin", "--kills", "2"])
        self.assertEqual((options.only, options.kills), (["clock", "twin"], 2))

    def test_nonsense_is_refused(self) -> None:
        for typed in (
            [],
            ["all"],
            ["chain", "--only", "x"],
            ["chain", "--", "--rate", "3/s"],
            ["path", "--minutes", "1", "--kills", "1"],
        ):
            with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
                parse(typed)
