"""Checks that xarray sees in a store of the recipe in docs/recipe.md what numpy makes of the files.

usage: recipe.py STORE VARIABLE FILE...

STORE is as in `read_back.py`. Any warning of a reader is an error.
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

# By the name in the store: in the files, factor, offset, bits.
VARIABLES = {"temperature": ("thetao", 1.0, 273.15, 12), "zos": ("zos", 2.0, 0.0, None), "tos": ("tos", 1.0, 0.0, None)}


def rounded(values, bits):
    """As numcodecs' BitRound has it."""
    drop = 23 - bits
    raw = values.view(np.uint32).copy()
    raw += ((raw >> drop) & np.uint32(1)) + np.uint32((1 << (drop - 1)) - 1)
    raw &= np.uint32(0xFFFFFFFF) >> drop << drop
    return raw.view(np.float32)


def main(place, variable, *files):
    old, factor, offset, bits = VARIABLES[variable]
    parts = []
    for name in files:
        with netCDF4.Dataset(name) as file:
            file.set_auto_maskandscale(False)
            parts.append(file[old][...])
            attributes = {k: file[old].getncattr(k) for k in file[old].ncattrs()}
            depth, longitude = file["deptht"][...], file["nav_lon"][...]
    raw = np.concatenate(parts)
    missing = raw == np.float32(1e20)
    assert missing.any() and not missing.all()
    expected = (raw.astype(np.float64) * factor + offset).astype(np.float32)
    if bits:
        expected = rounded(expected, bits)
    expected[missing] = np.float32(1e20)
    stored = zarr.open_group(open_store(place), mode="r")[variable]
    assert np.array_equal(stored[...].view(np.uint32), expected.view(np.uint32))
    seen = xr.open_zarr(open_store(place))
    array = seen[variable]
    assert array.dims == (("time", "depth", "y", "x") if array.ndim == 4 else ("time", "y", "x")), array.dims
    assert np.isnan(array.values).sum() == missing.sum()
    np.testing.assert_array_equal(seen["nav_lon"].values, longitude)
    assert "time" in seen.indexes and "nav_lon" in seen.coords, seen
    assert seen.attrs["institution"] == "National Oceanography Centre" and "uuid" not in seen.attrs, seen.attrs
    if variable == "temperature":
        np.testing.assert_array_equal(seen["depth"].values, depth)
        assert array.attrs["units"] == "K" and "online_operation" not in array.attrs, array.attrs
        assert array.attrs["standard_name"] == attributes["standard_name"]
        assert array.attrs["quantization"] == "quantization_info" and array.attrs["quantization_nsb"] == 12
        info = seen["quantization_info"]
        assert info.shape == () and info.attrs["algorithm"] == "bitround", info
        assert info.attrs["implementation"].startswith("msm-os "), info
        assert seen["depth"].attrs["bounds"] == "deptht_bounds" and seen["deptht_bounds"].dims[0] == "depth"
        assert stored.chunks == (1, 2, *stored.shape[2:]), stored.chunks
        assert stored.compressors[0].to_dict()["name"] == "zstd", stored.compressors
    if variable == "zos":
        assert array.attrs["units"] == "0.5 m", array.attrs


main(*sys.argv[1:])
sys.stdout.flush()
os._exit(0)
