# Sourced after common.sh by scripts that run Python with packages.

VENV=$ROOT/scripts/.venv

# The packages of requirements.txt, each file checked by its hash, when they changed or are missing.
venv() {
    local wanted=$ROOT/scripts/requirements.txt
    cmp --silent "$wanted" "$VENV/requirements.txt" && return
    need python3 python3
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "Python 3.11 or later is needed, found $(python3 --version)"
    if ! python3 -c 'import ensurepip' 2> /dev/null; then need python3-venv python3-venv; fi
    say "installing what the second implementation is made of into scripts/.venv"
    python3 -m venv --clear "$VENV"
    "$VENV/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$wanted"
    cp "$wanted" "$VENV/requirements.txt"
}
