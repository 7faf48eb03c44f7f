"""A live camera of the video agent on one processor: does it keep its rate, how far behind is the preview, how much
memory does it take? Frames are counted where they leave the anonymiser; latency is from a frame's arrival in the agent
(decoded) until its fragment can be downloaded, and until a player that keeps three fragments' distance shows it.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Node(BaseHTTPRequestHandler):
    """A node of the sidechain that knows one consent."""

    def do_GET(self):
        consent = {
            "id": "0x" + "11" * 32,
            "kind": "guest",
            "outlet": 1,
            "camera": 1,
            "purposes": ["recording", "stream"],
            "recorded_at_ms": 0,
            "until_ms": 4_000_000_000_000,
            "revoked_at_ms": None,
            "height": 1,
        }
        body = json.dumps({"ready": True} if self.path == "/readyz" else [consent]).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def fragments(playlist):
    """(when its first frame was taken, name), oldest first."""
    times = re.findall(r"PROGRAM-DATE-TIME:(\S+)", playlist)
    names = re.findall(r"^\d+\.m4s$", playlist, re.MULTILINE)
    return [
        (datetime.datetime.fromisoformat(at).timestamp(), name)
        for at, name in zip(times, names, strict=True)
    ]


def frames(metrics):
    counts = dict(re.findall(r'video_frames_total\{camera="1",result="(\w+)"\} (\d+)', metrics))
    return {result: int(count) for result, count in counts.items()}


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch(url, pid, seconds):
    """Once the room is known: frames, processor, and how old each new fragment is when it first appears."""
    deadline = time.time() + 60
    while True:
        try:
            if frames(fetch(f"{url}/metrics")).get("masked", 0) > 12:
                break
        except (urllib.error.URLError, OSError):
            pass
        if time.time() > deadline:
            sys.exit("the agent shows nothing")
        time.sleep(0.2)
    begin, before, spent = time.time(), frames(fetch(f"{url}/metrics")), processor_seconds(pid)
    seen, ages, player = set(), [], []
    while time.time() < begin + seconds:
        listed = fragments(fetch(f"{url}/api/v1/cameras/1/preview/index.m3u8"))
        now = time.time()
        for taken, name in listed[-1:]:
            if name not in seen:
                seen.add(name)
                ages.append(now - taken)
        if len(listed) >= 3:
            # It starts three fragments before the end; what it shows then is as old as that one's first frame.
            player.append(now - listed[-3][0])
        time.sleep(0.05)
    after, took = frames(fetch(f"{url}/metrics")), time.time() - begin
    return (
        {name: after[name] - before.get(name, 0) for name in after},
        took,
        processor_seconds(pid) - spent,
        ages[1:],
        player,
    )


def main():
    parser = argparse.ArgumentParser()
    for name in ("agent", "model", "film"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("seconds", "rate-min", "latency-max", "mib-max"):
        parser.add_argument(f"--{name}", type=float, required=True)
    options = parser.parse_args()
    node = ThreadingHTTPServer(("127.0.0.1", 0), Node)
    threading.Thread(target=node.serve_forever, daemon=True).start()
    probe = ThreadingHTTPServer(("127.0.0.1", 0), Node)
    port = probe.server_port
    probe.server_close()
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "agent.toml"
        configuration.write_text(
            f'outlet = 1\n[node]\nurls = ["http://127.0.0.1:{node.server_port}"]\n[http]\nlisten = "127.0.0.1:{port}"\n'
            f'[detector]\nmodel_file = "{options.model}"\n[[cameras]]\ncamera = 1\nkind = "customer"\nfile = "{options.film}"\n'
        )
        with open(Path(folder) / "log", "w+") as log:
            agent = subprocess.Popen(
                [
                    "taskset",
                    "--cpu-list",
                    "0",
                    options.agent,
                    "--stop-on-stdin-close",
                    "--config",
                    configuration,
                ],
                stdin=subprocess.PIPE,
                stderr=log,
            )
        assert agent.stdin
        try:
            counts, took, spent, ages, player = watch(
                f"http://127.0.0.1:{port}", agent.pid, options.seconds
            )
            status = Path(f"/proc/{agent.pid}/status").read_text()
            peak = int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024
        finally:
            agent.stdin.close()
            agent.wait(20)
    total = sum(counts.values())
    late = counts.get("detector_late", 0)
    print(
        f"{total} frames in {took:.1f} s: {total / took:.2f} a second; {counts.get('masked', 0)} masked, solid by reason "
        f"{json.dumps({name: count for name, count in counts.items() if count and name != 'masked'})}"
    )
    print(
        f"processor {spent:.1f} s: {100 * spent / took:.0f} % of one, {1000 * spent / total:.1f} ms a frame"
    )
    print(
        f"a fragment can be downloaded {sum(ages) / len(ages):.2f} s after its first frame (most {max(ages):.2f} s); "
        f"a player shows what is {sum(player) / len(player):.2f} s old (most {max(player):.2f} s)"
    )
    print(f"resident at most {peak:.0f} MiB")
    for fine, what in (
        (
            total / took >= options.rate_min and late <= total * 0.01,
            f"live on one processor: {total / took:.2f} frames a second, at least {options.rate_min}, {late} of {total} solid for a late detector",
        ),
        (
            max(player) <= options.latency_max,
            f"camera to player: {max(player):.2f} s at most, {options.latency_max:g} allowed",
        ),
        (
            peak <= options.mib_max,
            f"resident: {peak:.0f} MiB for one camera, {options.mib_max:g} allowed",
        ),
    ):
        print(f"VERDICT {'true' if fine else 'false'} {what}")


if __name__ == "__main__":
    main()
