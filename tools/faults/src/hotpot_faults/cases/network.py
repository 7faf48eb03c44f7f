"""Networks that cases are about: with the proxy of the cases before the EVM chain, and without it."""

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from ..asking import ask, wait_for
from ..load import Load
from ..machine import free_port
from ..network import Anvil, Network

# The first four bytes of the hash of `head()`, whose first word is the last epoch.
HEAD = "0x8f7dcfa3"
SHIM = Path(__file__).parent / "shim"
VERIFY_S_MAX = 300
PROXY_S_MAX = 20


class Proxy:
    """`rpcproxy.py` of the cases: an endpoint that behaves as people complain about."""

    def __init__(self, cases: Path, upstream: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        program = cases / "tools" / "rpcproxy.py"
        command = [sys.executable, str(program), "--upstream", upstream, "--port", str(port)]
        self.process = subprocess.Popen(
            command,
            env=os.environ | {"PYTHONPATH": str(SHIM)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_for("proxy", lambda: ask(self.url + "/__stats"), PROXY_S_MAX)
        except BaseException:
            self.stop()
            raise

    def mode(self, text: str) -> None:
        request = urllib.request.Request(self.url + "/__mode", text.encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def stats(self) -> dict[str, Any]:
        answer: dict[str, Any] = ask(self.url + "/__stats", seconds=10)
        return answer["stats"]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Whole(Network):
    """A whole system with sales that come slowly: heights wait for work."""

    def __init__(
        self, options: Any, folder: Path, arguments: list[str], epoch_blocks: int = 8
    ) -> None:
        given = ["--epoch-blocks", str(epoch_blocks), *arguments]
        super().__init__(options.hotpot, folder / "net", given)
        self.options = options
        self.folder.mkdir(parents=True)
        self.load: Load | None = None
        self.loads = 0
        self.acknowledged = 0

    def up(self) -> None:
        self.start()
        wait_for("network with all its processes", self.all_ready)
        wait_for("gateway", lambda: ask(self.url("gateway") + "/api/v1/network"))

    def url(self, name: str) -> str:
        return str(self.file()[name]["http"])

    def sell(self, rate: int) -> None:
        """Until `sold`."""
        self.loads += 1
        journal = self.folder.parent / f"acknowledged-{self.loads}.jsonl"
        self.load = Load(
            self.options.load,
            self.folder / "network.json",
            rate,
            self.options.seed + self.loads,
            journal,
        )
        self.load.wait_until_it_runs()

    def sold(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ends the selling; what was sent, and whether it is all there."""
        assert self.load, "nobody sells"
        sent: dict[str, Any] = self.load.stop()
        checked: dict[str, Any] = self.load.check()
        self.load = None
        self.acknowledged += sent["journaled"]
        return sent, checked

    def end(self) -> None:
        if self.load:
            self.load.kill()
        self.stop()

    def readiness(self, name: str) -> str:
        """`ready`, or why not."""
        answer = ask(self.url(name) + "/readyz", seconds=5)
        if not answer:
            return "no answer"
        return "ready" if answer["ready"] else str(answer.get("reason"))

    def gateway(self, path: str) -> dict[str, Any]:
        return ask(self.url("gateway") + path, seconds=5) or {}

    def checkpointed(self) -> int:
        """The last epoch whose checkpoint the validators have signed."""
        statuses = [status for status in self.ask_all("/readyz") if status]
        return max((status["checkpointed_epoch"] for status in statuses), default=0)

    def anchored(self) -> int:
        """The last epoch that the contract has."""
        call = {"to": self.file()["contracts"]["anchor"], "data": HEAD}
        return int(self.rpc("eth_call", call, "latest")[2:66], 16)

    def verify(self) -> tuple[int, list[str]]:
        """Exit code and differences of `hotpot verify`."""
        command = [self.hotpot, "verify", "--json", "--data-dir", str(self.folder)]
        ran = subprocess.run(
            command,
            capture_output=True,
            timeout=VERIFY_S_MAX,
            check=False,
        )
        try:
            last = json.loads(ran.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            return ran.returncode, ran.stderr.decode(errors="replace").splitlines()[-1:]
        return ran.returncode, [str(difference) for difference in last.get("differences", [])]

    def is_settled(self) -> bool:
        """Whether all that is signed is anchored, minted and mirrored."""
        supplies = [supply for supply in self.ask_all("/api/v1/supply") if supply]
        minted = self.minted()
        released = max((supply["released"] for supply in supplies), default=-1)
        mirrored = self.gateway("/api/v1/supply").get("minted")
        return self.anchored() >= self.checkpointed() and minted == released == mirrored


class Bridge(Whole):
    """The same with the proxy before the EVM chain, and the chain beside it for who judges."""

    def __init__(self, options: Any, folder: Path, epoch_blocks: int) -> None:
        self.anvil = Anvil(options.anvil)
        try:
            self.proxy = Proxy(options.cases, self.anvil.url)
        except BaseException:
            self.anvil.stop()
            raise
        super().__init__(options, folder, ["--evm-rpc", self.proxy.url], epoch_blocks)

    def rpc(self, method: str, *params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = ask(self.anvil.url, body, 30.0)
        assert answer and "error" not in answer, f"anvil: {method} {params}: {answer}"
        return answer["result"]

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.proxy.mode("off")
        try:
            super().end()
        finally:
            self.proxy.stop()
            self.anvil.stop()
