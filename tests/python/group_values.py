"""Checks that xarray sees in a group of a store what it sees in the source files, one after the other.

usage: group_values.py STORE GROUP FILE...

STORE is a directory, GROUP a path in it or ''. What is compared are the values of all data variables but for bounds, which some
tools leave out, and of the time axis. The group is opened through the store's consolidated metadata, and, by itself, without it: both must tell the same.
"""

import sys
import warnings

import numpy as np
import xarray as xr

warnings.simplefilter("ignore")


def same(what, found, expected):
    if found.dtype != expected.dtype or found.shape != expected.shape:
        sys.exit(f"{what}: {found.dtype}{found.shape}, expected {expected.dtype}{expected.shape}")
    if not np.array_equal(found, expected, equal_nan=found.dtype.kind == "f"):
        sys.exit(f"{what}: other values")


store, group, *files = sys.argv[1:]
datasets = [xr.open_dataset(file, decode_timedelta=False) for file in files]
if group:
    tree = xr.open_datatree(store, engine="zarr", consolidated=True, decode_timedelta=False)
    seen = [tree[group].to_dataset(), xr.open_zarr(store, group=group, consolidated=False, decode_timedelta=False)]
else:
    seen = [xr.open_zarr(store, consolidated=known, decode_timedelta=False) for known in (True, False)]
for dataset in seen:
    names = [name for name in [*dataset.data_vars, "time_counter"] if name in datasets[0].variables]
    names = [name for name in names if "bounds" not in name]
    if not names:
        sys.exit(f"{store} {group}: no variables")
    for name in names:
        found = dataset[name].values
        grows = "time_counter" in datasets[0][name].dims
        parts = [d[name].values for d in (datasets if grows else datasets[:1])]
        same(f"{store} {group} {name}", found, np.concatenate(parts) if grows else parts[0])
