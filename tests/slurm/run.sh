#!/usr/bin/env bash
# Sends under a real Slurm (cluster.sh) in each of the ways users start the tool, and compares what
# they see: the store's bytes and the exit code must be those of the plain binary.
#
#   run.sh [CASE…]      all cases, or those named
#
# MSM_OS, NEMO_LIKE and S3_SERVER name the three programs (default: the debug build).
# Prints "ok …" or "FAILED …" for each case; exits non-zero if any failed. Without root or Slurm the
# cases are skipped, which only a CI run counts as a failure.
set -uo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$top/target}
MSM_OS=$(realpath -m -- "${MSM_OS:-$target/debug/msm_os}")
NEMO_LIKE=$(realpath -m -- "${NEMO_LIKE:-$target/debug/nemo-like}")
S3_SERVER=$(realpath -m -- "${S3_SERVER:-$target/debug/s3-server}")
export MSM_OS # the batch scripts read it
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

readonly STEP_TIMEOUT=120 # seconds for one srun or one job; each takes one or two when all is well
readonly LAUNCHER_MISFIT=50 # the exit code, see docs/exit-codes.md
export VARIABLES="thetao tos" # of the array script: all that the source file holds

unavailable() {
    echo "Slurm tests: $*" >&2
    [ -z "${CI:-}" ] || exit 1
    echo "Slurm tests skipped" >&2
    exit 0
}

[ "$(id -u)" = 0 ] || unavailable "they need root, to start slurmd (in a container, or: sudo $0)"
for program in munged slurmctld slurmd srun sbatch curl; do
    command -v "$program" >/dev/null || unavailable "$program is not installed (scripts/setup.sh test installs it)"
done
for program in "$MSM_OS" "$NEMO_LIKE" "$S3_SERVER"; do
    [ -x "$program" ] || { echo "Slurm tests: no program $program: cargo build --workspace" >&2; exit 1; }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/msm-os-slurm.XXXXXX")
chmod 0755 "$work"
finish() {
    [ -z "$server" ] || kill "$server"
    "$top/tests/slurm/cluster.sh" stop "$work/cluster"
    if [ "$failures" = 0 ]; then rm -rf "$work"; else echo "logs and stores are left in $work" >&2; fi
}
failures=0
server=
trap finish EXIT
trap 'failures=interrupted; exit 130' INT TERM
cd "$work" || exit 1

# bucket NAME: an empty directory in the place of a bucket; prints its URL.
bucket() {
    mkdir -p "$work/$1"
    echo "file://$work/$1"
}

holds_nothing() { [ -z "$(find "$work/$1" -type f)" ]; }

# What a store of the plain binary and one of a cluster job must share: every byte a reader sees.
# The ledger beside the store holds times and transaction names, which differ from run to run.
same_store() {
    [ -n "$(find "$2" -name zarr.json 2>/dev/null)" ] || { echo "$2 holds no store"; return 1; }
    diff -r --exclude=.msm-os "$1" "$2"
}

step() { timeout "$STEP_TIMEOUT" srun -N1 -n3 "$@"; }

# submit OUTCOME SBATCH-ARGUMENTS…: waits for the job, or for all tasks of the array, and prints its
# log; fails unless all of them ended as OUTCOME says, for instance "COMPLETED 0" or "FAILED 3".
submit() {
    local job states outcomes expected=$1 deadline=$((SECONDS + STEP_TIMEOUT))
    shift
    rm -f job.log
    job=$(timeout 30 sbatch --parsable --output=job.log "$@") || return 1
    while :; do
        states=$(timeout 10 scontrol -o show job "$job" | grep -o 'JobState=[A-Z_]*' | sort -u)
        case $states in
            *PENDING* | *RUNNING* | *COMPLETING* | *CONFIGURING* | '') ;;
            *) break ;;
        esac
        ((SECONDS < deadline)) || { echo "job $job does not end:"; scontrol -o show job "$job"; scancel "$job"; break; }
        sleep 0.2
    done
    cat job.log
    outcomes=$(timeout 10 scontrol -o show job "$job" |
        sed -E 's/.* JobState=([A-Z_]+) .* ExitCode=([0-9]+):.*/\1 \2/' | sort -u)
    echo "job $job: $outcomes"
    [ "$outcomes" = "$expected" ]
}

srun_equals_plain() {
    step --mpi=pmix "$MSM_OS" send -f "$source" -b "$(bucket srun)" && same_store plain srun
}

# Prints the exit code of the plain binary for a source file that does not exist.
refused_code() {
    "$MSM_OS" send -f "$work/missing.nc" -b "$(bucket refused)" >&2
    echo $?
}

exit_code_survives() {
    local plain under_srun
    plain=$(refused_code)
    step --mpi=pmix "$MSM_OS" send -f "$work/missing.nc" -b "$(bucket refused)"
    under_srun=$?
    echo "plain binary $plain, srun $under_srun"
    [ "$plain" != 0 ] && [ "$plain" = "$under_srun" ] && holds_nothing refused
}

# A launcher of another MPI: OpenMPI itself refuses to start.
foreign_launcher_refused() {
    ! step --mpi=none "$MSM_OS" send -f "$source" -b "$(bucket foreign)" && holds_nothing foreign
}

# The same where the MPI library does not notice: three processes, each the whole of its own world.
singletons_refused() {
    step --mpi=none env -u SLURM_STEPID -u SLURM_STEP_ID -u SLURM_JOBID -u SLURM_NODELIST \
        "$MSM_OS" send -f "$source" -b "$(bucket singletons)"
    [ $? = $LAUNCHER_MISFIT ] && holds_nothing singletons
}

batch_script_equals_plain() {
    submit "COMPLETED 0" --ntasks=3 "$top/slurm/send.sbatch" -f "$source" -b "$(bucket batch)" && same_store plain batch
}

planned_script_equals_plain() {
    "$MSM_OS" plan -f "$source" -b "$(bucket planned)" --ranks 3 --sbatch >planned.sbatch || return 1
    submit "COMPLETED 0" planned.sbatch && same_store plain planned
}

batch_exit_code_survives() {
    submit "FAILED $(refused_code)" --ntasks=3 "$top/slurm/send.sbatch" -f "$work/missing.nc" -b "$(bucket refused)" &&
        holds_nothing refused
}

array_script_equals_plain() {
    local last=$(($(wc -w <<<"$VARIABLES") - 1))
    submit "COMPLETED 0" --array="0-$last" "$top/slurm/send-array.sbatch" -f "$source" -b "$(bucket array)" && same_store plain array
}

mpirun_in_allocation_equals_plain() {
    submit "COMPLETED 0" --ntasks=3 --wrap "exec mpirun -n 3 '$MSM_OS' send -f '$source' -b '$(bucket mpirun)'" && same_store plain mpirun
}

# A batch shell knows of the job's three tasks too; a program started in it is rightly alone.
plain_in_job_equals_plain() {
    submit "COMPLETED 0" --ntasks=3 --wrap "'$MSM_OS' send -f '$source' -b '$(bucket alone)'" && same_store plain alone
}

# serve OPTION…: starts an S3 server that is so slow, so that a job can be met in its middle.
serve() {
    [ -z "$server" ] || kill "$server"
    : >endpoint
    "$S3_SERVER" "$@" --anonymous --log server.log >endpoint &
    server=$!
    for _ in {1..100}; do
        [ -s endpoint ] && break
        sleep 0.1
    done
    printf '{"token": "test-key", "secret": "test-secret", "endpoint_url": "%s"}' "$(cat endpoint)" >credentials.json
    chmod 600 credentials.json
}

holds_key() { curl -sf "$(cat endpoint)/ocean?list-type=2&prefix=$1" | grep -q "$2"; }

# wait_for COMMAND…: until it succeeds, not for ever.
wait_for() {
    local deadline=$((SECONDS + STEP_TIMEOUT))
    until "$@"; do
        ((SECONDS < deadline)) || { echo "waited in vain: $*"; return 1; }
        sleep 0.2
    done
}

job_is_gone() { ! timeout 10 squeue -h -j "$1" 2>/dev/null | grep -q .; }

# A requeued job begins again only after minutes, but for this; while it still ends, or runs, it has no effect.
has_run_again() {
    timeout 10 scontrol update "JobId=$1" StartTime=now 2>/dev/null
    job_is_gone "$1"
}

# A send with --resume to the prefix, as arguments of sbatch.
resumable() {
    echo --ntasks=3 "$top/slurm/send.sbatch" --resume --memory 1M -cs '{"time_counter":1,"deptht":1}' -f "$source" -b ocean -p "$1" -c "$work/credentials.json"
}

# The store at the prefix holds what the source file does, and no journal is left.
is_whole() {
    timeout "$STEP_TIMEOUT" "$MSM_OS" verify --against "$source" -b ocean -p "$1" -c credentials.json &&
        ! holds_key "$1/.msm-os/" /journal/
}

cancelled_send_resumes() {
    local job
    # The arguments hold no blanks.
    # shellcheck disable=SC2046
    job=$(timeout 30 sbatch --parsable --output=cancelled.log $(resumable cancelled)) || return 1
    wait_for holds_key cancelled/.msm-os/ '[.]done/' || return 1
    # The server is slow: what lasts is said under srun, too, some seconds late where the machine is busy.
    wait_for grep -qE "Z at work for [0-9]+ s, since" cancelled.log || { cat cancelled.log; return 1; }
    scancel "$job"
    wait_for job_is_gone "$job" || return 1
    cat cancelled.log
    holds_key cancelled/.msm-os/ '[.]open' || { echo "no journal is open"; return 1; }
    # shellcheck disable=SC2046
    submit "COMPLETED 0" $(resumable cancelled) && grep -q "going on with a transaction" job.log && is_whole cancelled
}

requeued_send_resumes() {
    local job
    # shellcheck disable=SC2046
    job=$(timeout 30 sbatch --parsable --requeue --output=requeued.log --open-mode=append $(resumable requeued)) || return 1
    wait_for holds_key requeued/.msm-os/ '[.]done/' || return 1
    timeout 10 scontrol requeue "$job" && wait_for has_run_again "$job"
    cat requeued.log
    grep -q "going on with a transaction" requeued.log && is_whole requeued
}

update_script_overwrites() {
    submit "COMPLETED 0" --ntasks=2 "$top/slurm/update.sbatch" -f "$source" -b "$(bucket batch)" && same_store plain batch
}

# shellcheck source=tests/slurm/years.sh
. "$top/tests/slurm/years.sh"

# check FUNCTION WHAT-IT-SHOWS
check() {
    [ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " == *" $1 "* ]] || return 0
    if "$1" >"$1.log" 2>&1; then
        echo "ok $2"
    else
        echo "FAILED $2"
        sed 's/^/    /' "$1.log"
        failures=$((failures + 1))
    fi
}

wanted=("$@")
"$top/tests/slurm/cluster.sh" start "$work/cluster" || { failures=1; exit 1; }
export SLURM_CONF=$work/cluster/slurm.conf

source=$work/nemo_1m_19760101-19761231_grid-T.nc
if ! { timeout 120 "$NEMO_LIKE" --steps 12 --variables "${VARIABLES// /,}" --output "$source" &&
    timeout "$STEP_TIMEOUT" "$MSM_OS" send -f "$source" -b "$(bucket plain)"; }; then
    echo "FAILED the plain binary sends the file that the cases compare with"
    failures=1
    exit 1
fi

check srun_equals_plain "srun --mpi=pmix writes the store the plain binary writes"
check exit_code_survives "the exit code of a refused send survives srun"
check foreign_launcher_refused "srun --mpi=none fails and writes nothing"
check singletons_refused "tasks that each believe they are alone refuse to start"
check batch_script_equals_plain "slurm/send.sbatch writes the store the plain binary writes"
check planned_script_equals_plain "the script that plan --sbatch prints writes the store the plain binary writes"
check batch_exit_code_survives "the exit code of a refused send is that of the job of slurm/send.sbatch"
check array_script_equals_plain "slurm/send-array.sbatch writes the store the plain binary writes"
check mpirun_in_allocation_equals_plain "mpirun in a job writes the store the plain binary writes"
check plain_in_job_equals_plain "the plain binary in a job of three tasks runs alone"
check update_script_overwrites "slurm/update.sbatch overwrites what is there"
serve --delay 300
export MSM_OS_TEST_JOURNAL_MS=100 # what was put goes into the journal often
check cancelled_send_resumes "a send that says how far it is, and is cancelled, leaves its journal open, and the next one goes on with it"
check requeued_send_resumes "a send that is requeued goes on with what it had put"
if [ -x "$top/tests/.venv/bin/python" ]; then
    serve --put-delay 150
    mkdir years
    for month in 01 02 03 04 05 06 07 08 09 10 11 12; do
        timeout 120 "$NEMO_LIKE" --start "1976-$month-01" --variables "${VARIABLES// /,}" --output "years/nemo_1m_1976${month}01_grid-T.nc" >/dev/null
    done
    check years_by_many_jobs "an array shares in sending an archive, of which tasks fail, are killed, cancelled and requeued: a reader sees it grow"
else
    echo "SKIPPED: an archive by many jobs: there is no reader (make python makes it)"
fi
[ "$failures" = 0 ]
