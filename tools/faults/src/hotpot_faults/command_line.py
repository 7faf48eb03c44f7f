"""What is typed and answered: `python -m hotpot_faults path|chain|doors`, or scripts/chaos path|chain|doors."""

import argparse
import json
import random
import signal
import sys

from .asking import Broken, say
from .chain import KINDS, chain
from .doors import doors, last_word
from .path import path


def add_common(parser):
    """The options that every kind of chaos has."""
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="go on breaking for so long (default 5)")
    length.add_argument("--kills", type=int, help="stop after so many faults (doors: attacks)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(1 << 32), help="repeats a schedule"
    )
    parser.add_argument("--rate", type=int, default=20, help="sales a second (default 20)")
    parser.add_argument("--hotpot", default="hotpot", metavar="FILE", help="the program to break")
    parser.add_argument("--load", default="load", metavar="FILE", help="who sends sales meanwhile")


def parse(arguments):
    """What was typed, and what stands behind `--` for `hotpot up`."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    own, for_up = arguments[:cut], arguments[cut + 1 :]
    parser = argparse.ArgumentParser(
        prog="scripts/chaos",
        description="Breaks a network of its own on a seeded schedule and judges from outside what became of it.",
        epilog="Exit code 0: all is as it must be; 1: something is not, and is named.",
    )
    commands = parser.add_subparsers(required=True, dest="kind", metavar="path|chain|doors")

    whole = commands.add_parser(
        "path", help="the whole system; `-- ARGUMENTS` are those of `hotpot up`"
    )
    whole.add_argument("--anvil", default="anvil", metavar="FILE", help="the EVM chain")
    add_common(whole)

    alone = commands.add_parser("chain", help="four validators alone")
    alone.add_argument(
        "--only",
        action="append",
        choices=KINDS,
        metavar="KIND",
        help=f"repeatable: {', '.join(KINDS)}",
    )
    add_common(alone)

    at_doors = commands.add_parser(
        "doors", help="bad clients at every door; `-- ARGUMENTS` are those of `hotpot up`"
    )
    at_doors.add_argument("--anvil", default="anvil", metavar="FILE", help="the EVM chain")
    add_common(at_doors)

    options = parser.parse_args(own)
    if for_up and options.kind == "chain":
        parser.error("only `path` and `doors` run `hotpot up`")
    return options, for_up


def finish(run, seed, last_word=None):
    """Runs to the end; prints the summary; exits 0 if all is as it must be."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        summary = run()
    except KeyboardInterrupt:
        sys.exit(130)
    except Broken as broken:
        summary = {"ok": False, "wrong": [str(broken)], "seed": seed}
    for name, value in summary.items():
        say(f"{name:24} {value}")
    if last_word:
        say(last_word(summary))
    print(json.dumps(summary))
    sys.exit(0 if summary["ok"] else 1)


def main():
    options, for_up = parse(sys.argv[1:])
    if options.kind == "path":
        finish(lambda: path(options, for_up), options.seed)
    elif options.kind == "doors":
        finish(lambda: doors(options, for_up), options.seed, last_word)
    else:
        finish(lambda: chain(options), options.seed)
