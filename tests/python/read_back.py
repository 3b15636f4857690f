"""Checks that stock Python readers see in a store exactly what netCDF4 reads from the source files.

usage: read_back.py STORE APPEND_DIMENSION FILE...

STORE is a directory, or s3://bucket/key with ENDPOINT, ACCESS_KEY and SECRET_KEY in the environment. Any warning of a
reader is an error.
"""

import os
import sys
import warnings

import netCDF4
import numpy as np
import xarray as xr
import zarr
from obstore.store import S3Store
from zarr.storage import LocalStore, ObjectStore

warnings.simplefilter("error")


def open_store(place):
    if not place.startswith("s3://"):
        return LocalStore(place, read_only=True)
    bucket, key = place.removeprefix("s3://").split("/", 1)
    s3 = S3Store(
        bucket,
        prefix=key,
        endpoint=os.environ["ENDPOINT"],
        access_key_id=os.environ["ACCESS_KEY"],
        secret_access_key=os.environ["SECRET_KEY"],
        client_options={"allow_http": True},
    )
    return ObjectStore(s3, read_only=True)


def joined(datasets, name, append):
    """The values of a variable over all files; of the first file where it has no steps."""
    variables = [dataset[name] for dataset in datasets]
    if append not in variables[0].dimensions:
        return variables[0][...]
    return np.ma.concatenate([v[...] for v in variables], axis=variables[0].dimensions.index(append))


def same(what, found, expected):
    found, expected = np.asarray(found), np.asarray(expected)
    if found.dtype != expected.dtype or found.shape != expected.shape or found.tobytes() != expected.tobytes():
        sys.exit(f"{what}: read {found.dtype}{found.shape}, expected {expected.dtype}{expected.shape}, or other values")


def check_attributes(what, found, expected):
    expected = {k: expected.getncattr(k) for k in expected.ncattrs()}
    if set(found) != set(expected):
        sys.exit(f"{what}: attributes {sorted(found)}, expected {sorted(expected)}")
    for name, value in expected.items():
        nan = isinstance(value, np.floating) and np.isnan(value)
        if not np.array_equal(np.asarray(found[name]), np.asarray(value), equal_nan=nan):
            sys.exit(f"{what}: attribute {name} is {found[name]!r}, expected {value!r}")


def main(place, append, *files):
    store = open_store(place)
    raw = zarr.open_group(store, mode="r")
    seen = xr.open_zarr(store, decode_times=False)
    datasets = [netCDF4.Dataset(f) for f in files]
    check_attributes("the group", seen.attrs, datasets[0])
    if set(raw.array_keys()) != set(seen.variables):
        sys.exit(f"zarr has {sorted(raw.array_keys())}, xarray {sorted(seen.variables)}")
    for name, variable in seen.variables.items():
        source = datasets[0][name]
        if variable.dims != source.dimensions:
            sys.exit(f"{name}: dimensions {variable.dims}, expected {source.dimensions}")
        # xarray keeps what it has used of the attributes in the encoding.
        used = ("_FillValue", "missing_value", "scale_factor", "add_offset", "coordinates")
        attributes = dict(variable.attrs) | {k: v for k, v in variable.encoding.items() if k in used}
        if "coordinates" not in source.ncattrs():
            attributes.pop("coordinates", None)
        check_attributes(name, attributes, source)
        for dataset in datasets:
            dataset.set_auto_maskandscale(False)
        same(f"{name}, raw", raw[name][...], joined(datasets, name, append))
        for dataset in datasets:
            dataset.set_auto_maskandscale(True)
        masked = joined(datasets, name, append)
        missing = np.ma.getmaskarray(masked)
        if "_FillValue" in source.ncattrs() and not np.array_equal(np.isnan(variable.values), missing):
            sys.exit(f"{name}: other cells are masked than netCDF4 masks")
        if not np.array_equal(variable.values[~missing], masked.data[~missing]):
            sys.exit(f"{name}: other values than netCDF4 reads")
    print(f"{len(seen.variables)} variables are the same")


main(*sys.argv[1:])
# obstore's threads sometimes crash the interpreter while it shuts down, when all is read and compared.
sys.stdout.flush()
os._exit(0)
