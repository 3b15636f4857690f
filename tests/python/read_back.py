"""Checks that stock Python readers see in a store exactly what netCDF4 reads from the source files.

usage: read_back.py STORE[,STORE]... APPEND_DIMENSION FILE...

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
from opened import open_store

warnings.simplefilter("error")


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
    # JSON has no NaN: xarray masks NaN without being told.
    if "missing_value" in expected:
        kept = [v for v in np.ravel(expected["missing_value"]) if v == v]
        expected |= {"missing_value": np.squeeze(kept)}
        if not kept:
            expected.pop("missing_value")
    signed = expected.get("_Unsigned") == "false"
    if signed:
        # Signed, as xarray wants it, in Zarr v3; as it is stored in v2.
        expected["_FillValue"] = expected["_FillValue"].astype(np.int8)
        found["_FillValue"] = np.asarray(found["_FillValue"]).astype(np.int8)
    for name, value in expected.items():
        if isinstance(value, np.ndarray) and not np.isfinite(value).all():
            expected[name] = ["Infinity" if v > 0 else "-Infinity" for v in value]
    if set(found) != set(expected):
        sys.exit(f"{what}: attributes {sorted(found)}, expected {sorted(expected)}")
    for name, value in expected.items():
        nan = isinstance(value, np.floating) and np.isnan(value)
        if not np.array_equal(np.asarray(found[name]), np.asarray(value), equal_nan=nan):
            sys.exit(f"{what}: attribute {name} is {found[name]!r}, expected {value!r}")


def check_texts(name, found, expected):
    """Texts: xarray reads from the store what it reads from the files, and zarr the same without a mask."""
    raw, seen = found

    def plain(value):
        value = value.decode() if isinstance(value, bytes) else value
        return None if isinstance(value, float) else str(value)

    read = [plain(v) for v in np.asarray(seen.values, object).ravel()]
    wanted = [plain(v) for v in np.asarray(expected.values, object).ravel()]
    if seen.dims != expected.dims or seen.shape != expected.shape or read != wanted:
        sys.exit(f"{name}: xarray reads {seen.dims} {read} from the store, {expected.dims} {wanted} from the files")
    unmasked = [str(v) for v in np.asarray(raw[...], object).ravel()]
    if any(w not in (None, u) for w, u in zip(wanted, unmasked, strict=True)):
        sys.exit(f"{name}: zarr reads {unmasked}, expected {wanted}")
    if seen.attrs != expected.attrs:
        sys.exit(f"{name}: attributes {seen.attrs}, expected {expected.attrs}")


def of_files(files, append):
    """What xarray reads from the files, all in memory: no other thread may close an HDF5 file later on."""
    datasets = [xr.load_dataset(f, decode_times=False) for f in files]
    joined = {}
    for name, variable in datasets[0].variables.items():
        along = [d.variables[name] for d in datasets]
        joined[name] = xr.Variable.concat(along, append) if append in variable.dims else variable
    return joined


def main(places, append, *files):
    expected = of_files(files, append)
    datasets = [netCDF4.Dataset(f) for f in files]
    for place in places.split(","):
        check(place, append, datasets, expected)


def check(place, append, datasets, expected):
    store = open_store(place)
    raw = zarr.open_group(store, mode="r")
    seen = xr.open_zarr(store, decode_times=False)
    check_attributes("the group", seen.attrs, datasets[0])
    if set(raw.array_keys()) != set(seen.variables):
        sys.exit(f"zarr has {sorted(raw.array_keys())}, xarray {sorted(seen.variables)}")
    for name, variable in seen.variables.items():
        if name.startswith("projected_"):
            continue  # Of no file: read_projected.py checks these.
        source = datasets[0][name]
        if source.dtype is str or source.dtype.kind == "S":
            check_texts(name, (raw[name], variable), expected[name])
            continue
        wanted = expected[name]
        if wanted.dtype != variable.dtype or not np.array_equal(wanted, variable, equal_nan=True):
            sys.exit(f"{name}: xarray reads other values from the store than from the files")
        if variable.dims != source.dimensions:
            sys.exit(f"{name}: dimensions {variable.dims}, expected {source.dimensions}")
        # xarray keeps what it has used of the attributes in the encoding.
        used = ("_FillValue", "missing_value", "scale_factor", "add_offset", "coordinates", "_Unsigned")
        attributes = dict(variable.attrs) | {k: v for k, v in variable.encoding.items() if k in used}
        if "coordinates" not in source.ncattrs():
            attributes.pop("coordinates", None)
        check_attributes(name, attributes, source)
        for dataset in datasets:
            dataset.set_auto_maskandscale(False)
        same(f"{name}, raw", raw[name][...], joined(datasets, name, append))
        if "_Unsigned" in source.ncattrs():
            # netCDF4 knows no "false".
            continue
        for dataset in datasets:
            dataset.set_auto_maskandscale(True)
        masked = joined(datasets, name, append)
        missing = np.ma.getmaskarray(masked)
        if "_FillValue" in source.ncattrs() and not np.array_equal(np.isnan(variable.values), missing):
            sys.exit(f"{name}: other cells are masked than netCDF4 masks")
        # Of texts and integers, nothing is NaN.
        nan = variable.dtype.kind == "f"
        if not np.array_equal(variable.values[~missing], masked.data[~missing], equal_nan=nan):
            sys.exit(f"{name}: other values than netCDF4 reads")
    print(f"{len(seen.variables)} variables are the same")


main(*sys.argv[1:])
# obstore's threads sometimes crash the interpreter while it shuts down, when all is read and compared.
sys.stdout.flush()
os._exit(0)
