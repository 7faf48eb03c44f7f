"""Clients of every bad kind at the doors of a whole system, while a till goes on selling through the gateway."""

import asyncio
import re
import shutil
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any

from .asking import ask, say, wait_for
from .attacks import DOORS, KINDS, Attack, Drawing
from .crowd import Crowd, Outcomes, fresh, limit_files, place_of, stand_back
from .load import Load
from .network import Anvil, Network
from .path import UP_DEFAULTS, is_given
from .schedule import Length, percentile

# Attacks that are under way at once.
LANES = 4
# What a login shell allows: a service that needs more has to see to it.
OPEN_FILES_USUAL = 1_024
# Every started two minutes have every kind once, and the last of them may go on for so long.
MINUTES_USUAL, MINUTES_A_ROUND = 5, 2
OVERTIME_S_MAX = 120
# Goals.
P99_MS_MAX = 1_000
GATEWAY_MB_MAX = 250
FRESH_S_MAX = 1.0
# How often it is looked at the gateway, and asked by somebody new.
LOOK_EVERY_S = 1.0
# After the attacks, before somebody new has to be served at once.
CALM_S = 2.0
# Of the gateway's configuration.
PER_ADDRESS = re.compile(r"^\w+_per_address_max *=.*\n", re.MULTILINE)
READS = {
    "gateway": "/api/v1/sales?limit=1",
    "node": "/readyz",
    "relayer": "/readyz",
    "indexer": "/readyz",
}


def read_memory(pid: int) -> tuple[int, int]:
    """What a process has, and the most that it ever had, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {
        line.split(":")[0]: int(line.split()[1]) * 1_024 for line in lines if line.startswith("Vm")
    }
    return found["VmRSS"], found["VmHWM"]


class Watch:
    """What becomes of the network's processes meanwhile: memory of the gateway, and whether one ended."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.pids: dict[str, int] = network.processes()
        self.start, self.most = read_memory(self.pids["gateway"])
        self.ended: Counter[str] = Counter()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.look_on, daemon=True)

    def __enter__(self) -> "Watch":
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        self.thread.join()

    def look_on(self) -> None:
        while not self.stopping.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        try:
            now: dict[str, int] = self.network.processes()
        except (OSError, ValueError):
            return
        for name, pid in now.items():
            if pid and pid != self.pids.get(name):
                say(f"WRONG  {name} ended and was started again")
                self.ended[name] += 1
                self.pids[name] = pid
        try:
            self.most = max(self.most, read_memory(self.pids["gateway"])[1])
        except (OSError, KeyError):
            # It is just being started again.
            return


class Siege:
    """Attacks in some lanes at once, and somebody new who asks each second."""

    def __init__(self, places: dict[str, tuple[str, int]], drawing: Drawing, rounds: int) -> None:
        self.places, self.drawing, self.rounds = places, drawing, rounds
        self.outcomes = Outcomes()
        self.ran: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.fresh_ms: list[float] = []
        self.fresh_unanswered = 0
        # Attacks that run now.
        self.under_way: Counter[str] = Counter()
        self.is_over = False

    def wants_more(self, length: Length, ends_at: float) -> bool:
        """Until the time is over and every kind had its turns; but no longer than `ends_at`."""
        if time.monotonic() > ends_at:
            return False
        return not length.is_over(self.drawing.drawn) or bool(self.missing())

    def missing(self) -> list[str]:
        """Kinds that did not run as often as they must, and doors that nobody struck."""
        if not self.rounds:
            return []
        kinds = [kind for kind in KINDS if self.ran[kind] < self.rounds]
        return kinds + [door for door in sorted(set(DOORS)) if not self.struck[door]]

    async def run(self, length: Length) -> None:
        ends_at = min(length.end, time.monotonic() + 3_600 * 24) + OVERTIME_S_MAX
        asking = asyncio.create_task(self.keep_asking())
        try:
            async with asyncio.TaskGroup() as lanes:
                for _ in range(LANES):
                    lanes.create_task(self.lane(length, ends_at))
        finally:
            self.is_over = True
            await asking

    async def lane(self, length: Length, ends_at: float) -> None:
        while self.wants_more(length, ends_at):
            attack = self.drawing.next()
            say(
                f"{attack.kind} at {attack.door}: {attack.clients} clients of {len(attack.addresses)} addresses, {attack.seconds} s"
            )
            await self.strike(attack)

    async def strike(self, attack: Attack) -> None:
        name = f"{attack.kind} at {attack.door}"
        self.under_way[name] += 1
        await Crowd(attack, self.places[attack.door], self.outcomes).run()
        self.under_way[name] -= 1
        self.ran[attack.kind] += 1
        self.struck["node" if attack.door.startswith("node-") else attack.door] += 1

    # In the same loop as the attackers: what is measured includes what these cost it.
    async def keep_asking(self) -> None:
        number = 0
        while not self.is_over:
            number += 1
            address = f"127.{200 + number // 250 % 50}.{number % 250}.7"
            seconds = await fresh(address, self.places["gateway"], "/healthz", 10.0)
            if seconds is None:
                self.fresh_unanswered += 1
            else:
                self.fresh_ms.append(seconds * 1_000)
            if seconds is None or seconds > FRESH_S_MAX:
                waited = "in vain" if seconds is None else f"{seconds:.1f} s"
                say(f"    somebody new waited {waited} during {', '.join(+self.under_way)}")
            await asyncio.sleep(LOOK_EVERY_S)


def counted(url: str) -> dict[str, int]:
    """Whom a door says that it refused or dropped, by reason; nothing where it shows no metrics."""
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return {}
    found = re.findall(r'^http_connections_(\w+)_total\{reason="(\w+)"\} (\d+)', text, re.MULTILINE)
    return {f"{what} {reason}": int(count) for what, reason, count in found}


async def ask_freshly(places: dict[str, tuple[str, int]]) -> dict[str, float | None]:
    """How long somebody new waits at every door, in seconds."""
    waits = {}
    for number, (name, place) in enumerate(sorted(places.items())):
        path = READS["node" if name.startswith("node-") else name]
        waits[name] = await fresh(f"127.251.{number}.9", place, path, 5.0)
    return waits


def rounds_of(minutes: float | None, attacks: int | None) -> int:
    """How often every kind must have run; never where so many attacks were asked for."""
    return 0 if attacks else max(1, int((minutes or MINUTES_USUAL) / MINUTES_A_ROUND))


def limit_addresses(network: Network) -> None:
    """On loopback `hotpot up` gives all places to one address, since all come from one. The gateway gets back what
    strangers meet: without these lines its own limits hold.
    """
    config = network.folder / "gateway.toml"
    text = config.read_text()
    changed = PER_ADDRESS.sub("", text)
    if changed == text:
        say("the gateway is not told of any limit per address")
        return
    config.write_text(changed)
    network.kill(["gateway"])
    wait_for("gateway that was started again", network.all_back)


def doors(options: Any, arguments: list[str]) -> dict[str, Any]:
    """The whole run; gives the summary."""
    started = time.monotonic()
    for name, value in UP_DEFAULTS.items():
        if not is_given(name, arguments):
            arguments += [name, value]
    folder = Path(tempfile.mkdtemp(prefix="hotpot-chaos-"))
    network = Network(options.hotpot, folder / "net", arguments)
    network.folder.mkdir()
    say(f"seed {options.seed}, data folder {network.folder}, hotpot up {' '.join(arguments)}")
    load, anvil = None, None
    summary: dict[str, Any] = {"ok": False}
    try:
        if not is_given("--evm-rpc", arguments):
            anvil = Anvil(options.anvil)
            arguments += ["--evm-rpc", anvil.url]
        # What is started inherits it: `hotpot up`, and all that it starts.
        limit_files(OPEN_FILES_USUAL)
        network.start()
        wait_for("network with all its processes", network.all_ready)
        limit_addresses(network)
        gateway = network.file()["gateway"]["http"]
        wait_for("gateway", lambda: ask(gateway + "/api/v1/network"))
        load = Load(
            options.load,
            network.folder / "network.json",
            options.rate,
            options.seed,
            folder / "acknowledged.jsonl",
            through=[gateway],
        )
        load.wait_until_it_runs()
        limit_files(None)
        places = {name: place_of(url) for name, url in network.doors().items()}
        siege = Siege(
            places,
            Drawing(options.seed, len(network.nodes())),
            rounds_of(options.minutes, options.kills),
        )
        with Watch(network) as watch:
            with stand_back():
                asyncio.run(siege.run(Length(options)))
            say("no more attacks: the load ends, every node is asked for every acknowledged sale")
            time.sleep(CALM_S)
            waits = asyncio.run(ask_freshly(places))
            gateway_says = counted(gateway)
            sent = load.stop()
            watch.look()
        checked = load.check()
        network.stop()
        say("settling, then comparing ledger, contract and database")
        books = network.settle()
        summary = verdict(siege, watch, waits, sent, checked, books)
        summary |= {"gateway_says": gateway_says}
        summary |= {"seed": options.seed, "minutes": round((time.monotonic() - started) / 60, 1)}
    finally:
        if load:
            load.kill()
        network.stop()
        if anvil:
            anvil.stop()
        if summary["ok"]:
            shutil.rmtree(folder)
        else:
            say(f"kept for a look: {folder}")
    return summary


def refusals(outcomes: Outcomes) -> dict[str, Any]:
    """What became of attackers, by kind of refusal."""
    ended: Counter[str] = Counter()
    for of_kind in outcomes.ended.values():
        ended.update(of_kind)
    crowded = outcomes.ended.get("one_address", Counter())["refused"]
    return {
        "timed_out": ended["timed_out"],
        "refused_per_address": crowded,
        "refused_elsewhere": ended["refused"] - crowded,
        "statuses": {name: ended[name] for name in sorted(ended) if name.isdigit()},
        "closed": ended["closed"],
        "held": ended["held"],
        "answered": ended["answered"],
        "no_connection": ended["no_connection"],
        "unanswered": ended["unanswered"],
    }


def verdict(
    siege: Siege,
    watch: Watch,
    waits: dict[str, float | None],
    sent: dict[str, Any],
    checked: dict[str, Any],
    books: dict[str, Any],
) -> dict[str, Any]:
    """The figures, and whether they are what they must be."""
    imported = sum(report["new"] + report["known"] for report in books["imports"])
    slow_doors = [name for name, wait in waits.items() if wait is None or wait > FRESH_S_MAX]
    summary: dict[str, Any] = {
        "attacks": dict(siege.ran),
        "doors": dict(siege.struck),
        **refusals(siege.outcomes),
        "errors_without_id": sum(siege.outcomes.plain.values()),
        "wrongly_answered": sum(siege.outcomes.wrong.values()),
        "fresh_ms_p99": round(percentile(siege.fresh_ms, 99)) if siege.fresh_ms else None,
        "fresh_unanswered": siege.fresh_unanswered,
        "fresh_ms_after": {
            name: None if wait is None else round(wait * 1_000) for name, wait in waits.items()
        },
        "sent": sent["journaled"] + sum(sent["errors"].values()),
        "final": sent["journaled"],
        "unacknowledged": sum(sent["errors"].values()),
        "lost": checked["lost"],
        "doubled": books["sales_final"] - sent["journaled"] - imported,
        "p50_ms": sent["p50_us"] // 1_000,
        "p99_ms": sent["p99_us"] // 1_000,
        "gateway_mb_start": watch.start // 1_000_000,
        "gateway_mb_max": watch.most // 1_000_000,
        "ended": sum(watch.ended.values()),
        "differences": len(books["differences"]),
    }
    must_be_zero = (
        "unacknowledged",
        "lost",
        "doubled",
        "ended",
        "wrongly_answered",
        "unanswered",
        "fresh_unanswered",
        "differences",
    )
    wrong = [name for name in must_be_zero if summary[name] != 0]
    seen = ("final", "timed_out", "refused_per_address") if siege.rounds else ("final",)
    wrong += [name for name in seen if summary[name] == 0]
    wrong += [
        name
        for name, most in (("p99_ms", P99_MS_MAX), ("gateway_mb_max", GATEWAY_MB_MAX))
        if summary[name] > most
    ]
    wrong += [f"{name} did not run enough" for name in siege.missing()]
    wrong += [f"{name} does not answer somebody new" for name in slow_doors]
    if not books["ok"]:
        wrong.append("books")
    for name, count in sorted(siege.outcomes.wrong.items()):
        say(f"WRONG  served, or failed by itself: {name}, {count} times")
    for name, count in sorted(siege.outcomes.plain.items()):
        say(f"       an error without a problem's id: {name}, {count} times")
    for difference in [*books["differences"], *checked["losses"][:20], *sent["errors"].items()]:
        say(f"WRONG  {difference}")
    return {"ok": not wrong, "wrong": wrong, **summary}


def last_word(summary: dict[str, Any]) -> str:
    """The verdict in one line."""
    if "attacks" not in summary:
        return f"chaos doors: FAILED: {'; '.join(summary.get('wrong', []))}"
    figures = (
        f"{sum(summary['attacks'].values())} attacks; {summary['sent']} sales sent, {summary['final']} final, "
        f"{summary['lost']} lost, {summary['doubled']} doubled, p50 {summary['p50_ms']} ms, p99 {summary['p99_ms']} ms; "
        f"gateway {summary['gateway_mb_start']} MB, at most {summary['gateway_mb_max']} MB; seed {summary['seed']}"
    )
    return f"chaos doors: {'ok' if summary['ok'] else 'FAILED (' + ', '.join(summary['wrong']) + ')'}: {figures}"
