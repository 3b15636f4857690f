#!/usr/bin/env bash
# Makes a cluster of several "hosts" on this one machine, out of Linux namespaces: each host has its own
# network (address, link), hostname, processes, /tmp, /dev/shm and boot id; DIR is the file system that they share.
#
#   hosts-up.sh DIR [COUNT]     a head and COUNT (3) hosts, named head, n1, n2, …
#   hosts-run.sh DIR HOST COMMAND…
#   hosts-down.sh DIR           ends everything; DIR and what was written into it stay
#
# Needs root with CAP_SYS_ADMIN and CAP_NET_ADMIN; ip, unshare, nsenter (Debian: iproute2, util-linux); a kernel with veth and
# bridge. What hosts run must lie outside /tmp, in DIR, or in a folder that HOSTS_SHARED names (none inside another). Several
# clusters may be up at once, each in its DIR. Faults to play, on the head or on a host:
#   head$ ip link set n2 down                   n2 falls silent
#   n2$   kill -9 -1                            its processes die
#   n2$   ip neigh replace STORE lladdr 02:00:00:00:00:99 dev eth0 nud permanent     it loses the store, not MPI
#   n2$   tc qdisc replace dev eth0 root tbf rate 4mbit burst 32k latency 400ms      it is slow
#
# Everything lives in namespaces below the head's: this machine's own network, mounts and names are untouched, and
# whoever kills the one process in DIR/hosts/head.pid kills all of it.
set -euo pipefail

die() { echo "hosts-up.sh: $*" >&2; exit 1; }

readonly NETWORK=10.77.0     # seen inside the namespaces only
readonly HEAD=$NETWORK.254   # the head's address
readonly STORE=$NETWORK.253  # its second one, for the S3 server, so that a host can be cut off from it alone
readonly START_TIMEOUT=10    # seconds until a host must be up
readonly NAMESPACES=(--net --uts --mount --pid --ipc --fork --kill-child --mount-proc)

# Runs as process 1 of a host: its private places, then nothing but waiting and reaping.
init() {
    local name=$1 keep kept
    # shellcheck disable=SC2206 # a word a folder
    kept=("$dir" "$here" ${HOSTS_SHARED:-})
    hostname "$name"
    ip link set lo up
    mount --bind "$dir/hosts/etc-hosts" /etc/hosts
    mount --bind "$dir/hosts/$name.boot_id" /proc/sys/kernel/random/boot_id
    # /tmp is the host's own, but for DIR, these scripts and the folders that HOSTS_SHARED names.
    mkdir -p /mnt
    mount -t tmpfs -o mode=0755 staging /mnt
    for keep in "${kept[@]}"; do
        mkdir -p "/mnt$keep" && mount --rbind "$keep" "/mnt$keep"
    done
    mount -t tmpfs -o mode=1777,size=512m tmp /tmp
    mount -t tmpfs -o mode=1777 shm /dev/shm
    for keep in "${kept[@]}"; do
        case $keep in
            /tmp/* | /dev/shm/*) mkdir -p "$keep" && mount --rbind "/mnt$keep" "$keep" ;;
        esac
    done
    umount -R -l /mnt
    touch "$dir/hosts/$name.up"
    trap 'exit 0' TERM
    while :; do sleep 3600 & wait $! || true; done # bash reaps whatever is left behind to process 1
}

# start NAME COMMAND-PREFIX…: starts the host's first process, notes the pid by which it is entered.
start() {
    local name=$1 deadline=$((SECONDS + START_TIMEOUT))
    shift
    cat /proc/sys/kernel/random/uuid >"$dir/hosts/$name.boot_id"
    # shellcheck disable=SC2016 # the inner shell's
    "$@" "$(command -v bash)" -c '
        name=$1 self=$2 dir=$3; shift 3
        setsid unshare "$@" "$self" --init "$name" "$dir" </dev/null >"$dir/hosts/$name.log" 2>&1 &
        echo $! >"$dir/hosts/$name.pid"' start "$name" "$self" "$dir" "${NAMESPACES[@]}"
    until [ -e "$dir/hosts/$name.up" ]; do
        ((SECONDS < deadline)) || { cat "$dir/hosts/$name.log" >&2; die "host $name does not come up"; }
        sleep 0.05
    done
}

up() {
    local count=$1 i
    [ "$(id -u)" = 0 ] || die "needs root, for the namespaces"
    for program in ip unshare nsenter; do
        command -v $program >/dev/null || die "$program is not installed (Debian: iproute2, util-linux)"
    done
    ! "$here/hosts-run.sh" "$dir" head true 2>/dev/null || die "already up in $dir"
    trap '"$here/hosts-down.sh" "$dir" || true' EXIT # a start that fails leaves nothing behind but logs
    rm -rf "$dir/hosts"
    mkdir -p "$dir/hosts"
    {
        echo "127.0.0.1 localhost"
        echo "$HEAD head"
        echo "$STORE store"
        for ((i = 1; i <= count; i++)); do echo "$NETWORK.$i n$i"; done
    } >"$dir/hosts/etc-hosts"

    start head env
    local head=("$here/hosts-run.sh" "$dir" head)
    "${head[@]}" sh -c "ip link add br0 type bridge && ip addr add $HEAD/24 dev br0 && ip addr add $STORE/24 dev br0 &&
        ip link set br0 up"
    for ((i = 1; i <= count; i++)); do
        start "n$i" "${head[@]}"
        "${head[@]}" sh -c "ip link add n$i type veth peer name eth0 netns $(cat "$dir/hosts/n$i.pid") &&
            ip link set n$i master br0 up"
        "$here/hosts-run.sh" "$dir" "n$i" sh -c "ip addr add $NETWORK.$i/24 dev eth0 && ip link set eth0 up"
    done
    trap - EXIT
    echo "head ($HEAD), store ($STORE), n1 … n$count are up: $here/hosts-run.sh $dir HOST COMMAND…"
}

self=$(realpath -- "$0")
here=$(dirname "$self")
if [ "${1:-}" = --init ]; then
    dir=$3
    init "$2"
    exit
fi
[ $# = 1 ] || [ $# = 2 ] || die "usage: hosts-up.sh DIR [COUNT]"
dir=$(realpath -m -- "$1")
up "${2:-3}"
