#!/bin/sh
# Makes .venv from the hashed lock. Run by `make setup`, from the repository's root; safe to repeat
# and to interrupt: .venv/.ready is written last.
set -eu

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# The lock is made for 3.11, so that one is taken first; PYTHON=... overrules.
find_python() {
    for candidate in "${PYTHON:-}" python3.11 python3 python3.12 python3.13 python3.14; do
        if [ -n "$candidate" ] && new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail 'Python 3.11 or newer is missing. Install it (Debian, Ubuntu: apt install python3 python3-venv;
       macOS: brew install python@3.11), or name it: make setup PYTHON=/path/to/python3.11'
}

make_venv() {
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || fail "$python cannot make a virtual" \
        'environment: its modules venv and ensurepip are missing. Install them (Debian, Ubuntu:' \
        "apt install python3-venv, for a second Python its own: python3.12-venv), then go on."
    rm -rf .venv
    "$python" -m venv .venv || fail "$python could not make .venv; its words are above"
}

if ! new_enough .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo 'Setting up: making .venv ...'
    make_venv
fi

quietly() {
    .venv/bin/python -m pip --quiet --disable-pip-version-check install "$@" ||
        fail 'an installation failed, for the reason above. Mend that and run make setup again.' \
            'A proxy or mirror is taken from pip.conf or PIP_* variables.'
}

echo 'Setting up: installing the locked dependencies into .venv (a minute or two the first time) ...'
quietly --require-hashes --requirement deploy/locks/dev.txt
quietly --no-deps --no-build-isolation --editable .
touch .venv/.ready
echo 'Setting up: done.'
