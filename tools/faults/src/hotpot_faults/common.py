"""What every kind of chaos has: waiting, asking, the load from outside, a schedule from a seed, the end with a summary.

Standard library only, as all beside it.
"""

import errno
import json
import math
import signal
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

# A new height must follow within this after a fault has ended.
RECOVERY_S_MAX = 10
# How long starting, catching up and settling may take.
PATIENCE_S = 300
# A node that takes longer to answer counts as down.
ANSWER_S_MAX = 1.0


class Broken(Exception):
    """What must not be was found."""


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def wait_for(what, found, seconds=PATIENCE_S, poll_s=0.05):
    """Gives what `found` gives, once that is something."""
    deadline = time.monotonic() + seconds
    while True:
        value = found()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Broken(f"no {what} within {seconds} s")
        time.sleep(poll_s)


def ask(url, body=None, seconds=ANSWER_S_MAX):
    """The JSON of an answer, also of a 503; None without an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal) if refusal.code == 503 else None
    except (OSError, ValueError):
        return None


def ask_all(urls, path):
    """The same question to all at once."""
    with ThreadPoolExecutor(len(urls)) as pool:
        return list(pool.map(lambda url: ask(url + path), urls))


def furthest(statuses):
    """The height of the node that is furthest; 0 when none answers."""
    return max((status["height"] for status in statuses if status), default=0)


def are_close(statuses):
    """Whether all are ready and hardly apart."""
    if not all(status and status["ready"] for status in statuses):
        return False
    heights = [status["height"] for status in statuses]
    return max(heights) - min(heights) <= 2


def check_conservation(supplies):
    """No unit comes from nowhere or goes nowhere, at any node that answers."""
    for supply in filter(None, supplies):
        held = sum(
            supply[part]
            for part in ("released", "pending", "unclaimed", "pool", "bonded", "slashed")
        )
        if held != supply["issued"]:
            raise Broken(f"units came from nowhere or went nowhere: {supply}")


def fill_disk(folder):
    """Takes all room of a file system; gives the file to be deleted."""
    filling = folder / "filling"
    with open(filling, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    return filling


class Load:
    """`load sales` outside of the network; a fsynced journal of what was acknowledged."""

    def __init__(self, program, network_file, rate, seed, journal):
        self.program, self.network_file, self.journal = program, network_file, journal
        command = [program, "sales", "--network", network_file, "--rate", str(rate)]
        command += [
            "--seconds",
            "604800",
            "--retry",
            "--seed",
            str(seed),
            "--journal",
            journal,
            "--json",
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)

    def wait_until_it_runs(self):
        def first_acknowledged():
            if self.process.poll() is not None:
                raise Broken(f"load ended with {self.process.returncode}")
            return self.journal.exists() and self.journal.stat().st_size > 0

        wait_for("acknowledged sale", first_acknowledged)

    def stop(self):
        """Ends the sending, waits for the answers; gives the report."""
        self.process.send_signal(signal.SIGINT)
        out, _ = self.process.communicate(timeout=2 * PATIENCE_S)
        if not out:
            raise Broken(f"load ended without a report ({self.process.returncode})")
        return json.loads(out)

    def check(self):
        command = [self.program, "check", "--network", self.network_file, "--journal", self.journal]
        out = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, check=False).stdout
        if not out:
            raise Broken("load check ended without a result")
        return json.loads(out)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Rounds:
    """Shuffled rounds of kinds of faults, so that a short run sees each of them."""

    def __init__(self, kinds, source):
        self.kinds, self.random, self.left = list(kinds), source, []

    def next(self):
        if not self.left:
            self.left = list(self.kinds)
            self.random.shuffle(self.left)
        return self.left.pop()


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


def judge(summary, must_be_zero):
    """What is not as it must be, by name."""
    wrong = [name for name in must_be_zero if summary[name] != 0]
    if summary["recovery_s_max"] > RECOVERY_S_MAX:
        wrong.append("recovery_s_max")
    return wrong


class Length:
    """How long faults go on."""

    def __init__(self, options):
        minutes = options.minutes or (None if options.kills else 5)
        self.kills = options.kills
        self.end = time.monotonic() + 60 * minutes if minutes else math.inf

    def is_over(self, faults):
        return faults >= self.kills if self.kills else time.monotonic() > self.end
