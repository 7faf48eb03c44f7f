"""Waiting, and asking nodes what they say of themselves."""

import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

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
