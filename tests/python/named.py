r"""Writes a classic file whose variables have these names, which no NetCDF library would give them, and one called `tos`.

usage: named.py FILE NAME...

A name is a Python string literal without its quotes.
"""

import ast
import sys

import netCDF4
import numpy as np

path, *names = sys.argv[1:]
names = [ast.literal_eval(f'"{name}"').encode() for name in names]
# Classic files have names as plain bytes, so that one of the same length can be put in its place.
places = [(f"q{number:02}" + "q" * len(name))[: max(len(name), 3)].encode() for number, name in enumerate(names)]
with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
    for dimension, length in {"time_counter": None, "y": 2, "x": 3}.items():
        file.createDimension(dimension, length)
    time = file.createVariable("time_counter", "f8", ("time_counter",))
    time.units = "days since 1976-01-01"
    time[:] = [1, 2]
    for number, name in enumerate([b"tos", *places]):
        variable = file.createVariable(name.decode(), "f4", ("time_counter", "y", "x"))
        variable[:] = np.arange(12).reshape(2, 2, 3) + 100 * number + 1
with open(path, "rb") as file:
    content = file.read()
for place, name in zip(places, names, strict=True):
    # Names are padded to four bytes behind their length.
    padded = [len(n).to_bytes(4, "big") + n + bytes(-len(n) % 4) for n in (place, name)]
    assert content.count(padded[0]) == 1, name
    if len(padded[0]) != len(padded[1]):
        sys.exit(f"{name}: too short")
    content = content.replace(padded[0], padded[1])
with open(path, "wb") as file:
    file.write(content)
