#!/usr/bin/env bash
# shellcheck disable=SC2154 # of run.sh
# An archive of twelve files that eight tasks of an array send, three at a time, each the parts of its own number, in no order: one fails
# at first and is requeued, one is killed, one is cancelled and one told that its time is over, each in mid-transfer. run.sh sources this.

# The number of the task at each index of the array, from 1. Of parts, counted from 0, task n has n and n + 8.
readonly NUMBERS="- 5 2 7 0 3 6 1 4"
readonly KILLED=1 CANCELLED=2 TIMED_OUT=3 FAILING=4 # indices
readonly KILLED_PART=5 CANCELLED_PART=2 TIMED_OUT_PART=7

# The ranks of the task of this index.
ranks_of() {
    local process
    grep -lsxz "SLURM_ARRAY_TASK_ID=$1" /proc/[0-9]*/environ | cut -d/ -f3 | while read -r process; do
        [ "$(cat "/proc/$process/comm" 2>/dev/null)" != msm_os ] || echo "$process"
    done
}

# has_put PART: some of its objects are noted.
has_put() { holds_key years/.msm-os/ "/share/$(printf %06d "$1")/progress/"; }

# still INDEX PART: the ranks of this task stop as soon as some of this part is put, so that it cannot end before its turn comes.
still() {
    wait_for has_put "$2" || return 1
    # shellcheck disable=SC2046
    kill -STOP $(ranks_of "$1") || { echo "task $1 had ended its part $2 already"; return 1; }
}

# A signal waits for the stopped ranks of the task of this index.
is_told() {
    local process
    for process in $(ranks_of "$1"); do
        grep -q '^ShdPnd:.*[1-9a-f]' "/proc/$process/status" || return 1
    done
}

state_of() { timeout 10 scontrol -o show job "$1" 2>/dev/null | grep -o 'JobState=[A-Z_]*' | cut -d= -f2; }
has_failed() { [ "$(state_of "$1")" = FAILED ]; }

years_by_many_jobs() {
    local job reader killed cancelled timed_out sends=(-f "$work/years/*.nc" -b ocean -cs '{"time_counter":1,"deptht":1,"y":3,"x":10}' --memory 16M)
    timeout "$STEP_TIMEOUT" "$MSM_OS" send "${sends[@]}" -p plain -c credentials.json || return 1
    ENDPOINT=$(cat endpoint) ACCESS_KEY=test-key SECRET_KEY=test-secret "$top/tests/.venv/bin/python" \
        "$top/tests/python/prefix_only_grows.py" ocean years plain thetao years.over >reader.log 2>&1 &
    reader=$!
    cat >task.sh <<TASK
#!/bin/bash
numbers=($NUMBERS)
credentials=$work/credentials.json
[ "\$SLURM_ARRAY_TASK_ID" != $FAILING ] || [ "\${SLURM_RESTART_COUNT:-0}" != 0 ] || credentials=$work/none.json
exec bash $(printf '%q ' "$top/slurm/send-years.sbatch" "${sends[@]}") -p years -c "\$credentials" --task "\${numbers[SLURM_ARRAY_TASK_ID]}/8"
TASK
    job=$(timeout 30 sbatch --parsable --array=1-8%3 --ntasks=2 --requeue --output=years-%a.log --open-mode=append task.sh) || return 1
    still $KILLED $KILLED_PART & killed=$!
    still $CANCELLED $CANCELLED_PART & cancelled=$!
    still $TIMED_OUT $TIMED_OUT_PART & timed_out=$!
    wait $killed && wait $cancelled && wait $timed_out || return 1
    # shellcheck disable=SC2046
    kill -KILL $(ranks_of $KILLED) || return 1
    scancel "${job}_$CANCELLED" # wakes them, too
    scancel --batch --signal=USR1 "${job}_$TIMED_OUT"
    wait_for is_told $TIMED_OUT || return 1
    # shellcheck disable=SC2046
    kill -CONT $(ranks_of $TIMED_OUT) || return 1
    wait_for has_failed "${job}_$FAILING" || return 1
    timeout 10 scontrol requeue "${job}_$FAILING" || return 1
    wait_for has_run_again "$job" || return 1
    grep . years-[1-8].log
    grep -q "restart 1" "years-$FAILING.log" || { echo "the task that failed did not run again"; return 1; }
    grep -q "restart 1" "years-$TIMED_OUT.log" || { echo "the task whose time was over did not run again"; return 1; }
    # What the dead ones left, a job without a number does.
    submit "COMPLETED 0" --ntasks=2 "$top/slurm/send-years.sbatch" "${sends[@]}" -p years -c credentials.json || return 1
    grep -q "12 are committed, readers see all up to" job.log || { echo "the last line is no verdict"; return 1; }
    submit "COMPLETED 0" --ntasks=2 "$top/slurm/verify.sbatch" --against "$work/years" -b ocean -p years -c credentials.json || return 1
    ! holds_key years/.msm-os/ /share/ || { echo "the ledger is not tidy"; return 1; }
    touch years.over
    wait "$reader" || { cat reader.log; return 1; }
    cat reader.log
    # By the server's log: only of what was interrupted anything was put again. The cancelled task may have gone on to its second part by then.
    grep -E '^PUT ocean/years/[a-z]+[.]zarr/(thetao|tos)/c/' server.log | sort | uniq -d >twice.txt
    echo "put twice: $(wc -l <twice.txt) objects"
    ! grep -vE "/c/($KILLED_PART|$CANCELLED_PART|$((CANCELLED_PART + 8))|$TIMED_OUT_PART)/" twice.txt
}
