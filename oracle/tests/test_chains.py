"""The second implementation against the committed vectors, and against chains; and it can fail.

EXPORTS=FOLDER python -m unittest        in oracle/; FOLDER holds what was exported
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hotpot_oracle.chain import Block, Signed, Validator, validators_hash, what_is_wrong_with
from hotpot_oracle.checkpoint import Checkpoint
from hotpot_oracle.codec import decode, encode, from_hex, from_json, name_of
from hotpot_oracle.crypto import leaf, pair, transaction_domain
from hotpot_oracle.payouts import chunks, payout_root
from hotpot_oracle.replay import Counts, Export, Mismatch, read_chunk
from hotpot_oracle.state import Erased, Pinned
from hotpot_oracle.transactions import PAYLOADS, Sale, SignedTransaction, lines_hash

VECTORS = Path(__file__).parents[2] / "crates/domain/tests/vectors"
Lines = list[dict[str, Any]]


def vector(name: str) -> Any:
    """A committed vector."""
    return json.loads((VECTORS / f"{name}.json").read_text())


class Vectors(unittest.TestCase):
    """Every byte format that is frozen."""

    def test_transactions(self) -> None:
        vectors = vector("transactions")
        domain = transaction_domain(vectors["chain_id"], from_hex(vectors["sidechain_id"]))
        for entry in vectors["transactions"]:
            with self.subTest(entry["transaction"]["type"]):
                transaction = from_json(SignedTransaction, entry["transaction"])
                self.assertEqual(encode(transaction), from_hex(entry["encoded"]))
                self.assertEqual(decode(SignedTransaction, from_hex(entry["encoded"])), transaction)
                self.assertEqual(transaction.id(domain), from_hex(entry["id"]))
                self.assertEqual(transaction.signer(domain), from_hex(entry["signer"]))

    def test_lines(self) -> None:
        vectors = vector("transactions")
        found = lines_hash(from_hex(vectors["lines_salt"]), vectors["lines"])
        self.assertEqual(found, from_hex(vectors["transactions"][0]["transaction"]["lines_hash"]))

    def test_payouts(self) -> None:
        vectors = vector("payouts")
        found = chunks(
            [(from_hex(each["account"]), each["released"]) for each in vectors["payouts"]]
        )
        self.assertEqual(found, [read_chunk(chunk) for chunk in vectors["chunks"]])
        self.assertEqual(payout_root(found), from_hex(vectors["payout_root"]))

    def test_checkpoint(self) -> None:
        vectors = vector("checkpoint")
        fields = {**vectors["checkpoint"], "sidechain_id": vectors["sidechain_id"]}
        checkpoint, validators = from_json(Checkpoint, fields), vectors["validators"]
        digest = checkpoint.digest(vectors["chain_id"], from_hex(vectors["anchor"]))
        self.assertEqual(digest, from_hex(vectors["digest"]))
        self.assertEqual(checkpoint.rest_hash(), from_hex(vectors["rest_hash"]))
        self.assertEqual(checkpoint.commitment(), from_hex(vectors["commitment"]))
        members = [
            Validator(from_hex(each["address"]), each["power"], bytes(33)) for each in validators
        ]
        self.assertEqual(validators_hash(members), from_hex(vectors["validators_hash"]))
        signed = [
            Signed(each.address, from_hex(text))
            for each, text in zip(members, vectors["signatures"], strict=True)
        ]
        self.assertIsNone(what_is_wrong_with(digest, signed, members))
        self.assertIn("no quorum", what_is_wrong_with(digest, signed[:2], members) or "nothing")

    def test_recordings(self) -> None:
        for each in vector("recordings")["recordings"]:
            with self.subTest(each["entry"]["kind"]):
                kind = {"pinned": Pinned, "erased": Erased}[each["entry"]["kind"]]
                fields = {key: value for key, value in each["entry"].items() if key != "kind"}
                encoded = encode(from_json(kind, fields), Pinned | Erased)
                self.assertEqual(encoded, from_hex(each["encoded"]))
                root = leaf(encoded)
                for sibling in each["proof"]:
                    root = pair([root, from_hex(sibling)])
                self.assertEqual(root, from_hex(each["recordings_root"]))

    def test_chain(self) -> None:
        export, vectors = Export(VECTORS / "chain.jsonl"), vector("chain")
        *_, replay = export.replay()
        self.assertEqual(replay.ledger.core.height, vectors["height"])
        self.assertEqual(replay.ledger.head_hash, from_hex(vectors["head_hash"]))
        self.assertEqual(replay.ledger.digest, from_hex(vectors["state_digest"]))
        self.assertEqual(replay.ledger.core.supply.issued, vectors["supply_issued"])
        last = export.checkpoints[max(export.checkpoints)]["checkpoint"]["checkpoint"]
        self.assertEqual(last, vectors["checkpoint"])


def exports() -> list[Path]:
    """The chains to replay."""
    return sorted(Path(os.environ["EXPORTS"]).glob("*.jsonl"))


def replayed(path: Path) -> Counts:
    """What was compared until the end."""
    *_, last = Export(path).replay()
    return last.counts


STAKING = {
    *["set_bonding", "unbond", "register_validator", "heartbeat", "unjail", "evidence"],
    *["set_parameters", "cancel_change"],
}


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


def first_with(lines: Lines, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first line that has what is to be changed."""
    return next(line for line in lines if holds(line))


def block_with_sale(lines: Lines) -> dict[str, Any]:
    """A block whose first transaction is a sale."""
    found = first_with(
        lines,
        lambda line: (
            line["type"] == "block"
            and line["block"]["transactions"][:1]
            and line["block"]["transactions"][0]["type"] == "sale"
        ),
    )
    block: dict[str, Any] = found["block"]
    return block


def paying(lines: Lines) -> dict[str, Any]:
    """A checkpoint that pays somebody."""
    return first_with(lines, lambda line: line["type"] == "checkpoint" and line["chunks"])


def change_raw(answer: dict[str, Any], change: Callable[[Block], None]) -> None:
    """Changes the canonical bytes of a block."""
    block = decode(Block, from_hex(answer["raw"]))
    change(block)
    answer["raw"] = "0x" + encode(block).hex()


def flip(text: str, place: int = -1) -> str:
    """Hex digits with one bit changed."""
    digits = list(text)
    digits[place] = f"{int(digits[place], 16) ^ 1:x}"
    return "".join(digits)


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


class CommandLine(unittest.TestCase):
    """What `python -m hotpot_oracle replay` answers."""

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
