"""What cases say is told apart, and the proxy's hash is the EVM's."""

import contextlib
import importlib.util
import io
import unittest

from hotpot_faults.cases import http
from hotpot_faults.cases.lines import Lines
from hotpot_faults.cases.network import HEAD, SHIM


def said(line: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        http.judge_check(Lines("H01"), line)
    return out.getvalue().strip()


class CaseLines(unittest.TestCase):
    def test_a_line_ends_with_its_verdict(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            lines = Lines("R01")
            lines.add("it goes on", True, "epoch 7")
            lines.add("it goes on", 0)
            lines.wait("never", 0.0, lambda: "")
        self.assertEqual(
            out.getvalue().splitlines(),
            [
                "R01 it goes on: ok (epoch 7)",
                "R01 it goes on: WRONG",
                "R01 never: WRONG (no never within 0.0 s)",
            ],
        )

    def test_checks_of_the_case_become_lines(self) -> None:
        self.assertEqual(
            said("ok   " + "sales?limit=0".ljust(66) + " 422 x"), "H01 sales?limit=0: ok"
        )
        self.assertEqual(
            said("LOOK " + "POST /api/v1/sales: a form".ljust(66) + " 415 text/plain"),
            "H01 POST /api/v1/sales, a form: WRONG (415 text/plain)",
        )

    def test_what_is_right_all_the_same_has_a_reason_and_only_as_it_was_seen(self) -> None:
        what = "LOOK " + "an empty header beside a query".ljust(66)
        self.assertIn(": no fault (", said(what + " {'id': '64', 'event': 'evm'}"))
        self.assertIn(": WRONG (", said(what + " {'id': '64', 'event': 'reset'}"))

    def test_streams_are_late_or_never_come(self) -> None:
        for text, verdict in (
            ("9 events; late by at most 0.40 s, mean 0.10 s", "ok"),
            ("9 events; late by at most 1.40 s, mean 0.10 s", "WRONG"),
            ("0 events; none came: they stand in a buffer", "WRONG"),
            ("", "WRONG"),
        ):
            with contextlib.redirect_stdout(io.StringIO()) as out:
                http.judge_stream(Lines("H01"), "events", text)
            self.assertIn(f"events: {verdict}", out.getvalue())


class Hash(unittest.TestCase):
    def test_it_is_that_of_the_evm(self) -> None:
        spec = importlib.util.spec_from_file_location("shim", SHIM / "eth_utils.py")
        assert spec and spec.loader
        shim = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(shim)
        self.assertEqual(shim.keccak(b"totalSupply()")[:4].hex(), "18160ddd")
        self.assertEqual("0x" + shim.keccak(b"head()")[:4].hex(), HEAD)
        for length in (0, 135, 136, 137, 300):
            self.assertEqual(len(shim.keccak(b"x" * length)), 32)
        empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
        self.assertEqual(shim.keccak(b"").hex(), empty)
