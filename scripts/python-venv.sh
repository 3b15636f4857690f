#!/usr/bin/env bash
# Makes tests/.venv from tests/requirements.txt, anew when that file has changed since.
# PYTHON names the interpreter (default: python3); the pinned packages need 3.11 or newer.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
venv=$top/tests/.venv
wanted=$top/tests/requirements.txt
made_from=$venv/requirements.txt # the last file written, so a half-made venv is made again
python=${PYTHON:-python3}

cmp -s "$wanted" "$made_from" && exit 0

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "tests need Python 3.11 or newer, $python is $("$python" --version 2>&1)" >&2
    echo "name another one: make test PYTHON=python3.12" >&2
    exit 1
}
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-input -r "$wanted"
"$venv/bin/pip" check >/dev/null
cp "$wanted" "$made_from"
