"""Breaks four validators, alone, on a seeded schedule; nothing acknowledged may be lost, nothing signed twice."""

import errno
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from . import damage
from .asking import Broken, ask, ask_all, check_conservation, say, wait_for
from .blocks import Blocks, verify
from .disks import NO_SPACE, open_disks
from .evidence import SLOT_BYTES, Guards, reported
from .load import Load
from .logs import FOLLOWED, FOLLOWS, GUARD_DAMAGED, GUARD_IN_USE, SITS_OUT, has_jumped, last_error
from .machine import free_port
from .schedule import RECOVERY_S_MAX, Length, Schedule, judge, recovery_figures
from .validators import Validators
from .wires import NoWires, open_wires

VALIDATORS = 4
# One round of faults has each of these; what this machine does not allow is left out, and said.
ANYWHERE = [
    *[
        "kill_one",
        "kill_one",
        "kill_two",
        "kill_some",
        "kill_all",
        "freeze",
        "freeze_two",
        "twin",
        "twin_elsewhere",
    ],
    *["old_store", "damaged_store", "damaged_store", "damaged_log", "damaged_guard", "lost_guard"],
]
WITH_WIRES = ["partition", "partition", "halves", "one_way", "bad_network"]
WITH_DISKS = ["disk_full", "power_cut", "power_cut_all"]
WITH_STRACE = ["disk_error", "slow_disk"]
WITH_FAKETIME = ["clock"]
KINDS = sorted({*ANYWHERE, *WITH_WIRES, *WITH_DISKS, *WITH_STRACE, *WITH_FAKETIME})

DOWN_S = (0.0, 2.0)
HOLD_S = (2.0, 4.0)
# Blocks between the copy of a folder and its restoring.
OLD_BLOCKS = 12
# Seconds that a clock may be wrong by. A sale may be 72 h old and 10 s ahead, so no honest one is refused for these.
CLOCKS_S = [3_600, 86_400, 200_000, -3_600, -864_000]
UNNOTICED_S_MAX = 5
# How long a damaged node may take to refuse, or to come back.
VERDICT_S = 15
# How long a disk may fail until somebody writes to it often enough.
STRIKE_S_MAX = 30
LAST_BLOCKS = 20
RANDOM_BLOCKS = 30
ERRORS = ["EIO", "ENOSPC"]
SYNCS = "fsync,fdatasync"
WRITES = f"write,pwrite64,{SYNCS}"
FAKETIME = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
]


def faketime():
    return next((path for path in FAKETIME if Path(path).exists()), None)


def has_quorum(away):
    return 3 * (VALIDATORS - len(away)) > 2 * VALIDATORS


class Chaos(Schedule):
    """What is done to validators."""

    PAUSE_S = (0.2, 1.0)

    def __init__(self, chain, guards, kinds, folder, seed):
        super().__init__(chain, kinds, seed)
        self.chain, self.guards, self.folder = chain, guards, folder
        # What became of damaged files.
        self.damaged = {"harmless": 0, "refused": 0, "repaired": 0}
        # Heights between which a second process had a validator's key and a guard of its own.
        self.twins = []

    def check(self):
        self.guards.damaged.clear()
        check_conservation(self.chain.ask("/api/v1/supply"))

    def some(self, count):
        return sorted(
            self.random.sample(self.chain.all, count), key=lambda validator: validator.number
        )

    def one(self):
        return self.some(1)[0]

    def hold(self, away=()):
        """The fault lasts: with more than two thirds the chain must go on, without it must stand still."""
        seconds = self.random.uniform(*HOLD_S)
        if has_quorum(away):
            time.sleep(seconds)
            self.chain.expect_progress(RECOVERY_S_MAX)
        else:
            self.chain.expect_standstill(seconds)

    # Processes

    def kill(self, victims):
        say(f"kill -9 of {names(victims)}")
        for validator in victims:
            validator.kill()
        time.sleep(self.random.uniform(*DOWN_S))
        for validator in victims:
            validator.start()
        return len(victims) == VALIDATORS

    def kill_one(self):
        return self.kill(self.some(1))

    def kill_two(self):
        victims = self.some(2)
        say(f"{names(victims)} down")
        for validator in victims:
            validator.kill()
        self.hold(victims)
        for validator in victims:
            validator.start()

    def kill_some(self):
        return self.kill(self.some(self.random.randint(1, VALIDATORS)))

    def kill_all(self):
        return self.kill(self.chain.all)

    def stand_still(self, victims):
        say(f"{names(victims)} stand still")
        for validator in victims:
            validator.freeze()
        try:
            self.hold(victims)
        finally:
            for validator in victims:
                validator.thaw()

    def freeze(self):
        self.stand_still(self.some(1))

    def freeze_two(self):
        self.stand_still(self.some(2))

    # Network

    def cut(self, pairs, away):
        """With a quorum left, who is away must fall behind: else nothing was cut."""
        self.chain.wires.rules(cut=pairs)
        try:
            self.hold(away)
            heights = [self.chain.height_of(validator) for validator in away]
            if has_quorum(away) and max(heights) >= self.chain.height():
                raise Broken(f"{names(away)} have all blocks: this partition was none")
        finally:
            self.chain.wires.rules()

    def split(self, side):
        """Nothing passes between these and the others."""
        others = [validator for validator in self.chain.all if validator not in side]
        say(f"partition: {names(side)} | {names(others)}")
        pairs = [pair for one in side for other in others for pair in both_ways(one, other)]
        self.cut(pairs, min(side, others, key=len))

    def partition(self):
        self.split(self.some(1))

    def halves(self):
        self.split(self.some(2))

    def one_way(self):
        """What one sends does not arrive; what it is sent does."""
        victim = self.one()
        say(f"nothing that {victim.name} sends arrives")
        self.cut([[victim.number, other.number] for other in self.chain.others(victim)], [victim])

    def bad_network(self):
        least, loss = self.random.uniform(5, 60), self.random.uniform(0.01, 0.1)
        say(f"each packet takes {least:.0f} to {3 * least:.0f} ms, and {100 * loss:.0f} % are lost")
        self.chain.wires.rules(delay_ms=[least, 3 * least], loss=loss)
        try:
            time.sleep(self.random.uniform(*HOLD_S))
            self.chain.expect_progress(3 * RECOVERY_S_MAX)
        finally:
            self.chain.wires.rules()

    # Disks

    def disk_full(self):
        victim = self.one()
        say(f"the disk of {victim.name} is full")
        since = victim.log_length()
        victim.disk.fill()
        try:
            self.hold([victim])
            self.expect_complaint(lambda: NO_SPACE in victim.logged(since), UNNOTICED_S_MAX)
        finally:
            victim.disk.free()

    def lose_power(self, victims):
        say(f"power cut at {names(victims)}")
        for validator in victims:
            validator.wanted = False
            validator.disk.cut_power()
        for validator in victims:
            validator.kill()
            validator.disk.restore_power()
        for validator in victims:
            validator.start()
        return len(victims) == VALIDATORS

    def power_cut(self):
        return self.lose_power(self.some(self.random.randint(1, VALIDATORS - 1)))

    def power_cut_all(self):
        return self.lose_power(self.chain.all)

    def inject(self, victim, syscalls, what, *more, until=lambda: True):
        """strace between a running process and its kernel, for a while, and until it has struck."""
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(victim.process.pid), *more]
        command += ["-e", f"trace={syscalls}", "-e", f"inject={syscalls}:{what}"]
        strace = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_for("strace at work", lambda: is_traced(victim), VERDICT_S)
            self.hold([victim])
            wait_for(f"sign of {what} in the log of {victim.name}", until, STRIKE_S_MAX)
        finally:
            strace.terminate()
            strace.wait()

    def disk_error(self):
        victim, error, first = self.one(), self.random.choice(ERRORS), self.random.randint(1, 6)
        path = self.random.choice(
            [victim.data / "store.redb", victim.data / "consensus.wal", victim.guard]
        )
        say(f"{victim.name}: writing {path.name} fails with {error} from the {first}. time on")
        since = victim.log_length()
        words = os.strerror(getattr(errno, error))
        fails = f"error={error}:when={first}+"
        # Who fell behind follows by sync, and writes to its guard only when it votes again.
        self.inject(victim, WRITES, fails, "-P", path, until=lambda: words in victim.logged(since))

    def slow_disk(self):
        victim, milliseconds = self.one(), self.random.randint(50, 500)
        say(f"the disk of {victim.name} takes {milliseconds} ms to sync")
        self.inject(victim, SYNCS, f"delay_enter={1000 * milliseconds}")

    # Clocks

    def clock(self):
        """Starts with the right time, then jumps."""
        victim, seconds = self.one(), self.random.choice(CLOCKS_S)
        say(f"the clock of {victim.name} jumps by {seconds} s")
        setting = self.folder / "clock"
        setting.write_text("+0\n")
        victim.kill()
        victim.environment = {
            "LD_PRELOAD": faketime(),
            "FAKETIME_TIMESTAMP_FILE": str(setting),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        victim.start()
        wait_for(f"{victim.name} with a clock that can jump", self.chain.all_ready)
        setting.write_text(f"{seconds:+}\n")
        since = victim.log_length()
        self.hold([victim])
        # Rounds fail then: its proposals are of another time than everybody's, or everybody's than its own.
        wait_for("jump of the clock", lambda: has_jumped(victim.logged(since), seconds), VERDICT_S)
        victim.kill()
        victim.environment = {}
        victim.start()

    # A second process with the same key

    def second_process(self, victim, guard):
        """The same validator from a copy of its folder; gives process and log."""
        copy = self.folder / "twin"
        shutil.rmtree(copy, ignore_errors=True)
        victim.kill()
        shutil.copytree(victim.data, copy)
        shutil.copy(victim.guard, copy / "guard")
        victim.start()
        wait_for("votes of all validators", self.chain.all_ready)
        config, log = self.folder / "twin.toml", self.folder / "twin.log"
        log.unlink(missing_ok=True)
        ports = {"http": free_port(), "p2p": free_port()}
        self.chain.write_config(victim, config, data=copy, guard=guard or copy / "guard", **ports)
        return victim.run(config, log, {}), log

    def twin(self):
        """With the same guard: the second one must not run."""
        victim = self.one()
        say(f"a second process of {victim.name} on the same machine")
        second, log = self.second_process(victim, victim.guard)
        try:
            wait_for("end of the second process", lambda: second.poll() is not None, VERDICT_S)
        finally:
            second.kill()
            second.wait()
        if GUARD_IN_USE not in log.read_text():
            raise Broken(
                f"the second process ended for another reason: {last_error(log.read_text())}"
            )

    def twin_elsewhere(self):
        """With a guard of its own, as on another machine: nobody can hinder it, so the others must bear it."""
        victim, before = self.one(), self.chain.height()
        say(f"a second process with the key of {victim.name} on another machine")
        second, _ = self.second_process(victim, None)
        try:
            self.hold([victim])
        finally:
            second.kill()
            second.wait()
        self.twins.append((victim.address, before, self.chain.height() + LAST_BLOCKS))

    # Old and damaged files

    def old_store(self):
        """The data folder comes back from an older copy; the guard does not."""
        victim, copy = self.one(), self.folder / "old"
        say(f"{victim.name} gets an older copy of its data")
        shutil.rmtree(copy, ignore_errors=True)
        victim.kill()
        shutil.copytree(victim.data, copy)
        victim.start()
        wait_for("votes of all validators", self.chain.all_ready)
        copied = self.chain.height()
        wait_for(
            "blocks that the copy lacks", lambda: self.chain.height_of(victim) > copied + OLD_BLOCKS
        )
        victim.kill()
        victim.forget_data()
        shutil.copytree(copy, victim.data)
        # As any careful operator: a power cut must not take the restored files away again.
        subprocess.run(["sync", "--file-system", victim.data], check=True)
        since = victim.log_length()
        victim.start()
        wait_for("following", lambda: FOLLOWS in victim.logged(since), VERDICT_S)

    def verdict(self, victim):
        """Starts a damaged validator: `refused` when it ends or comes to nothing, else `started`."""
        victim.start_unsupervised()
        deadline = time.monotonic() + VERDICT_S
        while time.monotonic() < deadline:
            status = ask(victim.url + "/readyz")
            if not victim.is_running():
                # Following up to a height ends with a start anew: that is no refusal.
                if FOLLOWED not in victim.logged()[-2000:]:
                    return "refused"
                victim.start_unsupervised()
            elif (
                status
                and status["ready"]
                and status["validator"]
                and self.chain.height() - status["height"] <= 2
            ):
                return "started"
            time.sleep(0.1)
        return "refused"

    def examine(self, victim, remedy):
        """A damaged validator either gives right answers or none; then the remedy of docs/OPERATING.md."""
        since = victim.log_length()
        verdict = self.verdict(victim)
        if verdict == "refused":
            say(f"    refused: {last_error(victim.logged(since))}")
            victim.kill()
            remedy()
        # From here on whoever ends to start anew, as one does that followed up to a height, is started.
        victim.wanted = True
        if not victim.is_running():
            victim.start()
        if verdict == "started":
            self.compare_answers(victim)
            followed = FOLLOWS in victim.logged(since)
            verdict = "repaired" if followed else "harmless"
        self.damaged[verdict] += 1

    def compare_answers(self, victim):
        """What it serves must be what a healthy one serves."""
        other = self.random.choice(self.chain.others(victim))
        pair = (victim, other)
        wait_for("answer of both", lambda: all(map(self.chain.height_of, pair)), RECOVERY_S_MAX)
        last = min(self.chain.height_of(one) or 1 for one in pair)
        heights = set(range(max(1, last - LAST_BLOCKS), last + 1))
        heights |= {self.random.randint(1, last) for _ in range(RANDOM_BLOCKS)}
        for height in sorted(heights):
            path = f"/api/v1/blocks/{height}"
            found, expected = ask_all([victim.url, other.url], path)
            # No answer is a refusal.
            if found and expected and found["raw"] != expected["raw"]:
                raise Broken(f"{victim.name} serves another block {height} than {other.name}")
        self.compare_state(victim, other)

    def compare_state(self, victim, other):
        def same():
            supplies = ask_all([victim.url, other.url], "/api/v1/supply")
            if None in supplies or supplies[0]["height"] != supplies[1]["height"]:
                return False
            if supplies[0] != supplies[1]:
                raise Broken(f"{victim.name} has another state than {other.name}: {supplies}")
            return True

        wait_for(f"a height that {victim.name} and {other.name} share", same, RECOVERY_S_MAX)

    def damaged_store(self):
        victim = self.one()
        victim.kill()
        done = damage.damage(victim.data / "store.redb", self.random)
        say(f"the store of {victim.name}: {done}")
        self.examine(victim, victim.forget_data)

    def damaged_log(self):
        victim = self.one()
        victim.kill()
        log = victim.data / "consensus.wal"
        say(f"the consensus log of {victim.name}: {damage.damage(log, self.random)}")
        self.examine(victim, lambda: log.unlink(missing_ok=True))

    def damaged_guard(self):
        victim = self.one()
        victim.kill()
        self.guards.look()
        self.guards.damaged.add(victim.name)
        both = self.random.random() < 0.5
        slots = [0, 1] if both else [self.random.randrange(2)]
        for slot in slots:
            start = slot * SLOT_BYTES
            damage.flip(victim.guard, self.random, 4, start, start + 80)
        say(f"the guard of {victim.name}: {'both slots' if both else 'one slot'} damaged")
        since = victim.log_length()
        self.examine(victim, victim.guard.unlink)
        if both and GUARD_DAMAGED not in victim.logged(since):
            raise Broken(f"{victim.name} started with a guard that nobody can read")

    def lost_guard(self):
        victim = self.one()
        victim.kill()
        self.guards.look()
        say(f"the guard of {victim.name} is lost")
        victim.guard.unlink()
        since = victim.log_length()
        self.examine(victim, lambda: None)
        if SITS_OUT not in victim.logged(since):
            raise Broken(f"{victim.name} signs at once without knowing what it signed before")


def names(validators):
    return ", ".join(validator.name for validator in validators)


def both_ways(one, other):
    return [[one.number, other.number], [other.number, one.number]]


def is_traced(validator):
    """Also when it has ended of it already."""
    try:
        return "TracerPid:\t0\n" not in Path(f"/proc/{validator.process.pid}/status").read_text()
    except OSError:
        return True


def kinds(wires, disks):
    """What can be done to this machine."""
    able = list(ANYWHERE)
    able += [] if isinstance(wires, NoWires) else WITH_WIRES
    able += WITH_DISKS if disks[0] else []
    for tool, found, more in (
        ("strace", shutil.which("strace") and os.geteuid() == 0, WITH_STRACE),
        ("libfaketime", faketime(), WITH_FAKETIME),
    ):
        if found:
            able += more
        else:
            say(f"SKIPPED: {', '.join(more)}; they need {tool}")
    return able


def chain(options):
    """The whole run; gives the summary."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="hotpot-chaos-"))
    network = folder / "net"
    network.mkdir(mode=0o700)
    say(f"seed {options.seed}, data folder {network}")
    disks = open_disks(
        [network / f"validator-{number}" for number in range(VALIDATORS)], folder / "images"
    )
    wires, validators, load, guards = None, None, None, None
    summary: dict[str, Any] = {"ok": False}
    try:
        wires = open_wires(VALIDATORS)
        validators = Validators(
            options.hotpot, network, VALIDATORS, wires, disks, ["--epoch-blocks", "16"]
        )
        validators.start()
        load = Load(
            options.load, validators.file, options.rate, options.seed, folder / "acknowledged.jsonl"
        )
        load.wait_until_it_runs()
        guards = Guards(validators.all)
        guards.thread.start()
        chaos = Chaos(validators, guards, options.only or kinds(wires, disks), folder, options.seed)
        length = Length(options)
        while not length.is_over(len(chaos.recoveries_s)):
            chaos.step()
        say(
            "no more faults: the load ends, every validator is asked for every sale and every block"
        )
        sent = load.stop()
        verified = verify(options.hotpot, validators.urls())
        summary = look_once_more(chaos, sent, load.check(), verified)
        summary |= {"seed": options.seed, "minutes": round((time.monotonic() - started) / 60, 1)}
    except Broken as broken:
        doubled = sorted(guards.doubled) if guards else []
        summary = {
            "ok": False,
            "wrong": [str(broken)],
            "double_signatures": doubled,
            "seed": options.seed,
        }
    finally:
        close(load, guards, validators, wires)
        leave(disks, folder, keep=not summary["ok"])
    return summary


def close(load, guards, validators, wires):
    if load:
        load.kill()
    if guards:
        guards.stop()
    if validators:
        validators.stop()
    if wires:
        wires.close()


def leave(disks, folder, keep):
    """With `keep`, what was on the disks stays behind in the folder."""
    for disk in filter(None, disks):
        if keep:
            shutil.copytree(disk.folder, disk.folder.with_suffix(".kept"))
        disk.close()
    subprocess.run(["umount", "--lazy", folder / "images"], check=False, stderr=subprocess.DEVNULL)
    if keep:
        say(f"kept for a look: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def look_once_more(chaos, sent, checked, verified):
    """Guards, blocks and logs of all, when the load has ended; then the verdict."""
    chaos.guards.stop()
    blocks = Blocks(chaos.chain.all).compare()
    evidence = reported(validator.logged() for validator in chaos.chain.all)
    return verdict(chaos, sent, checked, verified, blocks, evidence)


def verdict(chaos, sent, checked, verified, blocks, evidence):
    """The figures, and whether they are what they must be."""
    counted, conflicts, doubled_votes = blocks
    by_twins = {
        (height, address)
        for height, address in evidence
        if is_by_twin(chaos.twins, height, address)
    }
    # A validator that gets its blocks anew does not know yet who may sell. It says so for good, and load believes it.
    errors = dict(sent["errors"])
    refused = errors.pop("unknown_terminal", 0) if chaos.damaged["refused"] else 0
    doubled = [*(evidence - by_twins), *chaos.guards.doubled, *doubled_votes]
    summary = {
        "faults": chaos.faults,
        "damaged_files": chaos.damaged,
        "full_disks_unnoticed": chaos.full_disks_unnoticed,
        "ended_by_themselves": chaos.chain.ends_by_itself,
        "engines_restarted_by_hand": chaos.chain.engine_restarts,
        "logs_moved_away_by_hand": chaos.chain.logs_moved_away,
        "acknowledged": sent["journaled"],
        "refused_while_catching_up": refused,
        "unacknowledged": sum(errors.values()),
        **counted,
        "signatures_in_guards": len(chaos.guards.signed),
        "double_signatures_of_twins": len(by_twins),
        "lost": checked["lost"],
        "conflicts": len(conflicts) + len(verified["differences"]),
        "double_signatures": len(doubled),
        **recovery_figures(chaos.recoveries_s, chaos.rejoins_s),
        "latency_ms_max": sent["max_us"] // 1000,
    }
    wrong = judge(
        summary,
        ("unacknowledged", "lost", "conflicts", "double_signatures"),
        ("acknowledged", "blocks", "votes", "signatures_in_guards"),
    )
    for found in [
        *checked["losses"][:20],
        *errors.items(),
        *sorted(conflicts),
        *verified["differences"],
        *doubled,
    ]:
        say(f"WRONG  {found}")
    return {"ok": not wrong, "wrong": wrong, **summary}


def is_by_twin(twins, height, address):
    return any(
        address in (twin, "unknown") and first <= height <= last for twin, first, last in twins
    )
