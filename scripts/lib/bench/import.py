"""Reads, checks and signs a file of a million rows, twice, as `hotpot import --dry-run` does."""

import argparse
import hashlib
import os
import random
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

MAP = """
source = "bench"
group_by = ["shop", "receipt"]
currency = "GEL"

[columns]
name = ["dish", "variant"]
quantity = "qty"
unit = "unit"
line_total = "total"
receipt_total = "paid"

[time]
column = "closed"
format = "%d.%m.%Y %H:%M:%S"
zone = "Asia/Tbilisi"

[outlet]
column = "shop"

[[outlets]]
id = 1
city = "Tbilisi"
kind = "owner_operated"

[[outlets]]
id = 2
city = "Batumi"
kind = "franchised"
"""
DISHES = ("ხინკალი", "აჭარული ხაჭაპური", "ლობიო ქოთანში", "Tea", "Сулугуни", "Lemonade")
TOTAL = re.compile(rb'"total":(\d+),')


@dataclass
class Signed:
    """What one run wrote, and what it took."""

    seconds: float
    mib: int
    digest: str
    sales: int
    tetri: int


def money(tetri: int) -> str:
    return (
        f"{tetri // 1000_00} {tetri // 100 % 1000:03},{tetri % 100:02}"
        if tetri >= 1000_00
        else f"{tetri // 100},{tetri % 100:02}"
    )


def write_orders(path: Path, rows: int) -> tuple[int, int]:
    """A file as a till in Georgia writes it; how many orders it has, and what they cost together."""
    draw = random.Random(7)
    start = datetime.now(UTC) + timedelta(hours=4) - timedelta(hours=60)
    written = orders = sum_tetri = 0
    with path.open("w", encoding="utf-8") as out:
        out.write("receipt;shop;closed;dish;variant;qty;unit;total;paid\n")
        while written < rows:
            lines = [line_of(draw) for _ in range(min(draw.randint(1, 5), rows - written))]
            paid = sum(tetri for _, tetri in lines)
            closed = (start + timedelta(milliseconds=orders * 500)).strftime("%d.%m.%Y %H:%M:%S")
            for text, tetri in lines:
                out.write(
                    f"{orders};{1 + orders % 2};{closed};{text};{money(tetri)};{money(paid)}\n"
                )
            written += len(lines)
            orders += 1
            sum_tetri += paid
    return orders, sum_tetri


def line_of(draw: random.Random) -> tuple[str, int]:
    dish = draw.choice(DISHES)
    if draw.random() < 0.1:
        return f"{dish};;0,{draw.randint(1, 999):03};kg", draw.randint(50, 9_000)
    return (
        f"{dish};{draw.choice(('', 'beef', 'ქალაქური'))};{draw.randint(1, 9)},000;pc",
        draw.randint(50, 150_000),
    )


def sign(hotpot: str, folder: Path, orders: Path, mapping: Path) -> Signed:
    """One dry run; its signed sales are hashed as they come."""
    started = time.monotonic()
    command: list[str | Path] = [
        hotpot,
        "import",
        orders,
        "--map",
        mapping,
        "--data-dir",
        folder / "net",
        "--dry-run",
        "--print-signed",
    ]
    digest, sales, tetri = hashlib.sha256(), 0, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            digest.update(line)
            found = TOTAL.search(line)
            sales += 1
            tetri += int(found[1]) if found else 0
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"hotpot import ended with {process.returncode}")
    return Signed(
        time.monotonic() - started, usage.ru_maxrss // 1024, digest.hexdigest(), sales, tetri
    )


def verdict(text: str, *, is_met: bool) -> None:
    print(f"VERDICT {'true' if is_met else 'false'} {text}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hotpot", required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--seconds-max", type=float, required=True)
    parser.add_argument("--mib-max", type=int, required=True)
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        orders, mapping = folder / "orders.csv", folder / "map.toml"
        mapping.write_text(MAP, encoding="utf-8")
        count, tetri = write_orders(orders, args.rows)
        print(f"{args.rows} rows, {count} orders, {orders.stat().st_size >> 20} MiB", flush=True)
        subprocess.run(
            [args.hotpot, "genesis", "--data-dir", folder / "net"],
            check=True,
            stdout=subprocess.DEVNULL,
        )

        runs = [sign(args.hotpot, folder, orders, mapping) for _ in range(2)]
        for run in runs:
            print(
                f"{run.sales} sales of {run.tetri} tetri in {run.seconds:.1f} s, {run.mib} MiB, sha256 {run.digest}",
                flush=True,
            )

    first, second = runs
    verdict(
        f"{args.rows} rows read, checked and signed in at most {args.seconds_max:.0f} s: {first.seconds:.1f} s, {second.seconds:.1f} s",
        is_met=max(first.seconds, second.seconds) <= args.seconds_max,
    )
    verdict(
        f"in at most {args.mib_max} MiB: {first.mib} MiB, {second.mib} MiB",
        is_met=max(first.mib, second.mib) <= args.mib_max,
    )
    verdict("two runs sign the same bytes", is_met=first.digest == second.digest)
    verdict(
        f"every order is signed, and none is off by a tetri: {count} orders, {tetri} tetri",
        is_met=(first.sales, first.tetri) == (count, tetri),
    )


if __name__ == "__main__":
    main()
