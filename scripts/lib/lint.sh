# shellcheck shell=bash
# Sourced after common.sh and venv.sh by scripts/test: what is wrong can be seen without running it.

ACTIONLINT_VERSION=v1.7.12
CARGO_DENY_VERSION=0.20.2

setup_lint() {
    lint_venv
    setup_actionlint
    setup_cargo_deny
}

setup_actionlint() {
    local go
    [ ! -x "$TOOLS_BIN/actionlint-$ACTIONLINT_VERSION" ] || return 0
    go=$(command -v go || echo /usr/local/go/bin/go)
    if [ ! -x "$go" ]; then
        say "SKIPPED: actionlint; Go is not here (https://go.dev/dl)"
        return 0
    fi
    say "building actionlint $ACTIONLINT_VERSION"
    GOBIN=$TOOLS_BIN "$go" install "github.com/rhysd/actionlint/cmd/actionlint@$ACTIONLINT_VERSION" &&
        mv "$TOOLS_BIN/actionlint" "$TOOLS_BIN/actionlint-$ACTIONLINT_VERSION"
}

# Unoptimised: it runs for a second, and is built in a third of the time.
setup_cargo_deny() {
    local deny=$TOOLS_BIN/cargo-deny target
    [ "$("$deny" --version 2> /dev/null)" != "cargo-deny $CARGO_DENY_VERSION" ] || return 0
    say "building cargo-deny $CARGO_DENY_VERSION (some minutes, once)"
    target=$(mktemp --directory)
    CARGO_TARGET_DIR=$target cargo install --quiet --locked --debug --force --root "$(dirname "$TOOLS_BIN")" \
        "cargo-deny@$CARGO_DENY_VERSION"
    rm --recursive "$target"
}

# Every Bash script that git knows or will know of.
bash_scripts() {
    git -C "$ROOT" grep --untracked --files-with-matches --extended-regexp \
        '^#!/usr/bin/env bash|^# shellcheck shell=bash' -- scripts .ci contracts/bin
}

lint_rust_format() { cargo fmt --all --check; }

lint_typescript() { "$ROOT/node_modules/.bin/biome" ci --error-on-warnings .; }

lint_python() {
    "$LINT_VENV/bin/ruff" format --check --quiet .
    "$LINT_VENV/bin/ruff" check --quiet .
    "$LINT_VENV/bin/mypy"
}

lint_bash() {
    local scripts
    mapfile -t scripts < <(bash_scripts)
    [ ${#scripts[@]} -ge 15 ] || die "only ${#scripts[@]} Bash scripts were found"
    "$LINT_VENV/bin/shfmt" --diff "${scripts[@]}"
    PATH=$LINT_VENV/bin:$PATH "$LINT_VENV/bin/shellcheck" --external-sources "${scripts[@]}"
}

lint_solidity() { "$FOUNDRY_BIN/forge" fmt --check --root "$ROOT"; }

lint_containers() {
    "$LINT_VENV/bin/hadolint" Dockerfile
    if docker compose version > /dev/null 2>&1; then
        docker compose --profile '*' config --quiet
    else
        say "SKIPPED: docker-compose.yml; docker compose is not here"
    fi
}

lint_workflows() {
    local actionlint=$TOOLS_BIN/actionlint-$ACTIONLINT_VERSION
    if [ -x "$actionlint" ]; then
        PATH=$LINT_VENV/bin:$PATH "$actionlint"
    else
        say "SKIPPED: .github/workflows; actionlint is not here"
    fi
}

# Licences, banned and doubled crates, sources: deny.toml. Advisories only where a copy of their database is, since it
# comes by git; the nightly workflow fetches it.
lint_dependencies() {
    local deny=("$TOOLS_BIN/cargo-deny" --locked --workspace)
    "${deny[@]}" check --hide-inclusion-graph licenses bans sources
    if [ -d "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs" ]; then
        "${deny[@]}" check --disable-fetch advisories
    else
        say "SKIPPED: advisories; no copy of their database is in cargo's home (cargo deny fetch)"
    fi
}

# Clippy, with every query checked against the schema that the migrations make: .sqlx/ has to be what is needed.
lint_rust() { "$ROOT/scripts/sqlx-prepare" --check; }

lint_rust_docs() { RUSTDOCFLAGS="--deny warnings" cargo doc --quiet --workspace --no-deps; }

# A text that scripts/mutants takes out has to be there once.
lint_mutants() { xtask mutants --check; }

# How our Rust reads has goals, and the documentation names them.
lint_text() {
    xtask text
    xtask tables --check
}
