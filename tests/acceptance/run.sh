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
readonly BUSY=35   # the exit code, see docs/exit-codes.md
readonly STRATEGY='{"time_counter": 1, "deptht": 2}' # many small objects: time to kill a send among them
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

# What readers see of the store $1, by key and ETag.
seen() { in_bucket list "$PREFIX/$1"; }

# The ledger of the store of the prefix $1 has no journal and no lease: nothing is under way, nothing waits.
at_rest() { ! in_bucket list "$PREFIX/$1/.msm-os" | grep -E '^[^ ]*/(journal|lease)/'; }

send_year() { run "$1" send -f "$work/$2.nc" -cs "$STRATEGY" -p "$PREFIX/$3" "${@:4}"; }

# kill_send RANKS YEAR STORE: starts a send and kills a rank with SIGKILL once some of its objects are in the bucket.
kill_send() {
    local ranks=$1 launcher=() pid victim objects
    [ "$ranks" = 1 ] || launcher=(mpirun -n "$ranks" --oversubscribe --bind-to none)
    objects=$(seen "$3" | wc -l)
    "${launcher[@]}" "$MSM_OS" send -f "$work/$2.nc" -cs "$STRATEGY" -p "$PREFIX/${3%/*}" -b "$BUCKET" -c "$CREDENTIALS" &
    pid=$!
    in_bucket await $((objects + 5)) "$PREFIX/$3"
    victim=$pid
    [ "$ranks" = 1 ] || victim=$(pgrep --parent $pid msm_os | tail -n 1)
    kill -KILL "$victim"
    wait $pid
    [ $? = 137 ] || { echo "the send ended before it was killed"; return 1; }
}

# A send that dies while it appends changes nothing for readers; recover brings back every object as it was.
killed_sends_are_recovered() {
    local store=killed-$1/thetao.zarr before
    send_year 1 1976 "killed-$1" || return
    before=$(seen "$store")
    kill_send "$1" 1977 "$store" && reads_back "$store" "$work/1976.nc" && ! at_rest "killed-$1" &&
        run 1 recover -p "$PREFIX/killed-$1" && [ "$(seen "$store")" = "$before" ] && at_rest "killed-$1"
}

# The next send does the same by itself, and goes on.
killed_sends_are_completed() {
    local store=killed-$1/thetao.zarr
    kill_send "$1" 1977 "$store" && send_year "$1" 1977 "killed-$1" &&
        reads_back "$store" "$work/1976.nc" "$work/1977.nc" && at_rest "killed-$1"
}

killed_creations_vanish() {
    kill_send "$1" 1976 "created-$1/thetao.zarr" && run 1 recover -p "$PREFIX/created-$1" &&
        [ -z "$(in_bucket list "$PREFIX/created-$1")" ]
}

# An update and an append are undone; what the bucket held before is there again, to the byte.
transactions_are_rolled_back() {
    local store=back-$1/thetao.zarr before
    send_year "$1" 1976 "back-$1" && before=$(seen "$store") && send_year "$1" 1977 "back-$1" &&
        run "$1" rollback -p "$PREFIX/back-$1" && [ "$(seen "$store")" = "$before" ] || return
    "$python" "$top/tests/python/cut.py" "$work/1976.nc" "$work/other.nc" 3,4,5 add=1 &&
        run "$1" update -f "$work/other.nc" -p "$PREFIX/back-$1" && [ "$(seen "$store")" != "$before" ] &&
        run "$1" rollback -p "$PREFIX/back-$1" && [ "$(seen "$store")" = "$before" ] &&
        reads_back "$store" "$work/1976.nc" && at_rest "back-$1"
}

# Of two jobs that send to one store at once, one does and the other hears that it is busy.
one_of_two_sends_wins() {
    local first second codes
    send_year 1 1976 two --lock-wait 0s &
    first=$!
    send_year 1 1976 two --lock-wait 0s &
    second=$!
    wait $first
    codes=$?
    wait $second
    codes="$codes $?"
    echo "exit codes: $codes"
    [[ $codes = "0 $BUSY" || $codes = "$BUSY 0" ]] && reads_back two/thetao.zarr "$work/1976.nc" && at_rest two
}

# With patience both do what they came for, one after the other.
two_sends_queue() {
    local first
    send_year 1 1976 queue --on-overlap skip &
    first=$!
    send_year 1 1976 queue --on-overlap skip && wait $first && reads_back queue/thetao.zarr "$work/1976.nc" && at_rest queue
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
for ranks in 1 3; do
    check "a send killed by SIGKILL shows readers nothing, recover undoes it, ranks: $ranks" killed_sends_are_recovered $ranks
    check "the next send after a killed one completes it, read back, ranks: $ranks" killed_sends_are_completed $ranks
    check "of a killed creation recover leaves nothing, ranks: $ranks" killed_creations_vanish $ranks
    check "an append and an update rolled back, ranks: $ranks" transactions_are_rolled_back $ranks
done
check "of two sends at once one succeeds, one is told that the store is busy" one_of_two_sends_wins
check "two sends at once that wait for each other both succeed" two_sends_queue
[ "$failures" = 0 ]
