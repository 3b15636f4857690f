#!/usr/bin/env bash
# The demo: two years of a small NEMO-like ocean, the first sent as new Zarr stores and the second
# appended to them, on four ranks. The stores land in a directory in place of an object store.
# Starts from nothing every time.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly RANKS=4
target=${CARGO_TARGET_DIR:-$PWD/target}
demo=$target/demo
store=$demo/store
launch=(mpirun -n "$RANKS")
# OpenMPI wants to be told that there may be more ranks than cores, and that root may start them; MPICH knows neither flag.
if mpirun --version | grep 'Open MPI' > /dev/null; then
    launch+=(--oversubscribe)
    if [ "$(id -u)" = 0 ]; then launch+=(--allow-run-as-root); fi
fi

say() { printf '\n==> %s\n' "$*"; }

# Runs a command after showing it, with the paths as one would type them from here.
show() {
    local shown=("${@#"$PWD"/}")
    echo "\$ ${shown[*]}"
    "$@"
}

# generate YEAR: the file gets the name NEMO would give it.
generate() {
    mkdir "$demo/$1"
    show "$target/release/nemo-like" --grid 180x150x15 --freq 1m --steps 12 --start "$1-01-01" -o "$demo/$1"
}

send() {
    show "${launch[@]}" "$target/release/msm_os" send -f "$demo/$1"/*.nc -b "file://$store"
}

say "set-up"
scripts/setup.sh

say "building (a few minutes the first time)"
cargo build --release -p msm_os -p nemo-like --bins

rm -rf "$demo"
mkdir -p "$store"

say "1976: generate a file, send it as new stores"
generate 1976
send 1976

say "1977: generate a file, append it to the same stores"
generate 1977
send 1977

say "what is there now"
(cd "$store" && find . -name '*.zarr' -not -path '*/.msm-os/*' -prune | sort | sed 's|^\./||')

one=$(find "$store" -name '*.zarr' -not -path '*/.msm-os/*' -prune | sort | tail -n 1)
cat <<EOF

Next:
  - open a store in Python (pip install xarray zarr):
        import xarray as xr
        print(xr.open_zarr("${one#"$PWD/"}"))
  - look at what the source files hold:
        ncdump -h ${demo#"$PWD/"}/1976/*.nc
  - send a file of yours to S3: see "The first send to S3" in README.md
        ${launch[*]} ${target#"$PWD/"}/release/msm_os send -f FILE.nc -c credentials.json -b BUCKET
  - on a cluster: slurm/README.md
EOF
