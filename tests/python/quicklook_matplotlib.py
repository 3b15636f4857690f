"""Checks that a map which `msm_os quicklook` has drawn as PNG looks as Matplotlib draws the same values.

usage: quicklook_matplotlib.py PICTURE FILE VARIABLE

PICTURE is a map of the globe alone, of the first step of VARIABLE in FILE. Values are those of the nearest cells on the sphere, by SciPy.
Prints the mean absolute difference of the colours, of 255: of all of the map, and where no coast is drawn.
"""

import sys
import warnings

import matplotlib
import numpy as np
from netCDF4 import Dataset
from scipy.spatial import cKDTree

warnings.simplefilter("error")
matplotlib.use("agg")
import matplotlib.pyplot as plt

picture, file, variable = sys.argv[1:]
LEFT, TOP, NX, NY = 56, 48, 1080, 540
MISSING = "#b4b4b4"
# Of 255. A coast is a dark line of a pixel or two between sea and land.
MOST, MOST_AT_SEA = 4.0, 0.5


def points(longitude, latitude):
    x, y = np.radians(longitude), np.radians(latitude)
    return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], -1)


with Dataset(file) as source:
    field = source[variable][0].astype("f8").filled(np.nan).ravel()
    longitude, latitude = (source[name][:].astype("f8").filled(np.nan).ravel() for name in ("nav_lon", "nav_lat"))
x, y = np.meshgrid(-180 + (np.arange(NX) + 0.5) / 3, 90 - (np.arange(NY) + 0.5) / 3)
_, cell = cKDTree(points(longitude, latitude)).query(points(x, y))
# South of the grid there is none.
values = np.where(y < latitude.min() - 1, np.nan, field[cell])

low, high = np.nanquantile(values, [0.02, 0.98], method="nearest")
figure = plt.figure(figsize=(NX / 100, NY / 100), dpi=100)
axes = figure.add_axes([0, 0, 1, 1])
axes.set_axis_off()
colours = matplotlib.colormaps["viridis"].with_extremes(bad=MISSING)
axes.imshow(np.ma.masked_invalid(values), cmap=colours, vmin=low, vmax=high, interpolation="nearest", aspect="auto")
figure.canvas.draw()
expected = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)

found = np.rint(plt.imread(picture)[TOP : TOP + NY, LEFT : LEFT + NX, :3] * 255).astype(int)
away = np.abs(found - expected).mean(-1)
land = np.isnan(values)
coast = np.zeros_like(land)
for axis in (0, 1):
    edge = np.diff(land, axis=axis)
    for before, after in ((1, 0), (0, 1)):
        coast |= np.pad(edge, [(before, after) if axis == along else (0, 0) for along in (0, 1)])
# And the frame.
coast[[0, -1]] = coast[:, [0, -1]] = True
print(f"{variable}: {away.mean():.3f} in all, {away[~coast].mean():.3f} where no coast is, {coast.mean():.3f} of it coast")
assert away.mean() < MOST and away[~coast].mean() < MOST_AT_SEA
assert land.mean() > 0.2 and not land.all()
