"""Clients of a door, well-behaved and other: sockets of addresses of one's own choice in 127.0.0.0/8."""

import asyncio
import contextlib
import os
import resource
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from . import attacks
from .attacks import Attack, Huge, Sample

# A door that takes longer to take a connection, or to answer what is malformed, counts as silent.
CONNECT_S_MAX = 5.0
ANSWER_S_MAX = 20.0
# Who is put out later than this was timed out; who is put out earlier had no place.
TIMED_OUT_AFTER_S = 4.0
# A byte of a slow client.
SLOW_EVERY_S = 1.0
# Between two connections of one attacker: a loop that is put out at once must not become a flood.
AGAIN_S = 0.5
HEAD_BYTES_MAX = 1 << 20
# Of who does not read: the kernel takes little for it.
DEAF_BUFFER = 4_096
# Before the end of the attack they read all the same, to see whether they were put out.
DRAIN_S = 3.0
# Its priority, as `nice` counts.
ATTACKER_NICE = 15
# Connections that are being made at once.
CONNECTING_MAX = 100

Place = tuple[str, int]


def place_of(url: str) -> Place:
    parts = urlsplit(url)
    return (parts.hostname or "127.0.0.1", parts.port or 80)


def limit_files(most: int | None) -> None:
    """So many open files for this process and what it starts from now on; None is as many as it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = hard if most is None or most > hard else most
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def stand_back() -> Iterator[None]:
    """Real attackers have machines of their own: ours leaves the processors to the network meanwhile."""
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, ATTACKER_NICE)
    try:
        yield
    finally:
        # Who is not root may not come back.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, usual)


@dataclass(frozen=True)
class Answer:
    """What a door said, as far as it matters here."""

    status: int
    # Its error is a problem that has the request's id.
    is_problem: bool
    body: bytes

    def name(self) -> str:
        return "answered" if self.status < 400 else str(self.status)


class Client:
    """One connection."""

    def __init__(self, address: str, door: Place) -> None:
        self.address, self.door = address, door
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.opened = time.monotonic()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        self.socket.close()

    async def connect(self, buffer: int | None = None) -> None:
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.bind((self.address, 0))
        async with asyncio.timeout(CONNECT_S_MAX):
            await asyncio.get_running_loop().sock_connect(self.socket, self.door)
        self.opened = time.monotonic()

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def receive(self) -> bytes:
        """What comes; nothing at the end."""
        return await asyncio.get_running_loop().sock_recv(self.socket, 65_536)

    async def read_answer(self) -> Answer | None:
        """The next answer with its whole body; None when the connection ends without one."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = await self.receive()
            if not piece or len(data) > HEAD_BYTES_MAX:
                return None
            data += piece
        head, body = data.split(b"\r\n\r\n", 1)
        status, headers = parse_head(head)
        length = headers.get("content-length")
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        while (length is not None and len(body) < int(length)) or (
            chunked and not body.endswith(b"0\r\n\r\n")
        ):
            piece = await self.receive()
            if not piece:
                break
            body += piece
        # Who has no place has made no request yet that could have an id.
        is_problem = headers.get("content-type", "").startswith("application/problem+json") and (
            "x-request-id" in headers or status in (429, 503)
        )
        return Answer(status, is_problem, body)

    def age(self) -> float:
        return time.monotonic() - self.opened


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status (0 of what is no HTTP) and headers, names in small letters."""
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    status = (
        int(parts[1])
        if len(parts) > 1 and parts[0].startswith("HTTP/") and parts[1].isdigit()
        else 0
    )
    pairs = (line.partition(":") for line in lines)
    return status, {name.strip().lower(): value.strip() for name, _, value in pairs}


def how_it_ended(kind: str, answer: Answer | None, age: float) -> str:
    """A name of what became of a connection: `answered`, a status, or why it is gone."""
    if answer and answer.status == 408:
        return "timed_out"
    if answer and answer.status in (429, 503) and kind in ("one_address", "idle"):
        return "refused"
    if answer:
        return answer.name()
    if kind in ("slow_heads", "slow_bodies", "idle", "deaf") and age > TIMED_OUT_AFTER_S:
        return "timed_out"
    return "refused" if kind in ("one_address", "idle") else "closed"


@dataclass
class Outcomes:
    """What became of attackers."""

    # By kind of attack: by name of outcome.
    ended: dict[str, Counter[str]] = field(default_factory=dict)
    # Errors that are no problem with an id, by `kind status`.
    plain: Counter[str] = field(default_factory=Counter)
    # What was malformed and was served, or brought a door to an error of its own.
    wrong: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str, outcome: str) -> None:
        self.ended.setdefault(kind, Counter())[outcome] += 1

    def note_answer(self, kind: str, answer: Answer, what: str) -> None:
        if answer.status >= 400 and not answer.is_problem:
            self.plain[f"{what} {answer.status}"] += 1
        if (
            kind in ("malformed", "huge")
            and answer.status
            and answer.status not in attacks.REFUSALS
        ):
            self.wrong[f"{what} {answer.status}"] += 1


class Crowd:
    """All clients of one attack."""

    def __init__(self, attack: Attack, door: Place, outcomes: Outcomes) -> None:
        self.attack, self.door, self.outcomes = attack, door, outcomes
        self.end = time.monotonic() + attack.seconds
        self.connecting = asyncio.Semaphore(CONNECTING_MAX)
        self.served = 0

    def is_over(self) -> bool:
        return time.monotonic() >= self.end

    async def run(self) -> None:
        """Until its time is over; whoever is still connected then was held."""
        client = getattr(self, self.attack.kind)
        tasks = [
            asyncio.create_task(self.again_and_again(number, client))
            for number in range(self.attack.clients)
        ]
        _, late = await asyncio.wait(tasks, timeout=self.attack.seconds + ANSWER_S_MAX)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def again_and_again(
        self, number: int, client: Callable[[Client, int, int], Awaitable[str]]
    ) -> None:
        """One attacker: a connection, and another when that is gone."""
        turn = 0
        while not self.is_over():
            address = self.attack.addresses[number % len(self.attack.addresses)]
            self.outcomes.note(self.attack.kind, await self.once(address, client, number, turn))
            turn += 1
            await asyncio.sleep(AGAIN_S)

    async def once(
        self,
        address: str,
        client: Callable[[Client, int, int], Awaitable[str]],
        number: int,
        turn: int,
    ) -> str:
        async with Client(address, self.door) as connection:
            try:
                async with self.connecting:
                    await connection.connect(DEAF_BUFFER if self.attack.kind == "deaf" else None)
            except (OSError, TimeoutError):
                return "no_connection"
            try:
                # What holds longer than the attack lasts was held.
                async with asyncio.timeout(self.patience()):
                    return await client(connection, number, turn)
            except TimeoutError:
                return "held" if self.attack.kind not in ("malformed", "flood") else "unanswered"
            except OSError:
                return how_it_ended(self.attack.kind, None, connection.age())

    def patience(self) -> float:
        if self.attack.kind in ("malformed", "flood"):
            return ANSWER_S_MAX
        return max(0.1, self.end - time.monotonic())

    async def ended(self, connection: Client, what: str) -> str:
        """Waits for the other side's last word."""
        answer = await connection.read_answer()
        if answer:
            self.outcomes.note_answer(self.attack.kind, answer, what)
        return how_it_ended(self.attack.kind, answer, connection.age())

    # --- what clients do; each gives how it ended ---

    async def drip(self, connection: Client, begin: bytes, rest: bytes) -> str:
        """Sends a byte now and then, until the other side has enough."""
        await connection.send(begin)
        answer = asyncio.create_task(self.ended(connection, self.attack.kind))
        try:
            for byte in rest:
                await asyncio.wait([answer], timeout=SLOW_EVERY_S)
                if answer.done():
                    break
                with contextlib.suppress(OSError):
                    await connection.send(bytes([byte]))
            return await answer
        finally:
            answer.cancel()

    async def slow_heads(self, connection: Client, number: int, turn: int) -> str:
        return await self.drip(connection, *attacks.slow_head(self.attack.client_random(number)))

    async def slow_bodies(self, connection: Client, number: int, turn: int) -> str:
        return await self.drip(connection, *attacks.slow_body(self.attack.client_random(number)))

    async def idle(self, connection: Client, number: int, turn: int) -> str:
        """Every other one asks once before it says nothing more, as browsers and pools do."""
        if number % 2:
            await connection.send(attacks.FLOOD[0])
            answer = await connection.read_answer()
            if not answer or answer.status != 200:
                return how_it_ended("idle", answer, connection.age())
        return await self.ended(connection, "idle")

    async def one_address(self, connection: Client, number: int, turn: int) -> str:
        return await self.idle(connection, number, turn)

    async def huge(self, connection: Client, number: int, turn: int) -> str:
        what: Huge = self.attack.client_random(number * 1_000 + turn).choice(attacks.HUGE)
        answer = asyncio.create_task(self.ended(connection, f"huge {what.name}"))
        try:
            with contextlib.suppress(OSError):
                await connection.send(what.begin)
                for _ in range(what.times):
                    if answer.done():
                        break
                    await connection.send(what.piece)
            return await answer
        finally:
            answer.cancel()

    async def malformed(self, connection: Client, number: int, turn: int) -> str:
        what: Sample = attacks.MALFORMED[
            (number + turn * self.attack.clients) % len(attacks.MALFORMED)
        ]
        await connection.send(what.data)
        if what.ends:
            connection.socket.shutdown(socket.SHUT_WR)
        return await self.ended(connection, what.name)

    async def flood(self, connection: Client, number: int, turn: int) -> str:
        """Asks again as soon as it is answered, within the rate of all together."""
        draw = self.attack.client_random(number * 1_000 + turn)
        pause = self.attack.clients / draw.randint(*attacks.FLOOD_RATE)
        last: Answer | None = None
        while not self.is_over():
            await connection.send(draw.choice(attacks.FLOOD))
            last = await connection.read_answer()
            if not last:
                return "closed"
            self.outcomes.note_answer("flood", last, "flood")
            self.outcomes.note("flood", last.name())
            self.served += 1
            await asyncio.sleep(pause)
        return "held"

    async def deaf(self, connection: Client, number: int, turn: int) -> str:
        """Asks for what does not end, or for much, and reads none of it."""
        if number % 2 and self.attack.door == "gateway":
            await connection.send(attacks.EVENTS)
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TIMED_OUT_AFTER_S):
                    for _ in range(attacks.PIPELINED_TIMES):
                        await connection.send(attacks.PIPELINED)
        # An end waits behind what is not read: so it is looked for at last, by reading.
        await asyncio.sleep(max(0.0, self.end - DRAIN_S - time.monotonic()))
        while await connection.receive():
            pass
        return "timed_out"


async def fresh(address: str, door: Place, path: str, seconds: float) -> float | None:
    """How long somebody new waits for an answer of 2xx, or 503 of who is not ready; None beyond `seconds`."""
    started = time.monotonic()
    try:
        async with asyncio.timeout(seconds), Client(address, door) as client:
            await client.connect()
            await client.send(attacks.request("GET", path, [("Connection", "close")]))
            answer = await client.read_answer()
    except (OSError, TimeoutError):
        return None
    if not answer or (answer.status >= 300 and answer.status != 503):
        return None
    return time.monotonic() - started
