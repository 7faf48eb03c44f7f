# shellcheck shell=bash
# Sourced by scripts/test: what each layer runs, and how long it may take.

LAYERS="lint build unit contracts web system faults"
# In seconds on two cores. Warm: three times of it is enough for a new set of dependencies. Cold: on a machine that never built this project, which has to build tools and dependencies.
declare -A BUDGET_WARM_S=([lint]=260 [build]=500 [unit]=90 [contracts]=60 [web]=220 [system]=600 [faults]=300)
declare -A BUDGET_COLD_S=([lint]=800 [build]=1600 [unit]=120 [contracts]=120 [web]=300 [system]=600 [faults]=300)
ALL_S_MAX=4800

is_layer() { [[ " $LAYERS " == *" $1 "* ]]; }

# --- the layers ---

layer_lint() {
    step setup
    step setup_lint
    # Clippy reads what build scripts of the video libraries find.
    step setup_video
    step lint_rust_format
    step lint_typescript
    step lint_python
    step lint_bash
    step lint_solidity
    step lint_containers
    step lint_workflows
    step lint_dependencies
    step lint_mutants
    step lint_text
    step lint_rust
    step lint_rust_docs
}

layer_build() {
    step setup
    step setup_kubo
    # The whole workspace is built at once: a package on its own would build what it depends on anew, with other features.
    step setup_video
    step cargo build --workspace --tests --bins
}

# Test binaries that need seconds: all but the services' own.
layer_unit() {
    step setup
    step setup_video
    step venv
    step run_tests unit
    step cargo test --quiet --workspace --doc
    step fault_tool_tests
    DOMAIN_TESTS=$(test_binary domain it) step scripts/replay-test chains
    if [ -n "$slow" ]; then step scripts/fuzz --seconds 120; fi
}

layer_contracts() {
    step setup
    step contract_tests
    step "$ROOT/contracts/bin/export-abi" --check
}

layer_web() {
    step setup
    step web_units
    step scripts/e2e
    step scripts/e2e --with-video
}

layer_system() {
    step setup
    step setup_kubo
    step setup_video
    [ -d "$ROOT/../shared/data" ] || say "SKIPPED: tests over the real orders; ../shared/data is not here"
    step run_tests system
    if [ -n "$slow" ]; then
        step slow_networks
        step scripts/replay-test network
        step scripts/bench video --alone
    fi
}

layer_faults() {
    step setup
    step scripts/chaos path --minutes 1 --seed 7
    step scripts/chaos chain --minutes 2 --seed 7
    if [ -n "$slow" ]; then
        step scripts/chaos chain --minutes 20
        step scripts/chaos doors --minutes 5
    fi
}

# --- steps of theirs ---

# Crates whose tests/it starts networks, databases, cameras or Kubo; everything else is `unit`.
SYSTEM_CRATES=" hotpot indexer relayer video-agent recording-vault ipfs "
# Of every crate its own tests, of some others in tests/.
declare -A TEST_BINARIES_MIN=([unit]=20 [system]=6)

# run_tests unit|system: the test binaries of that kind, as `cargo test` would run them.
run_tests() {
    local kind=$1 line manifest package target binary lines failed=() count=0
    cargo test --workspace --no-run --quiet --message-format json-render-diagnostics > "$layer_dir/tests.json"
    jq --raw-output 'select(.reason == "compiler-artifact" and .profile.test and .executable)
        | [.manifest_path, (.manifest_path | split("/")[-2]), .target.name, .executable] | @tsv' \
        "$layer_dir/tests.json" > "$layer_dir/tests"
    mapfile -t lines < "$layer_dir/tests"
    for line in "${lines[@]}"; do
        IFS=$'\t' read -r manifest package target binary <<< "$line"
        if [ "$(kind_of_test "$package" "$target")" != "$kind" ]; then continue; fi
        count=$((count + 1))
        say "$package $target"
        (cd "$(dirname "$manifest")" && "$binary" < /dev/null) || failed+=("$package $target")
    done
    # A gate that runs nothing looks green.
    [ "$count" -ge "${TEST_BINARIES_MIN[$kind]}" ] ||
        die "only $count test binaries of kind $kind, expected ${TEST_BINARIES_MIN[$kind]} or more"
    [ ${#failed[@]} = 0 ] || die "failed: ${failed[*]}"
}

# What it decides; what it does to networks is the layer `faults`.
fault_tool_tests() { (cd "$ROOT/tools/faults" && PYTHONPATH=$FAULTS_SRC python3 -m unittest --quiet); }

# What is `#[ignore = "slow: …"]` in hotpot's tests.
slow_networks() { (cd "$ROOT/hotpot" && "$(test_binary hotpot it)" --ignored < /dev/null); }

# test_binary PACKAGE TARGET: the program, after run_tests.
test_binary() { awk -F '\t' -v package="$1" -v target="$2" '$2 == package && $3 == target { print $4 }' "$layer_dir/tests"; }

# kind_of_test PACKAGE TARGET
kind_of_test() {
    if [ "$2" = it ] && [[ $SYSTEM_CRATES == *" $1 "* ]]; then echo system; else echo unit; fi
}

contract_tests() {
    local out passed
    out=$(FOUNDRY_OFFLINE=true FORGE_SNAPSHOT_CHECK=true "$FOUNDRY_BIN/forge" test --root "$ROOT" 2>&1) || {
        printf '%s\n' "$out" >&2
        die "contract tests failed"
    }
    printf '%s\n' "$out" | tail -n 3
    passed=$(printf '%s\n' "$out" | sed -n 's/.*: \([0-9]*\) tests passed.*/\1/p' | tail -n 1)
    [ "${passed:-0}" -ge 150 ] || die "only ${passed:-0} contract tests ran, expected 150 or more"
}

web_units() {
    npm run --silent --prefix "$ROOT" --workspaces --if-present typecheck
    # Every test of them, and whether enough of the sources was run.
    "$ROOT/scripts/coverage" typescript
}

# --- how layers run ---

# The layer `build` has built what the scripts of later ones start.
export HOTPOT_BUILT=1

layer_dir=$(mktemp --directory)
trap 'rm --recursive --force "$layer_dir"' EXIT
failed_steps=()

# step COMMAND...: the layer goes on when it fails, so that one run names everything.
step() {
    local started=$SECONDS status
    say "$*"
    set +e
    (
        set -e
        "$@"
    )
    status=$?
    set -e
    [ "$status" = 0 ] || failed_steps+=("$*")
    printf '   %s s%s\n' "$((SECONDS - started))" "$([ "$status" = 0 ] || echo ": FAILED ($status)")" >&2
}

end_layer() {
    [ ${#failed_steps[@]} = 0 ] || die "failed: $(printf '%s; ' "${failed_steps[@]}")"
    exit 0
}

# shellcheck disable=SC2153 # common.sh sets TARGET
is_cold() { [ ! -e "$TARGET/debug/.fingerprint" ]; }

# budget_of LAYER MACHINE
budget_of() {
    local seconds=${BUDGET_WARM_S[$1]}
    if [ "$2" = cold ]; then seconds=${BUDGET_COLD_S[$1]}; fi
    # Its tools may be missing on a machine that has built.
    if [ "$1" = lint ] && [ ! -x "$TOOLS_BIN/cargo-deny" ]; then seconds=${BUDGET_COLD_S[lint]}; fi
    echo $((seconds * (slow ? 10 : 1)))
}

# with_build LAYER...: those, and `build` before the first that runs what it builds.
with_build() {
    local layer built=
    for layer in "$@"; do
        case $layer in
        build) built=1 ;;
        unit | web | system | faults)
            [ -n "$built" ] || echo build
            built=1
            ;;
        esac
        echo "$layer"
    done
}

# run_layers LAYER...: one after the other, each in a process of its own that is ended past its limit; then the table.
run_layers() {
    local layer budget limit status started all_started=$SECONDS failures=0 machine=warm layers rows=()
    if is_cold; then machine=cold; fi
    mapfile -t layers < <(with_build "$@")
    for layer in "${layers[@]}"; do
        budget=$(budget_of "$layer" $machine)
        limit=$((budget * 3))
        if [ -z "$slow" ] && [ $limit -gt $((ALL_S_MAX - SECONDS + all_started)) ]; then
            limit=$((ALL_S_MAX - SECONDS + all_started))
        fi
        printf '\n\033[1m== layer %s\033[0m (budget %s s)\n' "$layer" "$budget" >&2
        started=$SECONDS
        status=0
        run_within "$limit" "$ROOT/scripts/test" --in-layer ${slow:+--slow} "$layer" || status=$?
        [ $status = 0 ] || failures=$((failures + 1))
        rows+=("$layer $((SECONDS - started)) $budget $status")
        # Nothing can run that was not built.
        if [ "$layer" = build ] && [ $status != 0 ]; then break; fi
    done
    for layer in "${layers[@]:${#rows[@]}}"; do
        rows+=("$layer 0 0 not_run")
        failures=$((failures + 1))
    done
    print_table "$machine" "$((SECONDS - all_started))" "${rows[@]}"
    [ $failures = 0 ] || die "$failures of ${#layers[@]} layers failed"
    say "all ${#layers[@]} layers passed in $((SECONDS - all_started)) s"
}

# run_within SECONDS COMMAND...: in a process group of its own, of which nothing is left afterwards, with us too.
run_within() {
    local pid status=0
    [ "$1" -gt 0 ] || return 124
    # With job control a job in the background listens to SIGINT, as what it starts has to.
    set -m
    timeout --kill-after=30 "$@" < /dev/null &
    pid=$!
    set +m
    # shellcheck disable=SC2064 # this process
    trap "kill -TERM $pid 2> /dev/null || true; end_group $pid; exit 130" INT TERM
    wait "$pid" || status=$?
    trap - INT TERM
    end_group "$pid"
    return $status
}

# end_group PID: waits half a minute until the process group has ended by itself, then ends it.
end_group() {
    local tries
    for tries in {300..1}; do
        kill -0 -- "-$1" 2> /dev/null || return 0
        if [ "$tries" = 1 ]; then
            say "killing what is left of the layer"
            kill -KILL -- "-$1" 2> /dev/null || true
        fi
        sleep 0.1
    done
}

print_table() {
    local machine=$1 all=$2 layer seconds budget status verdict
    shift 2
    printf '\n%-10s %8s %8s   %s\n' layer seconds budget "($machine, $(nproc) cores)" >&2
    while read -r layer seconds budget status; do
        verdict=$(judge_layer "$seconds" "$budget" "$status")
        case $verdict in
        ok) ;;
        *) verdict=$'\033[31m'$verdict$'\033[0m' ;;
        esac
        printf '%-10s %8s %8s   %s\n' "$layer" "$seconds" "$budget" "$verdict" >&2
    done < <(printf '%s\n' "$@")
    printf '%-10s %8s %8s\n' all "$all" "$ALL_S_MAX" >&2
}

# judge_layer SECONDS BUDGET STATUS
judge_layer() {
    case $3 in
    0) if [ $(($1 * 2)) -gt $(($2 * 3)) ]; then echo "over its budget by half"; else echo ok; fi ;;
    not_run) echo "FAILED: not run, the build failed" ;;
    124 | 137) echo "FAILED: ended, it had used its time" ;;
    *) echo "FAILED ($3)" ;;
    esac
}
