#!/usr/bin/env bash
# Runs a command on a host of hosts-up.sh, in this folder if the host has it; its exit code is the command's.
#
#   hosts-run.sh [--ssh] DIR HOST COMMAND…
#
# Works from outside and on the head. With --ssh the words are joined and given to a shell there, as ssh does it: so it
# is mpirun's way to other hosts. Run mpirun on the head, with every host's daemon started from there:
#   mpirun --mca plm_rsh_agent "hosts-run.sh --ssh DIR" --mca plm_rsh_no_tree_spawn 1 --host n1:2,n2:2 …
set -euo pipefail

ssh=
[ "${1:-}" != --ssh ] || { ssh=yes; shift; }
[ $# -ge 3 ] || { echo "usage: hosts-run.sh [--ssh] DIR HOST COMMAND…" >&2; exit 2; }
dir=$(realpath -m -- "$1")
host=$2
shift 2
[ -z "$ssh" ] || set -- sh -c "$*"

# The file of a host holds the pid of its `unshare` as the head sees it; that of the head, as this machine sees it.
enter() {
    local pid=$1
    shift
    exec nsenter --net="/proc/$pid/ns/net" --uts="/proc/$pid/ns/uts" --mount="/proc/$pid/ns/mnt" \
        --ipc="/proc/$pid/ns/ipc" --pid="/proc/$pid/ns/pid_for_children" --wd="$PWD" -- "$@"
}

if ! cmp -s /proc/sys/kernel/random/boot_id "$dir/hosts/head.boot_id"; then
    if ! { pid=$(cat "$dir/hosts/head.pid" 2>/dev/null) && grep -qszxF "$dir" "/proc/$pid/cmdline"; }; then
        echo "hosts-run.sh: no hosts are up in $dir" >&2
        exit 1
    fi
    [ "$host" = head ] && enter "$pid" "$@"
    enter "$pid" "$0" "$dir" "$host" "$@"
fi
[ "$host" != head ] || exec "$@"
if ! { pid=$(cat "$dir/hosts/$host.pid" 2>/dev/null) && grep -qszxF "$dir" "/proc/$pid/cmdline"; }; then
    echo "hosts-run.sh: no host $host is up in $dir" >&2
    exit 1
fi
enter "$pid" "$@"
