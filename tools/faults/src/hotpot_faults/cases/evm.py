"""R and I: what relayer and indexer make of endpoints that behave as people complain about."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .lines import Lines, count_words
from .network import Bridge

RATE = 5
# While sales come, blocks come as fast as they can, some nine a second: an epoch of some seconds leaves the relayer room
# to catch up with what a fault held up. With the eight blocks of the cases, whose sales come at once, it never would.
EPOCH_BLOCKS = 48
# Base fee and tip of R01, in wei.
BASE_FEE = hex(30_000_000_000)
TIP = 25_000_000_000
HOLD_EVERY_S = 0.3
# Within a minute everything goes on.
GO_ON_S_MAX = 60
SETTLE_S_MAX = 120
CALL_WOULD_FAIL = "the call would fail"
# R04: each is waited out.
FAULTS = (
    "text=nethermind_replace",
    "text=nethermind_low",
    "text=nethermind_funds",
    "text=besu_funds",
    "text=besu_min",
    "text=besu_far",
    "text=pool_full",
    "drop_send=3",
    "estimate_limit=6",
    "http429=30",
    "batch_max=3",
    "no_fee_history",
    "null_rewards",
)
# Logs that answers of I01 leave out, one of a block that has several.
LOST_LOGS = 3
# How far behind a mirror may be that follows, in blocks of half a second.
BEHIND_MAX = 10


@contextlib.contextmanager
def held_base_fee(bridge: Bridge) -> Iterator[None]:
    stopping = threading.Event()

    def hold() -> None:
        while not stopping.wait(HOLD_EVERY_S):
            bridge.rpc("anvil_setNextBlockBaseFeePerGas", BASE_FEE)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def anchors_what_comes(bridge: Bridge) -> Callable[[], str]:
    """A question: whether an epoch is anchored that was not even signed when this was called."""
    wanted, started = bridge.checkpointed() + 1, time.monotonic()

    def look() -> str:
        head = bridge.anchored()
        took = time.monotonic() - started
        return f"epoch {head} after {took:.0f} s" if head >= wanted else ""

    return look


def settle(lines: Lines, bridge: Bridge) -> None:
    """Ends the selling; then all is anchored, paid once and mirrored, and `hotpot verify` says so."""
    sent, checked = bridge.sold()
    lines.add(
        "every acknowledged sale is there",
        checked["lost"] == 0 and not sent["errors"],
        f"{sent['journaled']} sales",
    )
    lines.wait("all is anchored, paid once and mirrored", SETTLE_S_MAX, bridge.is_settled)
    deadline = time.monotonic() + GO_ON_S_MAX
    code, differences = bridge.verify()
    while code != 0 and time.monotonic() < deadline:
        time.sleep(2)
        code, differences = bridge.verify()
    lines.add("hotpot verify agrees", code == 0, "; ".join(differences[:2]) or f"exit code {code}")


def tip_below_the_floor(bridge: Bridge) -> None:
    lines = Lines("R01")
    with held_base_fee(bridge):
        bridge.proxy.mode(f"min_tip={TIP}")
        lines.wait(
            "a tip below the floor is raised within a minute",
            GO_ON_S_MAX,
            anchors_what_comes(bridge),
        )
        stats = bridge.proxy.stats()
        lines.add(
            "a lower tip was refused",
            stats.get("refused_tip", 0) > 0,
            f"{stats.get('refused_tip', 0)} times",
        )
        bridge.proxy.mode("off")
    lines.wait("it goes on after the floor is gone", GO_ON_S_MAX, anchors_what_comes(bridge))


def receipts_that_are_null(bridge: Bridge) -> None:
    lines = Lines("R03")
    bridge.proxy.mode("null_receipts=40 lag=3")
    lines.wait(
        "it anchors with receipts that are null and a replica behind",
        2 * GO_ON_S_MAX,
        anchors_what_comes(bridge),
    )
    bridge.proxy.mode("off")
    settle(lines, bridge)
    bridge.sell(RATE)


def texts_and_limits(bridge: Bridge) -> None:
    lines = Lines("R04")
    for fault in FAULTS:
        failing = count_words(bridge.folder, "relayer", (CALL_WOULD_FAIL,))
        bridge.proxy.mode("off")
        bridge.proxy.mode(fault)
        lines.wait(f"{fault} is waited out", GO_ON_S_MAX, anchors_what_comes(bridge))
        if fault.startswith("estimate_limit"):
            found = count_words(bridge.folder, "relayer", (CALL_WOULD_FAIL,)) - failing
            lines.add(
                f"{fault} is not taken for a call that would fail", found == 0, f"{found} times"
            )
    bridge.proxy.mode("off")
    settle(lines, bridge)


def part_of_the_logs(bridge: Bridge) -> None:
    lines = Lines("I01")
    bridge.proxy.mode(f"partial_logs={LOST_LOGS}")
    lines.wait(
        f"{LOST_LOGS} logs were left out",
        2 * GO_ON_S_MAX,
        lambda: bridge.proxy.stats().get("logs_lost", 0) >= LOST_LOGS,
    )
    bridge.proxy.mode("off")
    settle(lines, bridge)
    bridge.sell(RATE)


def follows_from_now(bridge: Bridge) -> Callable[[], str]:
    """A question: where the mirror is, once it has more than there is now and is close to the head."""
    before = int(bridge.rpc("eth_blockNumber"), 16) + BEHIND_MAX

    def look() -> str:
        head = int(bridge.rpc("eth_blockNumber"), 16)
        block = bridge.gateway("/api/v1/network").get("evm", {}).get("block", 0)
        return f"block {block} of {head}" if block > before and head - block <= BEHIND_MAX else ""

    return look


def other_chains(bridge: Bridge) -> None:
    lines = Lines("I02")
    for fault in ("full_bloom", "full_bloom typed_receipts"):
        bridge.proxy.mode("off")
        bridge.proxy.mode(fault)
        lines.wait(f"{fault}, the mirror follows", GO_ON_S_MAX, follows_from_now(bridge))
    bridge.proxy.mode("off")
    lines.wait(
        "without them it is ready", GO_ON_S_MAX, lambda: bridge.readiness("indexer") == "ready"
    )
    # Answers without a log, and filters that say there are none: slower, or a reason; nothing is lost in silence.
    bridge.proxy.mode("zero_bloom partial_range=0")
    time.sleep(GO_ON_S_MAX / 3)
    reason = bridge.readiness("indexer")
    lines.say("zero_bloom and no logs, what the indexer says meanwhile", "no fault", reason)
    bridge.proxy.mode("off")
    settle(lines, bridge)


def run(options: Any, folder: Path, kinds: list[str]) -> None:
    bridge = Bridge(options, folder, EPOCH_BLOCKS)
    try:
        bridge.up()
        bridge.sell(RATE)
        first = True
        for kind in kinds:
            if not first:
                bridge.sell(RATE)
            first = False
            if kind == "R":
                tip_below_the_floor(bridge)
                receipts_that_are_null(bridge)
                texts_and_limits(bridge)
            else:
                part_of_the_logs(bridge)
                other_chains(bridge)
    finally:
        bridge.end()
