"""Sends a NetCDF file, whatever it is, in every way, and compares what is there with what netCDF4 and xarray read from it.

usage: any_file.py BINARY DIRECTORY FILE

Prints a line a way: what came of it. Ends with 1 if a value is not right, or a run ends with a code that no user's file
should lead to: a panic, a signal, a fault of the program or of the store.
"""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr
import zarr

# What may be wrong with a file (docs/exit-codes.md).
REFUSED = {10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 24, 37}
TIME = "time_counter"


class Wrong(Exception):
    pass


class File:
    """A file, and how the program is run on it."""

    def __init__(self, binary, directory, path):
        self.binary, self.directory, self.path = binary, Path(directory), path
        self.count = 0

    def run(self, verb, files, prefix, *flags, ranks=1):
        """The stores below the prefix, or the code with which the run was refused."""
        launch = ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none"] if ranks > 1 else []
        command = [*launch, self.binary, verb, "-b", f"file://{self.directory / 'ocean'}", "-p", prefix]
        command += ["--against" if verb == "verify" else "-f", *map(str, files), *flags]
        ended = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=600)
        code, said = ended.returncode, ended.stderr.decode(errors="replace")
        if code in REFUSED:
            if "msm_os: " not in said:
                raise Wrong(f"{verb} {flags}: refused without a word: {said}")
            words = said[said.index("msm_os: ") :].splitlines()[0]
            print(f"  {prefix}: refused ({code}): {words[:200]}")
            return None
        if code:
            raise Wrong(f"{verb} {flags} ended with {code}: {said}")
        compact = self.directory / "ocean" / f"{prefix}.zarr"
        stores = [compact] if compact.exists() else sorted((self.directory / "ocean" / prefix).glob("*.zarr"))
        print(f"  {prefix}: {verb} {' '.join(flags)}: {len(stores)} stores")
        return stores

    def dimension(self):
        """The dimension to append along, if there is one: the unlimited one of the file, or one called like a time."""
        with netCDF4.Dataset(self.path) as file:
            names = [name for name, d in file.dimensions.items() if d.isunlimited() or name.startswith("time")]
            names.sort(key=lambda name: (name != TIME, not file.dimensions[name].isunlimited()))
            return names[0] if names else None


def copy(source, target, dimension, steps):
    """Writes some steps of a file."""
    with netCDF4.Dataset(source) as old, netCDF4.Dataset(target, "w", format=old.file_format) as new:
        new.setncatts({name: old.getncattr(name) for name in old.ncattrs()})
        for name, size in old.dimensions.items():
            length = None if size.isunlimited() else len(size)
            new.createDimension(name, (length and len(steps)) if name == dimension else length)
        for name, variable in old.variables.items():
            attributes = {key: variable.getncattr(key) for key in variable.ncattrs()}
            fill = attributes.pop("_FillValue", None)
            made = new.createVariable(name, variable.dtype, variable.dimensions, fill_value=fill)
            made.setncatts(attributes)
            for v in (variable, made):
                v.set_auto_maskandscale(False)
                v.set_auto_chartostring(False)
            values = variable[...]
            for axis, d in enumerate(variable.dimensions):
                if d == dimension:
                    values = np.take(values, steps, axis=axis)
            made[...] = values


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind in "OSUT" or b.dtype.kind in "OSUT":
        return [str(v) for v in a.ravel()] == [str(v) for v in b.ravel()]
    return a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fcmM")


def compare(stores, path):
    """The arrays of stores against the file: raw against netCDF4, decoded against xarray."""
    with netCDF4.Dataset(path) as file:
        decoded = load(lambda: xr.load_dataset(path, decode_times=False, decode_timedelta=False))
        for store in stores:
            group = zarr.open_group(str(store), mode="r")
            seen = load(lambda store=store: xr.open_zarr(str(store), decode_times=False, decode_timedelta=False).load())
            for name, array in group.arrays():
                if name.startswith("projected_"):
                    continue
                variable = file[name]
                variable.set_auto_maskandscale(False)
                if variable.dtype is not str and variable.dtype.kind != "S":
                    raw = variable[...]
                    values = array[...]
                    if not same(values, np.asarray(raw).astype(raw.dtype.newbyteorder("="))):
                        raise Wrong(f"{store.name}: {name}: other raw values: {values} {raw}")
                if isinstance(seen, Exception) or isinstance(decoded, Exception):
                    if type(seen) is not type(decoded):
                        raise Wrong(f"{store.name}: xarray: {seen!r} of the store, {decoded!r} of the file")
                    continue
                if not same(seen[name].values, decoded[name].values):
                    raise Wrong(f"{store.name}: {name}: xarray reads {seen[name].values} {decoded[name].values}")


def load(read):
    """What `read` returns, or raises: some files xarray cannot decode."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read()
    except Exception as problem:  # noqa: BLE001
        return problem


def ways(file):
    """Sends the file in every way."""
    path = file.path
    dimension, variables = None, []
    try:
        dimension = file.dimension()
        with netCDF4.Dataset(path) as opened:
            variables = list(opened.variables)
    except Exception as problem:  # noqa: BLE001
        print(f"  netCDF4 cannot read it: {problem}")
    along = ["-a", dimension] if dimension else []
    verify = ["--static"] if not dimension else along
    sent = None
    for prefix, flags, ranks in [
        ("plain", along, 1),
        ("three", along, 3),
        ("v2", [*along, "-zv", "2"], 3),
        ("compact", [*along, "-v", "compact"], 3),
        ("static", ["--static"], 1),
        ("reprojected", [*along, "-r"], 3),
    ]:
        stores = file.run("send", [path], prefix, *flags, ranks=ranks)
        if stores is None:
            continue
        if not variables:
            print("  sent, and not compared: netCDF4 cannot read it")
            continue
        compare(stores, path)
        sent = sent or prefix
        against = ["--static"] if prefix == "static" else verify
        named = ["-v", "compact"] if prefix == "compact" else []
        file.run("send", [path], prefix, *flags, ranks=1)
        file.run("update", [path], prefix, *against, *named, ranks=ranks)
        compare(stores, path)
        file.run("verify", [path], prefix, *against, *named, ranks=1)
    if sent is None:
        # One that cannot be sent is no hindrance to the others.
        for number, name in enumerate(variables):
            stores = file.run("send", [path], f"only-{number}", *along, "-v", name)
            compare(stores or [], path)
    if sent in (None, "static") or not dimension:
        return
    with netCDF4.Dataset(path) as opened:
        length = len(opened.dimensions[dimension])
    if length < 2:
        return
    halves = [range(length // 2), range(length // 2, length)]
    parts = [file.directory / f"half_{i}.nc" for i in range(2)]
    try:
        for part, steps in zip(parts, halves, strict=True):
            copy(path, part, dimension, list(steps))
    except Exception as problem:  # noqa: BLE001
        print(f"  netCDF4 cannot cut it: {problem}")
        return
    stores = None
    for part, ranks in zip(parts, (1, 3), strict=True):
        stores = file.run("send", [part], "halves", *along, "--allow-gaps", ranks=ranks)
    if stores is not None:
        compare(stores, path)
        file.run("update", [parts[0]], "halves", *along, ranks=3)
        compare(stores, path)


def main(binary, directory, path):
    print(path)
    try:
        ways(File(binary, directory, path))
    except Wrong as problem:
        print(f"  WRONG: {problem}")
        return 1
    return 0


code = main(*sys.argv[1:])
# Threads of the readers sometimes crash the interpreter while it shuts down.
sys.stdout.flush()
os._exit(code)
