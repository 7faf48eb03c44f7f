"""H: what clients, browsers and proxies do to an HTTP API."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ..asking import wait_for
from ..machine import free_port
from .lines import Lines
from .network import Whole

SALES = 60
WHAT_COLUMNS = 66
CHECKS_S_MAX = 600
STREAM_S = 20
# Events through a proxy come within so many seconds, as without one.
LATE_S_MAX = 1.0
# What the checks call for a look at, and why it is right: how the line begins, what was found, why.
NO_FAULT = (
    (
        "an empty header beside a query",
        r"'event': '(evm|blocks)'",
        "an empty id is none: it reads from now on, and blocks of the EVM come each second",
    ),
)


def judge_check(lines: Lines, line: str) -> None:
    """`ok   what` or `LOOK what`, padded, then what came."""
    verdict, rest = line[:4].strip(), line[5:]
    # What is longer is not padded, and nothing says where it ends.
    cut = WHAT_COLUMNS if rest[WHAT_COLUMNS : WHAT_COLUMNS + 1] in ("", " ") else len(rest)
    what, found = rest[:cut].strip(), rest[cut:].strip()
    what = what.replace(": ", ", ")
    reasons = (
        why for begin, seen, why in NO_FAULT if what.startswith(begin) and re.search(seen, found)
    )
    reason = next(reasons, None)
    if verdict == "ok":
        lines.say(what, "ok")
    elif reason:
        lines.say(what, "no fault", f"{reason}; {found}")
    else:
        lines.say(what, "WRONG", found)


def judge_stream(lines: Lines, what: str, text: str) -> None:
    found = re.search(r"(\d+) events; late by at most ([\d.]+) s", text)
    last = (text.splitlines() or ["nothing"])[-1]
    lines.add(what, found and float(found[2]) <= LATE_S_MAX, last)


def nginx_before(case: Path, folder: Path, gateway: str) -> tuple[subprocess.Popen[bytes], str]:
    """nginx with the case's configuration, on a port of its own."""
    port = free_port()
    text = (case / "nginx.conf").read_text()
    text = text.replace("http://127.0.0.1:8080", gateway).replace(
        "127.0.0.1:8090", f"127.0.0.1:{port}"
    )
    text = text.replace("/tmp/h01-", f"{folder}/h01-")
    config = folder / "nginx.conf"
    config.write_text(text)
    command = [
        "nginx",
        "-e",
        str(folder / "nginx.log"),
        "-c",
        str(config),
        "-p",
        str(folder),
        "-g",
        "daemon off;",
    ]
    return subprocess.Popen(command, start_new_session=True), f"http://127.0.0.1:{port}"


def run(options: Any, folder: Path) -> None:
    lines = Lines("H01")
    case = next(options.cases.glob("H01*"))
    orders = [str(options.root / "examples" / f"georgia.{kind}") for kind in ("csv", "toml")]
    network = Whole(options, folder, ["--sales", orders[0], "--map", orders[1]])
    proxy = None
    try:
        network.up()
        gateway, node = network.url("gateway"), network.nodes()[0]
        wait_for("sixty sales", lambda: network.gateway("/api/v1/supply").get("sales", 0) >= SALES)
        wait_for("settled network", network.is_settled)
        time.sleep(2)
        checks = subprocess.run(
            [sys.executable, str(case / "http_checks.py"), gateway, node],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=CHECKS_S_MAX,
            check=False,
        ).stdout.decode(errors="replace")
        for line in checks.splitlines():
            if line.startswith(("ok   ", "LOOK ")):
                judge_check(lines, line)
        lines.add(
            "all checks came to their end",
            " to look at" in checks,
            (checks.splitlines() or [""])[-1][:200],
        )

        doors = {"events come within a second": gateway}
        if shutil.which("nginx"):
            # Its workers are nobody's: they need a folder that they may enter.
            place = Path(tempfile.mkdtemp(prefix="hotpot-nginx-"))
            place.chmod(0o755)
            proxy, through = nginx_before(case, place, gateway)
            doors["events come within a second through nginx"] = through
        network.sell(5)
        streams = {
            what: subprocess.Popen(
                [sys.executable, str(case / "sse_through.py"), door, str(STREAM_S)],
                stdout=subprocess.PIPE,
            )
            for what, door in doors.items()
        }
        for what, stream in streams.items():
            judge_stream(
                lines, what, stream.communicate(timeout=3 * STREAM_S)[0].decode(errors="replace")
            )
    finally:
        if proxy:
            proxy.terminate()
            proxy.wait()
            shutil.rmtree(place)
        network.end()
