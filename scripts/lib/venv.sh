# shellcheck shell=bash
# Sourced after common.sh by scripts that run Python with packages.

VENV=$ROOT/oracle/.venv
LINT_VENV=$HOME/.cache/hotpot/lint

# make_venv FOLDER REQUIREMENTS: its packages, each file checked by its hash, when they changed or are missing.
make_venv() {
    cmp --silent "$2" "$1/requirements.txt" && return
    need python3 python3
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "Python 3.11 or later is needed, found $(python3 --version)"
    if ! python3 -c 'import ensurepip' 2> /dev/null; then need python3-venv python3-venv; fi
    say "installing $(basename "$2") into $1"
    python3 -m venv --clear "$1"
    "$1/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$2"
    cp "$2" "$1/requirements.txt"
}

# What the second implementation of the ledger needs.
venv() { make_venv "$VENV" "$ROOT/oracle/requirements.txt"; }

# oracle_python ARGUMENT...: Python that knows it, after venv.
oracle_python() { PYTHONPATH=$ROOT/oracle/src "$VENV/bin/python" "$@"; }

# Linters and formatters.
lint_venv() { make_venv "$LINT_VENV" "$ROOT/scripts/requirements-lint.txt"; }
