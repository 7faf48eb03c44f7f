"""When a run is not as it must be."""

import contextlib
import io
import unittest
from types import SimpleNamespace
from typing import Any

from hotpot_faults import chain, path
from hotpot_faults.blocks import compare

SIGNERS = ["0xa", "0xb", "0xc"]
TWIN = "0x" + "2" * 40


def block(height: int, block_hash: str = "0x1", signers: list[str] = SIGNERS) -> tuple[Any, ...]:
    return (height, block_hash, 0, block_hash, signers)


class Blocks(unittest.TestCase):
    def test_equal_copies_under_certificates(self) -> None:
        copies = [[block(1), block(2)]] * 4
        counted, conflicts, doubled = compare(copies)
        self.assertEqual(counted, {"blocks": 2, "copies": 8, "votes": 6})
        self.assertEqual((conflicts, doubled), (set(), set()))

    def test_another_block_is_a_conflict_and_who_voted_for_both_signed_twice(self) -> None:
        copies = [[block(1)], [block(1)], [block(1)], [block(1, "0x2", ["0xb", "0xc", "0xd"])]]
        _, conflicts, doubled = compare(copies)
        self.assertEqual((conflicts, doubled), ({1}, {("0xb", 1, 0), ("0xc", 1, 0)}))

    def test_two_thirds_have_to_be_different_validators(self) -> None:
        for signers in (["0xa", "0xb"], ["0xa", "0xb", "0xb"]):
            _, conflicts, _ = compare([[block(1, signers=signers)]] * 4)
            self.assertEqual(conflicts, {1})

    def test_a_certificate_of_another_block_is_a_conflict(self) -> None:
        _, conflicts, _ = compare([[(1, "0x1", 0, "0x2", SIGNERS)]] * 4)
        self.assertEqual(conflicts, {1})


def sent(**errors: int) -> dict[str, Any]:
    return {"journaled": 100, "errors": errors, "max_us": 5_000}


def judged(verdict: Any, *found: Any) -> dict[str, Any]:
    """The summary, without what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        summary: dict[str, Any] = verdict(*found)
    return summary


class Validators(unittest.TestCase):
    def setUp(self) -> None:
        self.chaos = SimpleNamespace(
            faults={"kill_one": 1},
            damaged={"harmless": 0, "refused": 0, "repaired": 0},
            full_disks_unnoticed=0,
            twins=[],
            chain=SimpleNamespace(ends_by_itself=0, engine_restarts=0, logs_moved_away=0),
            guards=SimpleNamespace(signed={"place": b"digest"}, doubled=[]),
            recoveries_s=[1.0],
            rejoins_s=[1.0],
        )

    def wrong(self, evidence: Any = (), lost: int = 0, differences: Any = (), **errors: int) -> Any:
        blocks = compare([[block(1)]] * 4)
        checked = {"lost": lost, "losses": []}
        verified = {"differences": list(differences)}
        found = (self.chaos, sent(**errors), checked, verified, blocks, set(evidence))
        summary = judged(chain.verdict, *found)
        self.assertEqual(summary["ok"], not summary["wrong"])
        return summary["wrong"]

    def test_nothing_wrong(self) -> None:
        self.assertEqual(self.wrong(), [])

    def test_what_is_lost_refused_or_different(self) -> None:
        self.assertEqual(self.wrong(lost=1), ["lost"])
        self.assertEqual(self.wrong(timeout=1), ["unacknowledged"])
        self.assertEqual(self.wrong(differences=["block 1"]), ["conflicts"])

    def test_only_after_a_store_was_lost_a_node_may_not_know_a_terminal(self) -> None:
        self.assertEqual(self.wrong(unknown_terminal=1), ["unacknowledged"])
        self.chaos.damaged["refused"] = 1
        self.assertEqual(self.wrong(unknown_terminal=1), [])

    def test_a_double_signature_from_wherever_it_is_known(self) -> None:
        self.assertEqual(self.wrong(evidence={(7, TWIN)}), ["double_signatures"])
        self.chaos.guards.doubled = [("validator-0", 5, 0, 1)]
        self.assertEqual(self.wrong(), ["double_signatures"])

    def test_a_second_process_is_excused_while_it_ran_and_nobody_else(self) -> None:
        self.chaos.twins = [(TWIN, 5, 9)]
        self.assertEqual(self.wrong(evidence={(5, TWIN), (9, "unknown")}), [])
        for offence in ((4, TWIN), (10, TWIN), (7, "0x" + "3" * 40), (0, "unknown")):
            self.assertEqual(self.wrong(evidence={offence}), ["double_signatures"], offence)

    def test_guards_of_which_nothing_was_read_prove_nothing(self) -> None:
        self.chaos.guards.signed = {}
        self.assertEqual(self.wrong(), ["signatures_in_guards"])


class WholeSystem(unittest.TestCase):
    def wrong(self, lost: int = 0, **changed: Any) -> Any:
        chaos = SimpleNamespace(
            faults={}, full_disks_unnoticed=0, dropped=0, recoveries_s=[1.0], rejoins_s=[1.0]
        )
        books = {
            "ok": True,
            "imports": [{"new": 3, "known": 2}],
            "sales_final": 105,
            "minted": 9,
            "released": 9,
            "differences": [],
        }
        checked = {"lost": lost, "losses": []}
        return judged(path.verdict, chaos, sent(), checked, books | changed)["wrong"]

    def test_nothing_wrong(self) -> None:
        self.assertEqual(self.wrong(), [])

    def test_what_is_wrong_is_named(self) -> None:
        for changed, name in (
            ({"lost": 1}, "lost"),
            ({"sales_final": 106}, "recorded_twice"),
            ({"sales_final": 104}, "recorded_twice"),
            ({"minted": 10}, "minted_twice"),
            ({"minted": 0}, "minted"),
            ({"differences": ["a row"]}, "differences"),
            ({"ok": False}, "books"),
        ):
            self.assertEqual(self.wrong(**changed), [name])
