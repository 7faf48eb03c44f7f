"""Exported chains: all agree, and one changed bit is found. EXPORTS names their folder; scripts/replay-test makes one."""

import json
import tempfile
import unittest
from pathlib import Path

from hotpot_oracle.chain import Block
from hotpot_oracle.codec import decode, from_hex, name_of
from hotpot_oracle.replay import Mismatch
from hotpot_oracle.transactions import PAYLOADS, Sale

from .support import (
    Lines,
    block_with_sale,
    change_raw,
    exports,
    flip,
    needs_exports,
    paying,
    replayed,
)

STAKING = {
    *["set_bonding", "unbond", "register_validator", "heartbeat", "unjail", "evidence"],
    *["set_parameters", "cancel_change"],
}


@needs_exports
class Chains(unittest.TestCase):
    """Every exported chain agrees; together they hold enough to mean something."""

    def test_all_agree(self) -> None:
        counts = [replayed(path) for path in exports()]
        self.assertGreater(sum(each.blocks for each in counts), 50)
        kinds = {kind for each in counts for kind in each.transactions}
        missing = {name_of(kind) for kind in PAYLOADS} - kinds
        # Nobody stands for election in a network whose doors are walked: that is in the random chains.
        self.assertLessEqual(missing, STAKING if len(counts) == 1 else set())
        self.assertGreater(sum(each.payouts for each in counts), 10)


@needs_exports
class Flips(unittest.TestCase):
    """One changed bit is found, and named."""

    def setUp(self) -> None:
        texts = (path.read_text() for path in exports())
        candidates = ([json.loads(line) for line in text.splitlines()] for text in texts)
        self.lines = next(lines for lines in candidates if self.has_everything(lines))

    def has_everything(self, lines: Lines) -> bool:
        """Whether all of it can be changed."""
        try:
            return bool(block_with_sale(lines) and paying(lines))
        except StopIteration:
            return False

    def field_found(self) -> str:
        """What the replay of the changed lines names."""
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.writelines(json.dumps(line) + "\n" for line in self.lines)
            file.flush()
            with self.assertRaises(Mismatch) as caught:
                replayed(Path(file.name))
        return caught.exception.field

    def change_total(self, block: Block) -> None:
        self.assertIsInstance(block.transactions[0].payload, Sale)
        block.transactions[0].payload.total ^= 1

    def test_total_of_a_sale(self) -> None:
        change_raw(block_with_sale(self.lines), self.change_total)
        self.assertEqual(self.field_found(), "transactions[0].payload.total")

    def test_total_of_a_sale_in_both_forms(self) -> None:
        answer = block_with_sale(self.lines)
        change_raw(answer, self.change_total)
        answer["transactions"][0]["total"] ^= 1
        self.assertEqual(self.field_found(), "header.transactions_root")

    def test_state_digest_in_both_forms(self) -> None:
        answer = block_with_sale(self.lines)
        answer["header"]["state_digest"] = flip(answer["header"]["state_digest"])
        digest = from_hex(answer["header"]["state_digest"])
        change_raw(answer, lambda block: setattr(block.header, "state_digest", digest))
        answer["hash"] = "0x" + decode(Block, from_hex(answer["raw"])).header.hash().hex()
        self.assertEqual(self.field_found(), "header.state_digest")

    def test_signature_of_a_certificate(self) -> None:
        certificate = block_with_sale(self.lines)["certificate"]
        certificate["signatures"][0]["signature"] = flip(
            certificate["signatures"][0]["signature"], 40
        )
        self.assertEqual(self.field_found(), "certificate.signatures")

    def test_payout(self) -> None:
        line = paying(self.lines)
        word = line["chunks"][0]["words"][0]
        line["chunks"][0]["words"][0] = flip(word)
        epoch = line["checkpoint"]["checkpoint"]["epoch"]
        self.assertEqual(self.field_found(), f"epoch {epoch}: payouts.{word[:42]}")

    def test_state_root(self) -> None:
        checkpoint = paying(self.lines)["checkpoint"]["checkpoint"]
        checkpoint["state_root"] = flip(checkpoint["state_root"])
        self.assertEqual(self.field_found(), f"epoch {checkpoint['epoch']}: checkpoint.state_root")

    def test_missing_checkpoint(self) -> None:
        line = paying(self.lines)
        self.lines.remove(line)
        self.assertEqual(
            self.field_found(), f"epoch {line['checkpoint']['checkpoint']['epoch']}: checkpoint"
        )
