"""Faults from a seed, one after the other, and how soon a network recovers from each."""

import math
import random
import statistics
import time

from .asking import Broken, say, wait_for

# A new height must follow within this after a fault has ended.
RECOVERY_S_MAX = 10
# A chain that stands still for so long never goes on.
NEW_HEIGHT_S_MAX = 60


class Rounds:
    """Shuffled rounds of kinds of faults, so that a short run sees each of them."""

    def __init__(self, kinds, source):
        self.kinds, self.random, self.left = list(kinds), source, []

    def next(self):
        if not self.left:
            self.left = list(self.kinds)
            self.random.shuffle(self.left)
        return self.left.pop()


class Schedule:
    """Kinds of faults are methods of who inherits, and draw from `random`. Each fault has a source of its own, so that
    what an earlier one came to, and so drew, changes nothing: a seed repeats kinds, victims and pauses.
    """

    # Between two faults, once the network has recovered.
    PAUSE_S = (0.0, 0.0)

    def __init__(self, network, kinds, seed):
        self.network, self.seed = network, seed
        self.rounds = Rounds(kinds, random.Random(seed))
        self.random = random.Random()
        self.faults = {}
        self.recoveries_s, self.rejoins_s = [], []
        self.full_disks_unnoticed = 0

    def step(self):
        """One fault, then recovery."""
        self.random = random.Random(f"{self.seed}/{len(self.recoveries_s)}")
        kind, pause_s = self.rounds.next(), self.random.uniform(*self.PAUSE_S)
        before = self.network.height()
        struck_all = getattr(self, kind)()
        healed = time.monotonic()
        # Where nobody is left to ask, the height before the fault has to be passed.
        before = before if struck_all else self.network.height()
        wait_for("new height", lambda: self.network.height() > before, NEW_HEIGHT_S_MAX)
        recovery_s = time.monotonic() - healed
        wait_for("network with all its processes", self.network.all_ready)
        rejoin_s = time.monotonic() - healed
        self.check()
        self.faults[kind] = self.faults.get(kind, 0) + 1
        self.recoveries_s.append(recovery_s)
        self.rejoins_s.append(rejoin_s)
        say(f"    a new height after {recovery_s:.1f} s, all processes after {rejoin_s:.1f} s")
        time.sleep(pause_s)

    def check(self):
        """What holds after each fault."""

    def expect_complaint(self, found, seconds):
        """A full disk is complained about; a store that has free pages of its own goes on with them for a while."""
        try:
            wait_for("complaint about the disk", found, seconds)
        except Broken:
            say(f"    not noticed within {seconds} s more: its store had room left")
            self.full_disks_unnoticed += 1


class Length:
    """How long faults go on."""

    def __init__(self, options):
        minutes = options.minutes or (None if options.kills else 5)
        self.kills = options.kills
        self.end = time.monotonic() + 60 * minutes if minutes else math.inf

    def is_over(self, faults):
        return faults >= self.kills if self.kills else time.monotonic() > self.end


def percentile(values, share):
    """The smallest value that `share` of all do not exceed."""
    return sorted(values)[max(0, -(-len(values) * share // 100) - 1)]


def recovery_figures(recoveries_s, rejoins_s):
    return {
        "recovery_s_p50": round(statistics.median(recoveries_s), 2),
        "recovery_s_p99": round(percentile(recoveries_s, 99), 2),
        "recovery_s_max": round(max(recoveries_s), 2),
        "rejoin_s_max": round(max(rejoins_s), 2),
    }


def judge(summary, must_be_zero, must_be_some):
    """What is not as it must be, by name. A judge that has seen nothing must not acquit."""
    wrong = [name for name in must_be_zero if summary[name] != 0]
    wrong += [name for name in must_be_some if summary[name] == 0]
    if summary["recovery_s_max"] > RECOVERY_S_MAX:
        wrong.append("recovery_s_max")
    return wrong
