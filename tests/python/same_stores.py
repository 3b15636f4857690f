"""Checks that stock readers see the same in two stores, whatever their chunks, codecs and versions.

usage: same_stores.py STORE OTHER

Both are directories. Any warning of a reader is an error.
"""

import sys
import warnings

import numpy as np
import xarray as xr
import zarr

warnings.simplefilter("error")


def same(what, one, other):
    if one != other:
        sys.exit(f"{what}: {one!r} and {other!r}")


def read(path, **how):
    with xr.open_dataset(path, engine="zarr", consolidated=True, chunks=None, **how) as dataset:
        return dataset.load()


paths = sys.argv[1:3]
for how in [{}, {"decode_cf": False}]:
    one, other = (read(path, **how) for path in paths)
    same("attributes", one.attrs, other.attrs)
    same("variables", sorted(one.variables), sorted(other.variables))
    same("coordinates", sorted(one.coords), sorted(other.coords))
    for name in one.variables:
        a, b = one[name], other[name]
        same(f"{name}: dimensions", a.dims, b.dims)
        same(f"{name}: type", a.dtype, b.dtype)
        same(f"{name}: shape", a.shape, b.shape)
        if a.dtype == object or a.dtype.kind in "TU":
            same(f"{name}: texts", a.values.tolist(), b.values.tolist())
        else:
            same(f"{name}: values", a.values.tobytes(), b.values.tobytes())
        # Version 2 has it in the array's type, version 3 floats as float64, and integers as they are read.
        masks = [
            np.asarray(x.encoding["_FillValue"]).astype(x.encoding["dtype"]).tobytes() if "_FillValue" in x.encoding else None
            for x in (a, b)
        ]
        same(f"{name}: mask", *masks)
        attributes = [{k: v for k, v in x.attrs.items() if k != "_FillValue"} for x in (a, b)]
        same(f"{name}: attributes", *attributes)
groups = [zarr.open_group(path, mode="r") for path in paths]
same("attributes", *(dict(group.attrs) for group in groups))
for name, array in groups[0].arrays():
    found = groups[1][name]
    same(f"{name}: type", array.dtype, found.dtype)
    if array.dtype.kind not in "TOU":
        same(f"{name}: values", np.asarray(array[...]).tobytes(), np.asarray(found[...]).tobytes())
    kept = [{k: v for k, v in x.attrs.items() if k not in ("_FillValue", "_ARRAY_DIMENSIONS")} for x in (array, found)]
    same(f"{name}: attributes", *kept)
