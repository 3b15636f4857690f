#!/usr/bin/env bash
# Makes tests/.venv from tests/requirements.txt, tests/.venv-zarr2, with the zarr-python before version 3, from
# tests/requirements-zarr2.txt, tests/.venv-iris, with Iris, from tests/requirements-iris.txt, and tests/.venv-open, with what
# `msm_os open` tells to install, from tests/requirements-open.txt; anew when those files have changed since.
# With arguments, the environment and the requirements named instead: tests/.venv-docs docs/requirements.txt
# PYTHON names the interpreter (default: python3); the pinned packages need 3.11 or newer.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}

make_venv() {
    local venv=$1 wanted=$2 options=("${@:3}")
    local made_from=$venv/requirements.txt # the last file written, so a half-made venv is made again

    cmp -s "$wanted" "$made_from" && return

    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "tests need Python 3.11 or newer, $python is $("$python" --version 2>&1)" >&2
        echo "name another one: make test PYTHON=python3.12" >&2
        exit 1
    }
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-input "${options[@]}" -r "$wanted"
    # What was left out on purpose is missing.
    [ ${#options[@]} != 0 ] || "$venv/bin/pip" check >/dev/null
    cp "$wanted" "$made_from"
}

if [ $# = 2 ]; then
    make_venv "$top/$1" "$top/$2"
    exit
fi
make_venv "$top/tests/.venv" "$top/tests/requirements.txt"
make_venv "$top/tests/.venv-zarr2" "$top/tests/requirements-zarr2.txt"
make_venv "$top/tests/.venv-iris" "$top/tests/requirements-iris.txt" --no-deps
make_venv "$top/tests/.venv-open" "$top/tests/requirements-open.txt" --no-deps
