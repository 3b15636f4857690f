#!/usr/bin/env python3
"""Compares the values that `send -r` writes with those of CDO on the same grid, and draws the differences.

usage: compare-cdo.py FILE VARIABLE DIRECTORY NAME

FILE holds one step of VARIABLE on the model's surface. For each method, one line of counts for each kind of place, and
DIRECTORY/NAME-METHOD.png. The program is target/release/msm_os, or what MSM_OS names; cdo must be there. How
docs/reprojection.md was made:

    python3 -m venv v; v/bin/pip install matplotlib netCDF4 numpy scipy zarr
    target/release/nemo-like --grid eORCA1 --variables tos -o eorca1.nc
    v/bin/python scripts/compare-cdo.py eorca1.nc tos docs/reprojection eorca1
    v/bin/python scripts/compare-cdo.py …/NEMO/nemo_1m_20150101-20150201_grid-T.nc tos docs/reprojection nemo
"""

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl
import netCDF4
import numpy as np
import zarr
from PIL import Image
from scipy.spatial import cKDTree

mpl.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

TOP = Path(__file__).resolve().parent.parent
METHODS = {"nearest": "remapnn", "bilinear": "remapbil", "conservative": "remapcon"}
# Differences of float32 arithmetic, as a part of the field's range.
ROUNDING = 1e-6


def run(*command):
    ended = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(command)}: {ended.stdout}{ended.stderr}")


def ours(file, variable, method, work):
    """The reprojected field, `[y, x]`, masked, and the longitudes and latitudes of its columns and rows."""
    program = os.environ.get("MSM_OS", str(TOP / "target/release/msm_os"))
    run(program, "send", "-f", file, "-b", f"file://{work}", "-p", method, "-v", variable, "-r", "--method", method)
    group = zarr.open_group(work / method / f"{variable}.zarr", mode="r")
    array = group[f"projected_{variable}"]
    return masked(array[0], array.fill_value), group["projected_x"][...], group["projected_y"][...]


def masked(values, fill):
    return np.ma.masked_where((values == fill) | np.isnan(values), values)


def by_cdo(file, variable, method, x, y, work):
    """The same by CDO, on a grid of the same cells."""
    grid = work / "grid.txt"
    lines = ["gridtype = lonlat", f"xsize = {x.size}", f"ysize = {y.size}"]
    lines += [f"xfirst = {x[0]!r}", f"xinc = {360 / x.size!r}", f"yfirst = {y[0]!r}", f"yinc = {-180 / y.size!r}"]
    grid.write_text("\n".join(lines).replace("np.float64(", "").replace(")", ""))
    made = work / f"{method}.nc"
    run("cdo", "-s", "-O", f"{METHODS[method]},{grid}", f"-selname,{variable}", file, str(made))
    with netCDF4.Dataset(made) as dataset:
        return np.ma.masked_invalid(dataset[variable][0])


def unit_vectors(longitude, latitude):
    longitude, latitude = np.radians(longitude), np.radians(latitude)
    vectors = np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)
    return np.stack(vectors, axis=-1)


def places(file, variable, x, y):
    """What lies where: a name and a mask `[y, x]` for each kind of place; the first that holds counts."""
    with netCDF4.Dataset(file) as dataset:
        longitude, latitude = (dataset[name][...].astype(float).filled(np.nan) for name in ("nav_lon", "nav_lat"))
        dry = np.ma.getmaskarray(dataset[variable][0])
    cells = cKDTree(unit_vectors(longitude.ravel(), latitude.ravel()))
    targets = unit_vectors(*np.meshgrid(x, y)).reshape(-1, 3)
    # Nine, since a cell may be there twice or thrice.
    distance, near = cells.query(targets, k=9, workers=2)
    shape = y.size, x.size
    rows, columns = np.unravel_index(near.reshape(*shape, -1), dry.shape)
    tied = (distance[:, 1] <= distance[:, 0] * (1 + 1e-6)).reshape(shape)
    among = dry[rows, columns]
    border = (columns < 2) | (columns >= dry.shape[1] - 2)
    return {
        "beyond the southernmost row": np.broadcast_to(y[:, None] < latitude.min(), shape),
        "among land": among.all(axis=-1),
        "at the coast": among.any(axis=-1),
        "at the fold": (rows >= dry.shape[0] - 3).any(axis=-1),
        "at the seam": border.any(axis=-1),
        "as near to two cells": tied,
        "open ocean": np.ones(shape, bool),
    }


def report(method, mine, theirs, where):
    """Prints counts and differences for each kind of place; returns the differences where both have a value."""
    wet, cdo_wet = ~np.ma.getmaskarray(mine), ~np.ma.getmaskarray(theirs)
    difference = np.where(wet & cdo_wet, mine.filled(0).astype(float) - theirs.filled(0), 0)
    reach = float(mine.max() - mine.min())
    apart = np.abs(difference) > ROUNDING * reach
    rest = np.ones(mine.shape, bool)
    print(f"{method}: of {mine.size} cells {int((wet & cdo_wet).sum())} have a value in both; range {reach:.4g}")
    for name, mask in where.items():
        here, rest = rest & mask, rest & ~mask
        both = here & wet & cdo_wet
        some = np.abs(difference[both])
        if not (here & (wet | cdo_wet)).any():
            continue
        counts = [int(m.sum()) for m in (both, here & wet & ~cdo_wet, here & ~wet & cdo_wet, both & apart)]
        sizes = f"mean {some.mean():.3g}, largest {some.max():.3g}" if some.size else ""
        print("  {:28} both {:6}, ours only {:5}, CDO only {:5}, apart {:6}; ".format(name, *counts) + sizes)
    return difference


def draw(path, title, mine, theirs, difference, x, y):
    """A map: differences in colour, land grey, cells with a value in one only in green and black."""
    land, cdo_land = np.ma.getmaskarray(mine), np.ma.getmaskarray(theirs)
    reach = float(np.quantile(np.abs(difference[difference != 0]), 0.98)) if difference.any() else 1.0
    shown = mpl.colormaps["RdBu_r"].resampled(15)(np.clip(difference / reach, -1, 1) / 2 + 0.5)[..., :3]
    for mask, colour in ((land & cdo_land, 0.8), (land & ~cdo_land, 0.0), (~land & cdo_land, (0.1, 0.6, 0.2))):
        shown[mask] = colour
    figure, axes = plt.subplots(figsize=(8, 4.4), layout="constrained")
    axes.imshow(shown, extent=(x[0], x[-1], y[-1], y[0]), interpolation="nearest", aspect="auto")
    axes.set_title(f"{title} (±{reach:.2g}; black: CDO only, green: ours only)", fontsize=9)
    axes.tick_params(labelsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Few colours make a small file.
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100)
    plt.close(figure)
    Image.open(drawn).convert("RGB").quantize(24).save(path, optimize=True)


def main(file, variable, directory, name):
    where = None
    with tempfile.TemporaryDirectory() as work:
        for method, operator in METHODS.items():
            mine, x, y = ours(file, variable, method, Path(work))
            theirs = by_cdo(file, variable, method, x, y, Path(work))
            where = where or places(file, variable, x, y)
            difference = report(method, mine, theirs, where)
            title = f"{name}, {variable}: {method} less {operator}"
            draw(Path(directory) / f"{name}-{method}.png", title, mine, theirs, difference, x, y)


if __name__ == "__main__":
    main(*sys.argv[1:])
