"""Compares what was reprojected with `--method nearest-lonlat` with what Iris makes of the same files.

usage: iris_oracle.py STORE VARIABLE FILE...

As the Python tool does, but for every step and level: `iris.analysis.cartography.project` to Plate Carrée, with as many
columns and rows as the file has, northernmost row first. STORE is a directory. Coordinates must agree to 1e-9 degrees,
values to the bit, and missing ones must be missing in both. Where they differ nonetheless, the values must be those of two
cells that lie equally far from the target in flat degrees: either is the nearest one. How many these are is printed.
"""

import sys
import warnings

import cartopy.crs as ccrs
import iris
import numpy as np
import zarr
from iris.analysis.cartography import project

# Cartopy passes the points of the target through PROJ, which moves them by some 1e-14 degrees.
SAME_DISTANCE = 1e-12


def by_iris(file, variable):
    """Longitudes and latitudes of the columns and rows, and the masked values, of a file; and what it was made from."""
    # Iris warns of what the files lack and the oracle does not need: areas, an ellipsoid.
    with warnings.catch_warnings(action="ignore"):
        cube = iris.load_cube(file, iris.NameConstraint(var_name=variable))
        projected, _ = project(cube, ccrs.PlateCarree())
    x, y = (projected.coord(f"projection_{axis}_coordinate").points for axis in "xy")
    return (x, y[::-1], np.ma.asarray(projected.data)[..., ::-1, :]), cube


def only(what, arrays):
    """The one array that all of them are."""
    if not all(np.array_equal(array, arrays[0]) for array in arrays):
        sys.exit(f"{what} differ between the files")
    return arrays[0]


def near(what, found, expected):
    if found.shape != expected.shape or not np.abs(found - expected).max() <= 1e-9:
        sys.exit(f"{what}: {found.shape} {found.ravel()[:3]}…, by Iris {expected.shape} {expected.ravel()[:3]}…")


def missing(array):
    values = array[...]
    return (values == array.fill_value) | np.isnan(values)


def count_ties(cube, grid, at, found):
    """Fails unless the values `found` in the target's cells `at` are those of a nearest cell each."""
    x, y = grid
    longitude, latitude = (cube.coord(var_name=name).points.astype(float).ravel() for name in ("nav_lon", "nav_lat"))
    longitude = np.where(abs(longitude) > 180, (longitude + 180) % 360 - 180, longitude)
    fields = np.ma.asarray(cube.data).reshape(-1, longitude.size)
    for cell in zip(*at, strict=True):
        *leading, j, i = map(int, cell)
        distance = np.hypot(longitude - x[i], latitude - y[j])
        nearest = np.flatnonzero(distance <= distance.min() + SAME_DISTANCE)
        level = int(np.ravel_multi_index(leading, cube.shape[:-2])) if leading else 0
        if not any(same(found[cell], fields[level, one]) for one in nearest):
            place = f"step and level {leading}, row {j}, column {i} ({x[i]:.6f} E, {y[j]:.6f} N)"
            sys.exit(f"{place}: {found[cell]} is not the value of the nearest cell, {fields[level, nearest]}")
    return at[0].size


def same(one, other):
    if one is np.ma.masked or other is np.ma.masked:
        return one is other
    return one.tobytes() == other.tobytes()


def main(store, variable, *files):
    group = zarr.open_group(store, mode="r")
    if f"projected_{variable}" not in group:
        sys.exit(f"{store} holds {sorted(group.array_keys())}, no projected_{variable}")
    array = group[f"projected_{variable}"]
    made, cubes = zip(*(by_iris(file, variable) for file in files), strict=True)
    x, y = (only(name, [part[i] for part in made]) for i, name in enumerate(("longitudes", "latitudes")))
    near("projected_x", group["projected_x"][...], x)
    near("projected_y", group["projected_y"][...], y)
    found = np.ma.masked_array(array[...], missing(array))
    expected = np.ma.concatenate([part[2] for part in made])
    if found.shape != expected.shape or found.dtype != expected.dtype:
        sys.exit(f"{found.dtype}{found.shape}, by Iris {expected.dtype}{expected.shape}")
    ties, first = 0, 0
    for (_, _, values), cube in zip(made, cubes, strict=True):
        part = found[first : first + len(values)]
        first += len(values)
        masks = np.ma.getmaskarray(part), np.ma.getmaskarray(values)
        bits = [np.ascontiguousarray(one.data).view(f"u{one.dtype.itemsize}") for one in (part, values)]
        differ = (masks[0] != masks[1]) | ((bits[0] != bits[1]) & ~masks[0] & ~masks[1])
        ties += count_ties(cube, (x, y), np.nonzero(differ), part)
    wet = found.count()
    print(f"{variable}: {found.size} values, {wet} not missing, as Iris has them but for {ties} exact ties")


main(*sys.argv[1:])
