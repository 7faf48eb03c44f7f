"""A seed repeats a schedule, and figures are judged."""

import contextlib
import io
import random
import unittest
from collections import Counter
from types import SimpleNamespace
from typing import Any

from hotpot_faults import chain
from hotpot_faults.asking import Broken, check_conservation
from hotpot_faults.schedule import Length, Rounds, Schedule, judge, percentile, recovery_figures

KINDS = ["kill", "kill", "freeze", "reorg"]
EVERY = [
    *chain.ANYWHERE,
    *chain.WITH_WIRES,
    *chain.WITH_DISKS,
    *chain.WITH_STRACE,
    *chain.WITH_FAKETIME,
]

# Of all kinds, on a machine that allows them.
FIRST_OF_SEED_7 = ["damaged_store", "kill_all", "damaged_log"]


class Network:
    """Always well, and one height further whenever it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def height(self) -> int:
        self.asked += 1
        return self.asked

    def all_ready(self) -> bool:
        return True


class Drawn(Schedule):
    """Notes what is drawn."""

    def __init__(self, seed: int, more: int = 0) -> None:
        super().__init__(Network(), KINDS, seed)
        self.drawn: list[tuple[str, int]] = []
        self.more = more

    def __getattr__(self, kind: str) -> Any:
        if kind not in KINDS:
            raise AttributeError(kind)
        return lambda: self.draw(kind)

    def draw(self, kind: str) -> None:
        self.drawn.append((kind, self.random.randrange(1_000_000)))
        for _ in range(self.more):
            self.random.random()

    def after(self, faults: int) -> list[tuple[str, int]]:
        with contextlib.redirect_stdout(io.StringIO()):
            for _ in range(faults):
                self.step()
        return self.drawn


class Seeds(unittest.TestCase):
    def test_a_seed_repeats_kinds_and_numbers(self) -> None:
        self.assertEqual(Drawn(7).after(9), Drawn(7).after(9))
        self.assertNotEqual(Drawn(7).after(9), Drawn(8).after(9))

    def test_what_a_fault_comes_to_changes_no_later_one(self) -> None:
        self.assertEqual(Drawn(7).after(9), Drawn(7, more=5).after(9))

    def test_every_fault_draws_anew(self) -> None:
        self.assertEqual(len({number for _, number in Drawn(7).after(9)}), 9)

    def test_a_round_has_every_kind_as_often_as_it_is_listed(self) -> None:
        rounds = Rounds(EVERY, random.Random(1))
        for _ in range(3):
            self.assertEqual(Counter(rounds.next() for _ in EVERY), Counter(EVERY))

    def test_a_seed_of_an_old_report_means_what_it_meant(self) -> None:
        rounds = Rounds(EVERY, random.Random(7))
        self.assertEqual([rounds.next() for _ in range(3)], FIRST_OF_SEED_7)

    def test_every_kind_is_a_method(self) -> None:
        for kind in chain.KINDS:
            self.assertTrue(callable(getattr(chain.Chaos, kind)), kind)

    def test_what_was_done_is_counted(self) -> None:
        schedule = Drawn(7)
        schedule.after(4)
        self.assertEqual(schedule.faults, {"kill": 2, "freeze": 1, "reorg": 1})
        self.assertEqual(len(schedule.recoveries_s), 4)


class Lengths(unittest.TestCase):
    def test_so_many_faults_or_so_many_minutes(self) -> None:
        faults = Length(SimpleNamespace(minutes=None, kills=3))
        self.assertEqual([faults.is_over(done) for done in (2, 3)], [False, True])
        minutes = Length(SimpleNamespace(minutes=1e-9, kills=None))
        self.assertTrue(minutes.is_over(0))


class Figures(unittest.TestCase):
    def test_percentiles_are_values_that_were_measured(self) -> None:
        values = [float(value) for value in range(100, 0, -1)]
        self.assertEqual([percentile(values, share) for share in (1, 50, 99)], [1, 50, 99])
        self.assertEqual(percentile([3.0], 99), 3.0)

    def test_what_is_wrong_is_named(self) -> None:
        good = {"lost": 0, "seen": 1, **recovery_figures([1.0], [2.0])}
        self.assertEqual(judge(good, ("lost",), ("seen",)), [])
        bad = {"lost": 2, "seen": 0, **recovery_figures([1.0, 10.5], [11.0])}
        self.assertEqual(judge(bad, ("lost",), ("seen",)), ["lost", "seen", "recovery_s_max"])

    def test_a_unit_from_nowhere_is_seen_at_any_node(self) -> None:
        parts = ("released", "pending", "unclaimed", "pool", "bonded", "slashed")
        supply = {**dict.fromkeys(parts, 2), "issued": 12}
        check_conservation([supply, None])
        with self.assertRaises(Broken):
            check_conservation([None, supply, supply | {"pool": 3}])
