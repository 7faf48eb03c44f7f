"""What is done to doors: drawn from a seed, with the bytes that are sent. Nothing here touches a socket."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from .schedule import Rounds

# Connections, addresses that they come from, seconds: the least and the most of each.
Range = tuple[int, int]


@dataclass(frozen=True)
class Kind:
    """How many of such clients there are at a time, and for how long."""

    clients: Range
    addresses: Range
    seconds: Range


# A head may take ten seconds, a body thirty, a reader that does not read twenty: an attack that is to be timed out
# lasts longer than that.
KINDS = {
    "slow_heads": Kind((40, 200), (10, 60), (13, 16)),
    "slow_bodies": Kind((20, 100), (10, 60), (33, 36)),
    "idle": Kind((1_000, 3_000), (60, 200), (12, 20)),
    "huge": Kind((8, 24), (2, 8), (6, 10)),
    "malformed": Kind((4, 12), (2, 8), (5, 8)),
    "flood": Kind((20, 60), (4, 20), (5, 10)),
    "one_address": Kind((1_500, 2_500), (1, 1), (5, 8)),
    "deaf": Kind((40, 120), (10, 40), (23, 26)),
}
# Only the public one has a limit for each address, where all else comes from one.
ONLY_AT = {"one_address": "gateway"}
# The doors, so that a short run sees each: half of what comes, comes to the public one.
DOORS = ["gateway", "gateway", "gateway", "node", "relayer", "indexer"]
# A flood is bounded, since it comes from the machine that it is to keep busy: requests a second, all clients together.
FLOOD_RATE = (100, 300)

# Every answer of 4xx is right, also that there is no such version, method or coding; so is an end without a word.
REFUSALS = frozenset({*range(400, 500), 501, 503, 505})


@dataclass(frozen=True)
class Attack:
    """One attack, as it was drawn."""

    number: int
    kind: str
    door: str
    clients: int
    addresses: tuple[str, ...]
    seconds: int
    # What such clients draw from, each with its own number.
    seed: str

    def client_random(self, client: int) -> random.Random:
        return random.Random(f"{self.seed}/{client}")


class Drawing:
    """Attacks one after the other. Each has a source of its own: what an earlier one came to changes nothing."""

    def __init__(self, seed: int, nodes: int, scale: float = 1.0) -> None:
        self.seed, self.nodes, self.scale = seed, nodes, scale
        self.kinds = Rounds(list(KINDS), random.Random(f"{seed}/kinds"))
        self.doors = Rounds(DOORS, random.Random(f"{seed}/doors"))
        self.drawn = 0

    def next(self) -> Attack:
        number, self.drawn = self.drawn, self.drawn + 1
        draw = random.Random(f"{self.seed}/{number}")
        name = str(self.kinds.next())
        door = ONLY_AT.get(name) or str(self.doors.next())
        kind = KINDS[name]
        node = draw.randrange(self.nodes)
        clients = max(1, round(draw.randint(*kind.clients) * self.scale))
        return Attack(
            number=number,
            kind=name,
            door=f"node-{node}" if door == "node" else door,
            clients=clients,
            addresses=draw_addresses(draw, draw.randint(*kind.addresses)),
            seconds=draw.randint(*kind.seconds),
            seed=f"{self.seed}/{number}",
        )


def draw_addresses(draw: random.Random, count: int) -> tuple[str, ...]:
    """Addresses of 127.0.0.0/8 other than those that the network itself comes from (127.0.0.1)."""
    numbers = draw.sample(range(0x7F01_0000, 0x7FFF_0000), count)
    return tuple(
        ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0)) for number in numbers
    )


@dataclass(frozen=True)
class Sample:
    """Bytes that no server may take for a request that it serves."""

    name: str
    data: bytes
    # After it the client says that nothing more will come.
    ends: bool = False


def request(
    method: str, path: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b""
) -> bytes:
    """A request as it should be."""
    lines = [f"{method} {path} HTTP/1.1", "Host: hotpot.example"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


JSON = ("Content-Type", "application/json")
POST = b"POST /api/v1/sales HTTP/1.1\r\nHost: hotpot.example\r\nContent-Type: application/json\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: hotpot.example\r\n"

# What must be refused at every door: by 4xx, or by an end without a word.
MALFORMED = (
    Sample("no_method", b" /healthz HTTP/1.1\r\nHost: h\r\n\r\n"),
    Sample("bad_method", b"G(T /healthz HTTP/1.1\r\nHost: h\r\n\r\n"),
    Sample("unknown_method", b"BREW /healthz HTTP/1.1\r\nHost: h\r\n\r\n"),
    Sample("long_method", b"A" * 5_000 + b" /healthz HTTP/1.1\r\nHost: h\r\n\r\n"),
    Sample("no_version", b"GET /healthz\r\n\r\n", ends=True),
    Sample("version_9", b"GET /healthz HTTP/9.9\r\nHost: h\r\n\r\n"),
    Sample("two_spaces", b"GET  /healthz  HTTP/1.1\r\nHost: h\r\n\r\n"),
    Sample("nul_in_path", b"GET /api/v1/sales/1/\0 HTTP/1.1\r\nHost: h\r\n\r\n"),
    Sample("not_utf8_path", b"GET /api/v1/sales/1/\xff\xfe HTTP/1.1\r\nHost: h\r\n\r\n"),
    Sample("escaped_not_utf8_path", b"GET /api/v1/sales/1/%ff%fe HTTP/1.1\r\nHost: h\r\n\r\n"),
    Sample("not_utf8_query", b"GET /api/v1/sales?cursor=%ff HTTP/1.1\r\nHost: h\r\n\r\n"),
    Sample("half_escape", b"GET /api/v1/sales/1/%2 HTTP/1.1\r\nHost: h\r\n\r\n"),
    Sample("space_in_name", GET + b"X Y: 1\r\n\r\n"),
    Sample("nul_in_value", GET + b"X: a\0b\r\n\r\n"),
    Sample("no_colon", GET + b"nonsense\r\n\r\n"),
    Sample("folded_line", GET + b" folded: 1\r\n\r\n"),
    Sample("two_lengths", POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"),
    Sample(
        "length_and_chunked",
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    Sample("negative_length", POST + b"Content-Length: -1\r\n\r\n{}"),
    Sample("signed_length", POST + b"Content-Length: +2\r\n\r\n{}"),
    Sample("length_no_number", POST + b"Content-Length: 0x2\r\n\r\n{}"),
    Sample("length_beyond_64_bits", POST + b"Content-Length: 18446744073709551616\r\n\r\n{}"),
    Sample("chunked_not_last", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    Sample("unknown_coding", POST + b"Transfer-Encoding: cow\r\n\r\n0\r\n\r\n"),
    Sample("bad_chunk_size", POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n"),
    Sample(
        "chunk_beyond_64_bits", POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}"
    ),
    Sample(
        "chunk_without_end", POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{XX1\r\n}\r\n0\r\n\r\n"
    ),
    Sample("no_json", POST + b"Content-Length: 4\r\n\r\n\xff\xfe{}"),
    Sample("deep_json", POST + b"Content-Length: 10000\r\n\r\n" + b"[" * 10_000),
    Sample("ends_in_the_body", POST + b"Content-Length: 100\r\n\r\n{", ends=True),
    Sample("ends_in_the_head", b"GET /healthz HT", ends=True),
    Sample("tls", bytes.fromhex("160301") + b"\0" * 200),
    Sample("http2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 64),
    Sample("binary", bytes(range(256)) * 4),
)


@dataclass(frozen=True)
class Huge:
    """More than a door takes: a beginning, then a piece as often as it is taken."""

    name: str
    begin: bytes
    piece: bytes
    times: int


MIB = 1 << 20
HUGE = (
    Huge("head", GET + b"X: ", b"a" * 16_384, 256),
    Huge("many_headers", GET, b"X-1: 1\r\n" * 1_000, 100),
    Huge("path", b"GET /", b"a" * 16_384, 256),
    Huge("body", POST + b"Content-Length: 1073741824\r\n\r\n", b" " * 65_536, 1_024),
    Huge(
        "chunks",
        POST + b"Transfer-Encoding: chunked\r\n\r\n",
        b"10000\r\n" + b" " * 65_536 + b"\r\n",
        1_024,
    ),
    Huge(
        "small_chunks", POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 4_096, 1_024
    ),
    Huge("chunk_extension", POST + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a" * 16_384, 1_024),
)

# What a flood asks for. All doors have the first two.
FLOOD = (
    request("GET", "/healthz"),
    request("GET", "/readyz"),
    request("GET", "/api/v1/supply"),
    request("GET", "/api/v1/sales?limit=1"),
    request("GET", "/nothing/here"),
    request("POST", "/api/v1/sales", [JSON], b"{}"),
    request("POST", "/api/v1/sales/batch", [JSON], b"[]"),
)
EVENTS = request("GET", "/api/v1/events", [("Accept", "text/event-stream")])
# So many of them at once, whose answers nobody reads.
PIPELINED = (
    request("GET", "/api/v1/outlets")
    + request("GET", "/api/openapi.json")
    + request("GET", "/metrics")
)
PIPELINED_TIMES = 200


def slow_head(draw: random.Random) -> tuple[bytes, bytes]:
    """The beginning of a request, and its rest, which comes byte by byte."""
    whole = request("GET", f"/api/v1/sales?limit={draw.randint(1, 100)}", [("X-Slow", "a" * 2_000)])
    cut = draw.randint(0, 120)
    return whole[:cut], whole[cut:]


def slow_body(draw: random.Random) -> tuple[bytes, bytes]:
    """A whole head with the beginning of a long body, and the rest of that."""
    begin = POST + b"Content-Length: 100000\r\n\r\n{" + b" " * draw.randint(0, 200)
    return begin, b" " * 2_000
