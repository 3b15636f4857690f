#!/usr/bin/env bash
# The acceptance run: a one-node Ceph with its S3 gateway from Debian's packages, in a temporary directory and on the
# loopback; tests/acceptance/run.sh against it; then everything but the packages is stopped and removed.
# See docs/acceptance.md.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
packages=(ceph-mon ceph-osd ceph-mgr radosgw ceph-common curl)

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "acceptance: Ceph's daemons are installed and run here as root, with apt-get, on Debian or Ubuntu:" >&2
    echo "    in a container, or: sudo make acceptance" >&2
    echo "Against a server that runs already: tests/acceptance/run.sh CREDENTIALS BUCKET" >&2
    exit 1
fi

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
done
if [ ${#missing[@]} != 0 ]; then
    echo "Installing: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/msm-os-ceph.XXXXXX")
finish() {
    "$top/tests/acceptance/ceph.sh" stop "$work/ceph"
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

"$top/tests/acceptance/ceph.sh" start "$work/ceph"
"$top/tests/acceptance/run.sh" "$work/ceph/credentials.json" "$(cat "$work/ceph/bucket")"
