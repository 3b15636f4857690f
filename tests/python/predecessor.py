"""Stores of other tools: reads them, appends to them as those tools do, and makes some of their kinds.

usage: predecessor.py read STORE[,STORE]... FILE...   as xarray decodes both, the store's values are the files'
       predecessor.py append STORE FILE [VAR]     with xarray, as the Python msm-os does
       predecessor.py later FILE NEW YEARS        FILE again, so many years later, with one more on every temperature
       predecessor.py make KIND FILE STORE        a store of all its data with xarray, see `make`

Any warning of a reader is an error.
"""

import os
import sys
import warnings

import netCDF4  # noqa: F401, for its warnings of how it was built come before those of readers
import numpy as np
import xarray as xr

warnings.simplefilter("error")
# Their own dependencies have moved on.
warnings.simplefilter("ignore", DeprecationWarning)
warnings.simplefilter("ignore", FutureWarning)

APPEND = "time_counter"


def never_sent(variable):
    """Which steps its attribute steps_never_sent names."""
    steps = set()
    for word in str(variable.attrs.get("steps_never_sent", "")).replace(" ", "").split(","):
        first, _, last = word.partition("-")
        if first:
            steps.update(range(int(first), int(last or first) + 1))
    return sorted(steps)


def same(found, expected):
    if np.issubdtype(expected.dtype, np.number):
        return np.array_equal(found, expected, equal_nan=True)
    return np.array_equal(found, expected)


def read(places, *paths):
    files = [xr.open_dataset(path).load() for path in paths]
    for place in places.split(","):
        check(place, files)


def check(place, files):
    store = xr.open_zarr(place, consolidated=True)
    for name, variable in store.variables.items():
        if name not in files[0].variables:
            if not name.startswith("projected_"):
                sys.exit(f"{place}: {name} is not of the files")
            continue
        parts = [file[name] for file in files]
        if APPEND in variable.dims:
            expected = np.concatenate([part.values for part in parts], axis=variable.dims.index(APPEND))
        else:
            expected = parts[0].values
        found, missing = variable.values, never_sent(variable)
        if missing:
            index = (missing,)
            if not np.all(np.isnat(found[index]) if found.dtype.kind == "M" else np.isnan(found[index])):
                sys.exit(f"{place}: {name} is not missing at {missing}")
            found, expected = np.delete(found, missing, axis=0), np.delete(expected, missing, axis=0)
        if not same(found, expected):
            sys.exit(f"{place}: {name} has other values than the files")
    for name in sorted(store.variables):
        print(name, store[name].dims, len(never_sent(store[name])))


def append(place, path, *names):
    file = xr.open_dataset(path)
    if names:
        # Bounds have stores of their own.
        file = file[list(names)]
    file.to_zarr(place, mode="a", append_dim=APPEND)


def later(path, new, years):
    file = xr.open_dataset(path, decode_cf=False).load()
    for name in file.variables:
        if name.startswith(("time_counter", "time_centered")):
            file[name] = file[name] + int(years) * 365 * 86400.0
            file[name].attrs = xr.open_dataset(path, decode_cf=False)[name].attrs
    for name in ("thetao", "tos"):
        values = file[name].values
        values[values < 1e19] += 1
    file.to_netcdf(new, unlimited_dims=[APPEND], encoding={name: {"_FillValue": None} for name in file.variables if "_FillValue" not in file[name].attrs})


def make(kind, path, place):
    """Kinds, of Zarr version 2 unless they say otherwise:

    slash      chunks across time and space, keys with slashes, no compressor
    v3         version 3, sharded
    nan        NaN for missing values, and nothing of the file's
    zero       0 on land, and said to be missing
    none       nothing said of missing values
    plain      no consolidated metadata
    """
    file = xr.open_dataset(path)
    names = [name for name in file.variables if not name.endswith(("_bounds")) and not name.startswith("bounds_")]
    file = file[[name for name in names if name in file.data_vars]]
    chunks = {APPEND: 2, "deptht": 2, "y": 16, "x": 40}
    masks = {"nan": np.nan, "zero": 0.0, "none": None}
    encoding = {}
    for name in file.data_vars:
        variable = file[name]
        of = encoding[name] = {}
        if kind in masks:
            variable.encoding.pop("missing_value", None)
            of["_FillValue"] = masks[kind]
        if kind == "zero":
            file[name] = variable.fillna(0.0)
        if kind == "none":
            file[name] = variable.fillna(1e20)
            for other in ("_FillValue", "missing_value"):
                file[name].encoding.pop(other, None)
        of["chunks"] = tuple(min(chunks[d], max(n, chunks[d] if d == APPEND else 0)) for d, n in variable.sizes.items())
        if kind == "slash":
            of["compressors"] = None
        if kind == "v3":
            of["shards"] = tuple(2 * n for n in of["chunks"])
    warnings.simplefilter("ignore", UserWarning)  # Of consolidated metadata in version 3.
    version = 3 if kind == "v3" else 2
    file.to_zarr(place, zarr_format=version, consolidated=kind != "plain", encoding=encoding)
    if kind == "slash":
        slash(place)


def slash(place):
    """Names the chunks of a store of version 2 with slashes."""
    import json
    import pathlib

    root = pathlib.Path(place)
    consolidated = json.loads((root / ".zmetadata").read_text())
    for path in list(root.rglob(".zarray")):
        document = json.loads(path.read_text())
        document["dimension_separator"] = "/"
        path.write_text(json.dumps(document))
        consolidated["metadata"][f"{path.parent.name}/.zarray"] = document
        for chunk in list(path.parent.iterdir()):
            if "." in chunk.name and not chunk.name.startswith("."):
                whole = path.parent / "tmp" / chunk.name.replace(".", "/")
                whole.parent.mkdir(parents=True, exist_ok=True)
                os.replace(chunk, whole)
        if (path.parent / "tmp").is_dir():
            for folder in (path.parent / "tmp").iterdir():
                os.replace(folder, path.parent / folder.name)
            (path.parent / "tmp").rmdir()
    (root / ".zmetadata").write_text(json.dumps(consolidated))


{"read": read, "append": append, "later": later, "make": make}[sys.argv[1]](*sys.argv[2:])
