"""Four `hotpot node` processes and nothing else: started, broken, started again; and what they say."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time

from .asking import Broken, are_close, ask_all, furthest, say, wait_for
from .logs import ENGINE_STOPPED, LOG_TORN, STARTS

# Pause before a process that ended is started again, as a supervisor would.
RESTART_PAUSE_S = 0.3
SUPERVISE_EVERY_S = 0.05
LOG_TAIL_BYTES = 6_000
CONFIG = """data_dir = "{data}"
genesis_file = "{genesis}"

[validator]
keystore_file = "{keys}/validator-{number}.json"
passphrase_file = "{keys}/passphrase"
guard_file = "{guard}"

[http]
listen = "{host}:{http}"
peers = {http_peers}

[p2p]
listen = "/ip4/{host}/tcp/{p2p}"
peers = {p2p_peers}
"""

# A chain that goes on without two thirds has a new height each time; what was late is heard of once.
STANDSTILL_TRIES = 3


class Validator:
    """One of them. Its disk holds data and guard; its log is kept outside, so that a full disk can be read about."""

    def __init__(self, hotpot, folder, number, wires, disk):
        self.hotpot, self.number, self.wires, self.disk = hotpot, number, wires, disk
        self.name = f"validator-{number}"
        self.folder = folder
        self.data, self.guard = folder / "data", folder / "guard"
        self.config, self.log = folder.with_suffix(".toml"), folder.with_suffix(".log")
        self.host, self.http, self.p2p = wires.place(number)
        self.url = f"http://{self.host}:{self.http}"
        self.address = None
        self.process = None
        self.wanted = False
        # Whoever starts it: a fault, or the supervisor in a thread of its own.
        self.starting = threading.Lock()
        self.environment = {}

    def multiaddress(self):
        return f"/ip4/{self.host}/tcp/{self.p2p}"

    def write_config(self, path, others, network, **changed):
        """`changed`: what a second process of the same validator has of its own."""
        own = {
            "data": self.data,
            "guard": self.guard,
            "host": self.host,
            "http": self.http,
            "p2p": self.p2p,
        }
        text = CONFIG.format(
            **(own | changed),
            genesis=network / "genesis.json",
            keys=network / "keys",
            number=self.number,
            http_peers=json.dumps([other.url for other in others]),
            p2p_peers=json.dumps([other.multiaddress() for other in others]),
        )
        path.write_text(text)

    def run(self, config, log, environment):
        command = [*self.wires.inside(self.number), self.hotpot, "node", "--config", config]
        with open(log, "ab") as out:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=os.environ | environment,
                start_new_session=True,
            )  # fmt: skip

    def start(self):
        with self.starting:
            self.process = self.run(self.config, self.log, self.environment)
            self.wanted = True

    def start_if_ended(self):
        """As a supervisor does, unless somebody else has started it, or does not want it, by now."""
        with self.starting:
            if self.wanted and not self.is_running():
                self.process = self.run(self.config, self.log, self.environment)

    def start_unsupervised(self):
        self.start()
        self.wanted = False

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        if self.process and self.is_running():
            os.killpg(self.process.pid, number)

    def kill(self):
        """kill -9; nobody starts it again but `start`."""
        self.wanted = False
        self.signal(signal.SIGKILL)
        if self.process:
            self.process.wait()

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def logged(self, since=0):
        with open(self.log, "rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def tail(self):
        """What it has logged since it started last, if that is not long ago."""
        end = self.logged(max(0, self.log_length() - LOG_TAIL_BYTES))
        return end.rpartition(f'"{STARTS}"')[2]

    def log_length(self):
        return self.log.stat().st_size if self.log.exists() else 0

    def forget_data(self):
        """As an operator moves a damaged folder away; the guard stays."""
        shutil.rmtree(self.data, ignore_errors=True)


class Validators:
    """All of them, and who starts again what ended by itself."""

    def __init__(self, hotpot, folder, count, wires, disks, genesis_options):
        self.folder, self.wires = folder, wires
        made = [
            hotpot,
            "genesis",
            "--data-dir",
            folder,
            "--validators",
            str(count),
            *genesis_options,
        ]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
        self.all = [
            Validator(hotpot, folder / f"validator-{number}", number, wires, disks[number])
            for number in range(count)
        ]
        for validator in self.all:
            self.write_config(validator)
        nodes = [{"http": validator.url} for validator in self.all]
        self.file = folder / "network.json"
        self.file.write_text(json.dumps({"nodes": nodes}))
        self.engine_restarts = 0
        self.logs_moved_away = 0
        self.ends_by_itself = 0
        self.over = threading.Event()
        self.supervisor = threading.Thread(target=self.supervise, daemon=True)

    def others(self, validator):
        return [other for other in self.all if other is not validator]

    def write_config(self, validator, path=None, **changed):
        validator.write_config(
            path or validator.config, self.others(validator), self.folder, **changed
        )

    def start(self):
        for validator in self.all:
            validator.start()
        self.supervisor.start()
        wait_for("network with all its validators", self.all_ready)
        for validator, status in zip(self.all, self.ask("/readyz"), strict=True):
            validator.address = status["validator"].lower()

    def supervise(self):
        while not self.over.wait(SUPERVISE_EVERY_S):
            for validator in self.all:
                if validator.wanted and not validator.is_running():
                    self.ends_by_itself += 1
                    time.sleep(RESTART_PAUSE_S)
                    validator.start_if_ended()

    def stop(self):
        self.over.set()
        if self.supervisor.is_alive():
            self.supervisor.join()
        for validator in self.all:
            validator.kill()

    def urls(self):
        return [validator.url for validator in self.all]

    def ask(self, path):
        return ask_all(self.urls(), path)

    def height(self):
        return furthest(self.ask("/readyz"))

    def height_of(self, validator):
        return furthest(ask_all([validator.url], "/readyz"))

    def all_ready(self):
        """Whether everybody votes again and is close to the others; does what an operator must do for it."""
        statuses = self.ask("/readyz")
        torn = [validator for validator in self.all if LOG_TORN in validator.tail()]
        for validator in torn[:1]:
            say(f"    {validator.name} cannot read its consensus log: moved away by hand")
            self.logs_moved_away += 1
            validator.kill()
            # The fault that damaged it may have moved it away already.
            (validator.data / "consensus.wal").unlink(missing_ok=True)
            validator.start()
            wait_for("start without the log", lambda one=validator: LOG_TORN not in one.tail())
        for validator, status in zip(self.all, statuses, strict=True):
            if status and ENGINE_STOPPED in (status.get("reason") or ""):
                say(
                    f"    the engine of {validator.name} stopped for good, as it says: restarted by hand"
                )
                self.engine_restarts += 1
                validator.kill()
                validator.start()
        return are_close(statuses) and all(status["validator"] for status in statuses)

    def expect_progress(self, seconds):
        """With more than two thirds there must be a new height."""
        before = self.height()
        wait_for(
            "new height although more than two thirds take part",
            lambda: self.height() > before,
            seconds,
        )

    def expect_standstill(self, seconds):
        """Without more than two thirds there must be none."""
        # What was under way when it began may still be decided, and on a busy machine heard of late.
        time.sleep(min(1.0, seconds / 2))
        for _ in range(STANDSTILL_TRIES):
            before = self.height()
            time.sleep(max(0.0, seconds - 1.0))
            after = self.height()
            if not before or after <= before:
                return
        raise Broken(f"heights up to {after} were decided without two thirds")
