#!/usr/bin/env bash
# A real Slurm of one node, as root, without systemd, for tests: munged, slurmctld and slurmd on
# ports and directories of their own, so that it never meets a Slurm the machine already runs.
#
#   cluster.sh start DIR     make DIR, start the daemons, wait until the node is idle
#   cluster.sh status DIR    what runs, and the node and job tables
#   cluster.sh stop DIR      cancel every job and end the daemons; DIR and its logs stay
#
# Commands reach the cluster through SLURM_CONF=DIR/slurm.conf.
# It must never end a process it did not start: each pid is checked against DIR first.
set -euo pipefail

readonly NODE=n1
readonly PRETEND_CPUS=8      # more than the machine may have: ranks share the real ones
readonly PRETEND_MEMORY=16000 # MB, so that a script may ask for --mem
readonly START_TIMEOUT=30     # seconds until the node must be idle
readonly STOP_TIMEOUT=15      # seconds that jobs and daemons get to end

die() { echo "cluster.sh: $*" >&2; exit 1; }

# A TCP port of this host that nobody listens on. The search starts at a place that differs from
# process to process, so that two test runs at once do not pick the same one.
free_port() {
    local port=$((20000 + ($$ * 7 + $1 * 101) % 12000))
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}

freezer_writable() {
    local probe=/sys/fs/cgroup/freezer/msm-os-probe.$$
    mkdir "$probe" 2>/dev/null && rmdir "$probe"
}

write_config() {
    local proctrack=proctrack/linuxproc host
    host=$(hostname -s)
    # The v1 plugin touches nothing until it is used; left to choose, slurmd insists on working cgroups.
    echo "CgroupPlugin=cgroup/v1" >"$dir/cgroup.conf"
    if freezer_writable; then proctrack=proctrack/cgroup; fi
    cat >"$dir/slurm.conf" <<EOF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port 1)
SlurmdPort=$(free_port 2)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmdParameters=config_overrides
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.self
SlurmdPidFile=$dir/slurmd.self
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=$proctrack
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
KillWait=5
NodeName=$NODE NodeHostname=$host NodeAddr=127.0.0.1 CPUs=$PRETEND_CPUS RealMemory=$PRETEND_MEMORY TmpDisk=0 State=UNKNOWN
PartitionName=test Nodes=$NODE Default=YES MaxTime=UNLIMITED State=UP
EOF
}

# daemon NAME COMMAND…: starts it in a session of its own and notes its pid in DIR/NAME.pid.
daemon() {
    local name=$1
    shift
    setsid "$@" </dev/null >>"$dir/$name.out" 2>&1 &
    echo $! >"$dir/$name.pid"
}

# Prints the pid of a daemon of this cluster if it lives and is what the pid file says it is.
daemon_pid() {
    local pid
    pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
    grep -qsF "$dir/" "/proc/$pid/cmdline" || return 1
    echo "$pid"
}

await_idle() {
    local deadline=$((SECONDS + START_TIMEOUT))
    until [ "$(timeout 5 sinfo --noheader --format=%T 2>/dev/null)" = idle ]; do
        for name in munged slurmctld slurmd; do
            daemon_pid $name >/dev/null || { tail -n 5 "$dir/$name".{out,log} >&2 || true; die "$name ended; logs in $dir"; }
        done
        ((SECONDS < deadline)) || { tail -n 5 "$dir"/slurm*.log >&2; die "the node is not idle after $START_TIMEOUT s; logs in $dir"; }
        sleep 0.2
    done
}

start() {
    [ "$(id -u)" = 0 ] || die "needs root: slurmd starts jobs as their users"
    for name in munged slurmctld slurmd srun; do
        command -v $name >/dev/null || die "$name is not installed: scripts/setup.sh test installs it"
    done
    if daemon_pid slurmctld >/dev/null; then die "already runs in $dir"; fi

    trap stop EXIT # a start that fails leaves nothing behind but the logs
    rm -rf "$dir"
    mkdir -p "$dir"/{munge,state,spool}
    # munged wants its key to itself and its socket within everyone's reach.
    chmod 0755 "$dir" "$dir/munge"
    (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
    write_config
    daemon munged munged --foreground --force --key-file="$dir/munge.key" --socket="$dir/munge/socket" \
        --pid-file="$dir/munged.self" --log-file="$dir/munged.log" --seed-file="$dir/munged.seed"
    for _ in {1..50}; do [ -S "$dir/munge/socket" ] && break; sleep 0.1; done
    daemon slurmctld slurmctld -D -f "$dir/slurm.conf"
    daemon slurmd slurmd -D -N "$NODE" -f "$dir/slurm.conf"
    await_idle
    trap - EXIT
    echo "Slurm runs in $dir: export SLURM_CONF=$dir/slurm.conf"
}

status() {
    local up=yes pid
    for name in munged slurmctld slurmd; do
        pid=$(daemon_pid $name) || up=no
        echo "$name: ${pid:-not running}"
    done
    [ $up = yes ] || return 1
    timeout 10 sinfo && timeout 10 squeue
}

# Step daemons detach from slurmd; those of this cluster carry its SLURM_CONF in their environment.
step_daemons() {
    local environ pid
    for environ in /proc/[0-9]*/environ; do
        pid=${environ//[!0-9]/}
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = slurmstepd ] || continue
        ! grep -qsxzF "SLURM_CONF=$dir/slurm.conf" "$environ" || echo "$pid"
    done
}

stop() {
    local deadline=$((SECONDS + STOP_TIMEOUT)) pid
    if daemon_pid slurmctld >/dev/null && daemon_pid slurmd >/dev/null; then
        timeout 10 scancel --user=root || true
        while [ -n "$(timeout 5 squeue --noheader 2>/dev/null)" ] && ((SECONDS < deadline)); do sleep 0.2; done
    fi
    for name in slurmd slurmctld munged; do
        pid=$(daemon_pid $name) || continue
        kill "$pid" 2>/dev/null || true
        while daemon_pid $name >/dev/null && ((SECONDS < deadline)); do sleep 0.1; done
        ! daemon_pid $name >/dev/null || kill -KILL "$pid" 2>/dev/null || true
    done
    for pid in $(step_daemons); do kill -KILL "$pid" 2>/dev/null || true; done
    rm -f "$dir"/*.pid
}

[ $# = 2 ] || die "usage: cluster.sh start|status|stop DIR"
dir=$(realpath -m -- "$2")
export SLURM_CONF=$dir/slurm.conf
case $1 in
    start) start ;;
    status) status ;;
    stop) stop ;;
    *) die "unknown action: $1" ;;
esac
