"""What each validator runs on: a network namespace at a switch, and a disk of its own that can be filled or lose power.

scripts/chaos starts all of this in namespaces of its own (mounts, network, processes): they end with it, however it
ends, and take mounts, loop devices, TUN devices and processes with them. Elsewhere none of it is made.
"""

import fcntl
import itertools
import json
import os
import random
import socket
import struct
import subprocess
import sys
from pathlib import Path

from .common import Broken, fill_disk, say, wait_for
from .switch import address

DISK_BYTES = 384 * 1024 * 1024
# _IOR('X', 125, __u32), and the flag that drops what the journal has not flushed.
EXT4_IOC_SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING = 2
HTTP_PORT, P2P_PORT = 7000, 7100


def is_alone():
    """Whether this process is in namespaces of its own, where it may do as it likes."""
    return os.environ.get("HOTPOT_CHAOS_ALONE") == "1" and os.geteuid() == 0


# From below the range (32768 and up) out of which outgoing connections get theirs: they cannot take one in between.
PORTS = itertools.count(random.randrange(16_384, 30_000))


def free_port():
    for port in PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


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


class Disk:
    """A validator's folder as an ext4 file system of its own."""

    def __init__(self, folder, image):
        self.folder, self.image, self.filling = folder, image, None
        folder.mkdir(mode=0o700)
        with open(image, "wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)

    def mount(self, check=True):
        return subprocess.run(["mount", "-o", "loop,discard", self.image, self.folder], check=check)

    def unmount(self):
        def done():
            return (
                subprocess.run(
                    ["umount", self.folder], check=False, stderr=subprocess.DEVNULL
                ).returncode
                == 0
            )

        wait_for("end of who uses the disk", done, 10)

    def fill(self):
        self.filling = fill_disk(self.folder)

    def free(self):
        assert self.filling, "it was never filled"
        self.filling.unlink(missing_ok=True)

    def cut_power(self):
        """From now on the disk takes nothing; what was not fsynced is lost."""
        folder = os.open(self.folder, os.O_RDONLY)
        fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING))
        os.close(folder)

    def restore_power(self):
        """Only once nobody has a file open on it."""
        self.unmount()
        self.mount()

    def close(self):
        subprocess.run(["umount", "--lazy", self.folder], check=False)


def open_disks(folders, images):
    """Disks, or none at all. Images lie in memory: what a power cut loses is the page cache in front of them."""
    if is_alone():
        images.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", images], check=True)
        disks = [Disk(folder, images / f"{folder.name}.ext4") for folder in folders]
        if all(disk.mount(check=False).returncode == 0 for disk in disks):
            return disks
        for disk in disks:
            disk.close()
    say("SKIPPED: no full disk, no power cut; they need root and loop devices")
    return [None] * len(folders)
