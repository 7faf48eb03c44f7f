"""Breaks the whole system on a seeded schedule; nothing acknowledged may be lost, nothing minted twice."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from itertools import pairwise
from pathlib import Path

from .common import (
    PATIENCE_S,
    Broken,
    Length,
    Load,
    Rounds,
    are_close,
    ask,
    ask_all,
    check_conservation,
    fill_disk,
    furthest,
    judge,
    recovery_figures,
    say,
    wait_for,
)

# The sequence of faults is made of shuffled rounds of these, so that a short run sees each of them.
ROUND = ["kill", "kill", "kill", "freeze", "freeze", "reorg", "reorg", "disk_full", "kill_all"]
# Pause after the network has recovered.
PAUSE_S = (0.5, 2.5)
FREEZE_S = (2.0, 6.0)
DISK_FULL_S = (3.0, 6.0)
UNNOTICED_S_MAX = 20
# anvil's `finalized` stands eight blocks below the head: what is deeper is final by its own word.
REORG_DEPTH = (1, 7)
REORG_TRIES = 20
ANVIL_BLOCK_S = 1
# The validator whose store lies on a small disk of its own, and that disk's size.
SMALL_DISK_NODE = 2
SMALL_DISK_BYTES = 256 * 1024 * 1024
# What makes epochs and EVM blocks short, so that checkpoints and payouts are under way when faults strike.
UP_DEFAULTS = {"--epoch-blocks": "16"}
ANVIL = [
    "--silent",
    "--host",
    "127.0.0.1",
    "--order",
    "fees",
    "--no-mining",
    "--slots-in-an-epoch",
    "4",
]
MINE_EVERY_S = 0.5
# anvil is waited for.
ANVIL_ANSWER_S_MAX = 30.0


class Anvil:
    """The EVM chain. It runs beside the network from beginning to end, as a public chain does: what anvil writes down
    of itself after reorganisations lacks blocks, so a new start of it would be another chain.

    Its blocks are made from here. When its own clock makes one in the middle of a reorganisation, it takes the state
    back but not the blocks, and the same transactions stand in two of them: no chain does that.
    """

    def __init__(self, program):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [program, *ANVIL, "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        chain_id = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        wait_for("anvil", lambda: ask(self.url, chain_id))
        self.between_blocks, self.stopping = threading.Lock(), threading.Event()
        self.miner = threading.Thread(target=self.mine, daemon=True)
        self.miner.start()

    def mine(self):
        mine = {"jsonrpc": "2.0", "id": 1, "method": "evm_mine", "params": []}
        while not self.stopping.wait(MINE_EVERY_S):
            with self.between_blocks:
                ask(self.url, mine)

    def stop(self):
        self.stopping.set()
        self.miner.join()
        # The npm package's program is a script that starts the real one.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Network:
    """A `hotpot up` of our own."""

    def __init__(self, hotpot, folder, arguments):
        self.hotpot, self.folder, self.arguments = hotpot, folder, arguments
        self.process = None

    def command(self, *more):
        up = [self.hotpot, "up", "--data-dir", self.folder, "--free-ports", "--json"]
        return [*up, *self.arguments, *more]

    def start(self):
        with open(self.folder / "up.jsonl", "ab") as out, open(self.folder / "up.err", "ab") as err:
            self.process = subprocess.Popen(
                self.command(), stdout=out, stderr=err, start_new_session=True
            )
        wait_for(
            "network.json", lambda: self.check_alive() and (self.folder / "network.json").exists()
        )

    def check_alive(self):
        assert self.process, "it was never started"
        if self.process.poll() is not None:
            last = (self.folder / "up.err").read_text().strip().splitlines()[-3:]
            raise Broken(f"hotpot up ended with {self.process.returncode}: {' / '.join(last)}")
        return True

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE_S)

    def settle(self):
        """Runs until everything is final, minted and indexed; gives the summary of the books."""
        with open(self.folder / "up.err", "ab") as err:
            self.process = subprocess.Popen(
                self.command("--exit-when-settled"),
                stdout=subprocess.PIPE,
                stderr=err,
                start_new_session=True,
            )
        try:
            out, _ = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Broken(f"the network did not settle within {PATIENCE_S} s") from None
        summary = json.loads((out.splitlines() or [b"{}"])[-1])
        if summary.get("type") != "summary":
            raise Broken(f"hotpot up ended without a summary; its last line: {summary}")
        return summary

    def file(self):
        return json.loads((self.folder / "network.json").read_text())

    def log(self, name):
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")

    def nodes(self):
        return [node["http"] for node in self.file()["nodes"]]

    def processes(self):
        """Process ids by name, of everything but the EVM node: its loss is the loss of a chain that others keep."""
        network = self.file()
        entries = {f"node-{number}": node for number, node in enumerate(network["nodes"])}
        entries |= {
            name: entry
            for name, entry in network.items()
            if isinstance(entry, dict) and "pid" in entry
        }
        entries.pop("anvil", None)
        return {name: entry["pid"] for name, entry in entries.items()}

    def kill(self, names):
        """kill -9 of some processes at once; gives the process ids that are gone."""
        gone = {name: self.processes()[name] for name in names}
        for pid in gone.values():
            os.kill(pid, signal.SIGKILL)
        return gone

    def all_back(self, gone):
        """Whether all processes run, in the place of those that are gone."""
        return all(pid not in (0, gone.get(name)) for name, pid in self.processes().items())

    def ask_all(self, path):
        return ask_all(self.nodes(), path)

    def height(self):
        return furthest(self.ask_all("/readyz"))

    def all_ready(self, gone):
        """Whether every process runs and every validator takes part again, close to the others."""
        self.check_alive()
        return self.all_back(gone) and are_close(self.ask_all("/readyz"))

    def rpc(self, method, *params):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = ask(self.file()["evm_rpc"], body, ANVIL_ANSWER_S_MAX)
        if not answer or "error" in answer:
            raise Broken(f"anvil: {method} {params}: {answer}")
        return answer["result"]

    def minted(self):
        """The token's totalSupply()."""
        call = {"to": self.file()["contracts"]["token"], "data": "0x18160ddd"}
        return int(self.rpc("eth_call", call, "latest"), 16)

    def check_books(self):
        """Conservation at every node; never more minted than released. Minted is read first: released only grows."""
        minted = self.minted()
        supplies = [supply for supply in self.ask_all("/api/v1/supply") if supply]
        check_conservation(supplies)
        released = max((supply["released"] for supply in supplies), default=minted)
        if minted > released:
            raise Broken(f"minted {minted} is more than the ledger released: {released}")


class SmallDisk:
    """A validator's folder as a small file system that can be filled."""

    def __init__(self, folder):
        self.folder = folder

    @classmethod
    def mount(cls, folder):
        """None when this machine does not let us."""
        folder.mkdir(parents=True, mode=0o700)
        command = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={SMALL_DISK_BYTES},mode=700",
            "hotpot-chaos",
            folder,
        ]
        if os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0:
            return cls(folder)
        say("SKIPPED: no disk will be full; mounting a small one needs root")
        return None

    def fill(self):
        fill_disk(self.folder)

    def free(self):
        (self.folder / "filling").unlink(missing_ok=True)

    def unmount(self, keep):
        """With `keep`, what was on it stays behind in the folder."""
        self.free()
        copy = self.folder.with_suffix(".kept")
        if keep:
            shutil.copytree(self.folder, copy)
        subprocess.run(["umount", self.folder], check=True)
        if keep:
            self.folder.rmdir()
            copy.rename(self.folder)


class Chaos:
    """The schedule. Everything random is drawn here, in one order, so that a seed repeats it."""

    def __init__(self, network, disk, seed, between_blocks):
        self.network, self.disk, self.between_blocks = network, disk, between_blocks
        self.random = random.Random(seed)
        self.rounds = Rounds([kind for kind in ROUND if disk or kind != "disk_full"], self.random)
        self.faults = {}
        self.recoveries_s = []
        self.rejoins_s = []
        self.dropped = 0
        self.unnoticed = 0

    def step(self):
        """One fault, then recovery."""
        kind, pause_s = self.rounds.next(), self.random.uniform(*PAUSE_S)
        before = self.network.height()
        gone = getattr(self, kind)() or {}
        healed = time.monotonic()
        recovery_s = self.wait_for_new_height(
            before if kind == "kill_all" else self.network.height(), healed
        )
        wait_for("network with all its processes", lambda: self.network.all_ready(gone))
        rejoin_s = time.monotonic() - healed
        self.network.check_books()
        self.faults[kind] = self.faults.get(kind, 0) + 1
        self.recoveries_s.append(recovery_s)
        self.rejoins_s.append(rejoin_s)
        say(f"    a new height after {recovery_s:.1f} s, all processes after {rejoin_s:.1f} s")
        time.sleep(pause_s)

    def wait_for_new_height(self, before, healed):
        wait_for(
            "new height", lambda: self.network.check_alive() and self.network.height() > before
        )
        return time.monotonic() - healed

    def kill(self):
        name = self.random.choice(sorted(self.network.processes()))
        say(f"kill -9 of {name}")
        return self.network.kill([name])

    def kill_all(self):
        say("kill -9 of all at once")
        return self.network.kill(self.network.processes())

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
            # A store that has free pages of its own goes on with them for a while.
            wait_for(
                "complaint about the disk",
                lambda: self.count_complaints() > complaints,
                UNNOTICED_S_MAX,
            )
        except Broken:
            say(f"    not noticed within {UNNOTICED_S_MAX} s more: its store had room left")
            self.unnoticed += 1
        finally:
            self.disk.free()

    def count_complaints(self):
        return self.network.log(f"node-{SMALL_DISK_NODE}").count("No space left on device")


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
        wait_for("network with all its processes", lambda: network.all_ready({}))
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
        "full_disks_unnoticed": chaos.unnoticed,
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
        summary, ("unacknowledged", "lost", "recorded_twice", "minted_twice", "differences")
    )
    if not books["ok"]:
        wrong.append("books")
    for difference in [*books["differences"], *checked["losses"][:20], *sent["errors"].items()]:
        say(f"WRONG  {difference}")
    return {"ok": not wrong, "wrong": wrong, **summary}
