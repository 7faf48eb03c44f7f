"""Breaks the whole system on a seeded schedule; nothing acknowledged may be lost, nothing minted twice."""

import contextlib
import os
import shutil
import signal
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from .asking import Broken, say, wait_for
from .disks import NO_SPACE, SmallDisk
from .load import Load
from .network import Anvil, Network
from .schedule import Length, Schedule, judge, recovery_figures

# The sequence of faults is made of shuffled rounds of these, so that a short run sees each of them.
ROUND = ["kill", "kill", "kill", "freeze", "freeze", "reorg", "reorg", "disk_full", "kill_all"]
FREEZE_S = (2.0, 6.0)
DISK_FULL_S = (3.0, 6.0)
UNNOTICED_S_MAX = 20
# anvil's `finalized` stands eight blocks below the head: what is deeper is final by its own word.
REORG_DEPTH = (1, 7)
REORG_TRIES = 20
ANVIL_BLOCK_S = 1
# The validator whose store lies on a small disk of its own.
SMALL_DISK_NODE = 2
# What makes epochs and EVM blocks short, so that checkpoints and payouts are under way when faults strike.
UP_DEFAULTS = {"--epoch-blocks": "16"}


class Chaos(Schedule):
    """What is done to the whole system."""

    PAUSE_S = (0.5, 2.5)

    def __init__(self, network, disk, seed, between_blocks):
        super().__init__(network, [kind for kind in ROUND if disk or kind != "disk_full"], seed)
        self.disk, self.between_blocks = disk, between_blocks
        self.dropped = 0

    def check(self):
        self.network.check_books()

    def kill(self):
        name = self.random.choice(sorted(self.network.processes()))
        say(f"kill -9 of {name}")
        self.network.kill([name])

    def kill_all(self):
        say("kill -9 of all at once")
        self.network.kill(self.network.processes())
        return True

    def freeze(self):
        number = self.random.randrange(len(self.network.nodes()))
        seconds = self.random.uniform(*FREEZE_S)
        say(f"node-{number} stands still for {seconds:.1f} s")
        pid = self.network.processes()[f"node-{number}"]
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)

    def block(self, number):
        return self.network.rpc("eth_getBlockByNumber", hex(number), False)

    def reorg(self):
        depth = self.random.randint(*REORG_DEPTH)
        say(f"reorganisation of the EVM chain, depth {depth}, its transactions dropped")
        for _ in range(REORG_TRIES):
            head = int(self.network.rpc("eth_blockNumber"), 16)
            replaced = [self.block(head - above) for above in range(depth)]
            with self.between_blocks:
                self.network.rpc("anvil_reorg", depth, [])
            # While anvil makes its blocks anew it has none at this number for a moment.
            if None not in replaced and (self.block(head) or {}).get("hash") != replaced[0]["hash"]:
                break
            # A block came in between and was replaced alone; or an empty block was made again in the same second, with
            # the same hash.
            time.sleep(ANVIL_BLOCK_S)
        else:
            raise Broken("anvil_reorg replaced nothing: this fault was none")
        self.check_chain(head - depth, head)
        self.dropped += sum(len(block["transactions"]) for block in replaced)

    def check_chain(self, first, last):
        """What is judged here is not how anything takes an EVM whose blocks are none."""
        blocks = [block for block in map(self.block, range(first, last + 1)) if block]
        for parent, block in pairwise(blocks):
            if block["parentHash"] != parent["hash"] or int(block["timestamp"], 16) < int(
                parent["timestamp"], 16
            ):
                raise Broken(
                    f"anvil made no chain: block {int(block['number'], 16)} does not follow the one before"
                )

    def disk_full(self):
        seconds = self.random.uniform(*DISK_FULL_S)
        say(f"the disk of node-{SMALL_DISK_NODE} is full for {seconds:.1f} s")
        complaints = self.count_complaints()
        self.disk.fill()
        try:
            time.sleep(seconds)
            self.expect_complaint(lambda: self.count_complaints() > complaints, UNNOTICED_S_MAX)
        finally:
            self.disk.free()

    def count_complaints(self):
        return self.network.log(f"node-{SMALL_DISK_NODE}").count(NO_SPACE)


def is_given(name, arguments):
    """Whether `hotpot up` is told this already."""
    return any(argument.split("=")[0] == name for argument in arguments)


def path(options, arguments):
    """The whole run; gives the summary."""
    started = time.monotonic()
    for name, value in UP_DEFAULTS.items():
        if not is_given(name, arguments):
            arguments += [name, value]
    folder = Path(tempfile.mkdtemp(prefix="hotpot-chaos-"))
    network = Network(options.hotpot, folder / "net", arguments)
    network.folder.mkdir()
    say(f"seed {options.seed}, data folder {network.folder}, hotpot up {' '.join(arguments)}")
    disk = SmallDisk.mount(network.folder / f"node-{SMALL_DISK_NODE}")
    load, anvil = None, None
    summary = {"ok": False}
    try:
        if not is_given("--evm-rpc", arguments):
            anvil = Anvil(options.anvil)
            arguments += ["--evm-rpc", anvil.url]
        network.start()
        load = Load(
            options.load,
            network.folder / "network.json",
            options.rate,
            options.seed,
            folder / "acknowledged.jsonl",
        )
        load.wait_until_it_runs()
        wait_for("network with all its processes", network.all_ready)
        chaos = Chaos(
            network, disk, options.seed, anvil.between_blocks if anvil else contextlib.nullcontext()
        )
        length = Length(options)
        while not length.is_over(len(chaos.recoveries_s)):
            chaos.step()
        say("no more faults: the load ends, every node is asked for every acknowledged sale")
        sent = load.stop()
        checked = load.check()
        network.stop()
        say("settling, then comparing ledger, contract and database")
        books = network.settle()
        summary = verdict(chaos, sent, checked, books)
        summary |= {"seed": options.seed, "minutes": round((time.monotonic() - started) / 60, 1)}
    finally:
        if load:
            load.kill()
        network.stop()
        if anvil:
            anvil.stop()
        if disk:
            disk.unmount(keep=not summary["ok"])
        if summary["ok"]:
            shutil.rmtree(folder)
        else:
            say(f"kept for a look: {folder}")
    return summary


def verdict(chaos, sent, checked, books):
    """The figures, and whether they are what they must be."""
    imported = sum(report["new"] + report["known"] for report in books["imports"])
    summary = {
        "faults": chaos.faults,
        "full_disks_unnoticed": chaos.full_disks_unnoticed,
        "dropped_evm_transactions": chaos.dropped,
        "acknowledged": sent["journaled"],
        "unacknowledged": sum(sent["errors"].values()),
        "lost": checked["lost"],
        "recorded_twice": books["sales_final"] - sent["journaled"] - imported,
        "minted": books["minted"],
        "minted_twice": max(0, books["minted"] - books["released"]),
        "differences": len(books["differences"]),
        **recovery_figures(chaos.recoveries_s, chaos.rejoins_s),
        "latency_ms_max": sent["max_us"] // 1000,
    }
    wrong = judge(
        summary,
        ("unacknowledged", "lost", "recorded_twice", "minted_twice", "differences"),
        ("acknowledged", "minted"),
    )
    if not books["ok"]:
        wrong.append("books")
    for difference in [*books["differences"], *checked["losses"][:20], *sent["errors"].items()]:
        say(f"WRONG  {difference}")
    return {"ok": not wrong, "wrong": wrong, **summary}
