"""The committed vectors."""

import unittest

from hotpot_oracle.chain import Signed, Validator, validators_hash, what_is_wrong_with
from hotpot_oracle.checkpoint import Checkpoint
from hotpot_oracle.codec import decode, encode, from_hex, from_json
from hotpot_oracle.crypto import leaf, pair, transaction_domain
from hotpot_oracle.payouts import chunks, payout_root
from hotpot_oracle.replay import Export, read_chunk
from hotpot_oracle.state import Erased, Pinned
from hotpot_oracle.transactions import SignedTransaction, lines_hash

from .support import VECTORS, vector


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
