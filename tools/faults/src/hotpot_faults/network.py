"""A whole system of our own: `hotpot up`, and the EVM chain beside it."""

import json
import os
import signal
import subprocess
import threading

from .asking import (
    PATIENCE_S,
    Broken,
    are_close,
    ask,
    ask_all,
    check_conservation,
    furthest,
    wait_for,
)
from .machine import free_port

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
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [program, *ANVIL, "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        chain_id = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        wait_for("anvil", lambda: self.check_alive() and ask(self.url, chain_id))
        self.between_blocks, self.stopping = threading.Lock(), threading.Event()
        self.miner = threading.Thread(target=self.mine, daemon=True)
        self.miner.start()

    def check_alive(self):
        if self.process.poll() is not None:
            raise Broken(f"anvil ended with {self.process.returncode}")
        return True

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
        # Process ids by name of what was killed last.
        self.gone = {}

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

    def doors(self):
        """Base URLs of everything that answers HTTP, by name."""
        network = self.file()
        urls = {f"node-{number}": url for number, url in enumerate(self.nodes())}
        return urls | {name: network[name]["http"] for name in ("gateway", "relayer", "indexer")}

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
        """kill -9 of some processes at once."""
        running = self.processes()
        self.gone = {name: running[name] for name in names}
        for pid in self.gone.values():
            os.kill(pid, signal.SIGKILL)

    def all_back(self):
        """Whether all processes run, in the place of those that are gone."""
        return all(pid not in (0, self.gone.get(name)) for name, pid in self.processes().items())

    def ask_all(self, path):
        return ask_all(self.nodes(), path)

    def height(self):
        self.check_alive()
        return furthest(self.ask_all("/readyz"))

    def all_ready(self):
        """Whether every process runs and every validator takes part again, close to the others."""
        self.check_alive()
        return self.all_back() and are_close(self.ask_all("/readyz"))

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
