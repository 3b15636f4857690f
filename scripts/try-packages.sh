#!/usr/bin/env bash
# Tries the packages of target/packages where nothing else is: in a Debian that debootstrap makes (as root; from the mirror that MIRROR
# names), the wheel in a fresh Python environment, then the Debian package. Each sends files and lists what is there. The recipes
# are looked at as far as that goes without Spack and Apptainer.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
packages=$target/packages
tried=$packages/tried
rm -rf "$tried"
mkdir -p "$tried"
trap 'rm -rf "$tried"' EXIT
say() { printf '\n==> %s\n' "$*"; }

release=$(. /etc/os-release && echo "$VERSION_CODENAME")
root=$tried/root
say "a bare $release"
command -v debootstrap >/dev/null || apt-get install --yes --quiet debootstrap
debootstrap --variant=minbase "$release" "$root" ${MIRROR:+"$MIRROR"} >"$tried/debootstrap.log"
cp /etc/resolv.conf "$root/etc/"
cp "$packages"/*.deb "$packages"/*.whl "$root/tmp/"

# Runs what comes on standard input in there; its mounts go with it.
inside() {
    # shellcheck disable=SC2016 # $0 is the root
    DEBIAN_FRONTEND=noninteractive unshare --mount bash -euc \
        'mount -t proc proc "$0/proc"; mount --rbind /sys "$0/sys"; cd "$0"; exec chroot . /bin/bash -eu' "$root"
}

say "the wheel in a fresh Python environment there: no NetCDF, no HDF5, no MPI"
inside <<'INSIDE'
apt-get install --yes --quiet --no-install-recommends python3-venv >/tmp/install.log 2>&1 || { tail /tmp/install.log; exit 1; }
python3 -m venv /tmp/venv
/tmp/venv/bin/pip install --quiet --no-index /tmp/*.whl
INSIDE
cp tests/data/archives/inputs/*.nc "$root/tmp/"
inside <<'INSIDE'
cd /tmp
PATH=/tmp/venv/bin:$PATH
if dpkg-query --show 'libnetcdf*' 'libopenmpi*' 2>/dev/null; then exit 1; fi
msm_os send -f 'eORCA025_1y_grid_T_*.nc' -b file:///tmp/of-wheel
msm_os verify -b file:///tmp/of-wheel -p T1y --against eORCA025_1y_grid_T_*.nc
msm_os list -b file:///tmp/of-wheel --brief
INSIDE

say "the Debian package there"
inside <<'INSIDE'
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
apt-get install --yes --quiet --no-install-recommends /tmp/*.deb >/tmp/install.log 2>&1 || { tail /tmp/install.log; exit 1; }
cd /tmp
nemo-like --grid 40x30x3 -o .
msm_os send -f ORCA*.nc -b file:///tmp/of-package -v tos
mpirun --oversubscribe -n 2 msm_os send -f ORCA*.nc -b file:///tmp/of-package -v thetao </dev/null
msm_os list -b file:///tmp/of-package --brief
ls /usr/share/doc/msm-os /usr/share/doc/msm-os/slurm
bash -c 'source /usr/share/bash-completion/completions/msm_os && complete -p msm_os'
test -s /usr/share/zsh/vendor-completions/_msm_os && test -s /usr/share/fish/vendor_completions.d/msm_os.fish
dpkg --listfiles msm-os | grep -c /usr/share/man/man1/msm_os
INSIDE

say "the recipes"
python3 -m py_compile packaging/spack/package.py
bash -n <(sed -n '/^%post/,/^%/p' packaging/apptainer/msm-os.def | grep -v '^%')
if command -v spack >/dev/null; then spack style packaging/spack/package.py; else echo "SKIPPED: spack is not installed"; fi
if command -v apptainer >/dev/null; then
    apptainer build "$tried/msm-os.sif" packaging/apptainer/msm-os.def
else
    echo "SKIPPED: apptainer is not installed"
fi
rm -rf packaging/spack/__pycache__
say "both packages send"
