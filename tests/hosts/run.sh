#!/usr/bin/env bash
# Faults that only several hosts have: hosts and links that fall silent, hosts that die, hosts that lose the store alone.
# Each case has a cluster of its own out of Linux namespaces (hosts-up.sh), an S3 server on its head, and a job of three
# ranks on three hosts whose links are so slow that the fault strikes in mid-transfer. What counts is what another job has
# committed meanwhile: not a byte of it may change, whenever the old job, or what its kernels still had to send, comes back.
#
#   run.sh [CASE…]      all cases at once (they mostly wait), or those named; KEEP_LOGS=yes leaves what each has done
#
# MSM_OS, NEMO_LIKE and S3_SERVER name the three programs (default: the debug build). Prints "ok …" or "FAILED …" for each
# case; exits non-zero if any failed. Where there can be no such hosts, all are skipped.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$top/target}
MSM_OS=$(realpath -m -- "${MSM_OS:-$target/debug/msm_os}")
NEMO_LIKE=$(realpath -m -- "${NEMO_LIKE:-$target/debug/nemo-like}")
S3_SERVER=$(realpath -m -- "${S3_SERVER:-$target/debug/s3-server}")
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

readonly JOB_ENDS=120   # seconds from a fault until the job must have ended
readonly START=120      # seconds until a job must be in mid-transfer, on a machine that is busy with other cases
readonly LEASE=12       # seconds; a minute in the cases that say so
readonly RATE=450kbit   # of each host: the transfer takes about a minute
readonly STORE_ADDRESS=10.77.0.253
readonly TRANSFER_FAILED=40 LEASE_LOST=45 # exit codes, see docs/exit-codes.md

unavailable() {
    echo "SKIPPED: tests of several hosts: $*" >&2
    exit 0
}

[ "$(id -u)" = 0 ] || unavailable "they need root, for the namespaces (in a container, or: sudo $0)"
for program in ip tc ss unshare nsenter socat curl mpirun; do
    command -v "$program" >/dev/null || unavailable "$program is not installed (scripts/setup.sh test installs it)"
done
for program in "$MSM_OS" "$NEMO_LIKE" "$S3_SERVER"; do
    [ -x "$program" ] || { echo "tests of several hosts: no program $program: cargo build --workspace" >&2; exit 1; }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/msm-os-hosts.XXXXXX")
chmod 0755 "$work"
share=$work/share # what all hosts see
mkdir "$share"
export HOSTS_SHARED=$share
finish() {
    local running
    mapfile -t running < <(jobs -pr)
    [ ${#running[@]} = 0 ] || kill "${running[@]}"
    for hosts in "$work"/*/hosts; do
        [ ! -d "$hosts" ] || "$here/hosts-down.sh" "${hosts%/hosts}"
    done
    if [ "$failures" = 0 ] && [ -z "${KEEP_LOGS:-}" ]; then rm -rf "$work"; else echo "logs are left in $work" >&2; fi
}
failures=0
trap finish EXIT
trap 'failures=interrupted; exit 130' INT TERM

# Whether this machine lets us make hosts is seen by making some.
if ! "$here/hosts-up.sh" "$work/probe" 1 >"$work/probe.log" 2>&1 ||
    ! "$here/hosts-run.sh" "$work/probe" n1 tc qdisc replace dev eth0 root tbf rate 1mbit burst 16k latency 400ms >>"$work/probe.log" 2>&1; then
    reason=$(tail -n 2 "$work/probe.log" | paste -sd' ')
    unavailable "no hosts can be made here (CAP_SYS_ADMIN, CAP_NET_ADMIN, veth, bridge and tbf are needed): $reason"
fi
"$here/hosts-down.sh" "$work/probe"
# The hosts have a /tmp of their own: what they run lies in the folder that they share.

cp "$MSM_OS" "$share/msm_os"
cp "$S3_SERVER" "$share/s3-server"
ln -s msm_os "$share/other" # the other job, told from the first by its name

### The stage of a case. `dir` is its folder, which its hosts share.

# on HOST COMMAND…
on() { "$here/hosts-run.sh" "$dir" "$@"; }

say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }

# What is wrong is counted, and the case goes on where it can, so that its report is whole.
faults=0
fail() {
    say "FAILED: $*"
    faults=$((faults + 1))
}

# set_up: three hosts, the server on the head, and the way there from the hosts.
set_up() {
    "$here/hosts-up.sh" "$dir" 3 || return 1
    on head sh -c "exec setsid '$share/s3-server' --anonymous >'$dir/endpoint' 2>'$dir/server.log' </dev/null" &
    wait_for 30 test -s "$dir/endpoint" || return 1
    on head sh -c "exec setsid socat TCP-LISTEN:9000,bind=$STORE_ADDRESS,fork,reuseaddr TCP:$(sed 's|http://||' "$dir/endpoint") 2>/dev/null </dev/null" &
    credentials hosts.json http://store:9000
    credentials head.json "$(cat "$dir/endpoint")"
    # mpirun starts its daemons through the head, wherever it runs itself.
    cat >"$dir/door" <<DOOR
#!/bin/sh
read -r host
read -r command
exec '$here/hosts-run.sh' --ssh '$dir' "\$host" "\$command" </dev/null
DOOR
    cat >"$dir/knock" <<'KNOCK'
#!/bin/sh
host=$1
shift
printf '%s\n%s\n' "$host" "$*" | socat -t 600 - TCP:head:2222
KNOCK
    chmod +x "$dir/door" "$dir/knock"
    on head sh -c "exec setsid socat TCP-LISTEN:2222,fork,reuseaddr EXEC:'$dir/door' </dev/null >/dev/null 2>&1" &
    slow "$RATE" n1 n2 n3
}

credentials() {
    printf '{"token": "test-key", "secret": "test-secret", "endpoint_url": "%s"}' "$2" >"$dir/$1"
    chmod 600 "$dir/$1"
}

# slow RATE HOST…
slow() {
    local host
    for host in "${@:2}"; do on "$host" tc qdisc replace dev eth0 root tbf rate "$1" burst 16k latency 400ms || return 1; done
}

# wait_for SECONDS COMMAND…: until it succeeds, not for ever.
wait_for() {
    local deadline=$((SECONDS + $1))
    until "${@:2}"; do
        ((SECONDS < deadline)) || { say "waited $1 s in vain: ${*:2}"; return 1; }
        sleep 0.5
    done
}

### The jobs

# Both jobs write the same steps, with different values. Where there is a store already, they update it.
common=(-b ocean -p x -v thetao)
chunks=(-cs '{"time_counter":1,"deptht":1}')
job_line() {
    case $verb in
        send) line=(send "${common[@]}" "${chunks[@]}") ;;
        update) line=(update "${common[@]}") ;;
    esac
}

# store_is_there: what both jobs update.
store_is_there() {
    other_job send "${common[@]}" "${chunks[@]}" -f "$share/before.nc" || return 1
    verb=update
}

# start_mpirun HOST: the job, as an mpirun on that host. What mpirun is to be told besides is in MPIRUN_SETTINGS.
start_mpirun() {
    job_line
    # shellcheck disable=SC2086 # words
    launch on "$1" env OMPI_MCA_plm_rsh_no_tree_spawn=1 OMPI_MCA_plm_rsh_agent="$dir/knock" MSM_OS_TEST_LEASE_SECONDS="$lease" \
        MSM_OS_TEST_JOURNAL_MS=500 ${MPIRUN_SETTINGS:-} \
        mpirun --host "${ranks:-n1,n2,n3}" -x MSM_OS_TEST_LEASE_SECONDS -x MSM_OS_TEST_JOURNAL_MS \
        "$share/msm_os" "${line[@]}" --memory 4M -f "$share/first.nc" -c "$dir/hosts.json"
}

# start_srun: the same under Slurm.
start_srun() {
    SLURMD_TIMEOUT=300 "$here/hosts-slurm.sh" "$dir" || return 1
    job_line
    launch on head env SLURM_CONF="$dir/slurm/slurm.conf" MSM_OS_TEST_LEASE_SECONDS="$lease" MSM_OS_TEST_JOURNAL_MS=500 \
        srun -N3 -n3 --ntasks-per-node=1 --kill-on-bad-exit=1 --mpi=pmix \
        "$share/msm_os" "${line[@]}" --memory 4M -f "$share/first.nc" -c "$dir/hosts.json"
}

# launch COMMAND…: starts the job, until it is in mid-transfer. MPI's own start crashes now and then, or comes to no end, before the program's
# first line: then it is launched again.
launch() {
    local try
    for try in 1 2 3; do
        "$@" >"$dir/job.log" 2>&1 </dev/null &
        job=$!
        ! begins || return 0
        ! has_begun || return 1
        say "launched in vain ($try)"
        # Its other ranks wait for the one that crashed, and are none of the next launch's.
        kill "$job" 2>/dev/null
        [ ! -e "$dir/slurm/slurm.conf" ] || on head env SLURM_CONF="$dir/slurm/slurm.conf" scancel --user root --signal=KILL
        for program in mpirun orted msm_os; do signal KILL $program; done
        wait_for 60 launcher_is_gone && wait_for 60 ranks_are_gone || return 1
    done
    return 1
}

# The program has written its first line.
has_begun() { grep -q ', version ' "$dir/job.log"; }

launcher_lives() { kill -0 "$job" 2>/dev/null; }
launcher_is_gone() { ! launcher_lives; }

# begins: the job is in mid-transfer, in time.
begins() {
    local deadline=$((SECONDS + START)) first_line=$((SECONDS + START / 2)) objects
    while launcher_lives; do
        case $verb in
            send) objects=$(list x/thetao.zarr/thetao/c/ | wc -l) ;;
            update) objects=$(list x/.msm-os/thetao.zarr/undo/ | grep -c /objects/) ;;
        esac
        ((objects < 10)) || { say "in mid-transfer: $objects objects"; return 0; }
        ((SECONDS < first_line)) || has_begun || { say "has not written a line"; what_runs; break; }
        ((SECONDS < deadline)) || { say "does not begin"; what_runs; break; }
        sleep 0.5
    done
    tail -n 20 "$dir/job.log"
    return 1
}

# what_runs: processes on all hosts, what they wait for, and their connections.
what_runs() {
    local host
    on head ps -eo pid,ppid,stat,wchan:20,etimes,args --forest | cut -c 1-200
    for host in head n1 n2 n3; do
        echo "$host:"
        on "$host" ss -Htnp | cut -c 1-150
    done
}

# The ranks of the job: the head sees the processes of all hosts.
ranks_are_gone() { ! on head sh -c 'grep -qsx msm_os /proc/[0-9]*/comm'; }

# job_ends FAULT-AT: all its ranks on all hosts end in time.
job_ends() {
    wait_for $(($1 + JOB_ENDS - SECONDS)) ranks_are_gone || { fail "ranks live $((SECONDS - $1)) s after the fault"; return; }
    say "no rank lives $((SECONDS - $1)) s after the fault"
}

# launcher_ends FAULT-AT [CODE]: so does what started it, with a code that is not 0.
launcher_ends() {
    local code
    wait_for $(($1 + JOB_ENDS - SECONDS)) launcher_is_gone || { fail "the launcher lives $((SECONDS - $1)) s after the fault"; return; }
    wait "$job"
    code=$?
    say "the launcher has ended $((SECONDS - $1)) s after the fault with code $code"
    if [ "$code" = 0 ] || [ "$code" != "${2:-$code}" ]; then fail "code $code"; fi
}

# other_job COMMAND-LINE…: another job's on the head.
other_job() {
    on head env MSM_OS_TEST_LEASE_SECONDS="$lease" timeout 200 "$share/other" "$@" -c "$dir/head.json" >"$dir/other.log" 2>&1
    local ended=$?
    tail -n 5 "$dir/other.log"
    return $ended
}

# another_job_commits: it sends the same steps with other values to the same store; its bytes go into committed.txt.
another_job_commits() {
    say "another job begins"
    job_line
    other_job "${line[@]}" -f "$share/second.nc" || { fail "the other job failed"; return 1; }
    store >"$dir/committed.txt"
    say "another job has committed"
    grep -q '/c/' "$dir/committed.txt" || fail "it has written nothing"
}

### What is in the bucket

# list PREFIX: key, ETag (the MD5) and time of every object below it.
list() {
    on head curl -sf "$(cat "$dir/endpoint")/ocean?list-type=2&prefix=$1" |
        sed 's|<Contents>|\n&|g' |
        sed -n 's|.*<Contents>.*<Key>\([^<]*\)</Key>.*|\1 &|p' |
        sed -E 's|^([^ ]*) .*<LastModified>([^<]*)<.*|\1 \2 &|; s|^([^ ]* [^ ]*) .*<ETag>([^<]*)<.*|\1 \2|'
}

store() { list x/thetao.zarr/; }

# untouched [FILES]: what the other job has committed is as it was, whole, and nothing of the first job is left.
untouched() {
    local left
    store >"$dir/now.txt"
    if ! cmp -s "$dir/committed.txt" "$dir/now.txt"; then
        diff "$dir/committed.txt" "$dir/now.txt" | head -n 8
        fail "$(diff "$dir/committed.txt" "$dir/now.txt" | grep -c '^>') objects of the other job's store have changed"
    fi
    other_job verify -b ocean -p x --against "${1:-$share/second.nc}" || fail "verify finds faults"
    list '' | cut -d' ' -f1 | grep -E '/[.]msm-os/' >"$dir/ledger.txt"
    # Manifests and undo copies of transactions that were committed may stay.
    left=$(grep -vE '/last.json$' "$dir/ledger.txt" | grep -vE "/(transactions|manifests|undo|additions)/($(sed -n 's|.*/transactions/||p' "$dir/ledger.txt" | paste -sd'|'))(/|\$)" | paste -sd' ')
    [ -z "$left" ] || fail "left in the ledger: $left"
}

# rest HOST…: until the hosts' kernels have nothing more to send, in whosever name; at least ten seconds.
rest() {
    local host
    sleep 10
    for host in "$@"; do wait_for 130 nothing_to_send "$host"; done
}
nothing_to_send() { ! on "$1" ss -Htn | awk '$3 > 0 { found = 1 } END { exit !found }'; }

sever() { say "the link of $1 goes down"; on head ip link set "$1" down; }
heal() { say "the link of $1 comes back"; on head ip link set "$1" up; }

### The cases

# The lead's host falls silent, the others go on; its link comes back when all is over.
lead_silent() {
    start_mpirun head || return
    local at=$SECONDS
    sever n1
    another_job_commits
    job_ends "$at"
    heal n1
    rest n1
    untouched
}

lead_silent_real_lease() {
    lease=60
    ranks=n1:2,n2:2,n3:2
    slow 250kbit n1 n2 n3
    lead_silent
}

# The same, with the link coming back while the old job still lives.
update_silent_for_a_while() {
    store_is_there || return
    lead_silent_for_a_while
}
lead_silent_for_a_while() {
    start_mpirun head || return
    local at=$SECONDS
    sever n1
    another_job_commits
    ! ranks_are_gone || say "(the other job was so slow that the first has ended by itself)"
    heal n1
    job_ends "$at"
    rest n1
    untouched
}

# Another rank's host falls silent; mpirun runs where the lead does.
other_silent() {
    start_mpirun n1 || return
    local at=$SECONDS
    sever n2
    job_ends "$at"
    launcher_ends "$at"
    another_job_commits
    heal n2
    rest n2
    untouched
}

# With these settings mpirun itself ends the job, before the ranks do.
keepalive() {
    MPIRUN_SETTINGS="OMPI_MCA_oob_tcp_keepalive_time=10 OMPI_MCA_oob_tcp_keepalive_intvl=5 OMPI_MCA_oob_tcp_keepalive_probes=3"
    start_mpirun head || return
    local at=$SECONDS
    sever n2
    launcher_ends "$at"
    ((SECONDS - at < 45)) || fail "not soon"
    job_ends "$at"
    another_job_commits
    heal n2
    rest n2
    untouched
}

# All processes of a host die.
host_dies() {
    start_mpirun head || return
    local at=$SECONDS
    say "the processes of $1 die"
    on "$1" sh -c 'kill -9 -1'
    launcher_ends "$at"
    job_ends "$at"
    another_job_commits
    rest n1 n2 n3
    untouched
}
lead_dies() { host_dies n1; }
other_dies() { host_dies n2; }

lose_store() {
    say "$1 loses the store"
    on "$1" ip neigh replace "$STORE_ADDRESS" lladdr 02:00:00:00:00:99 dev eth0 nud permanent
}
find_store() { on "$1" ip neigh del "$STORE_ADDRESS" dev eth0; }

# A host loses the store, but not the other ranks: they roll back.
other_without_store() {
    start_mpirun head || return
    local at=$SECONDS
    lose_store n2
    job_ends "$at"
    launcher_ends "$at" $TRANSFER_FAILED
    [ -z "$(list x/)" ] || fail "not rolled back: $(list x/ | head -n 5)"
    another_job_commits
    find_store n2
    rest n2
    untouched
}

# The lead's host does: its lease ends.
lead_without_store() {
    start_mpirun head || return
    local at=$SECONDS
    lose_store n1
    another_job_commits
    job_ends "$at"
    launcher_ends "$at" $LEASE_LOST
    find_store n1
    rest n1
    untouched
}

# succeeds: the job does, whatever came in its way.
succeeds() {
    wait_for 200 launcher_is_gone
    wait "$job" || fail "code $?"
    cat "$dir/job.log"
    other_job verify -b ocean -p x --against "$share/first.nc" || fail "verify finds faults"
}

slow_host() {
    lease=60
    slow 100mbit n1 n3
    slow 300kbit n2
    start_mpirun head || return
    succeeds
}

# Hosts that are silent for a few seconds, one after the other.
short_silence() {
    local host
    lease=60
    start_mpirun head || return
    for host in n1 n2; do
        sever $host
        sleep 8
        heal $host
    done
    succeeds
}

srun_lead_silent() {
    start_srun || return
    local at=$SECONDS
    sever n1
    another_job_commits
    launcher_ends "$at"
    heal n1
    job_ends "$at"
    rest n1
    untouched
}

srun_other_silent() {
    start_srun || return
    local at=$SECONDS
    sever n2
    launcher_ends "$at"
    another_job_commits
    heal n2
    job_ends "$at"
    rest n2
    untouched
}

# Three jobs, one on each host, share in sending an archive, and one host falls silent in mid-transfer. The others do its part, too, and
# end; when its link comes back, nothing of what they have committed changes.
many_jobs() {
    local host at code jobs=()
    for host in n1 n2 n3; do
        on $host env MSM_OS_TEST_LEASE_SECONDS="$lease" MSM_OS_TEST_JOURNAL_MS=500 "$share/msm_os" send --share "${common[@]}" "${chunks[@]}" \
            --memory 4M -f "$share/years/*.nc" -c "$dir/hosts.json" >"$dir/$host.log" 2>&1 </dev/null &
        jobs+=($!)
    done
    wait_for $START each_has_a_part || return
    sever n2
    at=$SECONDS
    for job in "${jobs[0]}" "${jobs[2]}"; do
        wait_for $((at + 2 * JOB_ENDS - SECONDS)) launcher_is_gone
        wait "$job"
        code=$?
        say "a job on another host has ended $((SECONDS - at)) s after the fault with code $code"
        [ "$code" = 0 ] || fail "code $code"
    done
    tail -n 3 "$dir"/n[13].log
    store >"$dir/committed.txt"
    ((SECONDS - at < JOB_ENDS)) || say "(slow)"
    heal n2
    job=${jobs[1]}
    wait_for $JOB_ENDS launcher_is_gone || fail "the job on the silent host does not end"
    wait "$job"
    say "it has ended with code $?"
    tail -n 3 "$dir/n2.log"
    rest n2
    untouched "$share/years"
}
each_has_a_part() { [ "$(list x/.msm-os/thetao.zarr/share/ | grep -c /takers/)" -ge 3 ]; }

# signal SIGNAL PROGRAM: to all of its processes, on all hosts.
signal() {
    on head sh -c "cd /proc && for p in [0-9]*; do [ \"\$(cat \$p/comm 2>/dev/null)\" != $2 ] || kill -$1 \$p; done"
}
# All ranks are stopped, for longer than the lease lasts.
stopped() {
    start_mpirun head || return
    say "all ranks are stopped"
    signal STOP msm_os
    another_job_commits
    local at=$SECONDS
    say "all ranks go on"
    signal CONT msm_os
    launcher_ends "$at" $LEASE_LOST
    job_ends "$at"
    rest n1 n2 n3
    untouched
}

### Running them

# case NAME WHAT-IT-SHOWS: runs the function of that name on a stage of its own, in the background.
case_of() {
    local name=$1
    [ ${#wanted[@]} = 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || return 0
    (
        trap - EXIT INT TERM
        dir=$work/$name
        lease=$LEASE
        verb=send
        mkdir "$dir"
        SECONDS=0
        if ! { set_up && "$name"; } >"$dir/log" 2>&1; then fail "it came to no end" >>"$dir/log"; fi
        if [ "$faults" = 0 ]; then
            echo "ok $2 ($SECONDS s)"
        else
            {
                echo "FAILED $2 ($name, $SECONDS s)"
                sed 's/^/    /' "$dir/log"
                echo "    the job's last words:"
                tail -n 15 "$dir/job.log" | sed 's/^/        /'
            } >"$dir/report"
            cat "$dir/report"
            touch "$dir/failed"
        fi
        "$here/hosts-down.sh" "$dir"
    ) &
    cases+=($!)
    sleep 1.5 # so that not all start MPI at the same moment
}

seed=0
for file in before first second; do
    if ! timeout 120 "$NEMO_LIKE" --grid 200x150x5 --steps 36 --variables thetao --seed $((++seed)) --output "$share/$file.nc" >"$work/nemo.log" 2>&1; then
        cat "$work/nemo.log"
        failures=1
        exit 1
    fi
done

mkdir "$share/years"
for year in 1976 1980 1984 1988 1992 1996 2000 2004 2008; do
    "$NEMO_LIKE" --grid 200x150x5 --freq 1y --start $year-01-01 --steps 4 --variables thetao --output "$share/years/x_1y_grid_T_$year.nc" >/dev/null || failures=1
done

wanted=("$@")
cases=()
case_of lead_silent_real_lease "the lead's host falls silent, six ranks with a lease of a minute: another job's bytes stay, the job ends"
case_of lead_silent "the lead's host falls silent: another job's bytes stay, the job ends"
case_of many_jobs "three jobs on three hosts share in sending an archive, one host falls silent: the others send all of it, and their bytes stay"
case_of slow_host "a slow host is no dead one"
case_of short_silence "hosts that are silent for seconds are no dead ones"
case_of lead_silent_for_a_while "the lead's host falls silent for a while: another job's bytes stay"
case_of update_silent_for_a_while "the same with updates of a store"
case_of other_silent "another host falls silent: the job ends, its mpirun too"
case_of other_without_store "a host loses the store alone: the others roll back"
case_of lead_without_store "the lead's host loses the store alone: another job's bytes stay, the job ends"
if command -v srun >/dev/null && command -v slurmctld >/dev/null && command -v munged >/dev/null; then
    case_of srun_lead_silent "the lead's host falls silent under srun: another job's bytes stay, the job ends"
    case_of srun_other_silent "another host falls silent under srun: the job ends"
else
    echo "SKIPPED: the cases under srun: Slurm is not installed (scripts/setup.sh test installs it)"
fi
case_of stopped "ranks that were stopped for longer than the lease change nothing when they go on"
case_of keepalive "mpirun with keepalive settings ends a job with a silent host soon"
case_of lead_dies "the processes of the lead's host die: the job ends, the next one heals"
case_of other_dies "the processes of another host die: the job ends, the next one heals"
wait "${cases[@]}"
failures=$(find "$work" -maxdepth 2 -name failed | wc -l)
[ "$failures" = 0 ]
