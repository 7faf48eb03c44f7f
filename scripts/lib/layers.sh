# shellcheck shell=bash
# Sourced by scripts/test: what each layer runs, and how long it may take.

LAYERS="lint build unit contracts web system faults"
# In seconds on two cores. Cold: on a machine that never built this project, which has to build tools and dependencies.
declare -A BUDGET_WARM_S=([lint]=300 [build]=420 [unit]=180 [contracts]=60 [web]=180 [system]=600 [faults]=300)
declare -A BUDGET_COLD_S=([lint]=900 [build]=1500 [unit]=240 [contracts]=60 [web]=240 [system]=600 [faults]=300)
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
    setup && venv
    step run_tests unit
    step cargo test --quiet --workspace --doc
    step scripts/replay-test chains
    if [ -n "$slow" ]; then step scripts/fuzz --seconds 120; fi
}

layer_contracts() {
    setup
    step contract_tests
    step "$ROOT/contracts/bin/export-abi" --check
}

layer_web() {
    setup
    step web_units
    step scripts/e2e
    step scripts/e2e --with-video
}

layer_system() {
    setup && setup_kubo && setup_video
    [ -d "$ROOT/../shared/data" ] || say "SKIPPED: tests over the real orders; ../shared/data is not here"
    step run_tests system
    if [ -n "$slow" ]; then
        step cargo test --package hotpot --test it -- --ignored
        step scripts/replay-test network
        step scripts/bench video --alone
    fi
}

layer_faults() {
    setup
    step scripts/chaos path --minutes 1 --seed 7
    step scripts/chaos chain --minutes 2 --seed 7
    if [ -n "$slow" ]; then step scripts/chaos chain --minutes 20; fi
}

# --- steps of theirs ---

# Crates whose tests/it starts networks, databases, cameras or Kubo; everything else is `unit`.
SYSTEM_CRATES=" hotpot indexer relayer video-agent recording-vault ipfs "

# run_tests unit|system: the test binaries of that kind, as `cargo test` would run them.
run_tests() {
    local kind=$1 package target binary failed=() count=0
    cargo test --workspace --no-run --quiet --message-format json-render-diagnostics > "$layer_dir/tests.json"
    while IFS=$'\t' read -r manifest package target binary; do
        if [ "$(kind_of_test "$package" "$target")" != "$kind" ]; then continue; fi
        count=$((count + 1))
        say "$package $target"
        (cd "$(dirname "$manifest")" && "$binary") || failed+=("$package $target")
    done < <(jq --raw-output 'select(.reason == "compiler-artifact" and .profile.test and .executable)
        | [.manifest_path, (.manifest_path | split("/")[-2]), .target.name, .executable] | @tsv' "$layer_dir/tests.json")
    # A gate that runs nothing looks green.
    [ "$count" -ge 3 ] || die "only $count test binaries of kind $kind"
    [ ${#failed[@]} = 0 ] || die "failed: ${failed[*]}"
}

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
    npm run --silent --prefix "$ROOT/web_interfaces" typecheck
    npm test --silent --prefix "$ROOT/web_interfaces" | grep -E '^# (pass|fail)'
}

# --- how layers run ---

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
is_cold() { [ ! -e "$TARGET/debug/.fingerprint" ] || [ ! -x "$TOOLS_BIN/cargo-deny" ]; }

# run_layers LAYER...: one after the other, each in a process of its own that is ended past its limit; then the table.
run_layers() {
    local layer budget limit status started all_started=$SECONDS failures=0 machine=warm
    if is_cold; then machine=cold; fi
    local rows=()
    for layer in "$@"; do
        budget=${BUDGET_WARM_S[$layer]}
        if [ $machine = cold ]; then budget=${BUDGET_COLD_S[$layer]}; fi
        [ -z "$slow" ] || budget=$((budget * 10))
        limit=$((budget * 3))
        if [ -z "$slow" ] && [ $limit -gt $((ALL_S_MAX - SECONDS + all_started)) ]; then
            limit=$((ALL_S_MAX - SECONDS + all_started))
        fi
        printf '\n\033[1m== layer %s\033[0m (budget %s s)\n' "$layer" "$budget" >&2
        started=$SECONDS
        status=0
        run_within "$limit" "$0" --in-layer ${slow:+--slow} "$layer" || status=$?
        [ $status = 0 ] || failures=$((failures + 1))
        rows+=("$layer $((SECONDS - started)) $budget $status")
        # Nothing can run that was not built.
        if [ "$layer" = build ] && [ $status != 0 ]; then break; fi
    done
    print_table "$machine" "$((SECONDS - all_started))" "${rows[@]}"
    [ $failures = 0 ] || die "$failures of $# layers failed"
    say "all layers passed in $((SECONDS - all_started)) s"
}

# run_within SECONDS COMMAND...: in a process group of its own, which ends with us too.
run_within() {
    local pid
    [ "$1" -gt 0 ] || return 124
    # With job control a job in the background listens to SIGINT, as what it starts has to.
    set -m
    timeout --kill-after=30 "$@" &
    pid=$!
    set +m
    trap 'kill -TERM "$pid" 2> /dev/null; wait "$pid"; exit 130' INT TERM
    wait "$pid"
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
    124 | 137) echo "FAILED: ended, it had used its time" ;;
    *) echo "FAILED ($3)" ;;
    esac
}
