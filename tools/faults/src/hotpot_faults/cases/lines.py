"""A line for each thing that a case asks for."""

from collections.abc import Callable
from pathlib import Path

from ..asking import Broken, wait_for


class Lines:
    """`R01 what: ok|WRONG|no fault (found)`."""

    def __init__(self, case: str) -> None:
        self.case = case

    def add(self, what: str, is_right: object, found: object = "") -> bool:
        self.say(what, "ok" if is_right else "WRONG", found)
        return bool(is_right)

    def say(self, what: str, verdict: str, found: object = "") -> None:
        behind = f" ({found})" if found != "" else ""
        print(f"{self.case} {what}: {verdict}{behind}", flush=True)

    def wait(self, what: str, seconds: float, found: Callable[[], object]) -> bool:
        """Right once `found` gives something, which has to come within so many seconds."""
        try:
            value = wait_for(what, found, seconds, poll_s=0.5)
        except Broken as broken:
            return self.add(what, False, broken)
        return self.add(what, True, "" if value is True else value)


def count_words(folder: Path, names: str, words: tuple[str, ...]) -> int:
    """Lines of logs in which one of these words stands."""
    return sum(
        any(word in line for word in words)
        for log in sorted(folder.glob(f"logs/{names}.log"))
        for line in log.read_text(errors="replace").splitlines()
    )
