"""What is done to doors follows from a seed, and what became of it is judged."""

import asyncio
import contextlib
import io
import unittest
from collections import Counter
from types import SimpleNamespace
from typing import Any

from hotpot_faults import attacks, crowd, doors
from hotpot_faults.attacks import DOORS, KINDS, Attack, Drawing
from hotpot_faults.crowd import Answer, Crowd, Outcomes, how_it_ended, parse_head

PROBLEM = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nX-Request-Id: 7\r\nContent-Length: 2\r\n\r\n{}"


def drawn(seed: int, count: int = 30) -> list[Attack]:
    drawing = Drawing(seed, nodes=4)
    return [drawing.next() for _ in range(count)]


class Draws(unittest.TestCase):
    def test_a_seed_repeats_every_attack(self) -> None:
        self.assertEqual(drawn(7), drawn(7))
        self.assertNotEqual(drawn(7), drawn(8))

    def test_a_round_has_every_kind_and_a_few_attacks_reach_every_door(self) -> None:
        first = drawn(7, len(KINDS))
        self.assertEqual({attack.kind for attack in first}, set(KINDS))
        elsewhere = [attack for attack in drawn(7) if attack.kind not in attacks.ONLY_AT]
        doors_of = Counter(attack.door.split("-")[0] for attack in elsewhere[: len(DOORS)])
        self.assertEqual(doors_of, Counter(DOORS))

    def test_sizes_are_within_their_ranges_and_addresses_are_nobody_elses(self) -> None:
        for attack in drawn(3, 200):
            kind = KINDS[attack.kind]
            self.assertTrue(kind.clients[0] <= attack.clients <= kind.clients[1])
            self.assertTrue(kind.addresses[0] <= len(attack.addresses) <= kind.addresses[1])
            self.assertEqual(len(set(attack.addresses)), len(attack.addresses))
            for address in attack.addresses:
                self.assertTrue(address.startswith("127."))
                self.assertFalse(address.startswith("127.0."))

    def test_every_client_draws_for_itself(self) -> None:
        attack = drawn(7)[0]
        numbers = {attack.client_random(client).random() for client in range(20)}
        self.assertEqual(len(numbers), 20)

    def test_every_kind_is_something_that_clients_do(self) -> None:
        for kind in KINDS:
            self.assertTrue(callable(getattr(Crowd, kind)), kind)

    def test_samples_have_names_of_their_own(self) -> None:
        names = [sample.name for sample in attacks.MALFORMED]
        self.assertEqual(len(set(names)), len(names))

    def test_no_slow_client_ends_its_request(self) -> None:
        for client in range(200):
            draw = drawn(7)[0].client_random(client)
            begin, rest = attacks.slow_head(draw)
            self.assertNotIn(b"\r\n\r\n", begin)
            self.assertGreater(len(rest), 1_000)
            begin, rest = attacks.slow_body(draw)
            self.assertLess(len(begin) + len(rest), 10_000)


class Endings(unittest.TestCase):
    def test_a_head_is_read(self) -> None:
        status, headers = parse_head(PROBLEM.split(b"\r\n\r\n")[0])
        self.assertEqual((status, headers["x-request-id"]), (400, "7"))
        self.assertEqual(parse_head(b"\0\0\x12\x04")[0], 0)

    def test_why_a_connection_is_gone(self) -> None:
        for kind, answer, age, ending in (
            ("slow_heads", None, 10.0, "timed_out"),
            ("slow_heads", None, 0.1, "closed"),
            ("slow_heads", Answer(408, True, b""), 10.0, "timed_out"),
            ("one_address", None, 0.1, "refused"),
            ("one_address", Answer(429, True, b""), 0.1, "refused"),
            ("huge", Answer(413, True, b""), 0.1, "413"),
            ("malformed", None, 0.1, "closed"),
            ("flood", Answer(200, False, b""), 0.1, "answered"),
        ):
            self.assertEqual(how_it_ended(kind, answer, age), ending, (kind, answer, age))

    def test_what_is_malformed_may_not_be_served_nor_fail(self) -> None:
        outcomes = Outcomes()
        for status in (200, 500, 400, 413, 501):
            outcomes.note_answer("malformed", Answer(status, True, b""), "x")
        self.assertEqual(outcomes.wrong, Counter({"x 200": 1, "x 500": 1}))
        self.assertEqual(outcomes.plain, Counter())
        outcomes.note_answer("flood", Answer(404, False, b""), "flood")
        self.assertEqual(outcomes.plain, Counter({"flood 404": 1}))

    def test_clients_meet_a_door_that_refuses_whatever_comes(self) -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                await reader.read(64)
                writer.write(PROBLEM)
                await writer.drain()
            writer.close()

        async def attack() -> Outcomes:
            server = await asyncio.start_server(refuse, "127.0.0.1", 0)
            place = ("127.0.0.1", server.sockets[0].getsockname()[1])
            outcomes = Outcomes()
            attack = Attack(0, "malformed", "gateway", 3, ("127.9.9.9",), 1, "7")
            await Crowd(attack, place, outcomes).run()
            server.close()
            return outcomes

        outcomes = asyncio.run(attack())
        self.assertGreater(outcomes.ended["malformed"]["400"], 2)
        self.assertEqual((outcomes.wrong, outcomes.plain), (Counter(), Counter()))

    def test_nobody_there(self) -> None:
        self.assertIsNone(asyncio.run(crowd.fresh("127.9.9.9", ("127.0.0.1", 1), "/", 1.0)))


class Verdicts(unittest.TestCase):
    def setUp(self) -> None:
        outcomes = Outcomes()
        outcomes.note("slow_heads", "timed_out")
        outcomes.note("one_address", "refused")
        outcomes.note("malformed", "400")
        self.siege = doors.Siege({}, Drawing(7, 4), 1)
        self.siege.outcomes = outcomes
        self.siege.ran = Counter(list(KINDS))
        self.siege.struck = Counter(DOORS)
        self.siege.fresh_ms = [3.0, 4.0]
        self.watch = SimpleNamespace(start=60_000_000, most=90_000_000, ended=Counter())
        self.waits: dict[str, float | None] = {"gateway": 0.01, "node-0": 0.02}
        self.sent: dict[str, Any] = {
            "journaled": 100,
            "errors": {},
            "p50_us": 90_000,
            "p99_us": 300_000,
        }

    def summary(self, lost: int = 0, **changed: Any) -> dict[str, Any]:
        books = {
            "ok": True,
            "imports": [{"new": 3, "known": 2}],
            "sales_final": 105,
            "differences": [],
        }
        checked = {"lost": lost, "losses": []}
        with contextlib.redirect_stdout(io.StringIO()):
            watch: Any = self.watch
            return doors.verdict(self.siege, watch, self.waits, self.sent, checked, books | changed)

    def wrong(self, lost: int = 0, **changed: Any) -> Any:
        return self.summary(lost, **changed)["wrong"]

    def test_nothing_wrong(self) -> None:
        summary = self.summary() | {"seed": 7}
        self.assertEqual(summary["wrong"], [])
        self.assertEqual((summary["refused_per_address"], summary["statuses"]), (1, {"400": 1}))
        self.assertTrue(doors.last_word(summary).startswith("chaos doors: ok: "))

    def test_sales_that_are_lost_doubled_or_refused(self) -> None:
        self.assertEqual(self.wrong(lost=1), ["lost"])
        self.assertEqual(self.wrong(sales_final=106), ["doubled"])
        self.sent["errors"] = {"timeout": 1}
        self.assertEqual(self.wrong(), ["unacknowledged"])

    def test_goals_are_bounds(self) -> None:
        self.sent["p99_us"] = 1_001_000
        self.watch.most = 251_000_000
        self.assertEqual(self.wrong(), ["p99_ms", "gateway_mb_max"])

    def test_a_process_that_ended_and_an_answer_that_should_be_none(self) -> None:
        self.watch.ended["gateway"] += 1
        self.siege.outcomes.wrong["space_in_name 200"] += 1
        self.assertEqual(self.wrong(), ["ended", "wrongly_answered"])

    def test_attacks_that_did_not_happen_acquit_nobody(self) -> None:
        del self.siege.ran["deaf"]
        del self.siege.struck["relayer"]
        self.assertEqual(self.wrong(), ["deaf did not run enough", "relayer did not run enough"])
        self.siege.outcomes.ended.clear()
        self.assertIn("timed_out", self.wrong())

    def test_somebody_new_is_answered_within_a_second(self) -> None:
        self.waits |= {"gateway": 1.2, "indexer": None}
        self.assertEqual(
            self.wrong(),
            ["gateway does not answer somebody new", "indexer does not answer somebody new"],
        )

    def test_nor_does_anybody_new_wait_in_vain_meanwhile(self) -> None:
        self.siege.fresh_unanswered = 1
        self.assertEqual(self.wrong(), ["fresh_unanswered"])

    def test_books_that_do_not_agree(self) -> None:
        self.assertEqual(self.wrong(ok=False), ["books"])

    def test_a_run_that_broke_off_has_a_last_word_too(self) -> None:
        broken = {"ok": False, "wrong": ["no gateway within 300 s"], "seed": 7}
        self.assertEqual(doors.last_word(broken), "chaos doors: FAILED: no gateway within 300 s")

    def test_the_gateway_gets_its_own_limits_back(self) -> None:
        text = "[http.limits]\nconnections_per_address_max = 16384\nstreams_per_address_max = 16384\n\n[node]\n"
        self.assertEqual(doors.PER_ADDRESS.sub("", text), "[http.limits]\n\n[node]\n")

    def test_longer_runs_have_more_rounds(self) -> None:
        found = [doors.rounds_of(minutes, None) for minutes in (None, 1, 4, 30)]
        self.assertEqual(found, [2, 1, 2, 15])
        self.assertEqual(doors.rounds_of(None, 3), 0)
