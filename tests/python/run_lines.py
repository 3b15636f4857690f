"""Runs a file with what `msm_os open` printed, as it is, and checks that what it opens has the values of a source file. Any warning is
an error.

usage: run_lines.py LINES FILE

Prints the names of the data variables of each store but bounds, after what the lines print.
"""

import runpy
import sys
import warnings

import numpy as np
import xarray as xr

lines, file = sys.argv[1:]
expected = xr.load_dataset(file)
warnings.simplefilter("error")
opened = runpy.run_path(lines)["ds"]
for key, dataset in {"": opened}.items() if isinstance(opened, xr.Dataset) else opened.items():
    for name, variable in dataset.variables.items():
        if name.startswith("projected_"):
            continue  # Of no file.
        source = expected.variables[name]
        same = variable.dims == source.dims and variable.dtype == source.dtype
        if not same or not np.array_equal(variable.values, source.values, equal_nan=variable.dtype.kind == "f"):
            sys.exit(f"{key} {name}: other values than in the file")
    print("read", key, *sorted(name for name in dataset.data_vars if "bounds" not in name))
