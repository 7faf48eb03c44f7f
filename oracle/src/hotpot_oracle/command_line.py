"""What is typed and answered: `python -m hotpot_oracle replay FILE`, or scripts/replay FILE."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .codec import Malformed
from .replay import Counts, Export, Mismatch, NoExport

PROGRESS_S = 1.0


def arguments() -> argparse.Namespace:
    """What was typed."""
    parser = argparse.ArgumentParser(
        prog="hotpot-oracle", description="A second implementation of the ledger."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    replaying = commands.add_parser(
        "replay",
        help="tell an exported chain again, and compare",
        description="Replays what `hotpot export blocks` wrote with a second implementation of the ledger, which was "
        "written from docs/PROTOCOL.md, and compares every header, certificate, checkpoint and payout.",
        epilog="Exit code 0: all agree; 1: something differs, and the first is named; 2: the file is no export.",
    )
    replaying.add_argument(
        "file", type=Path, help="what `hotpot export blocks --output FILE` wrote"
    )
    replaying.add_argument(
        "--json", action="store_true", help="the summary as one JSON object on standard output"
    )

    return parser.parse_args()


def replay(path: Path) -> tuple[Counts, Mismatch | None]:
    """How far the chain agrees, and where it does not."""
    export, counts, said_at = Export(path), Counts(), time.monotonic()
    try:
        for state in export.replay():
            counts = state.counts
            if time.monotonic() - said_at > PROGRESS_S:
                said_at = time.monotonic()
                print(f"block {counts.blocks} of {export.blocks}", file=sys.stderr)
    except Mismatch as mismatch:
        return counts, mismatch
    return counts, None


def summary(counts: Counts, mismatch: Mismatch | None, seconds: float) -> dict[str, Any]:
    """What was compared, for programs."""
    first = mismatch and {
        key: getattr(mismatch, key) for key in ("height", "field", "expected", "found")
    }
    return {
        **asdict(counts),
        "transactions": counts.transactions.total(),
        "by_type": dict(counts.transactions.most_common()),
        "mismatches": int(mismatch is not None),
        "seconds": round(seconds, 1),
        "first_difference": first,
    }


def table(found: dict[str, Any]) -> str:
    """The same for people."""
    types = [(f"  {name}", count) for name, count in found["by_type"].items()]
    rows = [(name, found[name]) for name in ("epochs", "payouts", "mismatches", "seconds")]
    rows = [("blocks", found["blocks"]), ("transactions", found["transactions"]), *types, *rows]
    return "\n".join(f"{name:<20}{value:>10}" for name, value in rows)


def main() -> int:
    """Exit code 0, 1 or 2."""
    typed, began = arguments(), time.monotonic()
    try:
        counts, mismatch = replay(typed.file)
    except (OSError, NoExport, Malformed, KeyError, TypeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    found = summary(counts, mismatch, time.monotonic() - began)
    if typed.json:
        print(json.dumps(found))
    else:
        print(table(found))
    if mismatch is not None:
        print(f"DIFFERS: {mismatch}", file=sys.stderr)
    return 0 if mismatch is None else 1
