"""Keccak-256, for ../../../shared/cases/tools/rpcproxy.py: what that takes from the package of this name, and no more."""

ROUNDS, LANES, RATE = 24, 25, 136
MASK = (1 << 64) - 1


def constants() -> tuple[list[int], list[int], list[int]]:
    """Of iota, rho and pi, as FIPS 202 makes them."""
    iota, register = [], 1
    for _ in range(ROUNDS):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        iota.append(constant)
    rho, pi, (x, y) = [0] * LANES, [0] * LANES, (1, 0)
    for step in range(ROUNDS):
        rho[x + 5 * y] = (step + 1) * (step + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    for x in range(5):
        for y in range(5):
            pi[y + 5 * ((2 * x + 3 * y) % 5)] = x + 5 * y
    return iota, rho, pi


IOTA, RHO, PI = constants()


def rotate(lane: int, by: int) -> int:
    return (lane << by | lane >> (64 - by)) & MASK


def permute(lanes: list[int]) -> list[int]:
    for constant in IOTA:
        columns = [
            lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]
            for x in range(5)
        ]
        mixed = [columns[(x + 4) % 5] ^ rotate(columns[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ mixed[place % 5] for place, lane in enumerate(lanes)]
        moved = [rotate(lanes[PI[place]], RHO[PI[place]]) for place in range(LANES)]
        lanes = [
            lane
            ^ (
                ~moved[place // 5 * 5 + (place + 1) % 5]
                & MASK
                & moved[place // 5 * 5 + (place + 2) % 5]
            )
            for place, lane in enumerate(moved)
        ]
        lanes[0] ^= constant
    return lanes


def keccak(data: bytes) -> bytes:
    """The hash that the EVM uses: the padding is that from before the standard."""
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % RATE))
    padded[-1] |= 0x80
    lanes = [0] * LANES
    for start in range(0, len(padded), RATE):
        for place in range(RATE // 8):
            at = start + 8 * place
            lanes[place] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])
