"""Damages files of a stopped validator."""


def flip(path, source, count=1, start=0, end=None):
    """Flips a bit in each of `count` bytes; gives where."""
    size = min(end or path.stat().st_size, path.stat().st_size)
    places = sorted(source.sample(range(start, size), min(count, max(0, size - start))))
    with open(path, "r+b") as file:
        for place in places:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ (1 << source.randrange(8))]))
    return places


def truncate(path, source):
    """Cuts a file anywhere; gives the new length."""
    length = source.randrange(path.stat().st_size)
    with open(path, "r+b") as file:
        file.truncate(length)
    return length


def damage(path, source):
    """One of both; says what was done."""
    if source.random() < 0.3:
        return f"cut to {truncate(path, source)} bytes"
    places = flip(path, source, source.choice([1, 1, 4, 64]))
    return (
        f"{len(places)} bytes flipped, the first at {places[0]}"
        if places
        else "nothing, for it is empty"
    )
