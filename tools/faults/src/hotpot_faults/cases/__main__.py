"""`python -m hotpot_faults.cases KIND...`: R, I, H, B of ../shared/cases, a line for each thing that they ask for."""

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from . import bft, evm, http


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="+", choices=["R", "I", "H", "B"])
    parser.add_argument("--cases", type=Path, required=True, metavar="DIR")
    parser.add_argument("--root", type=Path, required=True, metavar="DIR", help="the repository")
    parser.add_argument("--hotpot", required=True, metavar="FILE")
    parser.add_argument("--load", required=True, metavar="FILE")
    parser.add_argument("--anvil", required=True, metavar="FILE")
    parser.add_argument("--times", type=int, default=20, help="of B01; default 20")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="hotpot-cases-"))
    bridges = [kind for kind in options.kinds if kind in "RI"]
    try:
        if bridges:
            evm.run(options, folder / "evm", bridges)
        if "H" in options.kinds:
            http.run(options, folder / "http")
        if "B" in options.kinds:
            bft.run(options, folder)
    except BaseException:
        print(f"kept for a look: {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
