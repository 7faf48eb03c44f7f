"""What `python -m hotpot_oracle replay` answers."""

import json
import subprocess
import sys
import tempfile
import unittest

from .support import VECTORS, block_with_sale, flip, vector


class CommandLine(unittest.TestCase):
    """Exit codes, and the words with them."""

    def run_on(self, text: str) -> subprocess.CompletedProcess[str]:
        """Runs it on a file with this text."""
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write(text)
            file.flush()
            command = [sys.executable, "-m", "hotpot_oracle", "replay", "--json", file.name]
            return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_agreement_is_0(self) -> None:
        done = self.run_on((VECTORS / "chain.jsonl").read_text())
        self.assertEqual(
            (done.returncode, json.loads(done.stdout)["blocks"]), (0, vector("chain")["height"])
        )

    def test_a_difference_is_1_and_named(self) -> None:
        lines = [json.loads(line) for line in (VECTORS / "chain.jsonl").read_text().splitlines()]
        answer = block_with_sale(lines)
        answer["header"]["state_digest"] = flip(answer["header"]["state_digest"])
        done = self.run_on("".join(json.dumps(line) + "\n" for line in lines))
        first = json.loads(done.stdout)["first_difference"]
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            (first["height"], first["field"]), (answer["header"]["height"], "header.state_digest")
        )
        self.assertIn(f"height {first['height']}, header.state_digest: expected 0x", done.stderr)

    def test_what_is_no_export_is_2(self) -> None:
        for text in ("", "garbage\n", "[]\n", '{"type": "block"}\n'):
            with self.subTest(text):
                done = self.run_on(text)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn("error: ", done.stderr)
