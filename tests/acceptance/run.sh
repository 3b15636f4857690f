#!/usr/bin/env bash
# What users do, against a real S3 server: `run.sh CREDENTIALS BUCKET`, with the JSON file that the program's -c takes.
# All is done below a prefix of its own, and removed.
#
# MSM_OS and NEMO_LIKE name the two programs (default: the debug build). Prints "ok …" with the seconds it took, or
# "FAILED …" with the output, for each case; exits non-zero if any failed.
set -uo pipefail

[ $# = 2 ] || { echo "usage: run.sh CREDENTIALS BUCKET" >&2; exit 2; }
export CREDENTIALS=$1 BUCKET=$2
top=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$top/target}
MSM_OS=$(realpath -m -- "${MSM_OS:-$target/debug/msm_os}")
NEMO_LIKE=$(realpath -m -- "${NEMO_LIKE:-$target/debug/nemo-like}")
python=$top/tests/.venv/bin/python
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

readonly LIMIT=120 # seconds for one run; each takes a few when all is well
readonly PREFIX=msm-os-acceptance-$$

for program in "$MSM_OS" "$NEMO_LIKE" "$python"; do
    [ -x "$program" ] || { echo "acceptance: no program $program: make build python" >&2; exit 1; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/msm-os-acceptance.XXXXXX")
failures=0
finish() {
    run 1 delete --all --yes --force -p "$PREFIX" >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

# run RANKS COMMAND…: the program on one process without a launcher, or under mpirun.
run() {
    local ranks=$1 launcher=()
    shift
    [ "$ranks" = 1 ] || launcher=(mpirun -n "$ranks" --oversubscribe --bind-to none)
    timeout --kill-after 5 $LIMIT "${launcher[@]}" "$MSM_OS" "$@" -b "$BUCKET" -c "$CREDENTIALS"
}

in_bucket() { "$python" "$top/tests/acceptance/bucket.py" "$@"; }

of_credentials() { "$python" -c "import json, sys; print(json.load(open('$CREDENTIALS'))['$1'])"; }

# reads_back STORE FILE…: xarray, zarr and netCDF4 find the same, bit by bit.
reads_back() {
    local store=$1
    shift
    ENDPOINT=$(of_credentials endpoint_url) ACCESS_KEY=$(of_credentials token) SECRET_KEY=$(of_credentials secret) \
        "$python" "$top/tests/python/read_back.py" "s3://$BUCKET/$PREFIX/$store" time_counter "$@"
}

# steps STORE-PREFIX: the steps of its one store, as `list` says.
steps() { run 1 list --json -p "$PREFIX/$1" | "$python" -c "import json, sys; print(json.load(sys.stdin)[0]['time']['steps'])"; }

doctor_finds_nothing_lacking() {
    run 1 doctor -p "$PREFIX" | tee "$work/doctor" && ! grep -q '^FAIL' "$work/doctor" && [ -z "$(in_bucket list "$PREFIX")" ]
}

creations_are_atomic() { in_bucket race "$PREFIX"; }

months_are_created_and_appended() {
    run "$1" send -f "${months[0]}" -p "$PREFIX/$1" &&
        run "$1" send -f "${months[1]}" "${months[2]}" -p "$PREFIX/$1" &&
        reads_back "$1/tos.zarr" "${months[@]}"
}

ranks_make_no_difference() {
    diff <(in_bucket list "$PREFIX/1/tos.zarr") <(in_bucket list "$PREFIX/3/tos.zarr")
}

a_month_is_updated() {
    "$python" "$top/tests/python/cut.py" "${months[1]}" "$work/changed.nc" 0 add=1 &&
        run "$1" update -f "$work/changed.nc" -p "$PREFIX/$1" &&
        reads_back "$1/tos.zarr" "${months[0]}" "$work/changed.nc" "${months[2]}"
}

stores_are_listed() {
    run "$1" list -p "$PREFIX/$1" && [ "$(steps "$1")" = 3 ]
}

stores_are_deleted() {
    run "$1" delete --all --yes -p "$PREFIX/$1" && [ -z "$(in_bucket list "$PREFIX/$1")" ]
}

# A send that dies while it appends changes nothing for readers, and the same send again completes it.
killed_sends_are_completed() {
    local pid
    run 1 send -f "$work/1976.nc" -p "$PREFIX/killed" && reads_back killed/thetao.zarr "$work/1976.nc" || return
    "$MSM_OS" send -f "$work/1977.nc" -p "$PREFIX/killed" -b "$BUCKET" -c "$CREDENTIALS" &
    pid=$!
    in_bucket await $(($(in_bucket list "$PREFIX/killed" | wc -l) + 5)) "$PREFIX/killed"
    kill -KILL $pid
    wait $pid
    [ $? = 137 ] || { echo "the send ended before it was killed"; return 1; }
    reads_back killed/thetao.zarr "$work/1976.nc" &&
        run 3 send -f "$work/1977.nc" -p "$PREFIX/killed" &&
        reads_back killed/thetao.zarr "$work/1976.nc" "$work/1977.nc"
}

# check WHAT-IT-SHOWS FUNCTION ARGUMENT…
check() {
    local what=$1 begun=$SECONDS
    shift
    if "$@" >"$work/log" 2>&1; then
        echo "ok $what ($((SECONDS - begun)) s)"
    else
        echo "FAILED $what"
        sed 's/^/    /' "$work/log"
        failures=$((failures + 1))
    fi
}

mapfile -t months < <("$python" -c "
import glob, iris_sample_data, os
print(*sorted(glob.glob(os.path.join(iris_sample_data.path, 'NEMO', 'nemo_1m_2015*'))), sep='\n')")
for year in 1976 1977; do
    "$NEMO_LIKE" --grid 120x100x10 --steps 12 --variables thetao --start $year-01-01 -o "$work/$year.nc" >/dev/null || exit 1
done

check "doctor finds nothing lacking, and leaves nothing" doctor_finds_nothing_lacking
sed 's/^/    /' "$work/doctor"
check "of many writers that create one object, one succeeds" creations_are_atomic
for ranks in 1 3; do
    check "three NEMO months created and appended, read back, ranks: $ranks" months_are_created_and_appended $ranks
done
check "one and three ranks wrote the same objects" ranks_make_no_difference
for ranks in 1 3; do
    check "a month updated, read back, ranks: $ranks" a_month_is_updated $ranks
    check "stores listed, ranks: $ranks" stores_are_listed $ranks
    check "stores deleted, nothing left, ranks: $ranks" stores_are_deleted $ranks
done
check "a send that was killed shows readers nothing, and the same send completes it" killed_sends_are_completed
[ "$failures" = 0 ]
