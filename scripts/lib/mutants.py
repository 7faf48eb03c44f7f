"""Takes protections out of the sidechain, one by one, and expects a test to fail. Run by scripts/mutants."""

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

STORE = "sidechain/src/io/store.rs"
GUARD_FILE = "sidechain/src/io/guard_file.rs"
GUARD = "sidechain/src/core/guard.rs"
HANDLER = "sidechain/src/consensus/handler.rs"
CONTEXT = "sidechain/src/consensus/context.rs"
SIGNER = "sidechain/src/consensus/signer.rs"
TIMEOUT_S = 1800
# All at once: a package on its own would be built with other features.
BUILD = ["cargo", "build", "--quiet", "--workspace", "--bins", "--tests"]


def story(name):
    """A test of hotpot/tests/it/chain.rs."""
    return ["cargo", "test", "--quiet", "-p", "hotpot", "--test", "it", "--", "--include-ignored", "--exact", f"chain::{name}"]


def unit(name):
    """A test beside the sidechain's code."""
    return ["cargo", "test", "--quiet", "-p", "sidechain", "--lib", "--", "--exact", name]


def chaos(kind, times):
    """Faults of one kind under load, and what is asked of the chain afterwards."""
    return ["scripts/chaos", "chain", "--only", kind, "--kills", str(times), "--seed", "1"]


@dataclass
class Mutant:
    """A protection, what it is taken out by, and the test that must miss it."""

    name: str
    file: str
    text: str
    replacement: str
    test: list


MUTANTS = [
    Mutant(
        "quorum: half of two thirds is enough",
        CONTEXT,
        "self.validators.iter().map(|validator| validator.power).sum()",
        "self.validators.iter().map(|validator| validator.power).sum::<u64>() / 2",
        story("two_of_four_down_stop_the_chain_and_it_goes_on_when_they_are_back"),
    ),
    Mutant(
        "partition: half of two thirds is enough",
        CONTEXT,
        "self.validators.iter().map(|validator| validator.power).sum()",
        "self.validators.iter().map(|validator| validator.power).sum::<u64>() / 2",
        story("halves_decide_nothing_and_a_silent_validator_hinders_nobody"),
    ),
    Mutant(
        "store: a decided block is not kept",
        STORE,
        "write.open_table(BLOCKS)?.insert(height, with_checksum(decision.block.to_vec()).as_slice())?;",
        "if height % 3 != 0 { write.open_table(BLOCKS)?.insert(height, with_checksum(decision.block.to_vec()).as_slice())?; }",
        story("all_killed_at_once_again_and_again_lose_nothing"),
    ),
    Mutant(
        "sync: nobody gives decided blocks",
        HANDLER,
        "for height in range.start().0..=range.end().0 {",
        "for height in range.start().0..range.start().0 {",
        story("one_that_stands_still_for_long_catches_up"),
    ),
    Mutant(
        "guard: two processes may hold it",
        GUARD_FILE,
        "        lock(&file, path)?;\n",
        "        let _ = lock;\n",
        story("a_second_process_cannot_sign_with_the_same_guard"),
    ),
    Mutant(
        "guard: what was signed beyond the store does not count",
        GUARD,
        "(last.height > next_height || is_sat_out).then_some(last.height)",
        "is_sat_out.then_some(last.height)",
        story("an_older_copy_of_the_data_follows_until_what_was_signed_is_decided"),
    ),
    Mutant(
        "guard: a lost one is a new one",
        GUARD_FILE,
        "if !is_fresh {",
        "if !is_fresh && next_height == 0 {",
        story("without_its_guard_a_validator_sits_its_next_height_out"),
    ),
    Mutant(
        "guard: one that nobody can read is a new one",
        GUARD_FILE,
        "newest.ok_or(GuardError::Damaged { path: path.to_owned() })?",
        "newest.unwrap_or_default()",
        story("a_guard_that_nobody_can_read_keeps_a_validator_from_starting"),
    ),
    Mutant(
        "guard: another message for the same place",
        GUARD,
        "return if *signed == digest { Ok(None) } else { Err(conflict) };",
        "return if *signed == digest { Ok(None) } else { drop(conflict); Ok(None) };",
        unit("io::guard_file::tests::what_was_signed_is_remembered_over_a_restart"),
    ),
    Mutant(
        "guard: not asked before a signature",
        SIGNER,
        "guard.permit(slot, keccak256(message)).map_err(refused).map_err(engine_error)?;",
        "let _ = guard.permit(slot, keccak256(message)).map_err(refused);",
        chaos("damaged_log", 6),
    ),
    Mutant(
        "store: a record's checksum is not compared",
        STORE,
        "(checksum_of(record) == checksum)",
        "(checksum_of(record).len() == checksum.len())",
        story("a_flipped_byte_in_a_stored_block_is_refused_and_an_empty_folder_repairs_it"),
    ),
    Mutant(
        "store: one that cannot be opened is made anew",
        STORE,
        "Database::builder().set_cache_size(CACHE_BYTES).create(path).map_err(|source| error(source.into()))?;",
        """Database::builder().set_cache_size(CACHE_BYTES).create(path).or_else(|_| {
                let _ = std::fs::remove_file(path);
                Database::builder().create(path)
            }).map_err(|source| error(source.into()))?;""",
        story("a_store_that_was_cut_off_is_refused"),
    ),
    Mutant(
        "store: a failed write does not end the process",
        HANDLER,
        "self.node.commit(candidate, certificate).context(\"store a decided block\")?;",
        "let _ = self.node.commit(candidate, certificate);",
        story("on_a_full_disk_nothing_is_signed_and_nothing_lost_and_it_goes_on_with_room"),
    ),
    Mutant(
        "store: a block is not fsynced",
        STORE,
        "self.write_with(Durability::Immediate, change)",
        "self.write_with(Durability::None, change)",
        chaos("power_cut_all", 3),
    ),
]


def run(command, tree, target):
    """Output and whether it ended well. A test that hangs has failed."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    try:
        ended = subprocess.run(
            command, cwd=tree, env=environment, text=True, capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return "it took too long", False
    return ended.stdout + ended.stderr, ended.returncode == 0


def copy_tree(root, tree):
    """What git knows of, and what is installed beside it."""
    shutil.rmtree(tree, ignore_errors=True)
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], text=True, capture_output=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        destination = tree / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, destination, follow_symlinks=False)
    for installed in ["contracts/node_modules", "web_interfaces/node_modules", "web_interfaces/dist", ".tools"]:
        if (root / installed).exists() and not (tree / installed).exists():
            (tree / installed).symlink_to(root / installed)


def share_build(target):
    """Dependencies need not be built twice: hard links to what is built. Our crates have names of their own there."""
    built = target.parent / "debug"
    if built.exists() and not (target / "debug").exists():
        subprocess.run(["cp", "--archive", "--link", built, target / "debug"], check=True)
        shutil.rmtree(target / "debug" / "incremental", ignore_errors=True)


def is_killed(mutant, tree, target):
    """Takes the protection out, runs the test, puts it back; says what came of it."""
    path = tree / mutant.file
    original = path.read_text()
    if original.count(mutant.text) != 1:
        print(f"STALE     {mutant.name}: its text does not stand exactly once in {mutant.file}", flush=True)
        return False
    # A test that fails all the same says nothing.
    for command in [BUILD, mutant.test]:
        output, fine = run(command, tree, target)
        if not fine:
            print(f"UNSOUND   {mutant.name}: {' '.join(command)} fails with the protection too\n{output[-2000:]}", flush=True)
            return False
    path.write_text(original.replace(mutant.text, mutant.replacement))
    try:
        output, compiled = run(BUILD, tree, target)
        if not compiled:
            print(f"BROKEN    {mutant.name}: does not compile\n{output}", flush=True)
            return False
        output, passed = run(mutant.test, tree, target)
    finally:
        path.write_text(original)
    by = mutant.test[-1] if mutant.test[0] == "cargo" else " ".join(mutant.test)
    print(f"{'SURVIVED ' if passed else 'killed   '} {mutant.name}: {by}", flush=True)
    for line in [line for line in output.splitlines() if "panicked" in line or "FAILED" in line or "FAIL " in line][:2]:
        print(f"            {line.strip()}", flush=True)
    return not passed


def main():
    """All, or those whose name has a part in it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if options.only in mutant.name]
    if not chosen:
        sys.exit(f"no protection has {options.only!r} in its name")
    tree = options.target / "tree"
    options.target.mkdir(parents=True, exist_ok=True)
    copy_tree(options.root, tree)
    share_build(options.target)
    killed = sum(is_killed(mutant, tree, options.target) for mutant in chosen)
    print(f"{killed} of {len(chosen)} protections are missed by a test when they are gone")
    sys.exit(killed != len(chosen))


if __name__ == "__main__":
    main()
