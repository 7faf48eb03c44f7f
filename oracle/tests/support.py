"""Committed vectors, exported chains, and how they are changed."""

import json
import os
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hotpot_oracle.chain import Block
from hotpot_oracle.codec import decode, encode, from_hex
from hotpot_oracle.replay import Counts, Export

VECTORS = Path(__file__).parents[2] / "crates/domain/tests/vectors"
Lines = list[dict[str, Any]]

needs_exports = unittest.skipUnless("EXPORTS" in os.environ, "EXPORTS names no folder")


def vector(name: str) -> Any:
    """A committed vector."""
    return json.loads((VECTORS / f"{name}.json").read_text())


def exports() -> list[Path]:
    """The chains to replay."""
    return sorted(Path(os.environ["EXPORTS"]).glob("*.jsonl"))


def replayed(path: Path) -> Counts:
    """What was compared until the end."""
    *_, last = Export(path).replay()
    return last.counts


def first_with(lines: Lines, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first line that has what is to be changed."""
    return next(line for line in lines if holds(line))


def block_with_sale(lines: Lines) -> dict[str, Any]:
    """A block whose first transaction is a sale."""
    found = first_with(
        lines,
        lambda line: (
            line["type"] == "block"
            and line["block"]["transactions"][:1]
            and line["block"]["transactions"][0]["type"] == "sale"
        ),
    )
    block: dict[str, Any] = found["block"]
    return block


def paying(lines: Lines) -> dict[str, Any]:
    """A checkpoint that pays somebody."""
    return first_with(lines, lambda line: line["type"] == "checkpoint" and line["chunks"])


def change_raw(answer: dict[str, Any], change: Callable[[Block], None]) -> None:
    """Changes the canonical bytes of a block."""
    block = decode(Block, from_hex(answer["raw"]))
    change(block)
    answer["raw"] = "0x" + encode(block).hex()


def flip(text: str, place: int = -1) -> str:
    """Hex digits with one bit changed."""
    digits = list(text)
    digits[place] = f"{int(digits[place], 16) ^ 1:x}"
    return "".join(digits)
