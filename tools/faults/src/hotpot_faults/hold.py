"""Holds idle and slow connections at a door, and says each second how many there are: `python -m hotpot_faults.hold`."""

import argparse
import asyncio
import contextlib
import json
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass

from . import attacks
from .crowd import (
    AGAIN_S,
    ANSWER_S_MAX,
    CONNECTING_MAX,
    SLOW_EVERY_S,
    Client,
    Place,
    limit_files,
    place_of,
    stand_back,
)


@dataclass
class Held:
    """What became of connections that are only held."""

    idle_open: int = 0
    slow_open: int = 0
    reopened: int = 0
    refused: int = 0

    def open(self) -> int:
        return self.idle_open + self.slow_open


async def hold(
    door: Place, idle: int, slow: int, addresses: tuple[str, ...], said: Callable[[Held], None]
) -> None:
    """Holds so many idle and slow connections until it is cancelled; whoever is put out comes again. `said` is called
    each second.
    """
    held, connecting = Held(), asyncio.Semaphore(CONNECTING_MAX)

    async def keep(number: int, is_slow: bool) -> None:
        while True:
            try:
                async with Client(addresses[number % len(addresses)], door) as client:
                    async with connecting:
                        await client.connect()
                        if not is_slow:
                            await client.send(attacks.FLOOD[0])
                            async with asyncio.timeout(ANSWER_S_MAX):
                                answer = await client.read_answer()
                            if not answer or answer.status != 200:
                                raise OSError("no place")
                    await stay(client, is_slow)
                held.reopened += 1
            except (OSError, TimeoutError):
                held.refused += 1
            await asyncio.sleep(AGAIN_S)

    async def stay(client: Client, is_slow: bool) -> None:
        name = "slow_open" if is_slow else "idle_open"
        setattr(held, name, getattr(held, name) + 1)
        try:
            if not is_slow:
                while await client.receive():
                    pass
                return
            for byte in attacks.request("GET", "/api/v1/network" + "x" * 4_000):
                await client.send(bytes([byte]))
                await asyncio.sleep(SLOW_EVERY_S)
        finally:
            setattr(held, name, getattr(held, name) - 1)

    async with asyncio.TaskGroup() as group:
        for number in range(idle + slow):
            group.create_task(keep(number, number >= idle))
        while True:
            await asyncio.sleep(1)
            said(held)


def say_all(held: Held) -> None:
    print(json.dumps(vars(held) | {"open": held.open()}), flush=True)


async def hold_until_told(options: argparse.Namespace) -> None:
    addresses = attacks.draw_addresses(random.Random(options.seed), options.addresses)
    holding = asyncio.create_task(
        hold(place_of(options.door), options.idle, options.slow, addresses, say_all)
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, holding.cancel)
    with contextlib.suppress(asyncio.CancelledError, TimeoutError):
        async with asyncio.timeout(options.seconds):
            await holding


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", required=True, metavar="URL")
    parser.add_argument("--idle", type=int, default=10_000, help="default 10000")
    parser.add_argument("--slow", type=int, default=200, help="default 200")
    parser.add_argument("--addresses", type=int, default=200, help="default 200")
    parser.add_argument("--seconds", type=float, default=600, help="at most; default 600")
    parser.add_argument("--seed", type=int, default=7, help="of the addresses; default 7")
    options = parser.parse_args()
    limit_files(None)
    with stand_back():
        asyncio.run(hold_until_told(options))


if __name__ == "__main__":
    main()
