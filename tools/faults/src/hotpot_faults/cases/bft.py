"""B: validators that all die in a late round; services that run out of descriptors."""

import contextlib
import os
import random
import resource
import signal
import socket
import time
from pathlib import Path
from typing import Any

from ..asking import Broken, ask, wait_for
from .lines import Lines, count_words
from .network import Whole

STANDSTILLS_S = (0.4, 0.9, 1.2, 1.8, 3.1, 5.0)
GO_ON_S_MAX = 60
OFFENCES = ("equivocation", "guard refuses", "Corrupted")
# Descriptors beyond those that are open; who holds connections, and for how long; how much of a core who has none left
# may use.
SPARE = 4
HELD = 300
HOLD_S = 40
WATCH_S = 20
BUSY_PERCENT_MAX = 60
# Peers and pools may have taken what was spare; their idle connections are ended after 75 seconds.
READY_S_MAX = 120
HALF_A_REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


def goes_on(network: Whole, before: int, seconds: float) -> str:
    """Where it is when two heights have come."""
    started = time.monotonic()
    wait_for("new height", lambda: network.height() > before + 2, seconds)
    return f"height {before} to {network.height()} after {time.monotonic() - started:.0f} s"


def judge_ledger(lines: Lines, network: Whole) -> None:
    sent, checked = network.sold()
    found = f"{sent['journaled']} sales; {checked['losses'][:3]}"
    lines.add("every acknowledged sale stands", checked["lost"] == 0, found)
    evidence = ask(network.nodes()[0] + "/api/v1/evidence", seconds=5)
    offences = evidence.get("data", evidence) if isinstance(evidence, dict) else evidence
    words = count_words(network.folder, "node-*", OFFENCES)
    lines.add(
        "nobody signed twice",
        offences == [] and words == 0,
        f"evidence {offences}, {words} words in logs",
    )
    lines.wait("all is anchored, paid once and mirrored", 2 * GO_ON_S_MAX, network.is_settled)
    code, differences = network.verify()
    lines.add("hotpot verify agrees", code == 0, "; ".join(differences[:2]) or f"exit code {code}")


def all_die(options: Any, folder: Path) -> None:
    lines, draw = Lines("B01"), random.Random(options.seed)
    network = Whole(options, folder, [])
    try:
        network.up()
        network.sell(2)
        for number in range(options.times):
            nodes = [name for name in sorted(network.processes()) if name.startswith("node-")]
            pids = network.processes()
            victim, seconds = draw.choice(nodes), draw.choice(STANDSTILLS_S)
            os.kill(pids[victim], signal.SIGSTOP)
            time.sleep(seconds)
            before = network.height()
            network.kill(nodes)
            what = f"{victim} stands still for {seconds} s, then all die, {number + 1} of {options.times}"
            try:
                lines.add(what, True, goes_on(network, before, GO_ON_S_MAX))
            except Broken as broken:
                lines.add(what, False, broken)
            wait_for("network with all its processes", network.all_ready)
        judge_ledger(lines, network)
    finally:
        network.end()


def ticks(pid: int) -> int:
    """CPU time in hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def hold_connections(port: int) -> list[socket.socket]:
    held: list[socket.socket] = []
    for _ in range(HELD):
        try:
            client = socket.create_connection(("127.0.0.1", port), timeout=1)
            client.sendall(HALF_A_REQUEST)
        except OSError:
            break
        held.append(client)
    return held


def without_descriptors(lines: Lines, network: Whole, name: str, port: int) -> None:
    pid = network.processes()[name]
    # The soft limit alone, so that it can be given back without being root.
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    most = len(os.listdir(f"/proc/{pid}/fd")) + SPARE
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, usual[1]))
    held = hold_connections(port)
    try:
        started, used = time.monotonic(), ticks(pid)
        before = network.height()
        try:
            lines.add(
                f"{name} has no descriptors, the others go on",
                True,
                goes_on(network, before, GO_ON_S_MAX / 2),
            )
        except Broken as broken:
            lines.add(f"{name} has no descriptors, the others go on", False, broken)
        time.sleep(max(0.0, WATCH_S - (time.monotonic() - started)))
        try:
            percent = (ticks(pid) - used) / (time.monotonic() - started)
            lines.add(
                f"{name} does not spin", percent <= BUSY_PERCENT_MAX, f"{percent:.0f} % of a core"
            )
        except OSError:
            lines.add(f"{name} ended with a word", True, "it was started again")
        time.sleep(max(0.0, HOLD_S - (time.monotonic() - started)))
    finally:
        for client in held:
            client.close()

    def is_ready() -> bool:
        answer = ask(
            f"http://127.0.0.1:{port}/{'healthz' if name == 'gateway' else 'readyz'}", seconds=2
        )
        return (
            bool(answer and answer["ready"])
            if name != "gateway"
            else "sidechain" in network.gateway("/api/v1/network")
        )

    lines.wait(f"{name} is ready again after {len(held)} clients are gone", READY_S_MAX, is_ready)
    # Whoever judges afterwards asks for every sale at once.
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)


def few_descriptors(options: Any, folder: Path) -> None:
    lines = Lines("B03")
    network = Whole(options, folder, [])
    try:
        network.up()
        network.sell(3)
        file = network.file()
        without_descriptors(lines, network, "node-2", file["nodes"][2]["port"])
        for name in ("relayer", "indexer", "gateway"):
            without_descriptors(lines, network, name, file[name]["port"])
        judge_ledger(lines, network)
    finally:
        network.end()


def run(options: Any, folder: Path) -> None:
    all_die(options, folder / "B01")
    few_descriptors(options, folder / "B03")
