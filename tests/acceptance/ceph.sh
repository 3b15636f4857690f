#!/usr/bin/env bash
# A real Ceph of one node with a RADOS gateway, as root, without systemd: a monitor, a manager, an OSD in memory and
# radosgw on free ports of the loopback, so that it never meets a Ceph the machine already runs.
#
#   ceph.sh start DIR     make DIR, start the daemons, make a user and a bucket, wait until a request is answered
#   ceph.sh stop DIR      end the daemons; DIR and its logs stay
#
# DIR/credentials.json is what the program's -c takes, DIR/bucket the bucket's name.
# It must never end a process it did not start: each pid is checked against DIR first.
set -euo pipefail

readonly START_TIMEOUT=90 # seconds until the gateway must answer
readonly STOP_TIMEOUT=15  # seconds that a daemon gets to end
readonly MEMORY=6442450944 # bytes the OSD may hold
readonly BUCKET=ocean
readonly DAEMONS=(mon mgr osd rgw)

die() { echo "ceph.sh: $*" >&2; exit 1; }

# A TCP port of the loopback that nobody listens on. The search starts at a place that differs from process to
# process, so that two runs at once do not pick the same one.
free_port() {
    local port=$((20000 + ($$ * 7 + $1 * 101) % 12000))
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
    echo "$port"
}

# Without authentication inside the cluster no keyrings are needed; the gateway then hangs at its start unless its
# connection to the monitor is a plain one.
write_config() {
    cat >"$dir/ceph.conf" <<EOF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$monitor/0]
public network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
run dir = $dir
admin socket = $dir/\$type.\$id.asok
log file = $dir/\$type.log
mon cluster log file = $dir/cluster.log
pid file =
crash dir = $dir
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd objectstore = memstore
memstore device bytes = $MEMORY
[mon]
mon data = $dir/mon
mon allow pool size one = true
mon data avail crit = 1
[mgr]
mgr data = $dir/mgr
mgr initial modules =
[osd]
osd data = $dir/osd
[client.rgw]
ms mon client mode = crc
rgw frontends = beast endpoint=127.0.0.1:$gateway
rgw data = $dir/rgw
EOF
}

# daemon NAME COMMAND…: starts it in a session of its own and notes its pid in DIR/NAME.pid.
daemon() {
    local name=$1
    shift
    setsid "$@" --conf "$dir/ceph.conf" --foreground </dev/null >>"$dir/$name.out" 2>&1 &
    echo $! >"$dir/$name.pid"
}

# Prints the pid of a daemon of this cluster if it lives and is what the pid file says it is.
daemon_pid() {
    local pid
    pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 1
    grep -qsF "$dir/" "/proc/$pid/cmdline" || return 1
    echo "$pid"
}

check_alive() {
    local name
    for name in "${DAEMONS[@]}"; do
        [ ! -e "$dir/$name.pid" ] || daemon_pid "$name" >/dev/null ||
            { tail -n 5 "$dir/$name.out" >&2; die "$name ended; logs in $dir"; }
    done
}

# await WHAT COMMAND…: repeats the command until it succeeds.
await() {
    local what=$1
    shift
    until "$@" >"$dir/await.out" 2>&1; do
        check_alive
        ((SECONDS < START_TIMEOUT)) || { tail -n 5 "$dir/await.out" >&2; die "$what after $START_TIMEOUT s; logs in $dir"; }
        sleep 0.3
    done
}

ceph_says() { timeout 20 ceph --conf "$dir/ceph.conf" --connect-timeout 10 "$@"; }

osd_is_up() { ceph_says osd stat | grep -q '1 up'; }

gateway_answers() { curl --silent --max-time 5 --output /dev/null "http://127.0.0.1:$gateway"; }

gateway_admin() { timeout 60 radosgw-admin --conf "$dir/ceph.conf" --id rgw "$@" 2>>"$dir/admin.log"; }

# field NAME: the value of the first text of this name in the JSON on stdin.
field() { sed -n "s/.*\"$1\": \"\\([^\"]*\\)\".*/\\1/p" | head -n 1; }

# Whoever may make a bucket owns it; the signed PUT is the only one this script sends.
make_bucket() {
    curl --silent --show-error --fail --max-time 60 --request PUT \
        --header "x-amz-content-sha256: $(printf '' | sha256sum | cut -d' ' -f1)" --user "$1:$2" --aws-sigv4 "aws:amz:us-east-1:s3" \
        "http://127.0.0.1:$gateway/$BUCKET" >/dev/null
}

start() {
    local name user token secret osd
    [ "$(id -u)" = 0 ] || die "needs root: the daemons insist on it"
    for name in ceph monmaptool ceph-mon ceph-mgr ceph-osd radosgw radosgw-admin curl; do
        command -v $name >/dev/null || die "$name is not installed"
    done
    ! daemon_pid mon >/dev/null || die "already runs in $dir"

    trap stop EXIT # a start that fails leaves nothing behind but the logs
    rm -rf "$dir"
    mkdir -p "$dir"/{mon,mgr,osd,rgw}
    fsid=$(cat /proc/sys/kernel/random/uuid) osd=$(cat /proc/sys/kernel/random/uuid)
    monitor=$(free_port 1) gateway=$(free_port 7)
    write_config

    monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$monitor/0]" "$dir/monmap" >"$dir/mkfs.out"
    ceph-mon --conf "$dir/ceph.conf" --mkfs --id a --monmap "$dir/monmap" >"$dir/mkfs.out" 2>&1 || { cat "$dir/mkfs.out" >&2; die "ceph-mon --mkfs failed"; }
    daemon mon ceph-mon --id a
    await "the monitor does not answer" ceph_says mon stat
    daemon mgr ceph-mgr --id a
    ceph_says osd new "$osd" >"$dir/osd.id"
    ceph-osd --conf "$dir/ceph.conf" --mkfs --id "$(cat "$dir/osd.id")" --osd-uuid "$osd" >"$dir/mkfs.out" 2>&1 ||
        { cat "$dir/mkfs.out" >&2; die "ceph-osd --mkfs failed"; }
    daemon osd ceph-osd --id "$(cat "$dir/osd.id")"
    await "the OSD is not up" osd_is_up
    daemon rgw radosgw --id rgw
    await "the gateway does not answer" gateway_answers

    user=$(gateway_admin user create --uid ocean --display-name ocean) || { tail -n 5 "$dir/admin.log" >&2; die "no user"; }
    token=$(field access_key <<<"$user") secret=$(field secret_key <<<"$user")
    (umask 077 && printf '{"token": "%s", "secret": "%s", "endpoint_url": "http://127.0.0.1:%s"}\n' \
        "$token" "${secret//\\/}" "$gateway" >"$dir/credentials.json")
    make_bucket "$token" "${secret//\\/}" || die "no bucket"
    echo $BUCKET >"$dir/bucket"
    trap - EXIT
    echo "$(radosgw --version | cut -d' ' -f1-3), up in $SECONDS s"
}

stop() {
    local pid name deadline
    for name in rgw osd mgr mon; do
        pid=$(daemon_pid $name) || continue
        kill "$pid" 2>/dev/null || true
        deadline=$((SECONDS + STOP_TIMEOUT))
        while daemon_pid $name >/dev/null && ((SECONDS < deadline)); do sleep 0.1; done
        ! daemon_pid $name >/dev/null || kill -KILL "$pid" 2>/dev/null || true
    done
    rm -f "$dir"/*.pid
}

[ $# = 2 ] || die "usage: ceph.sh start|stop DIR"
dir=$(realpath -m -- "$2")
case $1 in
    start) start ;;
    stop) stop ;;
    *) die "unknown action: $1" ;;
esac
