"""Writes variables of a NetCDF file as a Zarr v2 store with xarray, as other tools do.

usage: write_v2.py SOURCE STORE KIND VARIABLE...

KIND is plain; default, where xarray gives every float a _FillValue of NaN; big-endian; fortran; or filters.
"""

import sys

import numcodecs
import xarray as xr

source, store, kind, *names = sys.argv[1:]
dataset = xr.open_dataset(source, decode_cf=False)[names]
encoding = {name: {"chunks": tuple(min(n, 16) for n in dataset[name].shape)} for name in dataset.variables}
if kind == "filters":
    encoding[names[0]]["filters"] = [numcodecs.Shuffle(4)]
if kind == "big-endian":
    dataset[names[0]] = dataset[names[0]].astype(">f4")
if kind != "default":
    for name, of_variable in encoding.items():
        if "_FillValue" not in dataset[name].attrs:
            of_variable["_FillValue"] = None
dataset.to_zarr(store, zarr_format=2, consolidated=True, encoding=encoding)
if kind == "fortran":
    # xarray does not offer it; for one step, other readers and writers do.
    import pathlib

    for path in [pathlib.Path(store) / ".zmetadata", pathlib.Path(store) / names[0] / ".zarray"]:
        text = path.read_text()
        path.write_text(text.replace('"order": "C"', '"order": "F"'))
