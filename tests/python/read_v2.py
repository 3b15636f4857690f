"""Checks that zarr-python 2 reads from stores of Zarr version 2 what netCDF4 reads from the source files. Any warning of a
reader is an error.

usage: read_v2.py APPEND_DIMENSION STORE[,STORE]... FILE...
"""

import sys
import warnings

import netCDF4
import numpy as np
import zarr

warnings.simplefilter("error")
# Its own dependencies have moved on.
warnings.simplefilter("ignore", DeprecationWarning)


def check(place, append, datasets):
    store = zarr.open_consolidated(place, mode="r")
    if store.attrs.asdict()["title"] != datasets[0].title:
        sys.exit(f"{place}: other attributes than the file's")
    for name, array in store.arrays():
        for dataset in datasets:
            dataset[name].set_auto_maskandscale(False)
        dimensions = datasets[0][name].dimensions
        values = [dataset[name][...] for dataset in datasets]
        expected = np.concatenate(values, axis=dimensions.index(append)) if append in dimensions else values[0]
        expected = np.asarray(expected)
        if tuple(array.attrs["_ARRAY_DIMENSIONS"]) != dimensions:
            sys.exit(f"{place}: {name} has dimensions {array.attrs['_ARRAY_DIMENSIONS']}, expected {dimensions}")
        found = array[...]
        if expected.dtype == object:
            same = found.tolist() == expected.tolist()
        else:
            expected = expected.astype(expected.dtype.newbyteorder("<"))
            same = found.dtype == expected.dtype and found.tobytes() == expected.tobytes()
        if not same:
            sys.exit(f"{place}: {name} has other values")


append, places, *files = sys.argv[1:]
datasets = [netCDF4.Dataset(file) for file in files]
for place in places.split(","):
    check(place, append, datasets)
print(f"zarr {zarr.__version__} reads the same")
