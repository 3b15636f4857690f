"""Checks that xarray selects each step of the files by its time in a store that was sent with --time-from time_centered.

usage: selected.py STORE FILE...

STORE is as in `read_back.py`. Any warning of a reader is an error.
"""

import os
import sys
import tempfile
import warnings

import numpy as np
import xarray as xr
from opened import open_store

warnings.simplefilter("error")


def main(place, *files):
    store = xr.open_zarr(open_store(place))
    times = []
    own = []
    for file in files:
        with xr.open_dataset(file, decode_times=False) as raw:
            own.extend(raw["time_counter"].values)
        with xr.open_dataset(file) as source:
            times.extend(source["time_centered"].values)
            for step, time in enumerate(source["time_centered"].values):
                month = str(time)[:7]
                found = store["tos"].sel(time_counter=month)
                np.testing.assert_array_equal(found.values, source["tos"].values[step : step + 1])
    np.testing.assert_array_equal(store.indexes["time_counter"], np.array(times))
    np.testing.assert_array_equal(store["time_centered"].values, np.array(times))
    np.testing.assert_array_equal(store["time_counter_file"].values, np.array(own))
    # A coordinate, for which no data are taken.
    assert "time_counter_file" in store.coords, store
    assert store["time_counter"].attrs["time_from"] == "time_centered", store["time_counter"].attrs
    assert store["time_counter"].attrs["bounds"] == "time_centered_bounds"
    # As it is written again, it is read again.
    with tempfile.TemporaryDirectory() as directory:
        written = os.path.join(directory, "again.nc")
        store.to_netcdf(written)
        again = xr.load_dataset(written)
        assert "time_counter_file" in again.coords, again
        np.testing.assert_array_equal(again["time_counter"].values, np.array(times))


main(*sys.argv[1:])
sys.stdout.flush()
os._exit(0)
