"""Writes a hierarchy as xarray does: a group a grid, consolidated at its root.

usage: write_tree.py STORE ZARR_VERSION FILE

Of FILE, the groups gridT and ocean/gridU get the same data; a second level, as people nest experiments.
"""

import sys
import warnings

import xarray as xr

warnings.simplefilter("ignore")
store, version, file = sys.argv[1:]
data = xr.open_dataset(file, decode_times=False)
for variable in data.variables.values():
    variable.encoding = {k: v for k, v in variable.encoding.items() if k in ("_FillValue", "missing_value")}
tree = xr.DataTree.from_dict({"/gridT": data, "/ocean/gridU": data})
tree.to_zarr(store, zarr_format=int(version), consolidated=True)
