"""What validators reach each other over: a network namespace for each, at a switch."""

import json
import subprocess
import sys
from pathlib import Path

from .asking import Broken, say
from .machine import free_port, is_alone
from .switch import address

HTTP_PORT, P2P_PORT = 7000, 7100


class Wires:
    """Namespaces with a switch between them."""

    def __init__(self, count):
        self.namespaces = [f"validator-{number}" for number in range(count)]
        Path("/run/netns").mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/netns"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for name in self.namespaces:
            subprocess.run(["ip", "netns", "add", name], check=True)
            subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        command = [sys.executable, "-m", f"{__package__}.switch", *self.namespaces]
        self.switch = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.switch.stdin and self.switch.stdout
        self.told, self.answers = self.switch.stdin, self.switch.stdout
        if self.answers.readline() != "ready\n":
            raise Broken("the switch did not start")

    def rules(self, **rules):
        """What holds from now on; nothing given, every packet passes."""
        self.told.write(json.dumps(rules) + "\n")
        self.told.flush()
        if self.answers.readline() != "done\n":
            raise Broken("the switch ended")

    def inside(self, number):
        """What a command starts with to run at a validator's place."""
        return ["nsenter", f"--net=/run/netns/{self.namespaces[number]}", "--"]

    def place(self, number):
        """Host and ports."""
        return address(number), HTTP_PORT, P2P_PORT

    def close(self):
        self.switch.kill()
        self.switch.wait()


class NoWires:
    """All on one loopback: nothing to cut."""

    def inside(self, _number):
        return []

    def place(self, _number):
        return "127.0.0.1", free_port(), free_port()

    def close(self):
        pass


def open_wires(count):
    """A namespace for each validator, or all on one loopback."""
    if is_alone() and Path("/dev/net/tun").exists():
        return Wires(count)
    say("SKIPPED: no partition, no bad network; they need network namespaces and /dev/net/tun")
    return NoWires()
