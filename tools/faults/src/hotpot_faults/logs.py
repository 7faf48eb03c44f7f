"""What a validator says: a JSON object a line, and in plain words what it dies of."""

import json
import time
from datetime import UTC, datetime
from typing import Any

# What docs/OPERATING.md tells an operator to look for: the product's words are its interface here too.
EQUIVOCATION = "equivocation was seen"
FOLLOWS = "it follows until then"
FOLLOWED = "start again to vote"
SITS_OUT = "not signing at this height"
GUARD_DAMAGED = "is damaged"
GUARD_IN_USE = "in use by another process"
# Its engine stopped for good: restarted by hand.
ENGINE_STOPPED = "could not write its log"
# A power cut tore the engine's log: moved away by hand, at one validator at a time.
LOG_TORN = "Corrupted WAL entry"
# Begins what one process says.
STARTS = "node starts"

CLOCK_TOLERANCE_S = 60
SAID_CHARACTERS_MAX = 300


def entry_of(line: str) -> dict[str, Any] | None:
    """A line that is written as logs are; None for a panic, or a line that was cut off."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "message" in entry else None


def has_jumped(log: str, seconds: float) -> bool:
    """Whether the last line has a time that is wrong by so much."""
    for line in reversed(log.splitlines()):
        entry = entry_of(line)
        if entry:
            logged = datetime.fromisoformat(entry["timestamp"].removesuffix("Z"))
            wrong_by = logged.replace(tzinfo=UTC).timestamp() - time.time()
            return abs(wrong_by - seconds) < CLOCK_TOLERANCE_S
    return False


def last_error(log: str) -> str:
    """What went wrong last, or else what was said last, in one line."""
    lines = log.splitlines()
    for line in reversed(lines):
        entry = entry_of(line)
        if entry and entry["level"] in ("ERROR", "FATAL"):
            reason = entry["metadata"].get("error") or entry["metadata"]
            return f"{entry['message']}: {reason}"[:SAID_CHARACTERS_MAX]
        if not entry and ("panicked" in line or "rror" in line):
            return line[-SAID_CHARACTERS_MAX:]
    return lines[-1][-SAID_CHARACTERS_MAX:] if lines else "it says nothing"
