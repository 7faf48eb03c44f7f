"""What this process may do to the machine that it is on.

scripts/chaos starts `chain` in namespaces of its own (mounts, network, processes): they end with it, however it ends,
and take mounts, loop devices, TUN devices and processes with them. Elsewhere none of it is made.
"""

import itertools
import os
import random
import socket


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
