"""A switch between network namespaces: TUN devices whose packets it passes on, late or not at all, as it is told.

    python -m hotpot_faults.switch NAMESPACE...       namespace i gets 10.77.0.(i+1); who starts the switch gets 10.77.0.254

Each line on standard input is a JSON object with the rules from then on, answered by a line:
{"cut": [[FROM, TO], ...], "delay_ms": [LEAST, MOST], "loss": SHARE}; FROM and TO are numbers of namespaces.
Delay and loss strike packets between namespaces only. Devices vanish with this process.
"""

import contextlib
import ctypes
import fcntl
import heapq
import json
import os
import random
import selectors
import struct
import subprocess
import sys
import time

NETWORK = "10.77.0"
OUTSIDE = 253
CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_WITHOUT_HEADER = 0x1001
DEVICE = "hotpot"
PACKET_BYTES_MAX = 65_536
LIBC = ctypes.CDLL(None, use_errno=True)


def address(number):
    return f"{NETWORK}.{number + 1}"


def enter(path):
    """Moves this thread into a network namespace."""
    file = os.open(path, os.O_RDONLY)
    if LIBC.setns(file, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"enter {path}")
    os.close(file)


def open_device(number):
    """A TUN device in the namespace that this thread is in, up and with its address."""
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN_WITHOUT_HEADER))
    subprocess.run(["ip", "address", "add", f"{address(number)}/24", "dev", DEVICE], check=True)
    subprocess.run(["ip", "link", "set", DEVICE, "up"], check=True)
    return file


def open_devices(namespaces):
    """File by number."""
    home = f"/proc/{os.getpid()}/task/{os.getpid()}/ns/net"
    back = os.open(home, os.O_RDONLY)
    files = {}
    for number, name in enumerate(namespaces):
        enter(f"/run/netns/{name}")
        files[number] = open_device(number)
    if LIBC.setns(back, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "come back from the namespaces")
    files[OUTSIDE] = open_device(OUTSIDE)
    return files


class Switch:
    def __init__(self, files):
        self.files = files
        self.random = random.Random(0)
        self.late = []
        self.sequence = 0
        self.rules({})

    def rules(self, rules):
        self.cut = {tuple(pair) for pair in rules.get("cut", [])}
        self.delay_ms = rules.get("delay_ms", [0, 0])
        self.loss = rules.get("loss", 0)

    def pass_on(self, source):
        """Every packet that waits at a device."""
        while True:
            try:
                packet = os.read(self.files[source], PACKET_BYTES_MAX)
            except BlockingIOError:
                return
            is_ours = len(packet) >= 20 and packet[0] >> 4 == 4
            target = packet[19] - 1 if is_ours else None
            if target in self.files and (source, target) not in self.cut:
                self.deliver(source, target, packet)

    def deliver(self, source, target, packet):
        if OUTSIDE in (source, target):
            return self.write(target, packet)
        if self.loss and self.random.random() < self.loss:
            return None
        if not self.delay_ms[1]:
            return self.write(target, packet)
        self.sequence += 1
        due = time.monotonic() + self.random.uniform(*self.delay_ms) / 1000
        return heapq.heappush(self.late, (due, self.sequence, target, packet))

    def write(self, target, packet):
        # A device that takes nothing loses the packet, as a wire does.
        with contextlib.suppress(OSError):
            os.write(self.files[target], packet)

    def deliver_late(self):
        """What is due; gives the seconds until the next one."""
        while self.late:
            wait = self.late[0][0] - time.monotonic()
            if wait > 0:
                return wait
            _, _, target, packet = heapq.heappop(self.late)
            self.write(target, packet)
        return None

    def run(self):
        selector = selectors.DefaultSelector()
        for number, file in self.files.items():
            selector.register(file, selectors.EVENT_READ, number)
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        print("ready", flush=True)
        while True:
            for key, _ in selector.select(self.deliver_late()):
                if key.data is not None:
                    self.pass_on(key.data)
                    continue
                line = sys.stdin.readline()
                if not line:
                    return
                self.rules(json.loads(line))
                print("done", flush=True)


if __name__ == "__main__":
    Switch(open_devices(sys.argv[1:])).run()
