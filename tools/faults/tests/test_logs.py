"""What is read out of a node's log."""

import json
import time
import unittest
from datetime import UTC, datetime
from pathlib import Path

from hotpot_faults import logs

HANDBOOK = Path(__file__).parents[3] / "docs/OPERATING.md"


def line(message: str, level: str = "INFO", at_s: float = 0.0, **metadata: str) -> str:
    stamp = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    entry = {"timestamp": stamp, "level": level, "message": message, "metadata": metadata}
    return json.dumps(entry, separators=(",", ":"))


class Logs(unittest.TestCase):
    def test_what_is_looked_for_is_what_operators_are_told_to_look_for(self) -> None:
        told = HANDBOOK.read_text()
        for words in (
            logs.EQUIVOCATION,
            logs.FOLLOWS,
            logs.FOLLOWED,
            logs.SITS_OUT,
            logs.GUARD_DAMAGED,
            logs.GUARD_IN_USE,
            logs.ENGINE_STOPPED,
            logs.LOG_TORN,
        ):
            self.assertIn(words, told)

    def test_a_line_that_is_no_entry(self) -> None:
        for text in ("", "thread panicked at a", '{"timestamp":"2026', "[1]", "{}"):
            self.assertIsNone(logs.entry_of(text), text)

    def test_the_last_error_is_told_with_its_reason(self) -> None:
        text = "\n".join(
            [line("a", "ERROR", error="b"), line("stopped", "FATAL", error="disk"), line("c")]
        )
        self.assertEqual(logs.last_error(text), "stopped: disk")
        self.assertEqual(logs.last_error(f"{text}\nthread panicked"), "thread panicked")

    def test_without_an_error_the_last_line_is_told(self) -> None:
        self.assertEqual(logs.last_error("one\ntwo"), "two")
        self.assertEqual(logs.last_error(""), "it says nothing")

    def test_a_clock_has_jumped_when_the_last_line_has_another_time(self) -> None:
        now = time.time()
        right, wrong = line("a", at_s=now), line("b", at_s=now - 3_600)
        self.assertTrue(logs.has_jumped(f"{right}\n{wrong}\nplain words", -3_600))
        self.assertFalse(logs.has_jumped(f"{wrong}\n{right}", -3_600))
        self.assertFalse(logs.has_jumped("", -3_600))
