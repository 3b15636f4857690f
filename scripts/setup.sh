#!/usr/bin/env bash
# Looks for everything a build (or the tests) needs and installs what it may.
#
#   setup.sh          to build and to run the demo
#   setup.sh test     also what `make test` needs: Slurm, hosts out of namespaces, shells, Python venvs, rustfmt and clippy
#
# System packages are installed with apt-get when this runs as root or sudo asks for no password;
# otherwise the command to run is printed and the exit code is 1. Rust is never installed unasked.
# With nothing missing it is done in a blink, so every make target may call it.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
what=${1:-build}

# "a|b": either will do; the first that apt knows is installed (names differ between releases).
build_packages=(gcc g++ make cmake pkg-config\|pkgconf libclang-dev
    openmpi-bin libopenmpi-dev libnetcdf-dev libhdf5-dev netcdf-bin)
test_packages=(python3-venv openssl curl iproute2 util-linux socat zsh fish groff-base mandoc
    slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge libpmix2t64\|libpmix2)
# A browser for the tests of pages, which elsewhere only look at the text: Ubuntu has it as a snap alone.
if [ "$(sed -n 's/^ID=//p' /etc/os-release 2>/dev/null)" = debian ]; then test_packages+=(chromium fonts-dejavu-core); fi
# The same in commands, for systems that have no dpkg.
build_commands=(cc c++ make cmake pkg-config mpicc mpirun nc-config ncdump)
test_commands=(python3 openssl zsh fish groff mandoc)

case $what in
    build) packages=("${build_packages[@]}") commands=("${build_commands[@]}") ;;
    test)
        packages=("${build_packages[@]}" "${test_packages[@]}")
        commands=("${build_commands[@]}" "${test_commands[@]}")
        ;;
    *)
        echo "usage: setup.sh [build|test]" >&2
        exit 2
        ;;
esac

# Prints what of `packages` is not installed.
missing_packages() {
    local installed choice name
    # dpkg-query fails over names it has never heard of, such as those of another release.
    # shellcheck disable=SC2046 # one word a package
    installed=$(dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' $(tr '|' ' ' <<<"${packages[*]}") 2>/dev/null || true)
    installed=" $(sed -n 's/^ii *//p' <<<"$installed" | tr '\n' ' ')"
    for choice in "${packages[@]}"; do
        for name in ${choice//|/ }; do
            [[ $installed == *" $name "* ]] && continue 2
        done
        echo "$choice"
    done
}

# Turns each "a|b" into the first name that apt can install; into the last if it knows neither.
installable() {
    local choice name
    for choice in "$@"; do
        for name in ${choice//|/ }; do
            [ "$name" = "${choice##*|}" ] || [ -n "$(apt-cache search --names-only "^$name\$")" ] || continue
            echo "$name"
            break
        done
    done
}

install_packages() {
    local as_root=() names
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            echo "These packages are missing; install them, then run this again:" >&2
            echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $(installable "$@" | xargs)" >&2
            exit 1
        fi
        as_root=(sudo -n)
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    mapfile -t names < <(installable "$@")
    echo "Installing: ${names[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${names[@]}" >/dev/null
}

check_commands() {
    local name missing=()
    for name in "${commands[@]}"; do
        command -v "$name" >/dev/null || missing+=("$name")
    done
    [ ${#missing[@]} = 0 ] && return
    echo "Not found: ${missing[*]}" >&2
    echo "Load or install a compiler, cmake, pkg-config, an MPI, netCDF and HDF5 with headers, and libclang." >&2
    exit 1
}

check_rust() {
    local wanted found
    wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$top/Cargo.toml")
    if ! command -v cargo >/dev/null || ! command -v rustc >/dev/null; then
        if [ -x "$HOME/.cargo/bin/cargo" ]; then
            echo "Rust is installed, but not on the PATH of this shell:  . ~/.cargo/env" >&2
        else
            echo "Rust $wanted or newer is missing. Install it with rustup (https://rustup.rs), then run this again:" >&2
            echo "    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y && . ~/.cargo/env" >&2
        fi
        exit 1
    fi
    found=$(rustc --version | cut -d' ' -f2)
    if ! printf '%s\n' "$wanted" "${found%%-*}" | sort --version-sort --check=quiet; then
        echo "Rust $wanted or newer is needed, this is $found." >&2
        if command -v rustup >/dev/null; then
            echo "    rustup update stable && rustup default stable" >&2
        else
            echo "Install a newer one with rustup: https://rustup.rs" >&2
        fi
        exit 1
    fi
}

check_rust_components() {
    local bin
    bin=$(rustc --print sysroot)/bin
    [ -x "$bin/cargo-clippy" ] && [ -x "$bin/rustfmt" ] && return
    if command -v rustup >/dev/null; then
        rustup --quiet component add clippy rustfmt
    else
        echo "clippy and rustfmt are missing: install them from where Rust came from." >&2
        exit 1
    fi
}

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
    mapfile -t missing < <(missing_packages)
    if [ ${#missing[@]} != 0 ]; then install_packages "${missing[@]}"; fi
else
    check_commands
fi
check_rust
if [ "$what" = test ]; then check_rust_components; fi
