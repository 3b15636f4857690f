"""Checks what stock Python readers see of reprojected variables, and that their values are the nearest cells'.

usage: read_projected.py STORE VARIABLE METHOD GRID FILE...

STORE is a directory; GRID is NXxNY@WEST,SOUTH,EAST,NORTH, the target's cells and its edges in degrees. Any warning of a
reader is an error. With METHOD nearest, every value must be, to the bit, that of the cell that lies nearest on the sphere,
found by trying all that can be; where several do, that of one of them. With any other, values must not leave the range of
the source's, step by step and level by level.
"""

import sys
import warnings

import netCDF4
import numpy as np
import xarray as xr
import zarr

warnings.simplefilter("error")
# Of variables on the model's grid: they name areas that their files do not hold.
warnings.filterwarnings("ignore", message=r"Variable\(s\) referenced in cell_measures not in variables")

AXES = {
    "projected_y": ("latitude", "degrees_north", "Y"),
    "projected_x": ("longitude", "degrees_east", "X"),
}
# Attributes that name what lies on the model's grid.
OF_THE_MODEL = {"cell_measures", "grid_mapping"}
# Of the distance on the unit sphere: cells that differ by less lie equally far.
SAME_DISTANCE = 1e-12


def fail(*what):
    sys.exit(" ".join(map(str, what)))


def equal(what, found, expected):
    if not np.array_equal(np.asarray(found), np.asarray(expected)):
        fail(f"{what}: {found!r}, expected {expected!r}")


def near(what, found, expected):
    if found.dtype != np.float64 or found.shape != expected.shape or not np.abs(found - expected).max() <= 1e-9:
        fail(f"{what}: {found.dtype}{found.shape} {found}, expected {expected}")


class Grid:
    """The target: centres of columns from west to east and of rows from north to south, and their edges."""

    def __init__(self, text):
        size, box = text.split("@")
        self.nx, self.ny = map(int, size.split("x"))
        self.west, self.south, self.east, self.north = map(float, box.split(","))
        self.edges = {
            "projected_x": self.west + np.arange(self.nx + 1) * (self.east - self.west) / self.nx,
            "projected_y": self.north - np.arange(self.ny + 1) * (self.north - self.south) / self.ny,
        }

    def centres(self, name):
        return (self.edges[name][:-1] + self.edges[name][1:]) / 2


def check_coordinates(seen, grid):
    for name, (standard_name, units, axis) in AXES.items():
        variable = seen[name]
        equal(f"dimensions of {name}", variable.dims, (name,))
        near(name, variable.values, grid.centres(name))
        expected = {"standard_name": standard_name, "units": units, "axis": axis}
        equal(f"attributes of {name}", {k: variable.attrs.get(k) for k in expected}, expected)
        # xarray keeps what it has understood in the encoding.
        bounds = seen[(variable.attrs | variable.encoding)["bounds"]]
        equal(f"dimensions of {bounds.name}", (bounds.dims[0], *bounds.shape[1:]), (name, 2))
        near(bounds.name, bounds.values, np.stack([grid.edges[name][:-1], grid.edges[name][1:]], axis=1))
    crs = seen["projected_crs"]
    equal("grid mapping", crs.attrs["grid_mapping_name"], "latitude_longitude")
    if not 6.3e6 < crs.attrs["earth_radius"] < 6.4e6:
        fail("earth_radius", crs.attrs["earth_radius"])
    undecoded = [n for n in ("projected_crs", "projected_x_bounds", "projected_y_bounds") if n not in seen.coords]
    if undecoded:
        fail("xarray takes no coordinates from", undecoded)


def check_attributes(found, source, method):
    """Those of the source but for what names the model's grid, and how it was reprojected."""
    expected = {k: source.getncattr(k) for k in source.ncattrs() if k not in OF_THE_MODEL}
    kept = [name for name in expected.pop("coordinates", "").split() if name not in ("nav_lon", "nav_lat")]
    equal("coordinates", sorted(found.pop("coordinates", "").split()), sorted(kept))
    equal("grid_mapping", found.pop("grid_mapping"), "projected_crs")
    equal("reprojection_method", found["reprojection_method"], method)
    if "_FillValue" not in expected:
        found.pop("_FillValue", None)
    added = {name for name in found if name.startswith("reprojection_")}
    equal("names of attributes", sorted(set(found) - added), sorted(expected))
    for name, value in expected.items():
        equal(f"attribute {name}", found[name], value)


def unit_vectors(longitude, latitude):
    longitude, latitude = np.radians(longitude), np.radians(latitude)
    vectors = [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    return np.stack(np.broadcast_arrays(*vectors), axis=-1)


def nearest_cells(longitude, latitude, x, y):
    """Pairs of a column of the target's row at latitude `y` and a nearest cell: more than one pair where several tie."""
    targets, margin = unit_vectors(x, y), 2.0
    while True:
        # Cells farther off in latitude alone cannot be nearer.
        some = np.flatnonzero(np.abs(latitude - y) <= margin)
        cells = unit_vectors(longitude[some], latitude[some])
        cosine = targets @ cells.T if some.size else np.full((len(x), 1), -1.0)
        best = cosine.max(axis=1)
        if margin >= 180 or np.degrees(np.arccos(min(best.min(), 1))) < margin - 1e-6:
            break
        margin *= 4
    # The cosine is too blunt for short distances: it only leaves out what cannot be.
    column, candidate = np.nonzero(cosine >= best[:, None] - 1e-13)
    distance = np.linalg.norm(targets[column] - cells[candidate], axis=1)
    shortest = np.full(len(x), np.inf)
    np.minimum.at(shortest, column, distance)
    tied = distance <= shortest[column] + SAME_DISTANCE
    return column[tied], some[candidate[tied]]


def check_nearest(found, fields, longitude, latitude, grid):
    """All of `found`, `[…, row, column]`, are values of `fields`, `[…, cell]`: of the nearest cell or one of them."""
    bits = f"u{found.dtype.itemsize}"
    found, fields, ties = found.view(bits), fields.view(bits), 0
    for j, y in enumerate(grid.centres("projected_y")):
        column, cell = nearest_cells(longitude, latitude, grid.centres("projected_x"), y)
        agree = fields[..., cell] == found[..., j, column]
        right = np.zeros((*found.shape[:-2], grid.nx), bool)
        np.logical_or.at(right, (..., column), agree)
        if not right.all():
            *at, i = map(int, np.argwhere(~right)[0])
            fail(f"step and level {at}, row {j}, column {i}: not the value of a nearest cell of", cell[column == i])
        ties += len(column) - grid.nx
    return ties


def check_range(found, fields, fill):
    """The wet values of a level lie between the least and the greatest that the source has there."""
    found = found.reshape(*found.shape[:-2], -1)
    for at in np.ndindex(found.shape[:-1]):
        made, wet = (values[(values != fill) & ~np.isnan(values)] for values in (found[at], fields[at]))
        if made.size and not (wet.size and wet.min() <= made.min() and made.max() <= wet.max()):
            fail(f"step and level {at}: values from {made.min()} to {made.max()}, which the source has not")
        # Only a level without water, or a box without any, has none.
        if wet.size == fields.shape[-1] and made.size == 0:
            fail(f"step and level {at}: all is missing")


def main(store, name, method, grid, *files):
    grid = Grid(grid)
    raw = zarr.open_group(store, mode="r")
    seen = xr.open_zarr(store, decode_coords="all", decode_times=False)
    sources = [netCDF4.Dataset(file) for file in files]
    source = sources[0][name]
    projected = seen[f"projected_{name}"]
    equal("dimensions", projected.dims, (*source.dimensions[:-2], "projected_y", "projected_x"))
    check_coordinates(seen, grid)
    used = ("_FillValue", "missing_value", "scale_factor", "add_offset", "grid_mapping")
    plain = xr.open_zarr(store, decode_times=False, decode_coords=False)[projected.name]
    check_attributes(plain.attrs | {k: v for k, v in plain.encoding.items() if k in used}, source, method)
    for dataset in sources:
        dataset.set_auto_maskandscale(False)
    values = np.ma.concatenate([dataset[name][...] for dataset in sources]).data
    found = raw[projected.name][...]
    equal("type", found.dtype, values.dtype)
    equal("shape", found.shape, (*values.shape[:-2], grid.ny, grid.nx))
    fill = raw[projected.name].fill_value
    equal("missing cells", np.isnan(projected.values), (found == fill) | np.isnan(found))
    fields = values.reshape(*values.shape[:-2], -1)
    if method == "nearest":
        longitude, latitude = (sources[0][n][...].astype(np.float64).ravel() for n in ("nav_lon", "nav_lat"))
        ties = check_nearest(found, fields, longitude, latitude, grid)
        print(f"{projected.name}: {found.size} values are the nearest cells', with {ties} ties in a level")
    else:
        check_range(found, fields, fill)
        print(f"{projected.name}: {found.size} values, none beyond the source's")


main(*sys.argv[1:])
