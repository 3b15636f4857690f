"""Checks that the pixels of a page which `msm_os quicklook` has drawn have the values that xarray reads at the nearest cells.

usage: quicklook.py STORE VARIABLE STEP LEVEL PAGE

STORE is a directory, STEP and LEVEL are numbers from 0; LEVEL is - for a variable without levels. A pixel's cell is found by trying all.
"""

import base64
import re
import sys
import warnings

import numpy as np
import xarray as xr

warnings.simplefilter("error")

store, variable, step, level, page = sys.argv[1:]
with open(page, encoding="utf-8") as file:
    text = file.read()


def data(name):
    (found,) = re.findall(f' data-{name}="([^"]*)"', text)
    return found


nx, ny = int(data("columns")), int(data("rows"))
values = np.frombuffer(base64.b64decode(data("values")), "<f4").reshape(ny, nx)


def axis(name, expected, count):
    kind, begin, end = data(name).split(" ")
    assert kind == expected, kind
    begin, end = float(begin), float(end)
    return begin + (np.arange(count) + 0.5) * (end - begin) / count


longitudes, latitudes = axis("x", "longitude", nx), axis("y", "latitude", ny)
assert latitudes[0] > latitudes[-1], "the north is above"


def points(longitude, latitude):
    x, y = np.radians(np.asarray(longitude, "f8")), np.radians(np.asarray(latitude, "f8"))
    return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], -1)


with xr.open_zarr(store) as opened:
    field = opened[variable].isel(time_counter=int(step))
    if level != "-":
        field = field.isel({field.dims[0]: int(level)})
    field = field.load()
    cells = points(opened.nav_lon.values, opened.nav_lat.values).reshape(-1, 3)

seen = missing = 0
for row in range(0, ny, max(1, ny // 40)):
    for column in range(0, nx, max(1, nx // 40)):
        away = np.linalg.norm(cells - points(longitudes[column], latitudes[row]), axis=-1)
        nearest = np.flatnonzero(away <= away.min() + 1e-12)
        expected = field.values.ravel()[nearest]
        value = values[row, column]
        if np.isnan(value):
            missing += 1
            # There is none there, or the pixel lies beyond the grid.
            assert np.isnan(expected).any() or latitudes[row] < opened.nav_lat.values.min(), (row, column, expected)
        else:
            seen += 1
            assert (expected == value).any(), (row, column, value, expected)
assert seen > 300 and missing > 20, (seen, missing)
