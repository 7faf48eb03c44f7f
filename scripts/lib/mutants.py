"""Takes protections out of the sidechain, one by one, and expects a test to fail. Run by scripts/mutants."""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

STORE = "sidechain/src/io/store.rs"
GUARD_FILE = "sidechain/src/io/guard_file.rs"
GUARD = "sidechain/src/core/guard.rs"
HANDLER = "sidechain/src/consensus/handler.rs"
CONTEXT = "sidechain/src/consensus/context.rs"
SIGNER = "sidechain/src/consensus/signer.rs"
NODE = "sidechain/src/node.rs"
VALIDATORS = "crates/domain/src/validators.rs"
BUILD_S_MAX = 1800
# A test that hangs has failed.
TEST_S_MAX = 420
# In lines that say why a test failed.
WORDS = ["panicked", "SAFETY", "FAIL ", "wrong "]
# All at once: a package on its own would be built with other features.
BUILD = ["cargo", "build", "--quiet", "--workspace", "--bins", "--tests"]
TEST = ["cargo", "test", "--quiet", "--workspace"]


def story(name):
    """A test of hotpot/tests/it."""
    return [*TEST, "--test", "it", "--", "--include-ignored", "--exact", name]


def unit(name):
    """A test beside the sidechain's code."""
    return [*TEST, "--lib", "--", "--exact", name]


def chaos(kind, times):
    """Faults of one kind under load, and what is asked of the chain afterwards."""
    return ["scripts/chaos", "chain", "--only", kind, "--kills", str(times), "--seed", "1"]


@dataclass
class Mutant:
    """A protection, what it is taken out by, and the tests that must each miss it. `more`: where it stands a second time."""

    name: str
    file: str
    text: str
    replacement: str
    tests: list
    more: tuple = ()

    def places(self):
        """File, text and replacement of each."""
        return [(self.file, self.text, self.replacement), *self.more]


MUTANTS = [
    Mutant(
        "quorum: half of two thirds is enough",
        CONTEXT,
        "self.validators.iter().map(|validator| validator.power).sum()",
        "self.validators.iter().map(|validator| validator.power).sum::<u64>() / 2",
        [
            story("chain::two_of_four_down_stop_the_chain_and_it_goes_on_when_they_are_back"),
            story("chain::halves_decide_nothing_and_a_silent_validator_hinders_nobody"),
        ],
        # The ledger counts the signatures under the block before once more.
        more=(
            (VALIDATORS, "power * 3 > self.total_power() * 2", "power * 3 > self.total_power()"),
        ),
    ),
    Mutant(
        "store: a decided block is not kept",
        STORE,
        "write.open_table(BLOCKS)?.insert(height, with_checksum(decision.block.to_vec()).as_slice())?;",
        "if height % 3 != 0 { write.open_table(BLOCKS)?.insert(height, with_checksum(decision.block.to_vec()).as_slice())?; }",
        [story("chain::all_killed_at_once_again_and_again_lose_nothing")],
    ),
    Mutant(
        "sync: nobody gives decided blocks",
        HANDLER,
        "for height in range.start().0..=range.end().0 {",
        "for height in range.start().0..range.start().0 {",
        [story("chain::one_that_stands_still_for_long_catches_up")],
    ),
    Mutant(
        "guard: two processes may hold it",
        GUARD_FILE,
        "        lock_file(&file, path)?;\n",
        "        let _ = lock_file;\n",
        [story("chain::a_second_process_cannot_sign_with_the_same_guard")],
    ),
    Mutant(
        "guard: what was signed beyond the store does not count",
        GUARD,
        "(last.height > next_height || is_sat_out).then_some(last.height)",
        "is_sat_out.then_some(last.height)",
        [story("chain::an_older_copy_of_the_data_follows_until_what_was_signed_is_decided")],
    ),
    Mutant(
        "guard: a lost one is a new one",
        GUARD_FILE,
        "if !is_fresh {",
        "if !is_fresh && next_height == 0 {",
        [story("chain::without_its_guard_a_validator_sits_its_next_height_out")],
    ),
    Mutant(
        "guard: one that nobody can read is a new one",
        GUARD_FILE,
        "newest.ok_or(GuardError::Damaged { path: path.to_owned() })?",
        "newest.unwrap_or_default()",
        [story("chain::a_guard_that_nobody_can_read_keeps_a_validator_from_starting")],
    ),
    Mutant(
        "guard: another message for the same place",
        GUARD,
        "return if *signed == digest { Ok(None) } else { Err(conflict) };",
        "return if *signed == digest { Ok(None) } else { drop(conflict); Ok(None) };",
        [unit("io::guard_file::tests::what_was_signed_is_remembered_over_a_restart")],
    ),
    Mutant(
        "guard: not asked before a signature",
        SIGNER,
        "guard.permit(slot, keccak256(message)).map_err(refused).map_err(engine_error)?;",
        "let _ = guard.permit(slot, keccak256(message)).map_err(refused);",
        [unit("consensus::tests::a_second_message_for_the_same_place_gets_no_signature")],
    ),
    Mutant(
        "guard: a failed write does not keep from signing",
        GUARD_FILE,
        "self.write(&next)?;",
        "let _ = self.write(&next);",
        [unit("io::guard_file::tests::what_cannot_be_made_durable_is_not_permitted")],
    ),
    Mutant(
        "store: a record's checksum is not compared",
        STORE,
        "(checksum_of(record) == checksum)",
        "(checksum_of(record).len() == checksum.len())",
        [
            story(
                "chain::a_flipped_byte_in_a_stored_block_is_refused_and_an_empty_folder_repairs_it"
            )
        ],
    ),
    Mutant(
        "store: one that cannot be opened is made anew",
        STORE,
        "Database::builder().set_cache_size(CACHE_BYTES).create(path).map_err(|source| error(source.into()))?;",
        """Database::builder().set_cache_size(CACHE_BYTES).create(path).or_else(|_| {
                let _ = std::fs::remove_file(path);
                Database::builder().create(path)
            }).map_err(|source| error(source.into()))?;""",
        [story("chain::a_store_that_was_cut_off_is_refused")],
    ),
    Mutant(
        "store: a decided block that cannot be written does not end the process",
        HANDLER,
        'self.node.commit(candidate, certificate).context("store a decided block")?;',
        "let _ = self.node.commit(candidate, certificate);",
        [chaos("disk_error", 8)],
    ),
    Mutant(
        "store: no failed write ends the process",
        HANDLER,
        'self.node.commit(candidate, certificate).context("store a decided block")?;',
        "let _ = self.node.commit(candidate, certificate);",
        [
            story(
                "chain::on_a_full_disk_nothing_is_signed_and_nothing_lost_and_it_goes_on_with_room"
            )
        ],
        more=(
            (
                HANDLER,
                "bytes: bytes.to_vec(),\n        })?;",
                "bytes: bytes.to_vec(),\n        }).ok();",
            ),
            (
                HANDLER,
                "put_proposed(&proposed)?;\n        Ok(Some(",
                "put_proposed(&proposed).ok();\n        Ok(Some(",
            ),
            (
                HANDLER,
                "put_proposed(&proposed)?;\n        self.is_s",
                "put_proposed(&proposed).ok();\n        self.is_s",
            ),
        ),
    ),
    Mutant(
        "store: a block is not fsynced",
        STORE,
        "self.write_with(Durability::Immediate, change)",
        "self.write_with(Durability::None, change)",
        [chaos("power_cut_all", 3)],
    ),
    Mutant(
        "network: a late message is never waited for longer",
        HANDLER,
        "let delta = Duration::from_millis(config.timeout_delta_ms);",
        "let delta = Duration::from_millis(config.timeout_delta_ms) / 1_000;",
        [story("chain::when_messages_take_longer_than_a_round_rounds_become_longer")],
    ),
    Mutant(
        "clock: a block may be of any time",
        NODE,
        "if live && block.header.time_ms > latest {",
        "if live && block.header.time_ms > latest.saturating_mul(2) {",
        [unit("consensus::byzantine::a_proposer_with_a_clock_far_ahead_is_voted_down")],
    ),
    Mutant(
        "byzantine: an invalid block is voted for",
        HANDLER,
        "(fallback_hash(&bytes), Validity::Invalid)",
        "(fallback_hash(&bytes), Validity::Valid)",
        [
            unit("consensus::byzantine::a_proposer_of_a_wrong_state_is_voted_down"),
            unit("consensus::byzantine::a_proposer_of_a_forged_signature_is_voted_down"),
        ],
    ),
    Mutant(
        "byzantine: nobody reports a key that signs twice",
        HANDLER,
        "self.report(&evidence);",
        "let _ = Self::report;",
        [story("elections::a_key_in_two_places_is_seen_reported_and_punished")],
    ),
]


def run(command, tree, target, seconds=TEST_S_MAX):
    """Output and whether it ended well. All that it started ends with it."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    process = subprocess.Popen(
        command, cwd=tree, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        output, _ = process.communicate()
        return f"{output}\nwrong: no end after {seconds} s", False
    return output, process.returncode == 0


def copy_tree(root, tree):
    """What git knows of, and what is installed beside it."""
    shutil.rmtree(tree, ignore_errors=True)
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z"], text=True, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        destination = tree / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, destination, follow_symlinks=False)
    for installed in [
        "contracts/node_modules",
        "node_modules",
        "web_interfaces/dist",
        ".tools",
    ]:
        if (root / installed).exists() and not (tree / installed).exists():
            (tree / installed).symlink_to(root / installed)
    # What an interrupted run had changed is built anew.
    for file in {file for mutant in MUTANTS for file, _, _ in mutant.places()}:
        (tree / file).touch()


def share_build(target):
    """Dependencies need not be built twice: hard links to what is built. Our crates have names of their own there."""
    built = target.parent / "debug"
    if built.exists() and not (target / "debug").exists():
        subprocess.run(["cp", "--archive", "--link", built, target / "debug"], check=True)
        shutil.rmtree(target / "debug" / "incremental", ignore_errors=True)
        # Linked, builds here and there would wait for each other.
        (target / "debug" / ".cargo-lock").unlink(missing_ok=True)


def is_sound(test, tree, target):
    """A test that fails all the same says nothing."""
    output, passed = run(test, tree, target)
    if test[0] == "cargo" and "test result: ok. 1 passed" not in output:
        passed = False
    if not passed:
        print(
            f"UNSOUND   {' '.join(test)} fails, or does not run, with every protection in place\n{output[-2000:]}",
            flush=True,
        )
    return passed


def anyhow_spaced(text):
    """The text however a formatter breaks it: between any two of its tokens may be space or a comma at a line's end."""
    tokens = re.findall(r"\w+|\S", text)
    between = [
        r"\s+" if before[-1].isalnum() and after[0].isalnum() else r"\s*(?:,\s*(?=[)}\]]))?"
        for before, after in pairwise(tokens)
    ]
    parts = [re.escape(token) for token in tokens]
    return re.compile(parts[0] + "".join(map("".join, zip(between, parts[1:], strict=True))))


def is_stale(mutant, tree):
    """Whether a text to change does not stand exactly once where it should."""
    stale = [
        file
        for file, text, _ in mutant.places()
        if len(anyhow_spaced(text).findall((tree / file).read_text())) != 1
    ]
    if stale:
        print(
            f"STALE     {mutant.name}: its text does not stand exactly once in {', '.join(stale)}",
            flush=True,
        )
    return bool(stale)


def is_killed(mutant, tree, target):
    """Takes the protection out, runs its tests, puts it back; says what came of it."""
    if is_stale(mutant, tree):
        return False
    originals = {tree / file: (tree / file).read_text() for file, _, _ in mutant.places()}
    try:
        for file, text, replacement in mutant.places():
            source = (tree / file).read_text()
            changed = anyhow_spaced(text).sub(lambda _, to=replacement: to, source)
            (tree / file).write_text(changed)
        output, compiled = run(BUILD, tree, target, BUILD_S_MAX)
        if not compiled:
            print(f"BROKEN    {mutant.name}: does not compile\n{output}", flush=True)
            return False
        # Every test is run, also after one that did not miss it.
        missed = [is_missed(mutant.name, test, tree, target) for test in mutant.tests]
        return all(missed)
    finally:
        for path, original in originals.items():
            path.write_text(original)


def is_missed(name, test, tree, target):
    """Whether this test fails without the protection, and with what words."""
    output, passed = run(test, tree, target)
    by = test[-1] if test[0] == "cargo" else " ".join(test)
    print(f"{'SURVIVED ' if passed else 'killed   '} {name}: {by}", flush=True)
    if not passed:
        for line in [
            line.strip() for line in output.splitlines() if any(word in line for word in WORDS)
        ][:3]:
            print(f"            {line[:200]}", flush=True)
    return not passed


def main():
    """All, or those whose name has a part in it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--check", action="store_true", help="only whether each text is there")
    parser.add_argument("part", nargs="*", default=[""])
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if any(part in mutant.name for part in options.part)]
    if not chosen:
        sys.exit(f"no protection has one of {options.part} in its name")
    if options.check:
        stale = [is_stale(mutant, options.root) for mutant in chosen]
        sys.exit(any(stale))
    tree = options.target / "tree"
    options.target.mkdir(parents=True, exist_ok=True)
    copy_tree(options.root, tree)
    share_build(options.target)
    output, built = run(BUILD, tree, options.target, BUILD_S_MAX)
    if not built:
        sys.exit(f"it does not compile with every protection in place\n{output}")
    tests = {tuple(test): test for mutant in chosen for test in mutant.tests}.values()
    sound = [is_sound(test, tree, options.target) for test in tests]
    if not all(sound):
        sys.exit(1)
    print(f"{len(tests)} tests pass with every protection in place", flush=True)
    killed = sum(is_killed(mutant, tree, options.target) for mutant in chosen)
    print(f"{killed} of {len(chosen)} protections are missed by a test when they are gone")
    sys.exit(killed != len(chosen))


if __name__ == "__main__":
    main()
